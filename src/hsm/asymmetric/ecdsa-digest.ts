import {
  createPrivateKey,
  createPublicKey,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto'
import { internalError } from '../../base/errors.ts'
import { abscissaOfMultiple, type Curve, curveOf, multipleOfGenerator, pointOf } from './curve.ts'
import { der, readElement, tags, unsignedInteger } from './der.ts'
import { inverse, multiply, toBytes, toNumber } from './modular.ts'
import type { HashName } from './rsa-digest.ts'

/**
 * ECDSA over a digest z that the caller made. node:crypto hashes whatever it signs, so OpenSSL signs a fixed message,
 * of digest f, with another key, and the result is turned into the signature that is wanted:
 *
 *   with d' = d · f/z:   s' = k⁻¹ (f + r d')  =  f/z · k⁻¹ (z + r d),   so that   s = s' · z/f
 *
 * The nonce k, all that depends on it in secret, and its randomness stay OpenSSL's. Of what is computed here only
 * d · f/z touches a secret, and that in constant time; r, s' and z are public. The pair (r, s) is distributed as if
 * it had been made directly. All numbers are modulo the order n of the curve.
 *
 * For the verifier, the same equation is that of the fixed message with the same signature and the same public key on
 * the same curve with another generator: z/f · G in the place of G.
 *
 * A digest of zero has no such f/z. It needs none either: whoever knows the public key Q alone can make signatures of
 * it (R = a Q, r = x(R), s = r/a), and that is how they are made here.
 */
export function signEcdsaDigest(privateKey: KeyObject, name: HashName, digest: Buffer): Buffer {
  const curve = curveOf(privateKey)
  const z = toNumber(digest) % curve.order
  if (z === 0n) return signZero(curve, createPublicKey(privateKey))
  const { f, inverseOfF } = fixedDigest(curve, name)
  const scaled = scaledKey(privateKey, curve, f * inverse(z, curve.order))
  const options = { key: scaled, dsaEncoding: 'ieee-p1363' } as const
  const signature = sign(name, fixedMessage, options)
  const r = signature.subarray(0, curve.bytes)
  const s = (toNumber(signature.subarray(curve.bytes)) * z * inverseOfF) % curve.order
  return encode(r, toBytes(s, curve.bytes))
}

export function verifyEcdsaDigest(
  publicKey: KeyObject,
  name: HashName,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const curve = curveOf(publicKey)
  const z = toNumber(digest) % curve.order
  if (z === 0n) return verifyZero(curve, publicKey, signature)
  const scale = (z * fixedDigest(curve, name).inverseOfF) % curve.order
  const spki = Buffer.from(curve.explicit)
  multipleOfGenerator(curve, scale).copy(spki, curve.generatorAt)
  pointOf(curve, publicKey).copy(spki, spki.length - curve.pointBytes)
  const moved = createPublicKey({ key: spki, format: 'der', type: 'spki' })
  return verify(name, fixedMessage, moved, signature)
}

const fixedMessage = Buffer.from('kagiban')
type FixedDigest = { readonly f: bigint; readonly inverseOfF: bigint }
const fixedDigests = new Map<string, FixedDigest>()

function fixedDigest({ name, order }: Curve, hashName: HashName): FixedDigest {
  const id = `${name} ${hashName}`
  const known = fixedDigests.get(id)
  if (known !== undefined) return known
  const f = toNumber(hash(hashName, fixedMessage, 'buffer')) % order
  const fixed = { f, inverseOfF: inverse(f, order) }
  fixedDigests.set(id, fixed)
  return fixed
}

/** d · factor. Its public half stays that of d: signing has no use for it, and its computation would cost as much. */
function scaledKey(privateKey: KeyObject, curve: Curve, factor: bigint): KeyObject {
  const pkcs8 = privateKey.export({ format: 'der', type: 'pkcs8' })
  try {
    // version 1, then the OCTET STRING of the scalar (RFC 5915 §3).
    const begin = Buffer.of(tags.integer, 1, 1, tags.octetString, curve.bytes)
    const scalarAt = pkcs8.indexOf(begin) + begin.length
    if (scalarAt < begin.length) throw internalError('a private key without its scalar')
    const scalar = pkcs8.subarray(scalarAt, scalarAt + curve.bytes)
    const order = toBytes(curve.order, curve.bytes)
    const scaled = multiply(scalar, factor % curve.order, order)
    scaled.copy(scalar)
    scaled.fill(0)
    return createPrivateKey({ key: pkcs8, format: 'der', type: 'pkcs8' })
  } finally {
    pkcs8.fill(0)
  }
}

function signZero(curve: Curve, publicKey: KeyObject): Buffer {
  const a = 1n + (toNumber(randomBytes(curve.bytes + 8)) % (curve.order - 1n))
  const x = abscissaOfMultiple(curve, a, pointOf(curve, publicKey))
  const r = toNumber(x) % curve.order
  const s = (r * inverse(a, curve.order)) % curve.order
  return encode(toBytes(r, curve.bytes), toBytes(s, curve.bytes))
}

function verifyZero(curve: Curve, publicKey: KeyObject, signature: Buffer): boolean {
  const numbers = decode(signature)
  if (numbers === undefined) return false
  const { r, s } = numbers
  if (r === 0n || r >= curve.order || s === 0n || s >= curve.order) return false
  const factor = (r * inverse(s, curve.order)) % curve.order
  const x = abscissaOfMultiple(curve, factor, pointOf(curve, publicKey))
  return toNumber(x) % curve.order === r
}

/** ECDSA-Sig-Value (RFC 3279 §2.2.3). */
function encode(r: Buffer, s: Buffer): Buffer {
  return der(tags.sequence, unsignedInteger(r), unsignedInteger(s))
}

/** Undefined for anything that is not written exactly so. */
function decode(signature: Buffer): { r: bigint; s: bigint } | undefined {
  const both = readElement(tags.sequence, signature)
  const r = both && readElement(tags.integer, both.contents)
  const s = r && readElement(tags.integer, r.rest)
  if (r === undefined || s === undefined) return undefined
  if (!encode(r.contents, s.contents).equals(signature)) return undefined
  return { r: toNumber(r.contents), s: toNumber(s.contents) }
}
