import { decapsulate, encapsulate, type KeyObject } from 'node:crypto'
import { ServiceError } from '../../base/errors.ts'

/** ML-KEM (FIPS 203). Quick enough to run at once. */
export type Encapsulated = { readonly sharedSecret: Buffer; readonly ciphertext: Buffer }

/** The secret is the caller's to wipe. */
export function encapsulateSecret(publicKey: KeyObject): Encapsulated {
  const { sharedKey, ciphertext } = encapsulate(publicKey)
  return { sharedSecret: sharedKey, ciphertext }
}

/**
 * The secret is the caller's to wipe. Throws 'invalid-ciphertext' for one of another length than `bytes`; any other
 * gives some secret (implicit rejection, FIPS 203 §6.3).
 */
export function decapsulateSecret(
  privateKey: KeyObject,
  ciphertext: Buffer,
  bytes: number,
): Buffer {
  if (ciphertext.length !== bytes) throw new ServiceError('invalid-ciphertext')
  return decapsulate(privateKey, ciphertext)
}
