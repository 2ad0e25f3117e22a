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

/** The history of configuration items, out of the same index. What was just recorded is found. */
export interface ConfigurationHistory {
  /** Items of one resource. */
  items(query: ConfigurationQuery): Promise<LookupPage>
  /** The newest item of each of these resources; undefined for one that never was, or is gone. */
  newest(queries: readonly ResourceQuery[]): Promise<readonly (string | undefined)[]>
  resources(listing: ResourceListing): Promise<readonly ResourceRow[]>
  /** How many resources there are of each type. */
  counts(account: string, region: string): Promise<readonly ResourceCount[]>
}

/** What is in no Region is found in every one. */
export type ResourceQuery = {
  readonly account: string
  readonly region: string
  readonly type: string
  readonly resource: string
}

export type ConfigurationQuery = ResourceQuery & {
  /** Both inclusive, ms since the epoch. */
  readonly from: number
  readonly to: number
  readonly oldestFirst: boolean
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: number | undefined
}

export type ResourceListing = {
  readonly account: string
  readonly region: string
  readonly type?: string | undefined
  /** Whether deleted ones are listed, too. */
  readonly deleted: boolean
  /** The newest item of each comes along; a page may be shorter then. */
  readonly records?: boolean | undefined
  readonly limit: number
  readonly after?: { readonly type: string; readonly resource: string } | undefined
}

export type ResourceRow = {
  readonly type: string
  readonly resource: string
  readonly name: string
  /** ms since the epoch, of the newest item. */
  readonly time: number
  readonly deleted: number
  readonly record?: string
}

export type ResourceCount = { readonly type: string; readonly count: number }

/** Who used which key, out of the same index, however long ago. What was just recorded counts. */
export interface KeyUses {
  uses(query: KeyUseQuery): Promise<readonly KeyUse[]>
  /** What each grant allowed, in the order of grant and account. */
  grantUses(query: GrantUseQuery): Promise<readonly GrantUse[]>
}

export type GrantUseQuery = {
  readonly limit: number
  /** The last one of the page before. */
  readonly after?: Pick<GrantUse, 'grantId' | 'account'> | undefined
}

/** What a grant allowed, as the record of one account says. */
export type GrantUse = Pick<
  KeyUse,
  'account' | 'count' | 'first' | 'firstEvent' | 'last' | 'lastEvent'
> & {
  readonly grantId: string
}

/** Of all accounts, or keys, without one. In the order of key, account, operation, principal and error. */
export type KeyUseQuery = {
  readonly account?: string | undefined
  /** ARN */
  readonly key?: string | undefined
  /** The days (UTC) that `inPeriod` counts, by any time of the first and the last; ms since the epoch. */
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly limit: number
  /** The last one of the page before. */
  readonly after?: Pick<KeyUse, 'key' | 'account' | 'name' | 'principal' | 'error'> | undefined
}

/** What one principal did with a key by one operation, with one outcome. */
export type KeyUse = {
  readonly key: string
  /** The one whose record says so: of a call across accounts, each of the two has a copy. */
  readonly account: string
  readonly name: string
  /** ARN; the role's for its sessions. `account/id` in the copy for the owner of what a foreign principal used. */
  readonly principal: string
  readonly principalAccount: string
  /** The record's errorCode; empty for a success. */
  readonly error: string
  /** Ever. */
  readonly count: number
  readonly inPeriod: number
  /** ms since the epoch, in whole seconds. */
  readonly first: number
  readonly firstEvent: string
  readonly last: number
  readonly lastEvent: string
  /** Of the last event: a session's, perhaps. */
  readonly lastArn: string
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

/**
 * ContextArn: of an S3 object or bucket in the encryption context of a call of KMS. ContextBucket: the same, or of the
 * object's bucket.
 */
export type IndexedAttribute = LookupAttribute | 'ContextArn' | 'ContextBucket'

export type LookupQuery = {
  /** Management events unless it says otherwise. */
  readonly category?: 'Management' | 'Data' | undefined
  /** Also what LookupEvents shows no longer, as far back as the index goes. */
  readonly older?: boolean | undefined
  /** Matches the record's recipientAccountId. */
  readonly account: string
  /** Matches the record's awsRegion. */
  readonly region: string
  readonly attribute?: { readonly key: IndexedAttribute; readonly value: string } | undefined
  /** Both inclusive, ms since the epoch. */
  readonly from: number
  readonly to: number
  readonly limit: number
  /** `next` of the page before. */
  readonly after?: number | undefined
}

/** Newest first. */
export type LookupPage = { readonly records: readonly string[]; readonly next: number | undefined }
