import type { AccountId, Region } from '../../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../../storage/mirror.ts'

export type Tag = { readonly Key: string; readonly Value: string }

/** A rule as the store keeps it, in the row `<Region>/<account>/<name>`. */
export type RuleRecord = {
  readonly region: Region
  readonly account: AccountId
  readonly name: string
  /** As in `config-rule-ab12cd`. */
  readonly ruleId: string
  readonly description?: string | undefined
  readonly scope?: RuleScope | undefined
  readonly sourceIdentifier: string
  /** As it was given: a JSON object of texts. */
  readonly inputParameters?: string | undefined
  readonly frequency?: string | undefined
  /** ms since the epoch */
  readonly createdAt: number
  readonly changedAt: number
  readonly tags: readonly Tag[]
}

export type RuleScope = {
  readonly types?: readonly string[] | undefined
  readonly resourceId?: string | undefined
  readonly tagKey?: string | undefined
  readonly tagValue?: string | undefined
}

/** The recorder of an account in a Region, in the row `<Region>/<account>`. Items are made without one. */
export type RecorderRecord = {
  readonly name: string
  readonly roleArn: string
  readonly includeGlobal: boolean
  readonly recording: boolean
  /** ms since the epoch */
  readonly startedAt?: number | undefined
  readonly stoppedAt?: number | undefined
}

/** The delivery channel of an account in a Region, in the row `<Region>/<account>`. */
export type ChannelRecord = {
  readonly name: string
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly frequency?: string | undefined
}

type Where = { readonly region: Region; readonly account: AccountId }

/** Rules, recorders and delivery channels of every account and Region. */
export class ConfigState {
  readonly rules: Table<RuleRecord>
  readonly recorders: Table<RecorderRecord>
  readonly channels: Table<ChannelRecord>
  readonly #rulesOf = new Map<string, Set<string>>()

  /** Declares its tables: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.rules = mirror.table('config-rule', jsonCodec<RuleRecord>())
    this.recorders = mirror.table('config-recorder', jsonCodec<RecorderRecord>())
    this.channels = mirror.table('config-channel', jsonCodec<ChannelRecord>())
    this.rules.watchGlances((row, now) => {
      const where = row.split('/', 2).join('/')
      const rows = this.#rulesOf.get(where) ?? new Set()
      this.#rulesOf.set(where, rows)
      if (now === undefined) rows.delete(row)
      else rows.add(row)
    })
  }

  rule(where: Where, name: string): RuleRecord | undefined {
    return this.rules.get(ruleRow({ ...where, name }))
  }

  /** In the order of their names. */
  rulesOf(where: Where): readonly RuleRecord[] {
    return [...(this.#rulesOf.get(placeOf(where)) ?? [])]
      .map((row) => this.rules.get(row))
      .filter((rule) => rule !== undefined)
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  }
}

export function placeOf({ region, account }: Where): string {
  return `${region}/${account}`
}

export function ruleRow({ name, ...where }: Where & { readonly name: string }): string {
  return `${placeOf(where)}/${name}`
}

export function ruleArn({ region, account, ruleId }: RuleRecord): string {
  return `arn:aws:config:${region}:${account}:config-rule/${ruleId}`
}
