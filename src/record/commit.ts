import { internalError, ServiceError } from '../base/errors.ts'
import type { Journal } from '../journal/port.ts'
import type { Mirror } from '../storage/mirror.ts'
import type { OutboxEvent, Put, Store } from '../storage/port.ts'
import { stubRecord } from './stub.ts'

export type Recorder = {
  readonly mirror: Mirror
  readonly store: Store
  readonly journal: Journal
}

/**
 * What the pipeline does for a caller's change, for changes that the service or its operator make: the change and its
 * events in one transaction, then the journal. When this resolves, both are on disk.
 */
export async function commitRecorded(
  recorder: Recorder,
  puts: readonly Put[],
  events: readonly OutboxEvent[],
): Promise<void> {
  requireJournallable(recorder.journal, events)
  const committed = await recorder.mirror.commit(puts, events)
  await Promise.all(committed.map((event) => recorder.journal.append(event.record, event.kind)))
  await settle(recorder.store, committed)
}

/**
 * Asked before a change is committed: one whose record cannot be journalled must not be made, since it would stand
 * unrecorded in the store. Throws 'internal'.
 */
export function requireJournallable(journal: Journal, events: readonly OutboxEvent[]): void {
  for (const { id, record } of events) {
    if (fits(record, journal.maxRecordBytes)) continue
    throw internalError(`the record ${id} is longer than the journal's ${journal.maxRecordBytes}`)
  }
}

function fits(record: string, bytesMax: number): boolean {
  return record.length * 3 <= bytesMax || Buffer.byteLength(record) <= bytesMax
}

/**
 * What is committed and journalled is done, so it is answered as such even if the store fails now: it says so by its
 * own `healthy`, and the next start finds these events in the journal.
 */
export async function settle(store: Store, events: readonly OutboxEvent[]): Promise<void> {
  try {
    await store.settle(events.map((event) => event.id))
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
  }
}

/** Among so many of the last records, the events that a process left unsettled almost always are. */
const tailRecords = 100_000

/**
 * Journals what an earlier process committed and could not journal before it died. `recordsFrom` reads the journal: an
 * event that stands there already is only settled. What is not among the last records may stand anywhere before.
 *
 * A record that is too long for the journal (its segments may be smaller than those of the process that wrote it) is
 * journalled as a stub that says so, rather than keep the service from starting for ever. `log` tells the operator.
 */
export async function replayOutbox(
  store: Store,
  journal: Journal,
  recordsFrom: (index: number) => Iterable<string>,
  log: (line: string) => void = () => {},
): Promise<number> {
  const pending = await store.outbox()
  if (pending.length === 0) return 0
  const missing = new Map(pending.map((event) => [event.id, event]))
  const tail = Math.max(0, journal.size - tailRecords)
  forget(missing, recordsFrom(tail), Number.POSITIVE_INFINITY)
  forget(missing, recordsFrom(0), tail)
  const events = [...missing.values()]
  await Promise.all(
    events.map((event) => journal.append(journallable(event, journal, log), event.kind)),
  )
  await store.settle(pending.map((event) => event.id))
  return events.length
}

function journallable(
  { id, record }: OutboxEvent,
  { maxRecordBytes }: Journal,
  log: (line: string) => void,
): string {
  if (fits(record, maxRecordBytes)) return record
  log(
    `the record ${id} of an earlier process has ${Buffer.byteLength(record)} bytes; a segment of the journal holds ` +
      `records of ${maxRecordBytes}: what it said is left out`,
  )
  return stubRecord(id, record)
}

/** Forgets those that are among the first `count` records. */
function forget(missing: Map<string, OutboxEvent>, records: Iterable<string>, count: number): void {
  let left = count
  if (left === 0 || missing.size === 0) return
  for (const record of records) {
    const id = mayBeAmong(missing, record) ? eventIdOf(record) : undefined
    if (id !== undefined) missing.delete(id)
    left -= 1
    if (left === 0 || missing.size === 0) return
  }
}

const eventIdKey = '"eventID":"'

/** A look at the text alone, since parsing costs far more: whether one of these stands behind such a key anywhere. */
function mayBeAmong(missing: ReadonlyMap<string, OutboxEvent>, record: string): boolean {
  let at = record.indexOf(eventIdKey)
  while (at >= 0) {
    const begin = at + eventIdKey.length
    if (missing.has(record.slice(begin, record.indexOf('"', begin)))) return true
    at = record.indexOf(eventIdKey, begin)
  }
  return false
}

function eventIdOf(record: string): string | undefined {
  const parsed: unknown = JSON.parse(record)
  if (typeof parsed !== 'object' || parsed === null || !('eventID' in parsed)) return undefined
  return typeof parsed.eventID === 'string' ? parsed.eventID : undefined
}
