import type { ServiceError } from '../../base/errors.ts'
import { isSymmetric } from '../../hsm/key-specs.ts'
import type { Material } from '../../hsm/port.ts'
import type { CallContext } from '../operation.ts'
import type { CiphertextName, KmsDeps } from './deps.ts'
import {
  absentOrDenied,
  incorrectKey,
  invalidCiphertext,
  missingMember,
  modifiersWithoutDryRun,
} from './errors.ts'
import type { KeyRecord } from './key.ts'
import { type IdentifierRules, type KeyTarget, resolveKey } from './key-identifier.ts'
import { currentMaterial } from './material.ts'
import { asOf } from './materials.ts'
import type { KmsState } from './state.ts'

/** What Decrypt and ReEncrypt were given to find their key by. */
export type CiphertextRequest = {
  readonly blob: Buffer | undefined
  readonly keyId: string | undefined
  /** The member that `keyId` came in, in lowerCamel. */
  readonly keyIdName: string
  /** The effective one: the default is filled in. */
  readonly algorithm: string
  readonly dryRun: boolean | undefined
  readonly modifiers: readonly string[] | undefined
}

export type CiphertextTarget = KeyTarget & {
  /** Undefined when a dry run is to ignore it. */
  readonly ciphertext: Ciphertext | undefined
}

type Ciphertext = {
  readonly blob: Buffer
  /** What it says of itself; undefined when it is none of ours. */
  readonly name: CiphertextName | undefined
}

/**
 * Finds the key that a ciphertext is to be opened with. A key that the caller names is the one that authorization is
 * about, whatever the ciphertext says; without one, the ciphertext names it, which those of RSA cannot. A ciphertext
 * that names no key of this Region is answered like one whose key is not shared with the caller: it tells nothing.
 */
export function resolveCiphertext(
  call: CallContext,
  request: CiphertextRequest,
  rules: IdentifierRules,
  deps: KmsDeps,
): CiphertextTarget {
  const { blob, keyId } = request
  if (ignoresCiphertext(request)) {
    if (keyId === undefined) throw missingMember(request.keyIdName)
    const { key, alias } = resolveKey(call, keyId, rules, deps.state)
    return { key, alias, ciphertext: undefined }
  }
  if (blob === undefined) throw missingMember('ciphertextBlob')
  const name = deps.parseBlob(blob)
  // A bare id may name another account's key here, when the ciphertext names the same.
  if (keyId === undefined || keyId === name?.keyId) {
    if (name === undefined) throw nameless(request)
    const key = deps.state.key(call.region, name.keyId)
    if (key === undefined) throw absentOrDenied(call, rules.permission)
    return { key: asOf(key, call.now), alias: undefined, ciphertext: { blob, name } }
  }
  const { key, alias } = resolveKey(call, keyId, rules, deps.state)
  return { key, alias, ciphertext: { blob, name } }
}

/** A ciphertext that names no key: RSA's never do, and with them the key has to be said. */
function nameless({ algorithm, keyIdName }: CiphertextRequest): ServiceError {
  return algorithm === 'SYMMETRIC_DEFAULT' ? invalidCiphertext() : missingMember(keyIdName)
}

/** Only a dry run may leave the ciphertext out of account. */
function ignoresCiphertext({ dryRun, modifiers }: CiphertextRequest): boolean {
  if (modifiers === undefined || modifiers.length === 0) return false
  if (dryRun !== true) throw modifiersWithoutDryRun()
  return modifiers.includes('IGNORE_CIPHERTEXT')
}

/**
 * The material that opens the ciphertext. Throws 'incorrect-key' when it is another key's, or 'invalid-ciphertext'.
 * Asymmetric keys have one material, and their ciphertexts name none.
 */
export function materialOf(state: KmsState, key: KeyRecord, { name }: Ciphertext): Material {
  if (!isSymmetric(key.keySpec)) return currentMaterial(state, key)
  if (name === undefined) throw invalidCiphertext()
  if (name.keyId !== key.keyId) throw incorrectKey()
  const material = state.material(key, name.materialId)
  if (material === undefined) throw invalidCiphertext()
  return material
}
