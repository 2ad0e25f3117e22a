import { type KeyObject, randomBytes } from 'node:crypto'
import { ed25519ph } from '@noble/curves/ed25519.js'
import { ml_dsa44, ml_dsa65, ml_dsa87 } from '@noble/post-quantum/ml-dsa.js'
import { internalError } from '../../base/errors.ts'
import type { SigningAlgorithm } from '../key-specs.ts'
import { spkiOf } from './key-pair.ts'

/**
 * The two modes that node:crypto does not have, in JavaScript: Ed25519ph (RFC 8032 §5.1, FIPS 186-5 §7.8) and ML-DSA
 * over an external μ (FIPS 204 §6.2). `docs/decisions/0005-two-modes-that-node-does-not-have.md` says what that costs.
 */
type Mode = {
  sign(seed: Uint8Array, message: Uint8Array): Uint8Array
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
  readonly publicKeyBytes: number
}

/** Both kinds of private key are 32 bytes, the last of their PKCS#8 (RFC 8410, RFC 9881). */
const seedBytes = 32
const edPublicKeyBytes = 32

const edwards: Mode = {
  publicKeyBytes: edPublicKeyBytes,
  sign: (seed, message) => ed25519ph.sign(message, seed),
  verify: (publicKey, message, signature) =>
    signature.length === 64 && ed25519ph.verify(signature, message, publicKey, { zip215: false }),
}

const modes: Partial<Readonly<Record<string, Mode>>> = {
  ed25519: edwards,
  'ml-dsa-44': withExternalMu(ml_dsa44),
  'ml-dsa-65': withExternalMu(ml_dsa65),
  'ml-dsa-87': withExternalMu(ml_dsa87),
}

function withExternalMu({ internal, keygen, lengths }: typeof ml_dsa44): Mode {
  return {
    publicKeyBytes: lengths.publicKey ?? 0,
    sign: (seed, mu) => {
      const { secretKey } = keygen(seed)
      const extraEntropy = randomBytes(seedBytes)
      try {
        return internal.sign(mu, secretKey, { externalMu: true, extraEntropy })
      } finally {
        secretKey.fill(0)
        extraEntropy.fill(0)
      }
    },
    verify: (publicKey, mu, signature) =>
      internal.verify(signature, mu, publicKey, { externalMu: true }),
  }
}

export function signNoble(key: KeyObject, algorithm: SigningAlgorithm, message: Uint8Array) {
  const { sign } = modeOf(key, algorithm)
  const pkcs8 = key.export({ format: 'der', type: 'pkcs8' })
  const seed = new Uint8Array(pkcs8.subarray(-seedBytes))
  try {
    return Buffer.from(sign(seed, message))
  } finally {
    seed.fill(0)
    pkcs8.fill(0)
  }
}

export function verifyNoble(
  key: KeyObject,
  algorithm: SigningAlgorithm,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  const { verify, publicKeyBytes } = modeOf(key, algorithm)
  return verify(new Uint8Array(spkiOf(key).subarray(-publicKeyBytes)), message, signature)
}

function modeOf(key: KeyObject, algorithm: SigningAlgorithm): Mode {
  const mode = modes[key.asymmetricKeyType ?? '']
  if (mode === undefined) throw internalError(`${algorithm} is not of this thread`)
  return mode
}
