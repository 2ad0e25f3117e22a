import type { WhoCan } from '../authorize/analyse/who-can.ts'
import type { GrantUse, KeyUse } from '../journal/port.ts'
import { blindSpots } from './blind-spots.ts'
import type { GrantFacts } from './facts.ts'
import { type Body, columnsOf, isoTime, type Row } from './report.ts'

/** The event that a permission shows in. */
function eventOf(permission: string): string {
  const name = permission.slice(permission.indexOf(':') + 1)
  return name.startsWith('ReEncrypt') ? 'ReEncrypt' : name
}

/** Who can use a key, and never did with success: principals and permissions, and grants. */
export function neverUsed(
  { key, rows: able }: WhoCan,
  uses: readonly KeyUse[],
  grants: readonly GrantFacts[],
  grantUses: ReadonlyMap<string, GrantUse>,
  limit: number,
): Body {
  const did = new Set(
    uses
      .filter(({ error }) => error === '')
      .flatMap(({ principal, lastArn, name }) => [`${principal} ${name}`, `${lastArn} ${name}`]),
  )
  const can = able.filter(({ status }) => status !== 'NEVER')
  const idle = can.filter(
    ({ principal, permission }) => !did.has(`${principal} ${eventOf(permission)}`),
  )
  const idleGrants = grants.filter(({ grantId }) => !grantUses.has(grantId))
  const rows: Row[] = [
    ...idle.map(({ principal, kind, permission, status, path, grantId }) => ({
      ...{ what: 'permission', principal, principalKind: kind, permission, status, path },
      ...{ grant: grantId, seen: seenOf(uses, principal) },
    })),
    ...idleGrants.map(({ grantId, grantee, operations, createdAt }) => ({
      ...{ what: 'grant', principal: grantee, permission: operations.join(' '), grant: grantId },
      created: isoTime(createdAt),
    })),
  ]
  return {
    columns: columnsOf({
      what: 'WHAT',
      principal: 'PRINCIPAL',
      principalKind: 'KIND',
      permission: 'PERMISSION',
      status: 'CAN',
      path: 'PATH',
      grant: 'GRANT',
      seen: 'LAST EVENT WITH THE KEY',
      created: 'CREATED',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: {
      key,
      allowedPairs: can.length,
      neverUsedPairs: idle.length,
      grants: grants.length,
      neverUsedGrants: idleGrants.length,
    },
    sources: [
      'The analysis of who can use the key, as things are now.',
      'Counts of use, kept since the first record.',
    ],
    blindSpots: [
      'Principals without a name (any other user, whoever IAM appoints) stand for many: they can never be seen to have used a key.',
      'Principals of other accounts are known by their unique ids in the record, and are listed although they may have used the key: see cross-account-use.',
      'A session that a policy names is known to have used the key only if it was the last session of its role to do so.',
      'ReEncryptFrom and ReEncryptTo show in the same event, ReEncrypt; both count as used where either was.',
      ...[blindSpots.now, blindSpots.dataKeys, blindSpots.otherJournals],
    ],
  }
}

/** The last event that a principal had with the key, whatever it was. */
function seenOf(uses: readonly KeyUse[], principal: string): string | undefined {
  let last: KeyUse | undefined
  for (const use of uses) {
    if (use.principal === principal && use.last > (last?.last ?? -1)) last = use
  }
  return last?.lastEvent
}
