import { der, tags, unsignedInteger } from '../asymmetric/der.ts'
import { readBer, readUnsigned } from './ber.ts'

/** Views of the parts of a PrivateKeyInfo (RFC 5208 §5), which may be a OneAsymmetricKey (RFC 5958 §2). */
export type PrivateKeyInfo = {
  /** The object identifier of the AlgorithmIdentifier, without tag and length. */
  readonly algorithm: Buffer
  /** The whole of what follows it there. */
  readonly parameters: Buffer
  /** The private key, in the terms of its algorithm. */
  readonly privateKey: Buffer
}

/** The later version has the public key, too. */
const versionMax = 1

/** Undefined for what is no PrivateKeyInfo. What follows the private key, there or after all, is not looked at. */
export function parsePrivateKeyInfo(pkcs8: Buffer): PrivateKeyInfo | undefined {
  const info = readBer(tags.sequence, pkcs8)
  const version = info && readUnsigned(info.contents)
  if (version === undefined || version.contents.length > 1) return undefined
  if ((version.contents[0] ?? 0) > versionMax) return undefined
  const identifier = readBer(tags.sequence, version.rest)
  const algorithm = identifier && readBer(tags.objectIdentifier, identifier.contents)
  const privateKey = identifier && readBer(tags.octetString, identifier.rest)
  if (algorithm === undefined || privateKey === undefined) return undefined
  return {
    algorithm: algorithm.contents,
    parameters: algorithm.rest,
    privateKey: privateKey.contents,
  }
}

/** In DER. `algorithm` is the whole AlgorithmIdentifier; wipes the private key. */
export function encodePrivateKeyInfo(algorithm: Buffer, privateKey: Buffer): Buffer {
  const octets = der(tags.octetString, privateKey)
  const info = der(tags.sequence, unsignedInteger(Buffer.of(0)), algorithm, octets)
  for (const secret of [privateKey, octets]) secret.fill(0)
  return info
}

/** SubjectPublicKeyInfo (RFC 5280 §4.1), in DER. */
export function encodePublicKeyInfo(algorithm: Buffer, publicKey: Buffer): Buffer {
  return der(tags.sequence, algorithm, der(tags.bitString, Buffer.of(0), publicKey))
}
