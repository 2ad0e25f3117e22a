import { behindPrefix, commonPrefix, startsWith } from './keys.ts'

/** Where rows begin: at `key`, or behind it, or behind one row of that key. */
export type Place<Mark> = {
  readonly key: Buffer
  readonly from: 'at' | 'behind-key' | { readonly behind: Mark }
}

export type Query<Mark> = {
  readonly prefix: string
  readonly delimiter?: string | undefined
  readonly after?: string | undefined
  /** Begins behind this row of `after`, and not behind all of that key. */
  readonly mark?: Mark | undefined
  readonly max: number
}

export type Page<Row> = {
  readonly rows: readonly Row[]
  readonly prefixes: readonly string[]
  /** What was the last of a page that is not the last. */
  readonly next?: { readonly prefix: string } | { readonly row: Row }
}

/**
 * One page of a listing, over rows in the order of their keys. What lies below a common prefix is not read: `rowsFrom`
 * is asked for rows behind it, and no more of them are taken than are needed.
 */
export function listPage<Row extends { readonly key: Buffer }, Mark>(
  query: Query<Mark>,
  rowsFrom: (place: Place<Mark>) => Iterable<Row>,
): Page<Row> {
  const rows: Row[] = []
  const prefixes: string[] = []
  if (query.max <= 0) return { rows, prefixes }
  const prefix = Buffer.from(query.prefix)
  const delimiter = query.delimiter === undefined ? undefined : Buffer.from(query.delimiter)
  let last: Page<Row>['next']
  let place: Place<Mark> | undefined = firstPlace(query, prefix, delimiter)
  while (place !== undefined) {
    const from: Place<Mark> = place
    place = undefined
    for (const row of rowsFrom(from)) {
      if (!startsWith(row.key, prefix)) break
      const full = rows.length + prefixes.length >= query.max
      if (full && last !== undefined) return { rows, prefixes, next: last }
      const common = delimiter && commonPrefix(row.key, prefix, delimiter)
      if (common === undefined) {
        rows.push(row)
        last = { row }
        continue
      }
      last = { prefix: common.toString() }
      prefixes.push(last.prefix)
      place = { key: behindPrefix(common), from: 'at' }
      break
    }
  }
  return { rows, prefixes }
}

function firstPlace<Mark>(
  { after, mark }: Query<Mark>,
  prefix: Buffer,
  delimiter: Buffer | undefined,
): Place<Mark> {
  if (after === undefined || after === '') return { key: prefix, from: 'at' }
  const key = Buffer.from(after)
  if (key.compare(prefix) < 0) return { key: prefix, from: 'at' }
  if (mark !== undefined) return { key, from: { behind: mark } }
  // A page ended with this common prefix: all below it was said.
  const common =
    delimiter !== undefined && startsWith(key, prefix)
      ? commonPrefix(key, prefix, delimiter)
      : undefined
  if (common?.equals(key) === true) return { key: behindPrefix(key), from: 'at' }
  return { key, from: 'behind-key' }
}
