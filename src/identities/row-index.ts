import type { AccountId } from '../base/ids.ts'
import { jsonCodec, type Mirror, type Table, type TextsOf } from '../storage/mirror.ts'
import { type Put, StoreConflict } from '../storage/port.ts'

/** Records that have a name in their account, and a unique id in the deployment. */
export interface ByAccount<T> {
  /** Whatever the name's case. */
  get(account: AccountId, name: string): T | undefined
  byId(id: string): T | undefined
  /** Those of an account, in the order of their names without regard to case. */
  of(account: AccountId): readonly T[]
  count(account: AccountId): number
  /** Of every account, in no order. */
  all(): Iterable<T>
  /** Called after each change, and for each record at load. */
  watch(watcher: (now: T | undefined, before: T | undefined) => void): void
  /** Every commit that replaces or removes a record archives those of its texts that it no longer has. */
  archive(textsOf: TextsOf<T>): void
  // All throw StoreConflict when what they were decided on is no longer so.
  add(record: T): Put
  /** A new name is a removal and an addition: then `rename`. */
  replace(before: T, after: T): Put
  rename(before: T, after: T): readonly Put[]
  remove(record: T): Put
  /** The record unchanged: a commit with it fails if anybody changes the record meanwhile. */
  touch(record: T): Put
}

type Naming<T> = {
  readonly name: (record: T) => string
  readonly id: (record: T) => string
  readonly changed: () => void
}

export class RowIndex<T extends { readonly account: AccountId }> implements ByAccount<T> {
  readonly #table: Table<T>
  readonly #naming: Naming<T>
  readonly #byId = new Map<string, T>()
  readonly #rows = new Map<AccountId, Set<string>>()
  readonly #sorted = new Map<AccountId, readonly T[]>()
  readonly #watchers: ((now: T | undefined, before: T | undefined) => void)[] = []

  constructor(mirror: Mirror, kind: string, naming: Naming<T>) {
    this.#naming = naming
    this.#table = mirror.table(kind, jsonCodec<T>())
    this.#table.watch((row, now, before) => this.#take(row, now, before))
  }

  get(account: AccountId, name: string): T | undefined {
    return this.#table.get(rowOf(account, name))
  }

  byId(id: string): T | undefined {
    return this.#byId.get(id)
  }

  of(account: AccountId): readonly T[] {
    let sorted = this.#sorted.get(account)
    if (sorted === undefined) {
      const rows = [...(this.#rows.get(account) ?? [])].sort()
      sorted = rows.map((row) => this.#table.get(row)).filter((record) => record !== undefined)
      this.#sorted.set(account, sorted)
    }
    return sorted
  }

  count(account: AccountId): number {
    return this.#rows.get(account)?.size ?? 0
  }

  all(): Iterable<T> {
    return this.#byId.values()
  }

  watch(watcher: (now: T | undefined, before: T | undefined) => void): void {
    this.#watchers.push(watcher)
  }

  archive(textsOf: TextsOf<T>): void {
    this.#table.archive(textsOf)
  }

  add(record: T): Put {
    const row = this.#rowOf(record)
    if (this.#table.get(row) !== undefined) throw new StoreConflict('the name is taken')
    return this.#table.put(row, record)
  }

  replace(before: T, after: T): Put {
    const row = this.#present(before)
    if (this.#rowOf(after) !== row) throw new Error('another name takes a rename')
    return this.#table.put(row, after)
  }

  rename(before: T, after: T): readonly Put[] {
    if (this.#rowOf(after) === this.#rowOf(before)) return [this.replace(before, after)]
    return [this.remove(before), this.add(after)]
  }

  remove(record: T): Put {
    return this.#table.remove(this.#present(record))
  }

  touch(record: T): Put {
    return this.replace(record, record)
  }

  #rowOf(record: T): string {
    return rowOf(record.account, this.#naming.name(record))
  }

  #present(record: T): string {
    const row = this.#rowOf(record)
    if (this.#table.get(row) !== record)
      throw new StoreConflict('the record is not the present one')
    return row
  }

  #take(row: string, now: T | undefined, before: T | undefined): void {
    const account = (now ?? before)?.account
    if (account === undefined) return
    const { id } = this.#naming
    // A rename adds under the new name and removes the old one, in any order: an id goes only with its own record.
    if (before !== undefined && this.#byId.get(id(before)) === before) this.#byId.delete(id(before))
    if (now !== undefined) this.#byId.set(id(now), now)
    const rows = this.#rows.get(account) ?? new Set()
    this.#rows.set(account, rows)
    if (now === undefined) rows.delete(row)
    else rows.add(row)
    this.#sorted.delete(account)
    for (const watcher of this.#watchers) watcher(now, before)
    this.#naming.changed()
  }
}

function rowOf(account: AccountId, name: string): string {
  return `${account}/${name.toLowerCase()}`
}
