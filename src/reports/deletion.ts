import { blindSpots } from './blind-spots.ts'
import type { KeyFacts } from './facts.ts'
import type { KeyHistory } from './last-use.ts'
import { type Body, columnsOf, isoTime, type Row } from './report.ts'
import { callerOf, type Event } from './sources.ts'

/** Events that lead to the end of a key, or back from it. */
export const deletionEvents = [
  'DisableKey',
  'EnableKey',
  'ScheduleKeyDeletion',
  'CancelKeyDeletion',
  'DeleteKey',
  'DeleteImportedKeyMaterial',
] as const

const unavailable = ['Disabled', 'PendingDeletion', 'PendingReplicaDeletion', 'PendingImport']

/** Keys that cannot be used, with their last use, and the events that made keys so in the period. */
export function deletion(
  keys: readonly KeyFacts[],
  histories: ReadonlyMap<string, KeyHistory>,
  events: readonly Event[],
  limit: number,
): Body {
  const off = keys.filter(({ state }) => unavailable.includes(state))
  const rows = [
    ...off.map((key) => keyRow(key, histories.get(key.arn))),
    ...events
      .map(eventRow)
      .sort((one, two) => (String(one['time']) < String(two['time']) ? -1 : 1)),
  ]
  return {
    columns: columnsOf({
      kind: 'KIND',
      key: 'KEY',
      aliases: 'ALIASES',
      state: 'STATE',
      deletionDate: 'DELETION',
      lastUse: 'LAST USE',
      lastOperation: 'BY',
      lastUser: 'LAST USER',
      lastEvent: 'LAST EVENT',
      failedWhileUnavailable: 'FAILED WHILE DISABLED',
      lastFailureEvent: 'FAILURE EVENT',
      time: 'TIME',
      event: 'EVENT',
      principal: 'PRINCIPAL',
      error: 'ERROR',
      eventId: 'EVENT ID',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: {
      keys: keys.length,
      disabled: off.filter(({ state }) => state === 'Disabled').length,
      pendingDeletion: off.filter(({ deletionDate }) => deletionDate !== undefined).length,
      deletedInPeriod: events.filter(({ eventName }) => eventName === 'DeleteKey').length,
    },
    sources: ['Keys as they are now.', 'Counts of use, kept since the first record.', 'Events.'],
    blindSpots: [
      'The last use of a key says nothing of what was encrypted under it and not read since.',
      ...[blindSpots.indexed, blindSpots.dataKeys, blindSpots.publicKeys, blindSpots.otherJournals],
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
    deletionDate: key.deletionDate === undefined ? undefined : isoTime(key.deletionDate),
    lastUse: last && isoTime(last.last),
    lastOperation: last?.name,
    lastUser: last?.principal,
    lastEvent: last?.lastEvent,
    failedWhileUnavailable: failures,
    lastFailureEvent: lastFailure?.lastEvent,
  }
}

function eventRow(event: Event): Row {
  return {
    kind: 'event',
    key: event.resources?.[0]?.ARN,
    time: event.eventTime,
    event: event.eventName,
    principal: callerOf(event),
    error: event.errorCode,
    eventId: event.eventID,
  }
}
