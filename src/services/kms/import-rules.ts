import { isSymmetric } from '../../hsm/key-specs.ts'
import {
  incorrectKeyMaterial,
  newMaterialWithId,
  notOfSymmetricKeys,
  notPrimary,
  otherMaterialPending,
  validToMissing,
  validToNotWanted,
  validToOutOfRange,
  wrongOrigin,
} from './errors.ts'
import { arnOf, type KeyRecord } from './key.ts'
import { entryOf, isPresent, materialEntries, pendingEntry } from './materials.ts'
import { isReplica } from './replication.ts'

/**
 * Which material can be imported into which key.
 * https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys-import-key-material.html
 */
export type ImportRequest = {
  readonly ValidTo?: number | undefined
  readonly ExpirationModel?: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE' | undefined
  readonly ImportType?: ImportType | undefined
  readonly KeyMaterialDescription?: string | undefined
  readonly KeyMaterialId?: string | undefined
}

type ImportType = 'NEW_KEY_MATERIAL' | 'EXISTING_KEY_MATERIAL'

const validMsMax = 365 * 86_400_000

/** Throws 'unsupported' for keys whose material is made here. */
export function requireImportable(key: KeyRecord): void {
  if (key.origin !== 'EXTERNAL') throw wrongOrigin(arnOf(key), key.origin)
}

/** Throws 'validation' unless model and date fit each other. */
export function requireExpiration({ ExpirationModel, ValidTo }: ImportRequest, now: number): void {
  if (ExpirationModel === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (ValidTo !== undefined) throw validToNotWanted()
    return
  }
  if (ValidTo === undefined) throw validToMissing()
  if (!(ValidTo > now && ValidTo <= now + validMsMax)) throw validToOutOfRange()
}

/**
 * Whether the material is to be new, with AWS's default: the first is. Asked before the material is looked at. Throws
 * 'unsupported' for what asymmetric and HMAC keys, or replicas, cannot have, 'validation' for an id of new material.
 */
export function importTypeOf(key: KeyRecord, request: ImportRequest): ImportType {
  const isFirst = materialEntries(key).length === 0
  const type = request.ImportType ?? (isFirst ? 'NEW_KEY_MATERIAL' : 'EXISTING_KEY_MATERIAL')
  if (!isSymmetric(key.keySpec)) {
    for (const member of ['ImportType', 'KeyMaterialDescription', 'KeyMaterialId'] as const) {
      if (request[member] !== undefined) throw notOfSymmetricKeys(member)
    }
    return type
  }
  const fromPrimary = type === 'NEW_KEY_MATERIAL' || request.KeyMaterialDescription !== undefined
  if (fromPrimary && isReplica(key)) throw notPrimary(arnOf(key))
  if (type === 'NEW_KEY_MATERIAL' && request.KeyMaterialId !== undefined) throw newMaterialWithId()
  return type
}

/**
 * Whether the key takes the material with that id. Throws 'incorrect-key-material', or 'invalid-state' while another
 * material is pending.
 */
export function requireExpected(
  key: KeyRecord,
  materialId: string,
  type: ImportType,
  request: ImportRequest,
  now: number,
): void {
  const isKnown = entryOf(key, materialId) !== undefined
  if (type === 'EXISTING_KEY_MATERIAL' || !isSymmetric(key.keySpec)) {
    const isFirst = type === 'NEW_KEY_MATERIAL' && materialEntries(key).length === 0
    if (!isKnown && !isFirst) {
      throw incorrectKeyMaterial('The key material is not the one that was imported before.')
    }
    if (request.KeyMaterialId !== undefined && request.KeyMaterialId !== materialId) {
      throw incorrectKeyMaterial('The key material is not the one that KeyMaterialId identifies.')
    }
    return
  }
  if (isKnown) throw incorrectKeyMaterial('The key material is associated with the key already.')
  const pending = pendingEntry(key)
  if (pending !== undefined && isPresent(pending, now)) {
    throw otherMaterialPending(arnOf(key), materialId, pending.materialId)
  }
}
