import type { Put } from '../../storage/port.ts'
import type { OwnEvent } from '../operation.ts'
import { keyResource } from './audit.ts'
import type { KeyRecord } from './key.ts'
import { isExpired, materialEntries, withoutMaterial } from './materials.ts'
import type { KmsState } from './state.ts'

/** Keys with material that expired and is not deleted yet, at most `limit` of them. */
export function keysWithExpired(state: KmsState, now: number, limit: number): readonly KeyRecord[] {
  return [...Iterator.from(state.expired(now)).take(limit)]
}

export type Expiry = {
  readonly changes: readonly Put[]
  /** One for each material. */
  readonly events: readonly OwnEvent[]
}

/**
 * What deletes the expired material of a key. Its id stays, by which the same material comes back. Throws StoreConflict
 * unless `key` is the present record: the material may have been imported again since.
 */
export function deleteExpired(state: KmsState, key: KeyRecord, now: number): Expiry {
  const ids = materialEntries(key)
    .filter((entry) => isExpired(entry, now))
    .map((entry) => entry.materialId)
  const after = ids.reduce((each, id) => withoutMaterial(each, id, now), key)
  const materials = ids
    .map((id) => state.material(key, id))
    .filter((material) => material !== undefined)
  return {
    changes: [
      state.replaceKey(key, after),
      ...materials.map((material) => state.removeMaterial(material)),
    ],
    events: ids.map((id) => expiryEvent(key, id)),
  }
}

function expiryEvent(key: KeyRecord, keyMaterialId: string): OwnEvent {
  return {
    eventSource: 'kms.amazonaws.com',
    eventName: 'DeleteExpiredKeyMaterial',
    account: key.account,
    region: key.region,
    resources: [keyResource(key)],
    details: { keyId: key.keyId, keyMaterialId },
  }
}
