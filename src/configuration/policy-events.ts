import type { RecordedEvent, RecordedEvents } from '../operator/recorded-events.ts'
import { type PolicyVersion, policyEvent } from './policy-version.ts'
import type { WholeItem } from './stored-item.ts'

/** So many records are read in one turn of the event loop, which requests wait for. */
const recordsPerTurn = 200

/** The events that items name: by the index, which knows the last 90 days, the others by one look at the journal. */
export async function relatedEvents(
  { lookup, records }: Pick<RecordedEvents, 'lookup' | 'records'>,
  items: readonly WholeItem[],
): Promise<ReadonlyMap<string, RecordedEvent>> {
  const found = new Map<string, RecordedEvent>()
  const missing = new Set<string>()
  for (const { accountId: account, awsRegion: region, relatedEvents: ids } of items) {
    for (const value of ids) {
      const attribute = { key: 'EventId', value } as const
      const query = { account, region, attribute, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 1 }
      const [record] = (await lookup.find(query)).records
      if (record === undefined) missing.add(value)
      else found.set(value, JSON.parse(record) as RecordedEvent)
    }
  }
  for await (const record of inTurns(missing.size === 0 ? [] : records())) {
    for (const id of missing) {
      if (!record.includes(`"eventID":"${id}"`)) continue
      const event = JSON.parse(record) as RecordedEvent
      if (event.eventID !== id) continue
      found.set(id, event)
      missing.delete(id)
    }
    if (missing.size === 0) break
  }
  return found
}

/** What a key that is older than its first item was given as its policy, by the events of the journal. */
export async function olderVersions(
  { records }: Pick<RecordedEvents, 'records'>,
  arn: string,
  first: WholeItem,
): Promise<readonly PolicyVersion[]> {
  const versions: PolicyVersion[] = []
  for await (const record of inTurns(records())) {
    if (
      !record.includes(arn) ||
      !/"eventName":"(?:PutKeyPolicy|CreateKey|ReplicateKey)"/.test(record)
    )
      continue
    const event = JSON.parse(record) as RecordedEvent
    const policy = event.requestParameters?.['policy']
    const isOwn =
      event.recipientAccountId === first.accountId &&
      event.awsRegion === first.awsRegion &&
      isPolicyEventOf(event, arn)
    if (event.errorCode !== undefined || typeof policy !== 'string' || !isOwn) continue
    if (event.eventTime > first.configurationItemCaptureTime) continue
    const known = { sha256: undefined, newlyAllowed: undefined }
    versions.push({ time: event.eventTime, policy, event: policyEvent(event), ...known })
  }
  return versions
}

/** A policy, or a description, may name the key of somebody else: what the event is about is said by its resources. */
function isPolicyEventOf(
  { eventSource, eventName, resources = [] }: RecordedEvent,
  arn: string,
): boolean {
  return (
    eventSource === 'kms.amazonaws.com' &&
    ['PutKeyPolicy', 'CreateKey', 'ReplicateKey'].includes(eventName) &&
    resources.some(({ ARN }) => ARN === arn)
  )
}

async function* inTurns(records: Iterable<string>) {
  let read = 0
  for (const record of records) {
    yield record
    read += 1
    if (read % recordsPerTurn === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}
