import {
  constants,
  createHash,
  createPublicKey,
  type KeyObject,
  publicEncrypt,
  type SignKeyObjectInput,
  sign,
  verify,
} from 'node:crypto'
import type { SigningAlgorithmSpec } from '@aws-sdk/client-kms'
import { signEd25519ph, verifyEd25519ph } from './ed25519ph.ts'

/**
 * Signatures as others make and verify them: OpenSSL through node:crypto, and RFC 8032 for Ed25519ph. The message is
 * what KMS calls RAW; for ED25519_PH_SHA_512, which takes digests alone, it is the digest that is sent.
 */
export function signOutside(
  algorithm: SigningAlgorithmSpec,
  key: KeyObject,
  message: Buffer,
): Buffer {
  if (algorithm === 'ED25519_PH_SHA_512') return signEd25519ph(rawKey(key, 'd'), message)
  return sign(hashOf(algorithm), message, keyInput(algorithm, key))
}

export function verifyOutside(
  algorithm: SigningAlgorithmSpec,
  key: KeyObject,
  message: Buffer,
  signature: Uint8Array,
): boolean {
  if (algorithm === 'ED25519_PH_SHA_512') {
    return verifyEd25519ph(rawKey(key, 'x'), message, signature)
  }
  return verify(hashOf(algorithm), message, keyInput(algorithm, key), signature)
}

/** In node:crypto's name; undefined where the scheme has its own. */
export function hashOf(algorithm: SigningAlgorithmSpec): string | undefined {
  const bits = /^(?:RSASSA|ECDSA)_.*SHA_(\d+)$/.exec(algorithm)?.[1]
  return bits === undefined ? undefined : `sha${bits}`
}

/** What goes in a Sign of `MessageType` DIGEST. */
export function digestFor(algorithm: SigningAlgorithmSpec, message: Buffer): Buffer {
  return createHash(hashOf(algorithm) ?? 'sha512')
    .update(message)
    .digest()
}

function keyInput(algorithm: SigningAlgorithmSpec, key: KeyObject): SignKeyObjectInput {
  if (!algorithm.startsWith('RSASSA_PSS_')) return { key, dsaEncoding: 'der' }
  return {
    key,
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: constants.RSA_PSS_SALTLEN_DIGEST,
  }
}

function rawKey(key: KeyObject, member: 'd' | 'x'): Buffer {
  return Buffer.from(key.export({ format: 'jwk' })[member] ?? '', 'base64url')
}

/** μ of FIPS 204 §6.2 for an empty context; the public key is the last part of its SPKI. */
export function externalMu(publicKey: KeyObject, message: Buffer): Buffer {
  const bytes = { 'ml-dsa-44': 1312, 'ml-dsa-65': 1952, 'ml-dsa-87': 2592 } as Record<
    string,
    number
  >
  const encoded = publicKey.export({ type: 'spki', format: 'der' })
  const raw = encoded.subarray(encoded.length - (bytes[publicKey.asymmetricKeyType ?? ''] ?? 0))
  const shake = (...parts: Buffer[]) =>
    createHash('shake256', { outputLength: 64 }).update(Buffer.concat(parts)).digest()
  return shake(shake(raw), Buffer.of(0, 0), message)
}

/** RSAES-OAEP, with the same hash in MGF1, under an SPKI in DER. */
export function oaep(publicKey: Uint8Array, oaepHash: 'sha1' | 'sha256', plaintext: Buffer) {
  return publicEncrypt(
    {
      key: createPublicKey({ key: Buffer.from(publicKey), format: 'der', type: 'spki' }),
      padding: constants.RSA_PKCS1_OAEP_PADDING,
      oaepHash,
    },
    plaintext,
  )
}
