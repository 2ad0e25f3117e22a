import { hkdfSync, type KeyObject, randomFillSync } from 'node:crypto'
import { internalError, ServiceError } from '../base/errors.ts'
import { ivBytes, openGcm, sealGcm, tagBytes } from './gcm.ts'
import type { SealPurpose } from './port.ts'
import { binding } from './wrap.ts'

/**
 * What only this deployment may have made and only it can read (`docs/formats/sealed.md`):
 *
 *   version (1) ‖ salt 32 ‖ AES-256-GCM ciphertext ‖ tag 16
 *
 * Key and IV are HKDF-SHA-256 (RFC 5869) of the secrets key, with that salt, and with purpose and owner as its info:
 * each text has a key of its own, so that no number of them is too many for one key, and none opens in another's place.
 */
const version = 1
const saltAt = 1
const ciphertextAt = 33
const keyBytes = 32
export const sealOverhead = ciphertextAt + tagBytes
export const plaintextBytesMax = 16 * 1024

export function sealText(
  secretsKey: KeyObject,
  purpose: SealPurpose,
  owner: string,
  plaintext: Buffer,
): Buffer {
  if (plaintext.length > plaintextBytesMax) throw internalError('too much to be sealed')
  const sealed = Buffer.alloc(sealOverhead + plaintext.length)
  sealed[0] = version
  randomFillSync(sealed, saltAt, ciphertextAt - saltAt)
  const header = sealed.subarray(0, ciphertextAt)
  const { key, iv } = derived(secretsKey, purpose, owner, header)
  const { ciphertext, tag } = sealGcm(key, iv, plaintext, header)
  key.fill(0)
  ciphertext.copy(sealed, ciphertextAt)
  tag.copy(sealed, ciphertextAt + plaintext.length)
  return sealed
}

/** The plaintext is the caller's to wipe. Throws 'invalid-ciphertext', and never says why. */
export function openText(
  secretsKey: KeyObject,
  purpose: SealPurpose,
  owner: string,
  sealed: Buffer,
): Buffer {
  const plaintext = opened(secretsKey, purpose, owner, sealed)
  if (plaintext === undefined) throw new ServiceError('invalid-ciphertext')
  return plaintext
}

function opened(
  secretsKey: KeyObject,
  purpose: SealPurpose,
  owner: string,
  sealed: Buffer,
): Buffer | undefined {
  const tagAt = sealed.length - tagBytes
  if (tagAt < ciphertextAt || sealed.length > sealOverhead + plaintextBytesMax) return undefined
  if (sealed[0] !== version) return undefined
  const header = sealed.subarray(0, ciphertextAt)
  const { key, iv } = derived(secretsKey, purpose, owner, header)
  const ciphertext = sealed.subarray(ciphertextAt, tagAt)
  try {
    return openGcm(key, iv, { ciphertext, tag: sealed.subarray(tagAt) }, header)
  } finally {
    key.fill(0)
  }
}

function derived(
  secretsKey: KeyObject,
  purpose: SealPurpose,
  owner: string,
  header: Buffer,
): { readonly key: Buffer; readonly iv: Buffer } {
  const salt = header.subarray(saltAt)
  const info = binding('sealed', purpose, owner)
  const bytes = Buffer.from(hkdfSync('sha256', secretsKey, salt, info, keyBytes + ivBytes))
  return { key: bytes.subarray(0, keyBytes), iv: bytes.subarray(keyBytes) }
}
