import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { commitRecorded, type Recorder } from '../record/commit.ts'
import { ownEventRecord } from '../record/own-event.ts'
import { deleteExpired, keysWithExpired } from '../services/kms/expiry.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import type { KmsState } from '../services/kms/state.ts'
import { StoreConflict } from '../storage/port.ts'
import { every } from './schedule.ts'

export type MaterialExpiryDeps = Recorder & {
  readonly state: KmsState
  readonly clock: Clock
  readonly random: Random
}

const batchSize = 100

/**
 * Deletes imported material whose time is over, with its record, and answers of how many keys. Nobody can use it since
 * the moment of its expiry, whenever this comes.
 */
export async function deleteExpiredMaterial(deps: MaterialExpiryDeps): Promise<number> {
  let deleted = 0
  await deps.mirror.refresh()
  for (;;) {
    const expired = keysWithExpired(deps.state, deps.clock.now(), batchSize)
    const done = await Promise.all(expired.map((key) => expire(key, deps)))
    const progress = done.filter(Boolean).length
    deleted += progress
    if (expired.length < batchSize || progress === 0) return deleted
  }
}

const intervalMs = 60_000
/** However many materials expire one after the other, they are looked for four times a second at most. */
const gapMs = 250

/** Deletes material when it expires: at that moment, and now and then, should that one have been missed. */
export function startMaterialExpiry(
  deps: MaterialExpiryDeps,
  log: (line: string) => void,
): { stop(): Promise<void> } {
  const { state, clock } = deps
  let timer: NodeJS.Timeout | undefined
  let wakesAt = Number.POSITIVE_INFINITY
  let stopped = false
  const wakeAt = (time: number | undefined) => {
    if (stopped || time === undefined || time >= wakesAt) return
    const delay = time - clock.now()
    if (delay > intervalMs) return
    clearTimeout(timer)
    wakesAt = time
    timer = setTimeout(() => schedule.run(), Math.max(delay, gapMs))
  }
  const sweep = async () => {
    try {
      await deleteExpiredMaterial(deps)
    } finally {
      wakesAt = Number.POSITIVE_INFINITY
      wakeAt(state.nextExpiry())
    }
  }
  const schedule = every(intervalMs, sweep, log)
  state.keys.watchGlances((_, key) => wakeAt(key?.nextExpiry))
  return {
    stop: () => {
      stopped = true
      clearTimeout(timer)
      return schedule.stop()
    },
  }
}

/** False if the key was changed a moment ago: the next upkeep looks at it again. */
async function expire(key: KeyRecord, deps: MaterialExpiryDeps): Promise<boolean> {
  const now = deps.clock.now()
  try {
    const { changes, events } = deleteExpired(deps.state, key, now)
    const records = events.map((event) => ownEventRecord(event, now, deps.random))
    await commitRecorded(deps, changes, records)
    return true
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error
    return false
  }
}
