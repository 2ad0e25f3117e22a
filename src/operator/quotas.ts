import type { AccountId } from '../base/ids.ts'
import { jsonCodec, type Mirror, type Table } from '../storage/mirror.ts'
import type { Put } from '../storage/port.ts'

/** A limit that the operator can set. */
export type QuotaDefinition = {
  /** As in `keys` or `requests/Encrypt`. */
  readonly name: string
  /** What holds while nothing is set; undefined: no limit. */
  readonly initial: number | undefined
  /** AWS's own value, for whoever wants the same. */
  readonly aws: number | undefined
  /** Can be set for one account alone; otherwise it holds for all. */
  readonly perAccount: boolean
  readonly meaning: string
}

type Setting = { readonly name: string; readonly account?: AccountId; readonly value: number }

/** The limits of this deployment: AWS's unless the operator set others. They act on the next call. */
export class Quotas {
  readonly #settings: Table<Setting>
  readonly #definitions: ReadonlyMap<string, QuotaDefinition>

  constructor(mirror: Mirror, definitions: readonly QuotaDefinition[]) {
    this.#settings = mirror.table('quota', jsonCodec<Setting>())
    this.#definitions = new Map(definitions.map((definition) => [definition.name, definition]))
  }

  get definitions(): Iterable<QuotaDefinition> {
    return this.#definitions.values()
  }

  definition(name: string): QuotaDefinition | undefined {
    return this.#definitions.get(name)
  }

  settings(): readonly Setting[] {
    return [...this.#settings.values()]
  }

  /** What holds for everybody. */
  value(name: string): number | undefined {
    return this.#settings.get(name)?.value ?? this.#definitions.get(name)?.initial
  }

  /** What holds for one account: its own setting, or everybody's. */
  valueFor(name: string, account: AccountId): number | undefined {
    // Almost always there are none, and this is asked for every request.
    if (this.#settings.size === 0) return this.#definitions.get(name)?.initial
    return this.#settings.get(`${name}@${account}`)?.value ?? this.value(name)
  }

  set(name: string, account: AccountId | undefined, value: number): Put {
    const setting = account === undefined ? { name, value } : { name, account, value }
    return this.#settings.put(rowOf(name, account), setting)
  }

  /** Undefined when nothing was set. */
  unset(name: string, account: AccountId | undefined): Put | undefined {
    const row = rowOf(name, account)
    return this.#settings.get(row) === undefined ? undefined : this.#settings.remove(row)
  }
}

function rowOf(name: string, account: AccountId | undefined): string {
  return account === undefined ? name : `${name}@${account}`
}
