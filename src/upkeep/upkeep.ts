import type { DomainKeys } from './domain-keys.ts'
import { Forgetting } from './forgetting.ts'
import { deleteDueKeys, type KeyDeletionDeps } from './key-deletion.ts'
import { type KeyRotationDeps, rotateDueKeys } from './key-rotation.ts'
import { startMaterialExpiry } from './material-expiry.ts'
import { every } from './schedule.ts'

export type UpkeepDeps = KeyDeletionDeps &
  KeyRotationDeps & {
    readonly domainKeys: DomainKeys
    /** Tells the operator what failed. */
    readonly log: (line: string) => void
  }

const intervalMs = 60_000

/** What the service does of itself, now and then, while it runs. Each for itself: none waits for another. */
export function startUpkeep(deps: UpkeepDeps): { stop(): Promise<void> } {
  const { domainKeys, log } = deps
  const forgetting = new Forgetting(deps)
  const tasks = [
    every(intervalMs, async () => void (await deleteDueKeys(deps)), log),
    every(intervalMs, async () => void (await rotateDueKeys(deps)), log),
    startMaterialExpiry(deps, log),
    every(intervalMs, () => forgetting.flush(), log),
    every(intervalMs, () => domainKeys.upkeep(), log),
  ]
  return {
    stop: async () => {
      await Promise.all(tasks.map((task) => task.stop()))
    },
  }
}
