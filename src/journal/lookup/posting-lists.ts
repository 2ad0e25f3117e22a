import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { dayOf, firstIdOfDay } from './event-id.ts'

/**
 * Which events have a value: packed lists of event ids, so that what many events have in common costs a few bytes each.
 * A list has the ids of one transaction on one day, and at most so many that it fits into its page. Lists of one day
 * stand together: what is written at one time changes few pages, however long the index is kept.
 */
export const postingSchema = `
  CREATE TABLE posting (
    day INTEGER NOT NULL,
    value INTEGER NOT NULL,
    last INTEGER NOT NULL,
    first INTEGER NOT NULL,
    ids BLOB NOT NULL,
    PRIMARY KEY (day, value, last)
  ) STRICT, WITHOUT ROWID;
`

/** Ids count from the first one of their day. */
const idBytes = 5
const idsPerList = 160

export class PostingLists {
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #dayBefore: StatementSync
  readonly #forget: StatementSync
  /** What the transaction under way has seen. */
  readonly #seen = new Map<number, number[]>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#insert = database.prepare('INSERT INTO posting VALUES (?, ?, ?, ?, ?)')
    this.#dayBefore = database.prepare('SELECT max(day) AS day FROM posting WHERE day <= ?')
    this.#forget = database.prepare(
      `DELETE FROM posting WHERE (day, value, last) IN
       (SELECT day, value, last FROM posting WHERE day < ? ORDER BY day LIMIT ?)`,
    )
  }

  add(value: number, id: number): void {
    const ids = this.#seen.get(value)
    if (ids === undefined) this.#seen.set(value, [id])
    else if (ids.at(-1) !== id) ids.push(id)
  }

  /** Writes what was seen, within the transaction of its cursor. */
  store(): void {
    for (const [value, ids] of this.#seen) {
      if (ids.length > 1) ids.sort((one, other) => one - other)
      for (let at = 0; at < ids.length; ) at = this.#storeList(value, ids, at)
    }
    this.#seen.clear()
  }

  /** Forgets what was seen of a transaction that came to nothing. */
  drop(): void {
    this.#seen.clear()
  }

  /** The ids of a value from `highest` down to `lowest`. */
  *find(value: number, lowest: number, highest: number): Generator<number> {
    for (let day = this.#lastDay(dayOf(highest)); day !== undefined; day = this.#lastDay(day - 1)) {
      const first = firstIdOfDay(day)
      if (first + firstIdOfDay(1) <= lowest) return
      for (const id of this.#ofDay(day, value, lowest - first, highest - first)) yield first + id
    }
  }

  /** Forgets up to `limit` lists of the days before one. Answers how many. */
  forget(day: number, limit: number): number {
    return Number(this.#forget.run(day, limit).changes)
  }

  /** Lists of transactions at one time may overlap: what waits is behind the list that is next. */
  *#ofDay(day: number, value: number, lowest: number, highest: number): Generator<number> {
    const lists = this.#database
      .prepare(
        `SELECT last, ids FROM posting WHERE day = ? AND value = ? AND last >= ? AND first <= ?
         ORDER BY last DESC`,
      )
      .iterate(day, value, lowest, highest)
    let waiting: number[] = []
    for (const { last, ids } of lists as Iterable<unknown> as Iterable<List>) {
      while ((waiting.at(-1) ?? -1) > last) yield waiting.pop() ?? 0
      const more = idsOf(ids).filter((id) => id >= lowest && id <= highest)
      waiting = waiting.length === 0 ? more : [...waiting, ...more].sort((one, two) => one - two)
    }
    for (let at = waiting.length - 1; at >= 0; at -= 1) yield waiting[at] ?? 0
  }

  #storeList(value: number, ids: readonly number[], from: number): number {
    const lowest = ids[from] ?? 0
    const day = dayOf(lowest)
    const base = firstIdOfDay(day)
    const end = firstIdOfDay(day + 1)
    let to = from
    while (to < ids.length && to - from < idsPerList && (ids[to] ?? 0) < end) to += 1
    const packed = Buffer.allocUnsafe((to - from) * idBytes)
    for (let at = from; at < to; at += 1) {
      packed.writeUIntBE((ids[at] ?? 0) - base, (at - from) * idBytes, idBytes)
    }
    this.#insert.run(day, value, (ids[to - 1] ?? 0) - base, lowest - base, packed)
    return to
  }

  #lastDay(upTo: number): number | undefined {
    return (this.#dayBefore.get(upTo) as { day: number | null }).day ?? undefined
  }
}

type List = { readonly last: number; readonly ids: Uint8Array }

function idsOf(packed: Uint8Array): number[] {
  const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
  const ids: number[] = []
  for (let at = 0; at < bytes.length; at += idBytes) ids.push(bytes.readUIntBE(at, idBytes))
  return ids
}
