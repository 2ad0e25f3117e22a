import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LookupAttribute } from '../port.ts'
import { attributeHash, type EventAttributes } from './attributes.ts'
import { LastEvents } from './last-events.ts'

/** Where the text of an event is. */
export type EventPlace = {
  readonly id: number
  readonly journal: number
  readonly segment: number
  readonly offset: number
}

/** Events of one second have ids from `second * idsPerSecond` on. */
const idsPerSecond = 2 ** 20
const maxCachedHashes = 20_000
const maxCachedSeconds = 1_000
/** Later ones would not be exact numbers any more. */
const maxSecond = 2 ** 32

/** The rows of the index: adds events, finds their places, forgets old ones. */
export class EventIndex {
  readonly #insertEvent: StatementSync
  readonly #insertPosting: StatementSync
  readonly #lastId: StatementSync
  readonly #oldest: StatementSync
  readonly #deleteEvent: StatementSync
  readonly #deletePosting: StatementSync
  readonly #database: DatabaseSync
  readonly last: LastEvents
  readonly #hashes = new Map<string, number>()
  readonly #nextIds = new Map<number, number>()

  constructor(database: DatabaseSync) {
    this.#database = database
    this.last = new LastEvents(database)
    this.#insertEvent = database.prepare(
      'INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#insertPosting = database.prepare('INSERT OR IGNORE INTO posting VALUES (?, ?)')
    this.#lastId = database.prepare('SELECT max(id) AS id FROM event WHERE id BETWEEN ? AND ?')
    this.#oldest = database.prepare(
      'SELECT id, postings FROM event WHERE id < ? ORDER BY id LIMIT ?',
    )
    this.#deleteEvent = database.prepare('DELETE FROM event WHERE id = ?')
    this.#deletePosting = database.prepare('DELETE FROM posting WHERE value = ? AND id = ?')
  }

  add(event: EventAttributes, journal: number, segment: number, offset: number): void {
    const { account, region } = event
    const hash = (kind: string, value: string) => this.#hash(account, region, kind, value)
    const id = this.#nextId(event.time)
    const postings = [
      ...event.resourceNames.map((name) => hash('ResourceName', name)),
      ...event.resourceTypes.map((type) => hash('ResourceType', type)),
    ]
    this.#insertEvent.run(
      id,
      hash('', ''),
      attributeHash(account, region, 'EventId', event.eventId),
      hash('EventName', event.eventName),
      hash('EventSource', event.eventSource),
      event.username === undefined ? null : hash('Username', event.username),
      event.accessKeyId === undefined ? null : hash('AccessKeyId', event.accessKeyId),
      event.readOnly ? 1 : 0,
      postings.join(),
      journal,
      segment,
      offset,
    )
    for (const value of postings) this.#insertPosting.run(value, id)
  }

  /** Candidates of a query, newest first: hashes may be shared, so that the records are to be compared. */
  candidates(query: {
    readonly account: string
    readonly region: string
    readonly attribute?: { readonly key: LookupAttribute; readonly value: string } | undefined
    readonly lowest: number
    readonly highest: number
  }): Iterable<EventPlace> {
    const { lowest, highest } = query
    const { rows, values, id = 'event.id' } = rowsOf(query.account, query.region, query.attribute)
    const statement = this.#database.prepare(
      `SELECT event.id, journal, segment, offset FROM ${rows}
       AND ${id} BETWEEN ? AND ? ORDER BY ${id} DESC`,
    )
    return statement.iterate(...values, lowest, highest) as Iterable<EventPlace>
  }

  /** Forgets up to `limit` of the oldest events below an id. Answers how many. */
  forget(below: number, limit: number): number {
    const rows = this.#oldest.all(below, limit) as { id: number; postings: string }[]
    for (const { id, postings } of rows) {
      for (const value of postings === '' ? [] : postings.split(',')) {
        this.#deletePosting.run(Number(value), id)
      }
      this.#deleteEvent.run(id)
    }
    return rows.length
  }

  #nextId(second: number): number {
    let next = this.#nextIds.get(second)
    if (next === undefined) {
      const first = firstId(second)
      const row = this.#lastId.get(first, firstId(second + 1) - 1) as { id: number | null }
      next = row.id === null ? first : row.id + 1
      if (this.#nextIds.size >= maxCachedSeconds) this.#nextIds.clear()
    }
    this.#nextIds.set(second, next + 1)
    return next
  }

  #hash(account: string, region: string, kind: string, value: string): number {
    const key = `${account}\n${region}\n${kind}\n${value}`
    const known = this.#hashes.get(key)
    if (known !== undefined) return known
    if (this.#hashes.size >= maxCachedHashes) this.#hashes.clear()
    const made = attributeHash(account, region, kind, value)
    this.#hashes.set(key, made)
    return made
  }
}

/** The least id of a second. */
export function firstId(second: number): number {
  return Math.min(Math.max(second, 0), maxSecond) * idsPerSecond
}

const columns: Partial<Record<LookupAttribute, string>> = {
  AccessKeyId: 'access_key',
  EventId: 'event_id',
  EventName: 'event_name',
  Username: 'username',
}

/** The rows that may have the attribute, through the index that has them in order. */
function rowsOf(
  account: string,
  region: string,
  attribute: { readonly key: LookupAttribute; readonly value: string } | undefined,
): { rows: string; values: number[]; id?: string } {
  const scope = attributeHash(account, region, '')
  if (attribute === undefined) return { rows: 'event WHERE scope = ?', values: [scope] }
  const { key, value } = attribute
  const wanted = attributeHash(account, region, key, value)
  if (key === 'ReadOnly') {
    const readOnly = { true: '1', false: '0' }[value] ?? 'NULL'
    return { rows: `event WHERE scope = ? AND read_only = ${readOnly}`, values: [scope] }
  }
  if (key === 'EventSource') {
    return { rows: 'event WHERE scope = ? AND event_source = ?', values: [scope, wanted] }
  }
  const column = columns[key]
  if (column !== undefined) return { rows: `event WHERE ${column} = ?`, values: [wanted] }
  return {
    rows: 'posting CROSS JOIN event ON event.id = posting.id WHERE posting.value = ?',
    values: [wanted],
    id: 'posting.id',
  }
}
