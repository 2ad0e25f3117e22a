import type { KeySpec } from '../key-specs.ts'

/**
 * Where an operation runs. What takes less than 0.3 ms runs at once, because any other place costs about a third of
 * that; the rest runs on libuv's pool where node:crypto has a form for it, or else in a thread of the core's own.
 */
export type Place = 'inline' | 'pool' | 'thread'

export type Places = {
  readonly sign: Place
  readonly verify: Place
  /** Over a digest, which takes more steps than over a message (`rsa-digest.ts`, `ecdsa-digest.ts`). */
  readonly signDigest: 'inline' | 'thread'
  readonly verifyDigest: 'inline' | 'thread'
  /** RSA decryption; node:crypto has no form of it for the pool. */
  readonly decrypt: 'inline' | 'thread'
  readonly agree: 'inline' | 'pool'
}

const quick: Places = {
  sign: 'inline',
  verify: 'inline',
  signDigest: 'inline',
  verifyDigest: 'inline',
  decrypt: 'inline',
  agree: 'inline',
}
const rsa: Places = { ...quick, sign: 'pool', signDigest: 'thread', decrypt: 'thread' }
const slowCurve: Places = {
  ...quick,
  sign: 'pool',
  verify: 'pool',
  signDigest: 'thread',
  verifyDigest: 'thread',
  agree: 'pool',
}

const places: Partial<Readonly<Record<KeySpec, Places>>> = {
  RSA_2048: rsa,
  RSA_3072: rsa,
  RSA_4096: rsa,
  ECC_NIST_P256: { ...quick, verifyDigest: 'thread' },
  ECC_NIST_P384: slowCurve,
  ECC_NIST_P521: slowCurve,
  ECC_SECG_P256K1: slowCurve,
  ML_DSA_44: { ...quick, sign: 'pool' },
  ML_DSA_65: { ...quick, sign: 'pool' },
  ML_DSA_87: { ...quick, sign: 'pool', verify: 'pool' },
}

export function placesOf(spec: KeySpec): Places {
  return places[spec] ?? quick
}
