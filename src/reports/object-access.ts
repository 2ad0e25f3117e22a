import { blindSpots } from './blind-spots.ts'
import { bucketKeyMs, contextArnsOf, type ObjectEvents } from './object-events.ts'
import { isNamed, type ObjectName } from './object-name.ts'
import { outcomeOf } from './outcome.ts'
import { type Body, columnsOf, type Period, type Row } from './report.ts'
import { callerOf, type Event, textOf } from './sources.ts'

/**
 * Who came to objects: S3's data events, each with the calls of KMS that it led to, and calls of KMS with an object's
 * encryption context that no data event is about. They are joined by the id of the request: a call that S3 makes for
 * its caller names it as `callingRequestID`.
 */
export function objectAccess(
  found: ObjectEvents,
  name: ObjectName,
  { period, limit }: { readonly period: Period; readonly limit: number },
): Body {
  const byRequest = callsByRequest([...found.object, ...found.bucket])
  const kept = new KeptKeys(found.bucket)
  const joined = new Set<string>()
  const rows: Row[] = []
  for (const event of found.data) {
    const calls = byRequest.get(event.requestID ?? '') ?? []
    for (const { eventID } of calls) joined.add(eventID)
    const how = calls.length === 0 ? howWithout(event, kept) : howBy(calls)
    rows.push(rowOf(event, objectOf(event, name), how))
  }
  for (const event of found.object) {
    if (joined.has(event.eventID) || Date.parse(event.eventTime) < period.since) continue
    const object = contextArnsOf(event).find((arn) => isNamed(name, arn))
    rows.push(
      rowOf(event, object, { how: isAsked(event) ? howAlone : howByCaller, calls: [event] }),
    )
  }
  rows.sort((one, other) => (String(one['time']) < String(other['time']) ? 1 : -1))
  return {
    columns,
    rows: rows.slice(0, limit),
    truncated: rows.length > limit || found.isCut,
    summary: summaryOf(rows),
    sources: ['Data events of S3 and management events of KMS, from the index.'],
    blindSpots: [
      'With a bucket key one call of KMS covers many objects, for some minutes: the calls that stand with such an access are those of its caller that may have made the key which it used.',
      'An object that is not encrypted under a KMS key leads to no call of KMS, nor does one that is deleted, or only looked at.',
      'Of an answer that broke off, the bytes are those that it was to have.',
      'Whoever decrypted the object once can read their copy ever after.',
      ...[blindSpots.indexed, blindSpots.nobody, blindSpots.outside, blindSpots.otherJournals],
    ],
  }
}

const columns = columnsOf({
  time: 'TIME',
  operation: 'OPERATION',
  object: 'OBJECT',
  version: 'VERSION',
  principal: 'PRINCIPAL',
  role: 'ROLE',
  sourceIdentity: 'SOURCE IDENTITY',
  sourceIp: 'FROM',
  outcome: 'OUTCOME',
  error: 'ERROR',
  bytesIn: 'BYTES IN',
  bytesOut: 'BYTES OUT',
  encryption: 'ENCRYPTION',
  key: 'KEY',
  how: 'KEY CALL',
  keyOperation: 'BY',
  keyError: 'KEY ERROR',
  requestId: 'REQUEST ID',
  eventId: 'EVENT ID',
  keyEvents: 'KMS EVENTS',
})

const howNone = 'none'
const howBucketKey = 'bucket key'
const howKept = 'bucket key, kept'
const howAlone = 'object, without its event of S3'
const howByCaller = 'by the caller itself'

/** How KMS was asked for an access, and by which calls. */
type How = { readonly how: string; readonly calls: readonly Event[] }

function howBy(calls: readonly Event[]): How {
  const isObject = calls.some((call) => contextArnsOf(call).some((arn) => arn.includes('/')))
  return { how: isObject ? 'object' : howBucketKey, calls }
}

function howWithout(event: Event, kept: KeptKeys): How {
  const calls = kept.usableBy(event)
  return { how: calls.length === 0 ? howNone : howKept, calls }
}

/** What S3 asks KMS for. Operations that are not here need no key of an object. */
const keyCalls: ReadonlyMap<string, readonly string[]> = new Map([
  ['GetObject', ['Decrypt']],
  ['PutObject', ['GenerateDataKey']],
  ['CopyObject', ['Decrypt', 'GenerateDataKey']],
  ['CreateMultipartUpload', ['GenerateDataKey']],
  ['UploadPart', ['Decrypt']],
  ['UploadPartCopy', ['Decrypt']],
  ['CompleteMultipartUpload', ['Decrypt']],
])

/** Keys that KMS gave S3 for a whole bucket, each for the caller that it was asked for. */
class KeptKeys {
  readonly #byCaller = new Map<string, Event[]>()

  /** The newest first. */
  constructor(events: readonly Event[]) {
    for (const event of events) {
      if (event.errorCode !== undefined || !isAsked(event)) continue
      const who = whoOf(event, event.eventName)
      this.#byCaller.set(who, [...(this.#byCaller.get(who) ?? []), event])
    }
  }

  /** The calls that may have made the key which an access used. */
  usableBy(event: Event): readonly Event[] {
    const applied = textOf(event.additionalEventData?.['SSEApplied'])
    if (event.errorCode !== undefined || applied === undefined || !applied.endsWith('SSE_KMS')) {
      return []
    }
    const time = Date.parse(event.eventTime)
    const calls = (keyCalls.get(event.eventName) ?? []).flatMap(
      (name) => this.#byCaller.get(whoOf(event, name)) ?? [],
    )
    return calls.filter((call) => {
      const age = time - Date.parse(call.eventTime)
      // Records have whole seconds.
      return age >= 0 && age <= bucketKeyMs + 1000
    })
  }
}

function whoOf({ userIdentity = {}, awsRegion }: Event, eventName: string): string {
  const { accountId, principalId, accessKeyId } = userIdentity
  return JSON.stringify([accountId, principalId, accessKeyId, awsRegion, eventName])
}

function callsByRequest(events: readonly Event[]): ReadonlyMap<string, readonly Event[]> {
  const byRequest = new Map<string, Event[]>()
  for (const event of events) {
    const request = textOf(event.additionalEventData?.['callingRequestID'])
    if (request === undefined) continue
    const calls = byRequest.get(request)
    if (calls === undefined) byRequest.set(request, [event])
    else if (!calls.includes(event)) calls.push(event)
  }
  return byRequest
}

/** Whether S3 made it for its caller. */
function isAsked({ additionalEventData }: Event): boolean {
  return textOf(additionalEventData?.['callingRequestID']) !== undefined
}

function objectOf({ resources }: Event, name: ObjectName): string | undefined {
  return resources?.find(({ ARN }) => isNamed(name, ARN))?.ARN
}

function rowOf(event: Event, object: string | undefined, { how, calls }: How): Row {
  const { sessionContext } = event.userIdentity ?? {}
  const { additionalEventData: data, requestParameters, responseElements } = event
  const version = requestParameters?.['versionId'] ?? responseElements?.['x-amz-version-id']
  return {
    time: event.eventTime,
    operation: `${event.eventSource.split('.')[0]}:${event.eventName}`,
    object,
    version: textOf(version),
    principal: callerOf(event),
    role: sessionContext?.sessionIssuer?.arn,
    sourceIdentity: sessionContext?.sourceIdentity,
    sourceIp: event.sourceIPAddress,
    outcome: outcomeOf(event.errorCode ?? ''),
    error: event.errorCode,
    bytesIn: numberOf(data?.['bytesTransferredIn']),
    bytesOut: numberOf(data?.['bytesTransferredOut']),
    encryption: textOf(data?.['SSEApplied']),
    key: distinct(calls.flatMap(({ resources = [] }) => resources.map(({ ARN }) => ARN))),
    how,
    keyOperation: distinct(calls.map(({ eventName }) => eventName)),
    keyError: distinct(calls.map(({ errorCode }) => errorCode)),
    requestId: event.requestID,
    eventId: event.eventID,
    keyEvents: calls.map(({ eventID }) => eventID).join(' '),
  }
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' ? value : undefined
}

function distinct(values: readonly (string | undefined)[]): string | undefined {
  const found = new Set(values.filter((value) => value !== undefined))
  return found.size === 0 ? undefined : [...found].join(' ')
}

function summaryOf(rows: readonly Row[]): Body['summary'] {
  const count = (name: string, ...values: readonly string[]) =>
    rows.filter((row) => values.includes(String(row[name]))).length
  return {
    accesses: rows.length,
    objects: new Set(rows.map((row) => row['object'])).size,
    denied: count('outcome', 'denied'),
    failed: count('outcome', 'failed'),
    withoutKeyCall: count('how', howNone),
    coveredByBucketKey: count('how', howBucketKey, howKept),
  }
}
