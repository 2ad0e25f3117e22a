import type { EntryKind } from '../base/entry-kind.ts'

/**
 * The audit record, as the pipeline sees it. A record is the exact text of one CloudTrail event, or of another kind of
 * entry.
 */
export interface Journal {
  /**
   * Resolves once the record is on disk (written and flushed), with its index in the log. Records appended in one
   * turn share a flush. Rejects with ServiceError 'internal' once the journal has failed; it never comes back then.
   */
  append(record: string, kind?: EntryKind): Promise<number>
  /** Longer records are refused, in UTF-8. It depends on the size of its segments: 12 KB at the least. */
  readonly maxRecordBytes: number
  /** Number of durable records. */
  readonly size: number
  /** False after any failed write, flush, rename or vanished file. Turns `/health` red. */
  readonly healthy: boolean
  /** Why it is not healthy, for the operator. */
  readonly failure: string | undefined
  /** Waits for what was appended, writes a last signed checkpoint and closes. */
  close(): Promise<void>
}

/** Signs the text of a checkpoint; the key stays in the key core. */
export type CheckpointSigner = (message: Buffer) => Promise<Buffer>

/**
 * The index over the journal that answers CloudTrail's LookupEvents. A follower: it lags or dies without touching a
 * caller, and catches up before it answers, so that what was just recorded is found.
 */
export interface EventLookup {
  find(query: LookupQuery): Promise<LookupPage>
  /** The newest success of any of some operations on a resource, however long ago it was. */
  last(query: LastEventQuery): Promise<LastEvent | undefined>
  close(): Promise<void>
}

export type LastEventQuery = {
  /** Matches the record's recipientAccountId. */
  readonly account: string
  /** ARN */
  readonly resource: string
  readonly names: readonly string[]
}

export type LastEvent = {
  readonly name: string
  /** ms since the epoch, in whole seconds, as records have it. */
  readonly time: number
  readonly eventId: string
  readonly requestId: string
}

export type LookupAttribute =
  | 'AccessKeyId'
  | 'EventId'
  | 'EventName'
  | 'EventSource'
  | 'ReadOnly'
  | 'ResourceName'
  | 'ResourceType'
  | 'Username'

export type LookupQuery = {
  /** Matches the record's recipientAccountId. */
  readonly account: string
  /** Matches the record's awsRegion. */
  readonly region: string
  readonly attribute?: { readonly key: LookupAttribute; readonly value: string } | undefined
  /** Both inclusive, ms since the epoch. */
  readonly from: number
  readonly to: number
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: number | undefined
}

/** Newest first. */
export type LookupPage = { readonly records: readonly string[]; readonly next: number | undefined }
