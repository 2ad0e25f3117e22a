import { hash } from 'node:crypto'
import type { EntryKind } from '../base/entry-kind.ts'

/**
 * Where the control plane's records live. One table of rows, each `kind`/`id` with a JSON body; everything a
 * request needs is mirrored in memory, so the port knows transactions and revisions and no queries. Beside the rows
 * there is an archive of texts, which is not mirrored.
 *
 * Contract of every adapter (`storage/conformance.ts`):
 * - `commit` is atomic and durable before it resolves: the puts, the texts and the events of one transaction, or
 *   nothing.
 * - Every commit gets a revision greater than all before it, from whichever process.
 * - A put whose `expected` is not the row's present revision fails the whole transaction with `StoreConflict`; so does
 *   a change of what the transaction says is `unchanged`.
 * - Archiving a text that is in the archive changes nothing, whoever brought it: it is never a conflict.
 * - Commits asked for in one turn of the event loop may share one flush; each still succeeds or fails alone.
 * - After any failed write or flush the store refuses all further commits with 'internal'.
 */
export interface Store {
  /**
   * Shows every live row, one by one, and resolves with the revision they stand at. Of commits made meanwhile it may
   * show a part: `changed` reports them, and `changesSince` that revision brings them.
   */
  load(visit: (row: Row) => void): Promise<number>
  /** Cheap: whether another process has committed since the last call. Looked at once a turn. */
  changed(): boolean
  /** Rows with a revision greater than `revision`, tombstones included, in order of revision. */
  changesSince(revision: number): Promise<{ rows: Row[]; revision: number }>
  /** Resolves with the revision that every row of the transaction now has. */
  commit(transaction: Transaction): Promise<number>
  /** The archived text of that `textDigest`; undefined when there is none. */
  archived(digest: string): Promise<string | undefined>
  /** Events committed but not settled, oldest first. */
  outbox(): Promise<OutboxEvent[]>
  /** Says that these events are in the journal. Need not be durable at once. */
  settle(eventIds: readonly string[]): Promise<void>
  /** Writes a consistent copy of the store, as it stands at this call, to a new file. */
  backup(file: string, progress?: (done: number, total: number) => void): Promise<void>
  close(): Promise<void>
  readonly healthy: boolean
}

/** Neither `kind` nor `id` is empty. */
export type Row = {
  readonly kind: string
  readonly id: string
  readonly revision: number
  /** JSON text; null is a tombstone. */
  readonly body: string | null
}

export type Put = {
  readonly kind: string
  readonly id: string
  /** JSON text; null deletes. Deleted bytes are overwritten in the file. */
  readonly body: string | null
  /** The revision of the row that this replaces; 0 when there must be no live row. */
  readonly expected: number
}

export type OutboxEvent = {
  /** The `eventID` that the record has. */
  readonly id: string
  /** The record exactly as it will stand in the journal. */
  readonly record: string
  /** What it will be there; an event unless it is said. */
  readonly kind?: EntryKind
}

export type Transaction = {
  readonly puts: readonly Put[]
  readonly events: readonly OutboxEvent[]
  /** Texts to be kept for good, each once; they have no revision, and neither `load` nor `changesSince` shows them. */
  readonly archive?: readonly string[] | undefined
  /** What the change was decided on beside the rows that it replaces. */
  readonly unchanged?: Unchanged | undefined
}

/** A StoreConflict when any row of these kinds has a revision greater than `since`. */
export type Unchanged = { readonly kinds: readonly string[]; readonly since: number }

/** What an archived text is asked for by: its SHA-256, hexadecimal. */
export function textDigest(text: string): string {
  return hash('sha256', text, 'hex')
}

/** Somebody else changed a row first: read again and decide anew. */
export class StoreConflict extends Error {
  override readonly name = 'StoreConflict'
}
