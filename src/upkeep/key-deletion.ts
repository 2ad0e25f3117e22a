import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { internalIdentity, serviceEventRecord } from '../record/event.ts'
import { type DeleteKeyEvent, destroyKey, keysDue } from '../services/kms/deletion.ts'
import type { KmsState } from '../services/kms/state.ts'
import { type OutboxEvent, StoreConflict } from '../storage/port.ts'

export type KeyDeletionDeps = Recorder & {
  readonly state: KmsState
  readonly hsm: Hsm
  readonly clock: Clock
  readonly random: Random
}

const batchSize = 100

/** Destroys the keys whose waiting period is over, each with its record, and answers how many. */
export async function deleteDueKeys(deps: KeyDeletionDeps): Promise<number> {
  let deleted = 0
  await deps.mirror.refresh()
  for (;;) {
    const due = keysDue(deps.state, deps.clock.now(), batchSize)
    let progress = 0
    for (const key of due) {
      try {
        const destruction = destroyKey(deps.state, key)
        await commitRecorded(deps, destruction.changes, [deletionEvent(destruction.event, deps)])
        await deps.hsm.forget(destruction.materialIds)
        progress++
      } catch (error) {
        // Cancelled, or destroyed by another process, a moment ago.
        if (!(error instanceof StoreConflict)) throw error
      }
    }
    deleted += progress
    if (due.length < batchSize || progress === 0) return deleted
  }
}

function deletionEvent(event: DeleteKeyEvent, deps: KeyDeletionDeps): OutboxEvent {
  const eventId = deps.random.uuid()
  const record = serviceEventRecord({
    eventId,
    userIdentity: internalIdentity(event.account),
    time: deps.clock.now(),
    eventSource: event.eventSource,
    eventName: event.eventName,
    region: event.region,
    sourceIp: 'AWS Internal',
    resources: event.resources,
    recipientAccountId: event.account,
  })
  return { id: eventId, record }
}
