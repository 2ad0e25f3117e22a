import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { internalIdentity, serviceEventRecord } from '../record/event.ts'
import { type DeleteKeyEvent, destroyKey, keysDue } from '../services/kms/deletion.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import type { KmsState } from '../services/kms/state.ts'
import { type OutboxEvent, StoreConflict } from '../storage/port.ts'

export type KeyDeletionDeps = Recorder & {
  readonly state: KmsState
  readonly hsm: Hsm
  readonly clock: Clock
  readonly random: Random
  /**
   * Materials of destroyed keys that the key core has not been told of. Empty at first; the same one at each upkeep,
   * so that the next one tells the core what this one could not.
   */
  readonly toForget: Set<string>
}

const batchSize = 100

/** Destroys the keys whose waiting period is over, each with its record, and answers how many. */
export async function deleteDueKeys(deps: KeyDeletionDeps): Promise<number> {
  let deleted = 0
  await deps.mirror.refresh()
  for (;;) {
    const due = keysDue(deps.state, deps.clock.now(), batchSize)
    let progress = 0
    try {
      for (const key of due) if (await destroy(key, deps)) progress++
    } finally {
      await forgetDestroyed(deps)
    }
    deleted += progress
    if (due.length < batchSize || progress === 0) return deleted
  }
}

/** False if its deletion was cancelled, or another process destroyed it, a moment ago. */
async function destroy(key: KeyRecord, deps: KeyDeletionDeps): Promise<boolean> {
  try {
    const { changes, event, materialIds } = destroyKey(deps.state, key)
    try {
      await commitRecorded(deps, changes, [deletionEvent(event, deps)])
    } finally {
      // Whoever destroyed it, and even if its record could not be written: what is gone is to be forgotten.
      for (const id of materialIds) {
        if (deps.state.material(key, id) === undefined) deps.toForget.add(id)
      }
    }
    return true
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
    return false
  }
}

async function forgetDestroyed({ hsm, toForget }: KeyDeletionDeps): Promise<void> {
  if (toForget.size === 0) return
  const ids = [...toForget]
  await hsm.forget(ids)
  for (const id of ids) toForget.delete(id)
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
