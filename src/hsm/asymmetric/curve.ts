import { createECDH, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { internalError } from '../../base/errors.ts'
import { der, readElement, tags } from './der.ts'
import { spkiOf } from './key-pair.ts'
import { toBytes, toNumber } from './modular.ts'

/** A named curve over a prime field, of cofactor 1. */
export type Curve = {
  readonly name: string
  /** Of a coordinate and of a scalar. */
  readonly bytes: number
  /** Of a point that is not compressed: 04 ‖ x ‖ y. */
  readonly pointBytes: number
  /** The order n of the generator G. */
  readonly order: bigint
  /** The AlgorithmIdentifier of its keys (RFC 5480 §2.1), as DER. */
  readonly identifier: Buffer
  /** The SPKI of some key, in which all parameters of the curve are written out (RFC 3279 §2.3.5). */
  readonly explicit: Buffer
  readonly generatorAt: number
}

const curves = new Map<string, Curve>()

/** Of the private or the public half of a key. */
export function curveOf(key: KeyObject): Curve {
  const name = key.asymmetricKeyDetails?.namedCurve
  if (name === undefined) throw internalError('not a key of a named curve')
  const known = curves.get(name)
  if (known !== undefined) return known
  const curve = readCurve(name)
  curves.set(name, curve)
  return curve
}

/** OpenSSL itself says what the parameters are. */
function readCurve(namedCurve: string): Curve {
  const ecdh = createECDH(namedCurve)
  const pointBytes = ecdh.generateKeys().length
  const bytes = (pointBytes - 1) / 2
  ecdh.setPrivateKey(toBytes(1n, bytes))
  const generator = ecdh.getPublicKey()
  const explicit = newKey(namedCurve, 'explicit')
  const generatorAt = explicit.indexOf(generator)
  const order = readElement(tags.integer, explicit.subarray(generatorAt + pointBytes))
  const identifier = algorithmOf(newKey(namedCurve, 'named'))
  if (generatorAt < 0 || order === undefined) throw internalError(`${namedCurve} has no generator`)
  return {
    name: namedCurve,
    bytes,
    pointBytes,
    order: toNumber(order.contents),
    identifier,
    explicit,
    generatorAt,
  }
}

function newKey(namedCurve: string, paramEncoding: 'explicit' | 'named'): Buffer {
  return spkiOf(generateKeyPairSync('ec', { namedCurve, paramEncoding }).publicKey)
}

function algorithmOf(spki: Buffer): Buffer {
  const info = readElement(tags.sequence, spki)
  const algorithm = info && readElement(tags.sequence, info.contents)
  if (algorithm === undefined) throw internalError('not an SPKI')
  return der(tags.sequence, algorithm.contents)
}

/** 04 ‖ x ‖ y of a public key. */
export function pointOf(curve: Curve, publicKey: KeyObject): Buffer {
  const spki = spkiOf(publicKey)
  return spki.subarray(spki.length - curve.pointBytes)
}

/** factor · G, 04 ‖ x ‖ y. `factor` is public and no multiple of the order. */
export function multipleOfGenerator(curve: Curve, factor: bigint): Buffer {
  const ecdh = createECDH(curve.name)
  ecdh.setPrivateKey(toBytes(factor, curve.bytes))
  return ecdh.getPublicKey()
}

/** The x coordinate of factor · point. `factor` is public and no multiple of the order. */
export function abscissaOfMultiple(curve: Curve, factor: bigint, point: Buffer): Buffer {
  const ecdh = createECDH(curve.name)
  ecdh.setPrivateKey(toBytes(factor, curve.bytes))
  return ecdh.computeSecret(point)
}

/** The point, compressed or not, of a public key in exactly this encoding: the named curve, DER, nothing more. */
export function isNamedSpki(curve: Curve, spki: Buffer): boolean {
  return [curve.pointBytes, curve.bytes + 1].some((length) => {
    if (spki.length < length) return false
    const point = spki.subarray(spki.length - length)
    const bits = der(tags.bitString, Buffer.of(0), point)
    return der(tags.sequence, curve.identifier, bits).equals(spki)
  })
}
