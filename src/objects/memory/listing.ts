import { Buffer } from 'node:buffer'
import type { ListQuery } from '../port.ts'

/**
 * A page of a listing, the plain way: everything is looked at. `rows` are in order; of one key each has a mark of its
 * own. Answers also what the page ended with, when there is more.
 */
export function listAll<Row extends { readonly key: string; readonly mark: string }>(
  rows: readonly Row[],
  { prefix, delimiter, after, max }: ListQuery,
  afterMark?: string,
) {
  const groups = new Map<string, Row | undefined>()
  const afterAt = rows.findIndex(({ key, mark }) => key === after && mark === afterMark)
  for (const [index, row] of rows.entries()) {
    if (!row.key.startsWith(prefix)) continue
    const cut = delimiter === undefined ? -1 : row.key.indexOf(delimiter, prefix.length)
    const common = cut < 0 ? undefined : row.key.slice(0, cut + (delimiter?.length ?? 0))
    if (after !== undefined && common === after) continue
    const behind =
      after === undefined ||
      compareKeys(row.key, after) > 0 ||
      (row.key === after && afterMark !== undefined && index > afterAt)
    if (!behind) continue
    if (common === undefined) groups.set(`row ${row.key} ${row.mark}`, row)
    else groups.set(`prefix ${common}`, undefined)
  }
  const all = [...groups]
  const shown = all.slice(0, max)
  const last = max > 0 && all.length > max ? shown.at(-1) : undefined
  return {
    rows: shown.flatMap(([, row]) => (row === undefined ? [] : [row])),
    prefixes: shown.flatMap(([name, row]) => (row === undefined ? [name.slice(7)] : [])),
    last:
      last === undefined
        ? undefined
        : { key: last[1]?.key ?? last[0].slice(7), mark: last[1]?.mark },
  }
}

export function compareKeys(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other))
}
