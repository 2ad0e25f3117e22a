import { constants, type KeyObject, sign, verify } from 'node:crypto'
import { type SigningAlgorithm, signingRow } from '../key-specs.ts'

/** Signatures over a message, as node:crypto has them. */
export function signMessage(key: KeyObject, algorithm: SigningAlgorithm, message: Buffer): Buffer {
  return sign(hashOf(algorithm), message, { key, ...parametersOf(algorithm) })
}

/** On libuv's pool. */
export function signMessageLater(
  key: KeyObject,
  algorithm: SigningAlgorithm,
  message: Buffer,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const options = { key, ...parametersOf(algorithm) }
    sign(hashOf(algorithm), message, options, (error, signature) =>
      error === null ? resolve(signature) : reject(error),
    )
  })
}

export function verifyMessage(
  key: KeyObject,
  algorithm: SigningAlgorithm,
  message: Buffer,
  signature: Buffer,
): boolean {
  if (!isWhole(key, signature)) return false
  return verify(hashOf(algorithm), message, { key, ...parametersOf(algorithm) }, signature)
}

/** On libuv's pool. */
export function verifyMessageLater(
  key: KeyObject,
  algorithm: SigningAlgorithm,
  message: Buffer,
  signature: Buffer,
): Promise<boolean> {
  if (!isWhole(key, signature)) return Promise.resolve(false)
  return new Promise((resolve, reject) => {
    const options = { key, ...parametersOf(algorithm) }
    verify(hashOf(algorithm), message, options, signature, (error, valid) =>
      error === null ? resolve(valid) : reject(error),
    )
  })
}

/**
 * An RSA signature is as long as the modulus (RFC 8017 §8.1.2, step 1). OpenSSL takes a PSS signature without its
 * leading zeros as well, so that one signature would have several forms.
 */
function isWhole(key: KeyObject, signature: Buffer): boolean {
  const bits = key.asymmetricKeyDetails?.modulusLength
  return bits === undefined || signature.length === bits / 8
}

function hashOf(algorithm: SigningAlgorithm): string | null {
  return signingRow(algorithm).hash ?? null
}

const { RSA_PKCS1_PADDING, RSA_PKCS1_PSS_PADDING, RSA_PSS_SALTLEN_DIGEST } = constants

/** MGF1 is of the same hash by default; ECDSA signatures are in DER. */
const parameters = {
  pss: { padding: RSA_PKCS1_PSS_PADDING, saltLength: RSA_PSS_SALTLEN_DIGEST },
  pkcs1: { padding: RSA_PKCS1_PADDING },
  ecdsa: { dsaEncoding: 'der' },
  ed25519: {},
  ed25519ph: {},
  'ml-dsa': {},
} as const

function parametersOf(algorithm: SigningAlgorithm) {
  return parameters[signingRow(algorithm).scheme]
}
