import type { KeyUse } from '../journal/port.ts'
import { blindSpots } from './blind-spots.ts'
import { regionOf } from './facts.ts'
import { countsForKey, outcomeOf } from './outcome.ts'
import { type Body, columnsOf, isoTime, type Row } from './report.ts'

export const useColumns = columnsOf({
  key: 'KEY',
  principal: 'PRINCIPAL',
  operation: 'OPERATION',
  outcome: 'OUTCOME',
  error: 'ERROR',
  inPeriod: 'IN PERIOD',
  total: 'EVER',
  first: 'FIRST',
  firstEvent: 'FIRST EVENT',
  last: 'LAST',
  lastEvent: 'LAST EVENT',
  lastAs: 'LAST AS',
})

/** Who used a key in the period, and who was refused. */
export async function keyUse(
  uses: AsyncIterable<KeyUse>,
  options: { readonly region: string | undefined; readonly limit: number },
): Promise<Body> {
  const { region, limit } = options
  const wanted = (use: KeyUse) => region === undefined || regionOf(use.key) === region
  const { rows, counts, truncated } = await useRows(uses, limit, wanted)
  return {
    columns: useColumns,
    rows,
    truncated,
    summary: counts,
    sources: [
      'Counts of use, kept since the first record and made anew from the journals at need.',
    ],
    blindSpots: [
      ...[blindSpots.days, blindSpots.sessions, blindSpots.dataKeys, blindSpots.publicKeys],
      ...[blindSpots.nobody, blindSpots.otherJournals],
    ],
  }
}

/** Rows of what was used in the period, those that were allowed first, and how many calls they stand for. */
export async function useRows(
  uses: AsyncIterable<KeyUse>,
  limit: number,
  wanted: (use: KeyUse) => boolean,
) {
  const rows: Row[] = []
  const counts = { allowed: 0, denied: 0, failed: 0, rows: 0 }
  for await (const use of uses) {
    if (use.inPeriod === 0 || !countsForKey(use) || !wanted(use)) continue
    counts[outcomeOf(use.error)] += use.inPeriod
    counts.rows += 1
    if (rows.length < limit) rows.push(useRow(use))
  }
  rows.sort((one, other) => rank(one) - rank(other))
  return { rows, counts, truncated: counts.rows > rows.length }
}

function useRow(use: KeyUse): Row {
  return {
    key: use.key,
    principal: use.principal,
    principalAccount: use.principalAccount,
    operation: use.name,
    outcome: outcomeOf(use.error),
    error: use.error === '' ? undefined : use.error,
    inPeriod: use.inPeriod,
    total: use.count,
    first: isoTime(use.first),
    firstEvent: use.firstEvent,
    last: isoTime(use.last),
    lastEvent: use.lastEvent,
    lastAs: use.lastArn === use.principal ? undefined : use.lastArn,
  }
}

/** What was refused stands apart. */
function rank({ outcome }: Row): number {
  return ['allowed', 'denied', 'failed'].indexOf(String(outcome))
}
