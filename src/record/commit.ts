import { ServiceError } from '../base/errors.ts'
import type { Journal } from '../journal/port.ts'
import type { Mirror } from '../storage/mirror.ts'
import type { OutboxEvent, Put, Store } from '../storage/port.ts'

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
  await recorder.mirror.commit(puts, events)
  await Promise.all(events.map((event) => recorder.journal.append(event.record)))
  await settle(recorder.store, events)
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

/**
 * Journals what an earlier process committed and could not journal before it died. `journalled` are the texts of the
 * journal's last records: an event that stands there already is only settled.
 */
export async function replayOutbox(
  store: Store,
  journal: Journal,
  journalled: Iterable<string>,
): Promise<number> {
  const pending = await store.outbox()
  if (pending.length === 0) return 0
  const missing = new Map(pending.map((event) => [event.id, event]))
  for (const record of journalled) {
    const id = eventIdOf(record)
    if (id !== undefined) missing.delete(id)
  }
  const events = [...missing.values()]
  await Promise.all(events.map((event) => journal.append(event.record)))
  await store.settle(pending.map((event) => event.id))
  return events.length
}

function eventIdOf(record: string): string | undefined {
  const parsed: unknown = JSON.parse(record)
  if (typeof parsed !== 'object' || parsed === null || !('eventID' in parsed)) return undefined
  return typeof parsed.eventID === 'string' ? parsed.eventID : undefined
}
