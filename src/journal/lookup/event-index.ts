import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { IndexedAttribute } from '../port.ts'
import { attributeHash, contextBuckets, type EventAttributes } from './attributes.ts'
import { BoundedCache } from './bounded-cache.ts'
import { dayOf, firstId, firstIdOfDay } from './event-id.ts'
import { ItemIndex } from './item-index.ts'
import { KeyUses } from './key-uses.ts'
import { PostingLists } from './posting-lists.ts'

/** Where the text of an event is. */
export type EventPlace = {
  readonly id: number
  readonly journal: number
  readonly segment: number
  readonly offset: number
}

export type EventRange = {
  readonly account: string
  readonly region: string
  /** Management events unless it says otherwise. */
  readonly category?: 'Management' | 'Data' | undefined
  readonly attribute?: { readonly key: IndexedAttribute; readonly value: string } | undefined
  readonly lowest: number
  readonly highest: number
}

const maxCachedSeconds = 1_000

/** The rows of the index: adds events, finds their places, forgets old ones. */
export class EventIndex {
  readonly #insertEvent: StatementSync
  readonly #insertId: StatementSync
  readonly #withId: StatementSync
  readonly #place: StatementSync
  readonly #lastId: StatementSync
  readonly #dayBefore: StatementSync
  readonly #forgetEvents: StatementSync
  readonly #forgetIds: StatementSync
  readonly #postings: PostingLists
  readonly uses: KeyUses
  readonly items: ItemIndex
  readonly #scopes = new BoundedCache<Scope>(100)
  readonly #nextIds = new Map<number, number>()

  constructor(database: DatabaseSync) {
    this.uses = new KeyUses(database)
    this.items = new ItemIndex(database)
    this.#postings = new PostingLists(database)
    this.#insertEvent = database.prepare('INSERT INTO event VALUES (?, ?, ?, ?)')
    this.#insertId = database.prepare('INSERT INTO event_id VALUES (?, ?, ?)')
    this.#withId = database.prepare(
      'SELECT id FROM event_id WHERE day = ? AND value = ? AND id BETWEEN ? AND ? ORDER BY id DESC',
    )
    this.#place = database.prepare('SELECT id, journal, segment, offset FROM event WHERE id = ?')
    this.#lastId = database.prepare('SELECT max(id) AS id FROM event WHERE id BETWEEN ? AND ?')
    this.#dayBefore = database.prepare('SELECT max(day) AS day FROM event_id WHERE day <= ?')
    this.#forgetEvents = database.prepare(
      'DELETE FROM event WHERE id IN (SELECT id FROM event WHERE id < ? ORDER BY id LIMIT ?)',
    )
    this.#forgetIds = database.prepare(
      `DELETE FROM event_id WHERE (day, value, id) IN
       (SELECT day, value, id FROM event_id WHERE day < ? ORDER BY day LIMIT ?)`,
    )
  }

  add(event: EventAttributes, journal: number, segment: number, offset: number): void {
    const id = this.#nextId(event.time)
    this.#insertEvent.run(id, journal, segment, offset)
    this.#insertId.run(dayOf(id), eventIdHash(event.eventId), id)
    const scope = this.#scopeOf(event)
    const post = (value: number) => this.#postings.add(value, id)
    post(scope.all)
    post(scope.of('EventName', event.eventName))
    post(scope.of('EventSource', event.eventSource))
    post(scope.of('ReadOnly', String(event.readOnly)))
    if (event.username !== undefined) post(scope.of('Username', event.username))
    if (event.accessKeyId !== undefined) post(scope.of('AccessKeyId', event.accessKeyId))
    for (const name of event.resourceNames) post(scope.of('ResourceName', name))
    for (const type of event.resourceTypes) post(scope.of('ResourceType', type))
    if (event.contextArns.length === 0) return
    for (const arn of event.contextArns) post(scope.once('ContextArn', arn))
    for (const arn of contextBuckets(event)) post(scope.of('ContextBucket', arn))
  }

  /** Before a transaction: what was seen in one that came to nothing does not count. */
  begin(): void {
    this.#postings.drop()
    this.uses.drop()
  }

  /** Writes what was seen, within the transaction of its cursor. */
  store(): void {
    this.#postings.store()
    this.uses.store()
  }

  /** Candidates of a query, newest first: hashes may be shared, so that the records are to be compared. */
  *candidates(range: EventRange): Generator<EventPlace> {
    for (const id of this.#idsOf(range)) {
      const place = this.#place.get(id)
      if (place !== undefined) yield place as unknown as EventPlace
    }
  }

  /** Forgets the events before a day, and up to `limit` rows of each kind. Answers how many. */
  forget(before: number, limit: number): number {
    const day = dayOf(before)
    const events = Number(this.#forgetEvents.run(firstIdOfDay(day), limit).changes)
    const ids = Number(this.#forgetIds.run(day, limit).changes)
    return events + ids + this.#postings.forget(day, limit)
  }

  #idsOf({ account, region, category = 'Management', attribute, lowest, highest }: EventRange) {
    if (attribute?.key === 'EventId') return this.#withEventId(attribute.value, lowest, highest)
    const { key = '', value = '' } = attribute ?? {}
    const wanted = attributeHash(account, regionOf(region, category), key, value)
    return this.#postings.find(wanted, lowest, highest)
  }

  *#withEventId(eventId: string, lowest: number, highest: number): Generator<number> {
    const value = eventIdHash(eventId)
    for (let day = this.#lastDay(dayOf(highest)); day !== undefined; day = this.#lastDay(day - 1)) {
      if (firstIdOfDay(day + 1) <= lowest) return
      for (const row of this.#withId.all(day, value, lowest, highest)) {
        yield (row as { id: number }).id
      }
    }
  }

  #lastDay(upTo: number): number | undefined {
    return (this.#dayBefore.get(upTo) as { day: number | null }).day ?? undefined
  }

  #scopeOf({ account, region, category }: EventAttributes): Scope {
    const within = regionOf(region, category)
    return this.#scopes.get(`${account} ${within}`, () => new Scope(account, within))
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
}

/** What stands for the values of the events of one account and Region. Those of most values are known already. */
class Scope {
  readonly all: number
  readonly #account: string
  readonly #region: string
  readonly #hashes = new Map<string, BoundedCache<number>>()

  constructor(account: string, region: string) {
    this.#account = account
    this.#region = region
    this.all = attributeHash(account, region, '')
  }

  of(kind: IndexedAttribute, value: string): number {
    let hashes = this.#hashes.get(kind)
    if (hashes === undefined) {
      hashes = new BoundedCache(10_000)
      this.#hashes.set(kind, hashes)
    }
    return hashes.get(value, () => this.once(kind, value))
  }

  /** Of a value that few events have. */
  once(kind: IndexedAttribute, value: string): number {
    return attributeHash(this.#account, this.#region, kind, value)
  }
}

/** Data events are found apart from management events. */
function regionOf(region: string, category: 'Management' | 'Data'): string {
  return category === 'Data' ? `${region}/data` : region
}

const uuidStart = /^[0-9a-f]{8}-[0-9a-f]{4}-/

/** An id that is random already needs no hash to stand for it. */
function eventIdHash(eventId: string): number {
  if (!uuidStart.test(eventId)) return attributeHash('', '', 'EventId', eventId)
  return (
    Number.parseInt(eventId.slice(0, 8), 16) * 0x10000 + Number.parseInt(eventId.slice(9, 13), 16)
  )
}
