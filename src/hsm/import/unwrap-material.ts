import { createDecipheriv } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'
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

/** RSAES-OAEP with a private key whose modulus has so many bytes. Rejects with 'invalid-ciphertext'. */
export type OaepOpener = {
  readonly modulusBytes: number
  open(algorithm: RsaEncryptionAlgorithm, ciphertext: Buffer): Promise<Buffer>
}

/**
 * What was wrapped for the key of `opener`; the caller's to wipe. `encrypted` may be overwritten as soon as this has
 * returned. Rejects with 'invalid-ciphertext' for whatever does not unwrap, and never says why: answers that differ
 * would decrypt RSAES-OAEP (Manger, CRYPTO 2001).
 */
export async function unwrapMaterial(
  algorithm: WrappingAlgorithm,
  opener: OaepOpener,
  encrypted: Buffer,
): Promise<Buffer> {
  const { oaep, keyWrap } = schemes[algorithm]
  if (!keyWrap) return opener.open(oaep, encrypted)
  const wrapped = Buffer.from(encrypted.subarray(opener.modulusBytes))
  const key = await opener.open(oaep, encrypted.subarray(0, opener.modulusBytes))
  try {
    return unwrapPadded(key, wrapped)
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
