import { createECDH, createPublicKey, type KeyObject } from 'node:crypto'
import { der, readElement, tags } from '../asymmetric/der.ts'
import { parsePrivateKeyInfo } from './private-key-info.ts'

/** Of an elliptic curve's name. */
const objectIdentifierTag = 0x06
/** Of the public key in ECPrivateKey, RFC 5915 §3. */
const publicKeyTag = 0xa1

/**
 * The key as the core keeps it, with the public key that its scalar makes, whether it brought one or not. Undefined
 * unless it is of `curve` (in OpenSSL's name), by name and not by parameters that say the same, its scalar in
 * [1, n-1], and what public key it brought the right one. `pkcs8` is the same key in DER.
 */
export function importedEc(
  key: KeyObject,
  pkcs8: Buffer,
  curve: string,
): { material: Buffer; publicKey: Buffer } | undefined {
  const details = key.asymmetricKeyDetails
  if (key.asymmetricKeyType !== 'ec' || details?.namedCurve !== curve) return undefined
  const info = parsePrivateKeyInfo(pkcs8)
  if (info === undefined || !namesCurve(info.algorithm)) return undefined
  const version = readElement(tags.integer, info.privateKey)
  const scalar = version && readElement(tags.octetString, version.rest)
  if (scalar === undefined) return undefined
  const point = pointOf(curve, scalar.contents)
  const algorithm = der(tags.sequence, info.algorithm)
  const publicKey = der(tags.sequence, algorithm, bitString(point))
  const derived = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  if (!createPublicKey(key).equals(derived)) return undefined
  return { material: privateKeyInfo(algorithm, scalar.contents, point), publicKey }
}

/** `algorithm` is the contents of an AlgorithmIdentifier: what it is, and then its parameters. */
function namesCurve(algorithm: Buffer): boolean {
  return readElement(objectIdentifierTag, algorithm)?.rest[0] === objectIdentifierTag
}

/** Uncompressed. Throws for a scalar out of range. */
function pointOf(curve: string, scalar: Buffer): Buffer {
  const pair = createECDH(curve)
  pair.setPrivateKey(scalar)
  return pair.getPublicKey()
}

/** PrivateKeyInfo (RFC 5208 §5) of an ECPrivateKey that has its public key and no parameters of its own. */
function privateKeyInfo(algorithm: Buffer, scalar: Buffer, point: Buffer): Buffer {
  const octets = der(tags.octetString, scalar)
  const publicKey = der(publicKeyTag, bitString(point))
  const ecPrivateKey = der(tags.sequence, integer(1), octets, publicKey)
  const privateKey = der(tags.octetString, ecPrivateKey)
  const info = der(tags.sequence, integer(0), algorithm, privateKey)
  for (const secret of [octets, ecPrivateKey, privateKey]) secret.fill(0)
  return info
}

function bitString(bytes: Buffer): Buffer {
  return der(tags.bitString, Buffer.of(0), bytes)
}

function integer(value: number): Buffer {
  return der(tags.integer, Buffer.of(value))
}
