import type { KeyUse } from '../journal/port.ts'
import { blindSpots } from './blind-spots.ts'
import { accountOf, regionOf } from './facts.ts'
import { useColumns, useRows } from './key-use.ts'
import { type Body, columnsOf } from './report.ts'

/** Who of another account used a key, or tried to. */
export async function crossAccountUse(
  uses: AsyncIterable<KeyUse>,
  options: {
    readonly account: string | undefined
    readonly region: string | undefined
    readonly limit: number
  },
): Promise<Body> {
  const { account, region, limit } = options
  const wanted = ({ key, principalAccount }: KeyUse) => {
    const owner = accountOf(key)
    if (principalAccount === '' || principalAccount === owner) return false
    if (region !== undefined && regionOf(key) !== region) return false
    return account === undefined || account === owner || account === principalAccount
  }
  const { rows, counts, truncated } = await useRows(uses, limit, wanted)
  return {
    columns: [...columnsOf({ principalAccount: 'FOREIGN ACCOUNT' }), ...useColumns],
    rows,
    truncated,
    summary: { ...counts, accounts: new Set(rows.map((row) => row['principalAccount'])).size },
    sources: ['Counts of use, kept since the first record.'],
    blindSpots: [
      "The owner's record names a foreign caller by account and unique id; the caller's own account has its ARN under the same sharedEventID.",
      ...[blindSpots.days, blindSpots.sessions, blindSpots.nobody, blindSpots.otherJournals],
    ],
  }
}
