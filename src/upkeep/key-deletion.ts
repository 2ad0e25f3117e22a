import type { Clock } from '../base/clock.ts'
import type { Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { ownEventRecord } from '../record/own-event.ts'
import { destroyKey, keysDue } from '../services/kms/deletion.ts'
import type { Grants } from '../services/kms/grants.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import type { KmsState } from '../services/kms/state.ts'
import { StoreConflict } from '../storage/port.ts'

export type KeyDeletionDeps = Recorder & {
  readonly state: KmsState
  readonly grants: Grants
  readonly regions: readonly Region[]
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
    for (const key of due) if (await destroy(key, deps)) progress++
    deleted += progress
    if (due.length < batchSize || progress === 0) break
  }
  await dropGrants(deps)
  return deleted
}

/** How many rows one transaction removes: requests wait for a few milliseconds, and not for fifty thousand grants. */
const grantBatch = 100
/** How many of those one upkeep commits, so that who stops the service waits no longer than a second. */
const grantBatchesMax = 50

/** Removes the grants of keys that are gone, those included that an earlier process left behind. */
async function dropGrants(deps: KeyDeletionDeps): Promise<void> {
  for (let batch = 0; batch < grantBatchesMax; batch++) {
    const removals = deps.grants.leftovers(grantBatch)
    if (removals.length === 0) return
    try {
      await commitRecorded(deps, removals, [])
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error
      // Another process is at it: what it leaves is for the next upkeep.
      return
    }
  }
}

/** False if its deletion was cancelled, or another process destroyed it, a moment ago. */
async function destroy(key: KeyRecord, deps: KeyDeletionDeps): Promise<boolean> {
  const now = deps.clock.now()
  try {
    const { changes, event } = destroyKey(deps, key, now)
    await commitRecorded(deps, changes, [ownEventRecord(event, now, deps.random)])
    return true
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
    return false
  }
}
