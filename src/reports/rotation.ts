import { blindSpots } from './blind-spots.ts'
import type { KeyFacts } from './facts.ts'
import { type Body, columnsOf, daysBetween, isoTime, type Row } from './report.ts'
import { callerOf, type Event, textOf } from './sources.ts'

/** Events about rotation. */
export const rotationEvents = [
  'RotateKey',
  'RotateKeyOnDemand',
  'EnableKeyRotation',
  'DisableKeyRotation',
  'ImportKeyMaterial',
] as const

const ages = [90, 180, 365] as const

/** How each key rotates and how old its material is, and the rotations of the period. */
export function rotation(
  keys: readonly KeyFacts[],
  events: readonly Event[],
  { now, limit }: { readonly now: number; readonly limit: number },
): Body {
  const present = keys.filter(({ manager }) => manager === 'CUSTOMER')
  const sorted = events
    .map(eventRow)
    .sort((a, b) => (String(a['time']) < String(b['time']) ? -1 : 1))
  const rows = [...present.map((key) => keyRow(key, now)), ...sorted]
  return {
    columns: columnsOf({
      kind: 'KIND',
      key: 'KEY',
      aliases: 'ALIASES',
      keySpec: 'SPEC',
      origin: 'ORIGIN',
      automatic: 'AUTOMATIC',
      periodInDays: 'PERIOD',
      next: 'NEXT',
      materials: 'MATERIALS',
      lastRotation: 'LAST ROTATION',
      rotationType: 'TYPE',
      materialAgeDays: 'AGE (DAYS)',
      time: 'TIME',
      event: 'EVENT',
      principal: 'PRINCIPAL',
      material: 'MATERIAL',
      error: 'ERROR',
      eventId: 'EVENT ID',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: { keys: present.length, ...histogram(present, now) },
    sources: ['Keys as they are now.', 'Events.'],
    blindSpots: [
      blindSpots.rotation,
      'Asymmetric and HMAC keys, and those that their callers bring, do not rotate by themselves; a new key behind the same alias is not seen as a rotation.',
      ...[blindSpots.indexed, blindSpots.otherJournals],
    ],
  }
}

function histogram(keys: readonly KeyFacts[], now: number): Record<string, number> {
  const of = keys.map((key) => ageOf(key, now))
  const upTo = Object.fromEntries(
    ages.map((days) => [`materialUpTo${days}Days`, of.filter((age) => age <= days).length]),
  )
  const automatic = keys.filter((key) => key.rotation !== undefined).length
  const never = keys.filter((key) => key.rotatable && key.rotation === undefined).length
  return { automatic, rotatableButNotAutomatic: never, ...upTo }
}

function ageOf({ lastRotation, createdAt }: KeyFacts, now: number): number {
  return daysBetween(lastRotation?.at ?? createdAt, now)
}

function keyRow(key: KeyFacts, now: number): Row {
  return {
    kind: 'key',
    key: key.arn,
    aliases: key.aliases.join(' '),
    keySpec: key.keySpec,
    origin: key.origin,
    automatic: key.rotation !== undefined,
    periodInDays: key.rotation?.periodInDays,
    next: key.rotation && isoTime(key.rotation.nextDate),
    materials: key.materials,
    lastRotation: key.lastRotation && isoTime(key.lastRotation.at),
    rotationType: key.lastRotation?.type,
    materialAgeDays: ageOf(key, now),
  }
}

function eventRow(event: Event): Row {
  const details = event.serviceEventDetails ?? {}
  return {
    kind: 'event',
    key: event.resources?.[0]?.ARN,
    rotationType: textOf(details['rotationType']),
    time: event.eventTime,
    event: event.eventName,
    principal: callerOf(event),
    material: textOf(details['currentKeyMaterialId']),
    error: event.errorCode,
    eventId: event.eventID,
  }
}
