import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type {
  GrantUse,
  GrantUseQuery,
  KeyUse,
  KeyUseQuery,
  LastEvent,
  LastEventQuery,
} from '../port.ts'
import type { EventAttributes } from './attributes.ts'

/**
 * Who did what with a key: one row for each account that was told of it, key, operation, principal and outcome, with
 * how often, and the first and the last event. They are written with the cursor of the journal, so that they are exact,
 * and kept for ever: there are no more of them than keys times operations times principals times error codes. How often
 * it was on each day (UTC) takes a few bytes more for every day on which it was. Of a grant it is counted what it
 * allowed.
 */
export const keyUseSchema = `
  CREATE TABLE key_use (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    account TEXT NOT NULL,
    name TEXT NOT NULL,
    principal TEXT NOT NULL,
    error TEXT NOT NULL,
    principal_account TEXT NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    first_order INTEGER NOT NULL,
    first_event TEXT NOT NULL,
    last INTEGER NOT NULL,
    last_order INTEGER NOT NULL,
    last_event TEXT NOT NULL,
    last_request TEXT NOT NULL,
    last_arn TEXT NOT NULL,
    UNIQUE (key, account, name, principal, error)
  ) STRICT;
  CREATE TABLE key_use_day (
    use INTEGER NOT NULL,
    day INTEGER NOT NULL,
    count INTEGER NOT NULL,
    PRIMARY KEY (use, day)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE grant_use (
    grant_id TEXT NOT NULL,
    account TEXT NOT NULL,
    count INTEGER NOT NULL,
    first INTEGER NOT NULL,
    first_order INTEGER NOT NULL,
    first_event TEXT NOT NULL,
    last INTEGER NOT NULL,
    last_order INTEGER NOT NULL,
    last_event TEXT NOT NULL,
    PRIMARY KEY (grant_id, account)
  ) STRICT, WITHOUT ROWID;
`

type Seen = {
  /** ARN of the key, or id of the grant. */
  readonly name: string
  /** How often on which day since the epoch. */
  readonly days: Map<number, number>
  first: Placed
  last: Placed
}

type Placed = { readonly event: EventAttributes; readonly order: number }

/** The order is the event's place in its journal: many events are of one second. */
const isOlder = `(excluded.first, excluded.first_order, excluded.first_event)
  < (first, first_order, first_event)`
const isNewer = `(excluded.last, excluded.last_order, excluded.last_event)
  > (last, last_order, last_event)`

const columns = `account, key, name, principal, error, principal_account AS principalAccount, count,
  (SELECT total(count) FROM key_use_day WHERE use = id AND day BETWEEN ? AND ?) AS inPeriod,
  first, first_event AS firstEvent, last, last_event AS lastEvent, last_arn AS lastArn`

export class KeyUses {
  readonly #add: StatementSync
  readonly #addDay: StatementSync
  readonly #addGrant: StatementSync
  readonly #grants: StatementSync
  readonly #last: StatementSync
  readonly #page: StatementSync
  /** What the transaction under way has seen: a busy key is written once. */
  readonly #seen = new Map<string, Seen>()
  readonly #seenGrants = new Map<string, Seen>()

  constructor(database: DatabaseSync) {
    this.#add = database.prepare(
      `INSERT INTO key_use VALUES (NULL, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count,
       first_event = iif(${isOlder}, excluded.first_event, first_event),
       first_order = iif(${isOlder}, excluded.first_order, first_order),
       first = min(first, excluded.first),
       last_event = iif(${isNewer}, excluded.last_event, last_event),
       last_request = iif(${isNewer}, excluded.last_request, last_request),
       last_arn = iif(${isNewer}, excluded.last_arn, last_arn),
       last_order = iif(${isNewer}, excluded.last_order, last_order),
       last = max(last, excluded.last) RETURNING id`,
    )
    this.#addDay = database.prepare(
      `INSERT INTO key_use_day VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count`,
    )
    this.#addGrant = database.prepare(
      `INSERT INTO grant_use VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET count = count + excluded.count,
       first_event = iif(${isOlder}, excluded.first_event, first_event),
       first_order = iif(${isOlder}, excluded.first_order, first_order),
       first = min(first, excluded.first),
       last_event = iif(${isNewer}, excluded.last_event, last_event),
       last_order = iif(${isNewer}, excluded.last_order, last_order),
       last = max(last, excluded.last)`,
    )
    this.#grants = database.prepare(
      `SELECT grant_id AS grantId, account, count, first, first_event AS firstEvent,
       last, last_event AS lastEvent FROM grant_use
       WHERE (grant_id, account) > (?, ?) ORDER BY grant_id, account LIMIT ?`,
    )
    this.#last = database.prepare(
      `SELECT name, last, last_event, last_request FROM key_use
       WHERE key = ? AND account = ? AND error = '' ORDER BY last, last_order, last_event`,
    )
    this.#page = database.prepare(
      `SELECT ${columns} FROM key_use
       WHERE (key, account, name, principal, error) > (?, ?, ?, ?, ?) AND key BETWEEN ? AND ?
       AND account BETWEEN ? AND ? ORDER BY key, account, name, principal, error LIMIT ?`,
    )
  }

  /** `order` is the event's index in its journal. */
  saw(event: EventAttributes, order: number): void {
    if (event.category !== 'Management') return
    const { account, eventName, who, errorCode, grantIds } = event
    for (const key of event.resourceNames) {
      if (!isKey(key)) continue
      const id = `${key}\n${account}\n${eventName}\n${who.principal}\n${errorCode}`
      see(this.#seen, id, key, { event, order })
    }
    if (errorCode !== '') return
    for (const grant of grantIds) {
      see(this.#seenGrants, `${grant}\n${account}`, grant, { event, order })
    }
  }

  /** Writes what was seen, within the transaction of its cursor. */
  store(): void {
    for (const { name: key, days, first, last } of this.#seen.values()) {
      const { account, eventName, who, errorCode } = first.event
      const of = [key, account, eventName, who.principal, errorCode, who.account] as const
      const { requestId, who: newest } = last.event
      const ends = [...valuesOf(first), ...valuesOf(last), requestId, newest.arn] as const
      const row = this.#add.get(...of, sum(days), ...ends)
      const { id } = row as { id: number }
      for (const [day, count] of days) this.#addDay.run(id, day, count)
    }
    for (const { name: grant, days, first, last } of this.#seenGrants.values()) {
      const { account } = first.event
      this.#addGrant.run(grant, account, sum(days), ...valuesOf(first), ...valuesOf(last))
    }
    this.drop()
  }

  /** Forgets what was seen, which came to nothing if it was not stored. */
  drop(): void {
    this.#seen.clear()
    this.#seenGrants.clear()
  }

  last({ account, resource, names }: LastEventQuery): LastEvent | undefined {
    let newest: LastEvent | undefined
    for (const row of this.#last.iterate(resource, account)) {
      const { name, last, last_event: eventId, last_request: requestId } = row as LastRow
      if (!names.includes(name)) continue
      newest = { name, time: last * 1000, eventId, requestId }
    }
    return newest
  }

  /** In the order of key, account, operation, principal and error. */
  find({ account, key, from, to, after, limit }: KeyUseQuery): readonly KeyUse[] {
    const { account: a = '', key: k = '', name = '', principal = '', error = '' } = after ?? {}
    const accounts = account === undefined ? ['', highest] : [account, account]
    const keys = key === undefined ? ['', highest] : [key, key]
    const days = [dayAt(from ?? 0), dayAt(to ?? Number.MAX_SAFE_INTEGER)] as const
    const rows = this.#page.all(...days, k, a, name, principal, error, ...keys, ...accounts, limit)
    return rows.map((row) => inMilliseconds(row as KeyUse))
  }

  /** In the order of grant and account. */
  grants({ after, limit }: GrantUseQuery): readonly GrantUse[] {
    const rows = this.#grants.all(after?.grantId ?? '', after?.account ?? '', limit)
    return rows.map((row) => inMilliseconds(row as GrantUse))
  }
}

function inMilliseconds<T extends { readonly first: number; readonly last: number }>(row: T): T {
  return { ...row, first: row.first * 1000, last: row.last * 1000 }
}

const dayAt = (ms: number) => Math.floor(ms / 86_400_000)

function see(seen: Map<string, Seen>, id: string, name: string, placed: Placed): void {
  const day = Math.floor(placed.event.time / 86_400)
  const before = seen.get(id)
  if (before === undefined) {
    seen.set(id, { name, days: new Map([[day, 1]]), first: placed, last: placed })
    return
  }
  before.days.set(day, (before.days.get(day) ?? 0) + 1)
  if (isBefore(placed, before.first)) before.first = placed
  if (isBefore(before.last, placed)) before.last = placed
}

function sum(days: ReadonlyMap<number, number>): number {
  let all = 0
  for (const count of days.values()) all += count
  return all
}

/** Above every account and every ARN. */
const highest = '~'

function isKey(arn: string): boolean {
  return arn.startsWith('arn:aws:kms:') && arn.includes(':key/')
}

/** The order in which journals are read does not matter. */
function isBefore(one: Placed, other: Placed): boolean {
  if (one.event.time !== other.event.time) return one.event.time < other.event.time
  if (one.order !== other.order) return one.order < other.order
  return one.event.eventId < other.event.eventId
}

const valuesOf = ({ event, order }: Placed) => [event.time, order, event.eventId] as const

type LastRow = { name: string; last: number; last_event: string; last_request: string }
