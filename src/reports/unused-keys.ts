import type { GrantUse } from '../journal/port.ts'
import { blindSpots } from './blind-spots.ts'
import type { GrantFacts, KeyFacts } from './facts.ts'
import type { KeyHistory } from './last-use.ts'
import { type Body, columnsOf, isoTime, type Period, type Row } from './report.ts'

/** Keys and grants that nobody used in the period although they were there all the time. */
export function unusedKeys(
  facts: { readonly keys: readonly KeyFacts[]; readonly grants: readonly GrantFacts[] },
  uses: {
    readonly keys: ReadonlyMap<string, KeyHistory>
    readonly grants: ReadonlyMap<string, GrantUse>
  },
  { period, limit }: { readonly period: Period; readonly limit: number },
): Body {
  const isOld = ({ createdAt }: { readonly createdAt: number }) => createdAt < period.since
  const isUnused = (last: number | undefined) => last === undefined || last < period.since
  const keys = facts.keys
    .filter(isOld)
    .filter(({ arn }) => isUnused(uses.keys.get(arn)?.last?.last))
  const grants = facts.grants
    .filter(isOld)
    .filter(({ grantId }) => isUnused(uses.grants.get(grantId)?.last))
  const rows = [
    ...keys.map((key) => keyRow(key, uses.keys.get(key.arn))),
    ...grants.map((grant) => grantRow(grant, uses.grants.get(grant.grantId))),
  ]
  return {
    columns: columnsOf({
      kind: 'KIND',
      key: 'KEY',
      aliases: 'ALIASES',
      grant: 'GRANT',
      grantee: 'GRANTEE',
      state: 'STATE',
      created: 'CREATED',
      lastUse: 'LAST USE',
      lastOperation: 'BY',
      lastEvent: 'LAST EVENT',
      failedWhileUnavailable: 'FAILED WHILE DISABLED',
      lastFailure: 'LAST FAILURE',
      lastFailureEvent: 'FAILURE EVENT',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: {
      keys: facts.keys.length,
      unusedKeys: keys.length,
      grants: facts.grants.length,
      unusedGrants: grants.length,
      tooYoungToTell: [...facts.keys, ...facts.grants].filter((each) => !isOld(each)).length,
    },
    sources: ['Keys and grants as they are now.', 'Counts of use, kept since the first record.'],
    blindSpots: [
      'A key without use may still be needed: for a backup that nobody has restored, or data that nobody has read. Disable it first, and look at what fails while it is disabled.',
      'What failed while a key was disabled or pending deletion is counted of all time.',
      ...[blindSpots.dataKeys, blindSpots.publicKeys, blindSpots.now, blindSpots.otherJournals],
    ],
  }
}

function keyRow(key: KeyFacts, history: KeyHistory | undefined): Row {
  const { last, failures = 0, lastFailure } = history ?? {}
  return {
    kind: 'key',
    key: key.arn,
    aliases: key.aliases.join(' '),
    state: key.state,
    created: isoTime(key.createdAt),
    lastUse: last && isoTime(last.last),
    lastOperation: last?.name,
    lastEvent: last?.lastEvent,
    failedWhileUnavailable: failures,
    lastFailure: lastFailure && isoTime(lastFailure.last),
    lastFailureEvent: lastFailure?.lastEvent,
  }
}

function grantRow(grant: GrantFacts, use: GrantUse | undefined): Row {
  return {
    kind: 'grant',
    key: grant.key,
    grant: grant.grantId,
    grantee: grant.grantee,
    created: isoTime(grant.createdAt),
    lastUse: use && isoTime(use.last),
    lastEvent: use?.lastEvent,
  }
}
