import { createDecipheriv, type KeyObject } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'
import { decryptOaep } from '../asymmetric/oaep.ts'
import type { RsaEncryptionAlgorithm, WrappingAlgorithm } from '../key-specs.ts'

type Scheme = {
  readonly oaep: RsaEncryptionAlgorithm
  /** Whether the message is the material, or the AES key that the material is under. */
  readonly keyWrap: boolean
}

const schemes: Readonly<Record<WrappingAlgorithm, Scheme>> = {
  RSAES_OAEP_SHA_1: { oaep: 'RSAES_OAEP_SHA_1', keyWrap: false },
  RSAES_OAEP_SHA_256: { oaep: 'RSAES_OAEP_SHA_256', keyWrap: false },
  RSA_AES_KEY_WRAP_SHA_1: { oaep: 'RSAES_OAEP_SHA_1', keyWrap: true },
  RSA_AES_KEY_WRAP_SHA_256: { oaep: 'RSAES_OAEP_SHA_256', keyWrap: true },
}

/** The alternative initial value of RFC 5649 §3, without the length. */
const alternativeIv = Buffer.from('a65959a6', 'hex')
const semiblock = 8

/**
 * What was wrapped for `privateKey`, an RSA key; the caller's to wipe. Throws 'invalid-ciphertext' for whatever does
 * not unwrap, and never says why: answers that differ would decrypt RSAES-OAEP (Manger, CRYPTO 2001).
 */
export function unwrapMaterial(
  algorithm: WrappingAlgorithm,
  privateKey: KeyObject,
  encrypted: Buffer,
): Buffer {
  const { oaep, keyWrap } = schemes[algorithm]
  if (!keyWrap) return decryptOaep(privateKey, oaep, encrypted)
  const modulusBytes = (privateKey.asymmetricKeyDetails?.modulusLength ?? 0) / 8
  const key = decryptOaep(privateKey, oaep, encrypted.subarray(0, modulusBytes))
  try {
    return unwrapPadded(key, encrypted.subarray(modulusBytes))
  } finally {
    key.fill(0)
  }
}

/**
 * AES key wrap with padding (RFC 5649 §4.2, SP 800-38F §6.3) under a key of 16, 24 or 32 bytes. What comes out is the
 * caller's to wipe. Throws 'invalid-ciphertext'.
 */
export function unwrapPadded(key: Buffer, wrapped: Buffer): Buffer {
  const whole = wrapped.length >= 2 * semiblock && wrapped.length % semiblock === 0
  if (![16, 24, 32].includes(key.length) || !whole) throw new ServiceError('invalid-ciphertext')
  try {
    const cipher = `id-aes${key.length * 8}-wrap-pad`
    // In this mode the first update is the whole of it, and throws if the initial value is not there.
    return createDecipheriv(cipher, key, alternativeIv).update(wrapped)
  } catch {
    throw new ServiceError('invalid-ciphertext')
  }
}
