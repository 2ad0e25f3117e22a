import type { AccountId, Region } from '../../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../../storage/mirror.ts'
import { type Put, StoreConflict } from '../../storage/port.ts'

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
  /** Absent: true. Whether it delivers the events that come of delivering. */
  readonly recursiveLogging?: boolean
  /** ARN of the key that log files are encrypted under. */
  readonly kmsKeyArn?: string
  readonly logging: boolean
  /** ms since the epoch, of the last StartLogging and the last StopLogging. */
  readonly startedAt?: number
  readonly stoppedAt?: number
  /** Undefined: all management events, no data events. */
  readonly selectors?: EventSelectors
  /** In the order of their keys. */
  readonly tags: readonly TrailTag[]
}

export type TrailTag = { readonly key: string; readonly value: string }

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

  /** In the order of their names. */
  ofAccount(account: AccountId): readonly TrailRecord[] {
    const found = [...this.rows.values((trail) => trail.account === account)]
    return found.sort((a, b) => (position(a) < position(b) ? -1 : 1))
  }

  // Whoever decided on a record that is no longer the present one has to decide anew: these throw StoreConflict.

  add(trail: TrailRecord): Put {
    return this.#put(undefined, trail)
  }

  replace(before: TrailRecord, after: TrailRecord): Put {
    return this.#put(before, after)
  }

  remove(trail: TrailRecord): Put {
    this.#requirePresent(trailRow(trail), trail)
    return this.rows.remove(trailRow(trail))
  }

  #put(before: TrailRecord | undefined, after: TrailRecord): Put {
    const row = trailRow(after)
    this.#requirePresent(row, before)
    return this.rows.put(row, after)
  }

  #requirePresent(row: string, expected: TrailRecord | undefined): void {
    if (this.rows.get(row) !== expected) throw new StoreConflict(`trail '${row}' is another one`)
  }
}

function position({ name, homeRegion }: TrailRecord): string {
  return `${name}/${homeRegion}`
}

/** Whether a Region has the trail: its home, and of a multi-Region trail every other one as a shadow. */
export function isIn({ homeRegion, multiRegion }: TrailRecord, region: Region): boolean {
  return multiRegion || homeRegion === region
}

export function trailRow(trail: Pick<TrailRecord, 'homeRegion' | 'account' | 'name'>): string {
  return `${trail.homeRegion}/${trail.account}/${trail.name}`
}
