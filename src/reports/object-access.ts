import { blindSpots } from './blind-spots.ts'
import { outcomeOf } from './outcome.ts'
import { type Body, columnsOf, type Row } from './report.ts'
import { callerOf, type Event, textOf } from './sources.ts'

const objectArn = /^arn:aws:s3:::([^/]+)\/.+$/s

/** The ARN of an object that a text names, as an ARN or as `s3://bucket/key`; undefined for what names none. */
export function objectNamed(text: string): string | undefined {
  const arn = text.startsWith('s3://') ? `arn:aws:s3:::${text.slice(5)}` : text
  return objectArn.test(arn) ? arn : undefined
}

export function bucketOf(object: string): string {
  return object.slice(0, object.indexOf('/'))
}

/**
 * Who came to an object: S3's data events, each with the calls of KMS that it led to, and calls of KMS with the
 * object's encryption context that no data event is about. They are joined by the id of the request: a call that S3
 * makes for its caller names it as `callingRequestID`.
 */
export function objectAccess(
  found: {
    readonly data: readonly Event[]
    /** With the object's own ARN in their context. */
    readonly object: readonly Event[]
    /** With the bucket's: one is for many objects. */
    readonly bucket: readonly Event[]
  },
  limit: number,
): Body {
  const byRequest = new Map<string, Event[]>()
  for (const event of [...found.object, ...found.bucket]) {
    const request = textOf(event.additionalEventData?.['callingRequestID'])
    if (request === undefined) continue
    byRequest.set(request, [...(byRequest.get(request) ?? []), event])
  }
  const joined = new Set<string>()
  const rows: Row[] = []
  for (const event of found.data) {
    const keyEvents = byRequest.get(event.requestID ?? '') ?? []
    for (const { eventID } of keyEvents) joined.add(eventID)
    rows.push(rowOf(event, keyEvents))
  }
  for (const event of found.object) {
    if (!joined.has(event.eventID)) rows.push(rowOf(event, [event]))
  }
  rows.sort((one, other) => (String(one['time']) < String(other['time']) ? 1 : -1))
  const without = rows.filter((row) => row['how'] === noKeyCall).length
  return {
    columns: columnsOf({
      time: 'TIME',
      operation: 'OPERATION',
      principal: 'PRINCIPAL',
      role: 'ROLE',
      sourceIdentity: 'SOURCE IDENTITY',
      sourceIp: 'FROM',
      outcome: 'OUTCOME',
      error: 'ERROR',
      bytesOut: 'BYTES OUT',
      key: 'KEY',
      how: 'KEY CALL',
      eventId: 'EVENT ID',
      keyEvents: 'KMS EVENTS',
    }),
    rows: rows.slice(0, limit),
    truncated: rows.length > limit,
    summary: {
      accesses: rows.length,
      denied: rows.filter((row) => row['outcome'] === 'denied').length,
      withoutKeyCall: without,
      coveredByBucketKey: rows.filter((row) => row['how'] === bucketKeyCall).length,
    },
    sources: ['Data events of S3 and management events of KMS, from the index.'],
    blindSpots: [
      'With a bucket key one call of KMS covers many objects: an access may have no call of its own, which is no sign that the object was in clear.',
      'An object that is not encrypted under a KMS key leads to no call of KMS.',
      'Whoever decrypted the object once can read their copy ever after.',
      ...[blindSpots.indexed, blindSpots.nobody, blindSpots.outside, blindSpots.otherJournals],
    ],
  }
}

const noKeyCall = 'none'
const bucketKeyCall = 'bucket key'

function rowOf(event: Event, keyEvents: readonly Event[]): Row {
  const { sessionContext } = event.userIdentity ?? {}
  const bytesOut = event.additionalEventData?.['bytesTransferredOut']
  return {
    time: event.eventTime,
    operation: `${event.eventSource.split('.')[0]}:${event.eventName}`,
    principal: callerOf(event),
    role: sessionContext?.sessionIssuer?.arn,
    sourceIdentity: sessionContext?.sourceIdentity,
    sourceIp: event.sourceIPAddress,
    outcome: outcomeOf(event.errorCode ?? ''),
    error: event.errorCode,
    bytesOut: typeof bytesOut === 'number' ? bytesOut : undefined,
    key: keyEvents[0]?.resources?.[0]?.ARN,
    how: howOf(event, keyEvents),
    eventId: event.eventID,
    keyEvents: keyEvents.map(({ eventID }) => eventID).join(' '),
  }
}

function howOf(event: Event, keyEvents: readonly Event[]): string {
  const [first] = keyEvents
  if (first === undefined) return noKeyCall
  if (first === event) return 'by the caller itself'
  return contextOf(first).includes('/') ? 'object' : bucketKeyCall
}

function contextOf({ requestParameters }: Event): string {
  const names = ['encryptionContext', 'sourceEncryptionContext', 'destinationEncryptionContext']
  for (const name of names) {
    const context = requestParameters?.[name]
    if (typeof context !== 'object' || context === null) continue
    const arn = textOf((context as Readonly<Record<string, unknown>>)['aws:s3:arn'])
    if (arn !== undefined) return arn
  }
  return ''
}
