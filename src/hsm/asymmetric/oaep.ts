import { constants, type KeyObject, privateDecrypt, publicEncrypt } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'
import type { RsaEncryptionAlgorithm } from '../key-specs.ts'

/** RSAES-OAEP (RFC 8017 §7.1) with an empty label; MGF1 is of the same hash. */
const hashes = {
  RSAES_OAEP_SHA_1: { name: 'sha1', bytes: 20 },
  RSAES_OAEP_SHA_256: { name: 'sha256', bytes: 32 },
} as const satisfies Readonly<Record<RsaEncryptionAlgorithm, object>>

const padding = constants.RSA_PKCS1_OAEP_PADDING

/** Throws 'validation' when the plaintext is too long for the key. */
export function encryptOaep(
  key: KeyObject,
  algorithm: RsaEncryptionAlgorithm,
  plaintext: Buffer,
): Buffer {
  const { name, bytes } = hashes[algorithm]
  const most = modulusBytes(key) - 2 * bytes - 2
  if (plaintext.length > most) {
    throw new ServiceError('validation', `${algorithm} encrypts at most ${most} bytes.`)
  }
  return publicEncrypt({ key, padding, oaepHash: name }, plaintext)
}

/** The plaintext is the caller's to wipe. Throws 'invalid-ciphertext', and never says why. */
export function decryptOaep(
  key: KeyObject,
  algorithm: RsaEncryptionAlgorithm,
  ciphertext: Buffer,
): Buffer {
  // OpenSSL would take a shorter one for a number with leading zeros.
  if (ciphertext.length !== modulusBytes(key)) throw new ServiceError('invalid-ciphertext')
  try {
    return privateDecrypt({ key, padding, oaepHash: hashes[algorithm].name }, ciphertext)
  } catch {
    throw new ServiceError('invalid-ciphertext')
  }
}

function modulusBytes(key: KeyObject): number {
  return (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8
}
