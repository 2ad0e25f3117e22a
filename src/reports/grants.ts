import type { GrantUse } from '../journal/port.ts'
import { blindSpots } from './blind-spots.ts'
import type { GrantFacts } from './facts.ts'
import { type Body, columnsOf, daysBetween, isoTime, type Row } from './report.ts'
import { callerOf, type Event, textOf } from './sources.ts'

export const grantEvents = ['CreateGrant', 'RevokeGrant', 'RetireGrant'] as const

type Life = { begin?: Event; end?: Event }

/** Grants that there are, and those that came or went in the period: by whom, how old, and whether they were used. */
export function grants(
  present: readonly GrantFacts[],
  uses: ReadonlyMap<string, GrantUse>,
  events: readonly Event[],
  { now, limit }: { readonly now: number; readonly limit: number },
): Body {
  const lives = livesOf(events)
  const known = new Set(present.map(({ grantId }) => grantId))
  const rows = [
    ...present.map((grant) =>
      presentRow(grant, uses.get(grant.grantId), lives.get(grant.grantId), now),
    ),
    ...[...lives]
      .filter(([grantId]) => !known.has(grantId))
      .map(([grantId, life]) => goneRow(grantId, uses.get(grantId), life)),
  ]
  return {
    columns: columnsOf({
      grant: 'GRANT',
      key: 'KEY',
      grantee: 'GRANTEE',
      operations: 'OPERATIONS',
      state: 'STATE',
      created: 'CREATED',
      ageDays: 'AGE (DAYS)',
      createdBy: 'CREATED BY',
      createEvent: 'CREATE EVENT',
      ended: 'ENDED',
      endedBy: 'ENDED BY',
      endEvent: 'END EVENT',
      uses: 'USES',
      lastUse: 'LAST USE',
      lastUseEvent: 'LAST USE EVENT',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: {
      present: present.length,
      neverUsed: present.filter(({ grantId }) => !uses.has(grantId)).length,
      goneInPeriod: rows.length - present.length,
    },
    sources: ['Grants as they are now.', 'Counts of use, kept since the first record.', 'Events.'],
    blindSpots: [
      'A use counts for a grant where the call was decided by it: a caller whom a policy allows as well does not need it.',
      'A grant goes with its key, without an event of its own.',
      ...[blindSpots.indexed, blindSpots.otherJournals],
    ],
  }
}

/** By grant, of the calls that succeeded. */
function livesOf(events: readonly Event[]): ReadonlyMap<string, Life> {
  const lives = new Map<string, Life>()
  for (const event of events) {
    if (event.errorCode !== undefined) continue
    const grantId = grantIdOf(event)
    if (grantId === undefined) continue
    const life = lives.get(grantId) ?? {}
    lives.set(grantId, life)
    if (event.eventName === 'CreateGrant') life.begin = event
    else life.end = event
  }
  return lives
}

function grantIdOf({ requestParameters, responseElements, additionalEventData }: Event) {
  const places = [responseElements, requestParameters, additionalEventData]
  return places.map((place) => textOf(place?.['grantId'])).find((id) => id !== undefined)
}

function presentRow(
  grant: GrantFacts,
  use: GrantUse | undefined,
  life: Life | undefined,
  now: number,
): Row {
  return {
    grant: grant.grantId,
    key: grant.key,
    grantee: grant.grantee,
    operations: grant.operations.join(' '),
    state: 'present',
    created: isoTime(grant.createdAt),
    ageDays: daysBetween(grant.createdAt, now),
    ...lifeCells(life ?? {}),
    ...useCells(use),
  }
}

function goneRow(grant: string, use: GrantUse | undefined, life: Life): Row {
  const { begin, end } = life
  const asked = begin?.requestParameters ?? {}
  const operations = Array.isArray(asked['operations']) ? asked['operations'].join(' ') : undefined
  return {
    grant,
    key: (end ?? begin)?.resources?.[0]?.ARN,
    grantee: textOf(asked['granteePrincipal']),
    operations,
    state: end === undefined ? 'gone with its key' : 'ended',
    created: begin?.eventTime,
    ...lifeCells(life),
    ...useCells(use),
  }
}

function lifeCells({ begin, end }: Life): Row {
  return {
    createdBy: begin && callerOf(begin),
    createEvent: begin?.eventID,
    ended: end?.eventTime,
    endedBy: end && callerOf(end),
    endEvent: end?.eventID,
  }
}

function useCells(use: GrantUse | undefined): Row {
  return { uses: use?.count ?? 0, lastUse: use && isoTime(use.last), lastUseEvent: use?.lastEvent }
}
