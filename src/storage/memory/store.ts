import { internalError, ServiceError } from '../../base/errors.ts'
import {
  type OutboxEvent,
  type Row,
  type Store,
  StoreConflict,
  type Transaction,
  textDigest,
  type Unchanged,
} from '../port.ts'

/** What a database file is to the default store: shared by the adapters that are given it. */
export class SharedRows {
  revision = 0
  readonly rows = new Map<string, Row>()
  readonly outbox = new Map<string, OutboxEvent>()
  /** The revision of the last change of each kind. */
  readonly #lastOf = new Map<string, number>()
  readonly archive = new Map<string, string>()

  /** Writes all of the transaction or, throwing, nothing. */
  commit({ puts, events, archive = [], unchanged }: Transaction): number {
    const revision = this.revision + 1
    if (unchanged !== undefined) this.#requireUnchanged(unchanged)
    const changes = new Map<string, Row>()
    for (const { kind, id, body, expected } of puts) {
      const key = JSON.stringify([kind, id])
      const row = changes.get(key) ?? this.rows.get(key)
      const present = row === undefined || row.body === null ? 0 : row.revision
      if (present !== expected) {
        throw new StoreConflict(`${kind} '${id}' is not at revision ${expected}`)
      }
      changes.set(key, { kind, id, body, revision })
    }
    const ids = new Set(events.map(({ id }) => id))
    const repeated = ids.size < events.length || events.some(({ id }) => this.outbox.has(id))
    if (repeated) throw internalError('an event of the transaction is in the outbox already')
    for (const [key, row] of changes) {
      this.rows.set(key, row)
      this.#lastOf.set(row.kind, revision)
    }
    for (const event of events) this.outbox.set(event.id, event)
    for (const text of archive) this.archive.set(textDigest(text), text)
    this.revision = revision
    return revision
  }

  #requireUnchanged({ kinds, since }: Unchanged): void {
    for (const kind of kinds) {
      if ((this.#lastOf.get(kind) ?? 0) <= since) continue
      throw new StoreConflict(`a ${kind} has changed since revision ${since}`)
    }
  }
}

/**
 * The store of tests: it keeps nothing when the process ends. Two adapters over the same `shared` rows are to each
 * other as two processes over one file.
 */
export function createMemoryStore(shared: SharedRows = new SharedRows()): Store {
  return new MemoryStore(shared)
}

class MemoryStore implements Store {
  readonly healthy = true
  readonly #shared: SharedRows
  /** The greatest revision that `changed` has looked at, and how many of our own commits came since. */
  #seen: number
  #own = 0
  #closed = false

  constructor(shared: SharedRows) {
    this.#shared = shared
    this.#seen = shared.revision
  }

  async load(visit: (row: Row) => void): Promise<number> {
    this.#checkOpen()
    for (const row of [...this.#shared.rows.values()]) if (row.body !== null) visit(row)
    return this.#shared.revision
  }

  changed(): boolean {
    this.#checkOpen()
    const { revision } = this.#shared
    const changed = revision > this.#seen + this.#own
    this.#seen = revision
    this.#own = 0
    return changed
  }

  async changesSince(revision: number): Promise<{ rows: Row[]; revision: number }> {
    this.#checkOpen()
    const rows = [...this.#shared.rows.values()].filter((row) => row.revision > revision)
    rows.sort((a, b) => a.revision - b.revision)
    return { rows, revision: this.#shared.revision }
  }

  async commit(transaction: Transaction): Promise<number> {
    this.#checkOpen()
    const revision = this.#shared.commit(transaction)
    this.#own += 1
    return revision
  }

  async archived(digest: string): Promise<string | undefined> {
    this.#checkOpen()
    return this.#shared.archive.get(digest)
  }

  async outbox(): Promise<OutboxEvent[]> {
    this.#checkOpen()
    return [...this.#shared.outbox.values()]
  }

  async settle(eventIds: readonly string[]): Promise<void> {
    this.#checkOpen()
    for (const id of eventIds) this.#shared.outbox.delete(id)
  }

  async backup(_file: string): Promise<void> {
    throw new ServiceError('unsupported', 'the store in memory has no file to back up')
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #checkOpen(): void {
    if (this.#closed) throw internalError('the store is closed')
  }
}
