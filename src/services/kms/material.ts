import { ServiceError } from '../../base/errors.ts'
import type { Material } from '../../hsm/port.ts'
import { arnOf, type KeyRecord } from './key.ts'
import type { KmsState } from './state.ts'

/** The material that a key encrypts with. Throws 'key-unavailable': a key without it is a damaged store. */
export function currentMaterial(state: KmsState, key: KeyRecord): Material {
  const { currentMaterialId } = key
  const material =
    currentMaterialId === undefined ? undefined : state.material(key, currentMaterialId)
  if (material !== undefined) return material
  const detail = `${arnOf(key)} has no material ${key.currentMaterialId}`
  throw new ServiceError('key-unavailable', undefined, { detail })
}
