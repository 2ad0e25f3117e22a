import type { AccountId, Region } from '../../base/ids.ts'
import type { Put } from '../../storage/port.ts'
import type { AuditResource } from '../operation.ts'
import { keyResource } from './audit.ts'
import type { KeyRecord } from './key.ts'
import type { KmsState } from './state.ts'

/** Keys whose waiting period is over, at most `limit` of them. */
export function keysDue(state: KmsState, now: number, limit: number): readonly KeyRecord[] {
  const due: KeyRecord[] = []
  for (const key of state.pendingDeletion()) {
    if (key.deletion === undefined || key.deletion.date > now) continue
    if (due.push(key) === limit) break
  }
  return due
}

export type Destruction = {
  /** Removes the key, its aliases and its material. The commit fails with StoreConflict if any of them changes. */
  readonly changes: readonly Put[]
  /** For `Hsm.forget`, once the changes are committed. */
  readonly materialIds: readonly string[]
  readonly event: DeleteKeyEvent
}

/** The parts of CloudTrail's service event that are particular to it; request and response are null. */
export type DeleteKeyEvent = {
  readonly eventSource: 'kms.amazonaws.com'
  readonly eventName: 'DeleteKey'
  readonly account: AccountId
  readonly region: Region
  readonly resources: readonly AuditResource[]
}

/**
 * What destroys a key that is due. Ciphertexts under it can never be opened again. Throws StoreConflict unless `key` is
 * the present record: its deletion may have been cancelled since it was found to be due.
 */
export function destroyKey(state: KmsState, key: KeyRecord): Destruction {
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
    ],
    materialIds: materials.map((material) => material.materialId),
    event: {
      eventSource: 'kms.amazonaws.com',
      eventName: 'DeleteKey',
      account: key.account,
      region: key.region,
      resources: [keyResource(key)],
    },
  }
}
