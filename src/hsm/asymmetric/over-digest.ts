import type { KeyObject } from 'node:crypto'
import { internalError } from '../../base/errors.ts'
import { type SigningAlgorithm, signingRow } from '../key-specs.ts'
import { signEcdsaDigest, verifyEcdsaDigest } from './ecdsa-digest.ts'
import {
  type HashName,
  signPkcs1Digest,
  signPssDigest,
  verifyPkcs1Digest,
  verifyPssDigest,
} from './rsa-digest.ts'

type Scheme = ReturnType<typeof signingRow>['scheme']

type OverDigest = {
  sign(privateKey: KeyObject, hash: HashName, digest: Buffer): Buffer
  verify(publicKey: KeyObject, hash: HashName, digest: Buffer, signature: Buffer): boolean
}

/** The schemes that sign a digest of the caller's; which is as long as the hash gives it, as was checked before. */
const schemes: Partial<Readonly<Record<Scheme, OverDigest>>> = {
  pss: { sign: signPssDigest, verify: verifyPssDigest },
  pkcs1: { sign: signPkcs1Digest, verify: verifyPkcs1Digest },
  ecdsa: { sign: signEcdsaDigest, verify: verifyEcdsaDigest },
}

export function signDigest(
  privateKey: KeyObject,
  algorithm: SigningAlgorithm,
  digest: Buffer,
): Buffer {
  const { scheme, hash } = schemeOf(algorithm, digest)
  return scheme.sign(privateKey, hash, digest)
}

export function verifyDigest(
  publicKey: KeyObject,
  algorithm: SigningAlgorithm,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const { scheme, hash } = schemeOf(algorithm, digest)
  return scheme.verify(publicKey, hash, digest, signature)
}

function schemeOf(algorithm: SigningAlgorithm, digest: Buffer) {
  const row = signingRow(algorithm)
  const scheme = schemes[row.scheme]
  if (scheme === undefined || row.hash === undefined || row.digestBytes !== digest.length) {
    throw internalError(`${algorithm} does not sign a digest of ${digest.length} bytes`)
  }
  return { scheme, hash: row.hash }
}
