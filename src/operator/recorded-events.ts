import type { AccountId, Region } from '../base/ids.ts'
import type { EventLookup } from '../journal/port.ts'
import { textDigest } from '../storage/port.ts'

/** A record of the journal, as far as explanations read it. */
export type RecordedEvent = {
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventTime: string
  readonly awsRegion: string
  readonly userIdentity?: { readonly [name: string]: unknown }
  readonly errorCode?: string
  readonly errorMessage?: string
  readonly requestParameters?: { readonly [name: string]: unknown } | null
  readonly additionalEventData?: { readonly [name: string]: unknown }
  readonly resources?: readonly { readonly ARN?: string }[]
  readonly recipientAccountId?: string
  readonly sharedEventID?: string
}

export type RecordedEvents = {
  readonly lookup: Pick<EventLookup, 'find'>
  /** Every record of every journal, in their order. */
  readonly records: () => Iterable<string>
  readonly accounts: () => readonly AccountId[]
  readonly regions: () => readonly Region[]
}

/**
 * The record of an event, whichever account's it is: by the index, which knows the last 90 days, or else by reading the
 * journal from its beginning.
 */
export async function eventById(
  events: RecordedEvents,
  eventId: string,
): Promise<RecordedEvent | undefined> {
  for (const account of events.accounts()) {
    for (const region of events.regions()) {
      const attribute = { key: 'EventId', value: eventId } as const
      const query = { account, region, attribute, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 }
      const [record] = (await events.lookup.find(query)).records
      if (record !== undefined) return parsed(record)
    }
  }
  for await (const record of recordsWith(events, `"eventID":"${eventId}"`)) {
    if (record.eventID === eventId) return record
  }
  return undefined
}

/** The records of the same call that other accounts have. */
export async function copiesOf(
  events: RecordedEvents,
  event: RecordedEvent,
): Promise<readonly RecordedEvent[]> {
  const { sharedEventID, eventID } = event
  if (sharedEventID === undefined) return []
  const isCopy = (other: RecordedEvent) =>
    other.sharedEventID === sharedEventID && other.eventID !== eventID
  const indexed = await indexedCopies(events, event)
  const found = indexed.filter(isCopy)
  if (found.length > 0) return found
  const read: RecordedEvent[] = []
  for await (const record of recordsWith(events, `"sharedEventID":"${sharedEventID}"`)) {
    if (isCopy(record)) read.push(record)
  }
  return read
}

/** What was recorded in the same second under the same name in any account. */
async function indexedCopies(
  { lookup, accounts }: RecordedEvents,
  { eventName, eventTime, awsRegion }: RecordedEvent,
): Promise<readonly RecordedEvent[]> {
  const time = Date.parse(eventTime)
  const attribute = { key: 'EventName', value: eventName } as const
  const found: RecordedEvent[] = []
  for (const account of accounts()) {
    const query = { account, region: awsRegion, attribute, from: time, to: time, limit: 50 }
    let after: number | undefined
    do {
      const { records, next } = await lookup.find({ ...query, after })
      found.push(...records.map(parsed))
      after = next
    } while (after !== undefined)
  }
  return found
}

/**
 * Texts of session policies by their SHA-256: they stand in the records of the calls that the sessions came from, and
 * nowhere else. Reads the journal until all of `digests` are found.
 */
export async function sessionPolicies(
  events: RecordedEvents,
  digests: ReadonlySet<string>,
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  if (digests.size === 0) return found
  for await (const record of recordsWith(events, '"eventName":"AssumeRole')) {
    const policy = record.requestParameters?.['policy']
    if (record.eventSource !== 'sts.amazonaws.com' || typeof policy !== 'string') continue
    const digest = textDigest(policy)
    if (digests.has(digest)) found.set(digest, policy)
    if (found.size === digests.size) break
  }
  return found
}

/** So many records are read in one turn of the event loop, which requests wait for. */
const recordsPerTurn = 200

/** A look at the text alone comes first, since parsing costs far more. */
async function* recordsWith({ records }: RecordedEvents, text: string) {
  let read = 0
  for (const record of records()) {
    if (record.includes(text)) yield parsed(record)
    read += 1
    if (read % recordsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

function parsed(record: string): RecordedEvent {
  return JSON.parse(record) as RecordedEvent
}
