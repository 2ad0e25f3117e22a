import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ConfigurationQuery, ResourceListing, ResourceRow } from '../port.ts'
import type { EventPlace } from './event-index.ts'

/** What of a configuration item the index knows. */
export type ItemAttributes = {
  readonly account: string
  /** `global` for what is in no Region. */
  readonly region: string
  readonly type: string
  readonly resource: string
  readonly name: string
  /** ms since the epoch */
  readonly time: number
  /** Orders the items of a resource. */
  readonly state: number
  readonly deleted: boolean
}

/** Undefined for what is no configuration item. */
export function itemAttributes(record: string): ItemAttributes | undefined {
  let item: Record<string, unknown>
  try {
    item = JSON.parse(record) as Record<string, unknown>
  } catch {
    return undefined
  }
  const text = (name: string) => (typeof item[name] === 'string' ? item[name] : undefined)
  const [account, region, type] = [text('accountId'), text('awsRegion'), text('resourceType')]
  const [resource, status] = [text('resourceId'), text('configurationItemStatus')]
  const time = Date.parse(text('configurationItemCaptureTime') ?? '')
  const state = Number(text('configurationStateId'))
  if (account === undefined || region === undefined || type === undefined) return undefined
  if (resource === undefined || Number.isNaN(time) || !Number.isSafeInteger(state)) return undefined
  const deleted = status === 'ResourceDeleted'
  return { account, region, type, resource, name: text('resourceName') ?? '', time, state, deleted }
}

export const itemSchema = `
  CREATE TABLE item (
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    resource TEXT NOT NULL,
    region TEXT NOT NULL,
    state INTEGER NOT NULL,
    time INTEGER NOT NULL,
    journal INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (account, type, resource, region, state, journal)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE resource (
    account TEXT NOT NULL,
    type TEXT NOT NULL,
    resource TEXT NOT NULL,
    region TEXT NOT NULL,
    name TEXT NOT NULL,
    state INTEGER NOT NULL,
    time INTEGER NOT NULL,
    deleted INTEGER NOT NULL,
    journal INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    PRIMARY KEY (account, type, resource, region)
  ) STRICT, WITHOUT ROWID;
`

/** The rows of configuration items, which are never forgotten, and of the newest of each resource. */
export class ItemIndex {
  readonly #insert: StatementSync
  readonly #newest: StatementSync
  readonly #database: DatabaseSync

  constructor(database: DatabaseSync) {
    this.#database = database
    this.#insert = database.prepare(
      'INSERT OR REPLACE INTO item VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)',
    )
    this.#newest = database.prepare(
      `INSERT INTO resource VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET name = excluded.name, state = excluded.state,
       time = excluded.time, deleted = excluded.deleted, journal = excluded.journal,
       segment = excluded.segment, offset = excluded.offset
       WHERE excluded.state >= resource.state`,
    )
  }

  add(item: ItemAttributes, journal: number, segment: number, offset: number): void {
    const { account, type, resource, region, name, state, time, deleted } = item
    const place = [journal, segment, offset] as const
    this.#insert.run(account, type, resource, region, state, time, ...place)
    const flag = deleted ? 1 : 0
    this.#newest.run(account, type, resource, region, name, state, time, flag, ...place)
  }

  /** Places of the items of one resource, in the order that is asked for; `id` is the state. */
  history(query: ConfigurationQuery): Iterable<EventPlace> {
    const { account, region, type, resource, from, to, oldestFirst, after } = query
    const order = oldestFirst ? 'ASC' : 'DESC'
    const beyond = oldestFirst ? '>' : '<'
    const start = after ?? (oldestFirst ? -1 : Number.MAX_SAFE_INTEGER)
    const statement = this.#database.prepare(
      `SELECT state AS id, journal, segment, offset FROM item
       WHERE account = ? AND type = ? AND resource = ? AND region IN (?, 'global')
       AND time BETWEEN ? AND ? AND state ${beyond} ? ORDER BY state ${order}`,
    )
    const values = [account, type, resource, region, from, to, start] as const
    return statement.iterate(...values) as Iterable<unknown> as Iterable<EventPlace>
  }

  /** Resources of an account in a Region, the global ones among them, in the order of type and id. */
  resources(listing: ResourceListing): Iterable<ResourceRow & EventPlace> {
    const { account, region, type, deleted, limit, after = { type: '', resource: '' } } = listing
    const statement = this.#database.prepare(
      `SELECT type, resource, name, region, time, deleted, state AS id, journal, segment, offset
       FROM resource WHERE account = ? AND (type, resource) > (?, ?) AND region IN (?, 'global')
       ${type === undefined ? '' : 'AND type = ?'} ${deleted ? '' : 'AND deleted = 0'}
       ORDER BY type, resource LIMIT ?`,
    )
    const start = type === undefined || after.type !== '' ? after : { type, resource: '' }
    const values = [account, start.type, start.resource, region] as const
    const of = type === undefined ? [] : [type]
    const rows = statement.iterate(...values, ...of, limit)
    return rows as Iterable<unknown> as Iterable<ResourceRow & EventPlace>
  }

  /** The newest item of one resource; undefined when it never was. */
  newest(account: string, region: string, type: string, resource: string): NewestRow | undefined {
    const row = this.#database
      .prepare(
        `SELECT deleted, state AS id, journal, segment, offset FROM resource
         WHERE account = ? AND type = ? AND resource = ? AND region IN (?, 'global')`,
      )
      .get(account, type, resource, region)
    return row as unknown as NewestRow | undefined
  }

  /** How many there are of each type. */
  counts(account: string, region: string): readonly { type: string; count: number }[] {
    const rows = this.#database
      .prepare(
        `SELECT type, count(*) AS count FROM resource
         WHERE account = ? AND region IN (?, 'global') AND deleted = 0
         GROUP BY type ORDER BY count DESC, type`,
      )
      .all(account, region)
    return rows.map((row) => ({ ...(row as { type: string; count: number }) }))
  }
}

type NewestRow = EventPlace & { readonly deleted: number }
