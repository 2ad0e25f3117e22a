import type { Put } from '../../storage/port.ts'
import type { OwnEvent } from '../operation.ts'
import { keyResource } from './audit.ts'
import type { KmsDeps } from './deps.ts'
import type { KeyRecord } from './key.ts'
import { isPrimary, isReplica, relatedKeys, replicasOf } from './replication.ts'
import type { KmsState } from './state.ts'

const dayMs = 86_400_000

/** Keys in all Regions, and which Regions those are. */
type Where = Pick<KmsDeps, 'state' | 'regions'>

/** The waiting period of a primary begins when its last replica is gone. */
export function pendingDeletion(
  key: KeyRecord,
  windowInDays: number,
  now: number,
  where: Where,
): Pick<KeyRecord, 'state' | 'deletion'> {
  if (isPrimary(key) && replicasOf(key, where).length > 0) {
    return { state: 'PendingReplicaDeletion', deletion: { windowInDays } }
  }
  const date = now + windowInDays * dayMs
  return { state: 'PendingDeletion', deletion: { date, windowInDays } }
}

/** Keys whose waiting period is over, at most `limit` of them. */
export function keysDue(state: KmsState, now: number, limit: number): readonly KeyRecord[] {
  const due: KeyRecord[] = []
  for (const key of state.pendingDeletion()) {
    if (key.deletion?.date === undefined || key.deletion.date > now) continue
    if (due.push(key) === limit) break
  }
  return due
}

export type Destruction = {
  /**
   * Removes the key, its aliases and its material; a primary that waited for this replica alone begins to wait for its
   * own deletion. The commit fails with StoreConflict if any of them changes.
   */
  readonly changes: readonly Put[]
  readonly event: OwnEvent
}

/**
 * What destroys a key that is due. Ciphertexts under it can never be opened again. Throws StoreConflict unless `key` is
 * the present record: its deletion may have been cancelled since it was found to be due.
 */
export function destroyKey(where: Where, key: KeyRecord, now: number): Destruction {
  const { state } = where
  const others = relatedKeys(key, where).filter((related) => related !== key)
  const materials = state.materialsOf(key)
  const aliases = state
    .aliasNamesOf(key)
    .map((name) => state.alias(key.region, key.account, name))
    .filter((alias) => alias !== undefined)
  return {
    changes: [
      state.removeKey(key),
      ...aliases.map((alias) => state.removeAlias(alias)),
      ...materials.map((material) => state.removeMaterial(material)),
      ...releasedPrimary(key, others, now).map(([before, after]) =>
        state.replaceKey(before, after),
      ),
    ],
    event: {
      eventSource: 'kms.amazonaws.com',
      eventName: 'DeleteKey',
      account: key.account,
      region: key.region,
      resources: [keyResource(key)],
    },
  }
}

/**
 * The primary of the replica that goes now, before and after: it begins to wait for its own deletion if it waited for
 * this one alone. It is written in any case, so that whoever decides about it at the same time, another replica that
 * goes or a deletion that is scheduled, meets a conflict and looks again.
 */
function releasedPrimary(
  gone: KeyRecord,
  others: readonly KeyRecord[],
  now: number,
): readonly (readonly [KeyRecord, KeyRecord])[] {
  const primary = others.find(isPrimary)
  if (!isReplica(gone) || primary === undefined) return []
  const { state, deletion: waiting } = primary
  if (others.some(isReplica) || state !== 'PendingReplicaDeletion' || waiting === undefined) {
    return [[primary, primary]]
  }
  const { windowInDays } = waiting
  const deletion = { date: now + windowInDays * dayMs, windowInDays }
  return [[primary, { ...primary, state: 'PendingDeletion', deletion }]]
}
