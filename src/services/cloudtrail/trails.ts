import type { AccountId, Region } from '../../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../../storage/mirror.ts'

/** A trail as it stands in the store. Its row is `<home Region>/<account>/<name>`. */
export type TrailRecord = {
  readonly arn: string
  readonly name: string
  readonly account: AccountId
  /** Where it was made and where it may be changed. */
  readonly homeRegion: Region
  readonly bucket: string
  readonly prefix?: string
  /** All Regions of the deployment, or the home Region alone. */
  readonly multiRegion: boolean
  /** Events of services that are in no Region (IAM, STS). */
  readonly globalServiceEvents: boolean
  /** Whether digest files are delivered: LogFileValidationEnabled. */
  readonly validation: boolean
  /** ARN of the key that log files are encrypted under. */
  readonly kmsKeyArn?: string
  readonly logging: boolean
  /** ms since the epoch, of the last StartLogging and the last StopLogging. */
  readonly startedAt?: number
  readonly stoppedAt?: number
  /** Undefined: all management events, no data events. */
  readonly selectors?: EventSelectors
  readonly tags: readonly { readonly key: string; readonly value: string }[]
}

/** One of the two, as PutEventSelectors has them. */
export type EventSelectors =
  | { readonly kind: 'basic'; readonly selectors: readonly BasicSelector[] }
  | { readonly kind: 'advanced'; readonly selectors: readonly AdvancedSelector[] }

export type BasicSelector = {
  readonly readWriteType: 'ReadOnly' | 'WriteOnly' | 'All'
  readonly includeManagementEvents: boolean
  readonly dataResources: readonly { readonly type: string; readonly values: readonly string[] }[]
  readonly excludeManagementEventSources: readonly string[]
}

export type AdvancedSelector = {
  readonly name?: string
  readonly fieldSelectors: readonly FieldSelector[]
}

export type FieldSelector = {
  readonly field: string
  readonly equals?: readonly string[]
  readonly startsWith?: readonly string[]
  readonly endsWith?: readonly string[]
  readonly notEquals?: readonly string[]
  readonly notStartsWith?: readonly string[]
  readonly notEndsWith?: readonly string[]
}

/** The trails of all accounts. */
export class Trails {
  readonly rows: Table<TrailRecord>

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.rows = mirror.table('trail', jsonCodec<TrailRecord>())
  }

  get(homeRegion: Region, account: AccountId, name: string): TrailRecord | undefined {
    return this.rows.get(trailRow({ homeRegion, account, name }))
  }
}

export function trailRow(trail: Pick<TrailRecord, 'homeRegion' | 'account' | 'name'>): string {
  return `${trail.homeRegion}/${trail.account}/${trail.name}`
}
