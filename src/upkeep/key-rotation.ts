import type { Clock } from '../base/clock.ts'
import type { Region } from '../base/ids.ts'
import type { Random } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { ownEventRecord } from '../record/own-event.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import { keysToRotate, rotateKey } from '../services/kms/rotation.ts'
import type { KmsState } from '../services/kms/state.ts'
import { StoreConflict } from '../storage/port.ts'

export type KeyRotationDeps = Recorder & {
  readonly state: KmsState
  readonly hsm: Hsm
  readonly regions: readonly Region[]
  readonly clock: Clock
  readonly random: Random
}

const batchSize = 100

/**
 * Gives new material to the keys whose day has come, each with its record, and answers how many. A key that cannot be
 * rotated does not hold up the others of its batch; then it rejects.
 */
export async function rotateDueKeys(deps: KeyRotationDeps): Promise<number> {
  let rotated = 0
  await deps.mirror.refresh()
  for (;;) {
    const due = keysToRotate(deps.state, deps.clock.now(), batchSize)
    const outcomes = await Promise.allSettled(due.map((key) => rotate(key, deps)))
    let progress = 0
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') throw outcome.reason
      if (outcome.value) progress++
    }
    rotated += progress
    if (due.length < batchSize || progress === 0) return rotated
  }
}

/** False if the key was changed a moment ago: the next upkeep looks at it again. */
async function rotate(key: KeyRecord, deps: KeyRotationDeps): Promise<boolean> {
  const now = deps.clock.now()
  try {
    const { changes, events } = await rotateKey(key, 'AUTOMATIC', now, deps)
    const records = events.map((event) => ownEventRecord(event, now, deps.random))
    await commitRecorded(deps, changes, records)
    return true
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
    return false
  }
}
