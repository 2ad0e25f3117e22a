import type { KmsDeps } from './deps.ts'
import type { KeyRecord } from './key.ts'
import { toBeImported } from './materials.ts'

/**
 * Multi-Region keys: one key id and one material in several Regions, each with a policy, aliases, tags and a state of
 * its own. https://docs.aws.amazon.com/kms/latest/developerguide/multi-region-keys-overview.html
 */
type Where = Pick<KmsDeps, 'state' | 'regions'>

/** The primary and its replicas, `key` among them, in the order of the deployment's Regions. */
export function relatedKeys(key: KeyRecord, { state, regions }: Where): readonly KeyRecord[] {
  if (!key.multiRegion) return [key]
  return regions
    .map((region) => (region === key.region ? key : state.key(region, key.keyId)))
    .filter((related) => related !== undefined)
    .filter((related) => related.account === key.account)
}

export function replicasOf(primary: KeyRecord, where: Where): readonly KeyRecord[] {
  return relatedKeys(primary, where).filter(isReplica)
}

export const isPrimary = (key: KeyRecord): boolean => key.replication?.type === 'PRIMARY'
export const isReplica = (key: KeyRecord): boolean => key.replication?.type === 'REPLICA'

/**
 * What a new replica has of its primary. Imported material is given to each of them for itself, so that a replica
 * knows which there are and has none.
 */
export function sharedMembers(primary: KeyRecord): Partial<KeyRecord> {
  const { keySpec, keyUsage, origin, publicKey } = primary
  const { currentMaterialId, rotation, onDemandRotations } = primary
  const materials = origin === 'EXTERNAL' ? toBeImported(primary) : primary.materials
  return {
    ...{ keySpec, keyUsage, origin, publicKey },
    ...{ currentMaterialId, materials, rotation, onDemandRotations },
  }
}
