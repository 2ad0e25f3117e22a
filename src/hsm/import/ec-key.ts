import { createECDH, type ECDH } from 'node:crypto'
import { der, tags, unsignedInteger } from '../asymmetric/der.ts'
import { readBer, readUnsigned } from './ber.ts'
import {
  encodePrivateKeyInfo,
  encodePublicKeyInfo,
  type PrivateKeyInfo,
} from './private-key-info.ts'

/** id-ecPublicKey (RFC 5480 §2.1.1), without tag and length. */
const idEcPublicKey = Buffer.from('2a8648ce3d0201', 'hex')

/** The curves by OpenSSL's names: their object identifiers (RFC 5480 §2.1.1.1, SEC 2 §A.2), the bytes of a scalar. */
const curves: Readonly<Record<string, { readonly oid: Buffer; readonly bytes: number }>> = {
  prime256v1: { oid: Buffer.from('2a8648ce3d030107', 'hex'), bytes: 32 },
  secp384r1: { oid: Buffer.from('2b81040022', 'hex'), bytes: 48 },
  secp521r1: { oid: Buffer.from('2b81040023', 'hex'), bytes: 66 },
  secp256k1: { oid: Buffer.from('2b8104000a', 'hex'), bytes: 32 },
}

/** Of the optional members of ECPrivateKey (RFC 5915 §3). */
const parametersTag = 0xa0
const publicKeyTag = 0xa1

/**
 * The key put together anew, with the public key that its scalar makes, whether it brought one or not. Undefined unless
 * it is of `curve`, by name and not by parameters that say the same, its scalar in [1, n-1], and what public key it
 * brought the right one, in whichever form. Throws whatever for a scalar out of range.
 */
export function importedEc(
  { algorithm, parameters, privateKey }: PrivateKeyInfo,
  curve: string,
): { material: Buffer; publicKey: Buffer } | undefined {
  const known = curves[curve]
  if (known === undefined || !algorithm.equals(idEcPublicKey)) return undefined
  if (!isNamed(parameters, known.oid)) return undefined
  const given = parseEcPrivateKey(privateKey, known.oid)
  if (given === undefined || given.scalar.length > known.bytes) return undefined
  const scalar = Buffer.alloc(known.bytes)
  given.scalar.copy(scalar, known.bytes - given.scalar.length)
  try {
    const pair = createECDH(curve)
    pair.setPrivateKey(scalar)
    if (given.point !== undefined && !isPointOf(pair, given.point)) return undefined
    return encoded(known.oid, scalar, pair.getPublicKey())
  } finally {
    scalar.fill(0)
  }
}

/** Views. */
type EcPrivateKey = {
  /** Without leading zeros. */
  readonly scalar: Buffer
  readonly point: Buffer | undefined
}

/** Undefined for what is none, and for one that says another curve. */
function parseEcPrivateKey(bytes: Buffer, oid: Buffer): EcPrivateKey | undefined {
  const sequence = readBer(tags.sequence, bytes)
  const version = sequence && readUnsigned(sequence.contents)
  if (version?.contents.equals(Buffer.of(1)) !== true) return undefined
  const scalar = readBer(tags.octetString, version.rest)
  if (scalar === undefined) return undefined
  const parameters = readBer(parametersTag, scalar.rest)
  if (parameters !== undefined && !isNamed(parameters.contents, oid)) return undefined
  const rest = parameters?.rest ?? scalar.rest
  const found = withoutZeros(scalar.contents)
  if (rest.length === 0) return { scalar: found, point: undefined }
  const publicKey = readBer(publicKeyTag, rest)
  const bits = publicKey && readBer(tags.bitString, publicKey.contents)
  if (bits?.contents[0] !== 0 || publicKey?.rest.length !== 0) return undefined
  return { scalar: found, point: bits.contents.subarray(1) }
}

/** Whether that is the object identifier, and nothing more. */
function isNamed(element: Buffer, oid: Buffer): boolean {
  const named = readBer(tags.objectIdentifier, element)
  return named?.rest.length === 0 && named.contents.equals(oid)
}

function withoutZeros(bytes: Buffer): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0)
  return bytes.subarray(first < 0 ? bytes.length : first)
}

function isPointOf(pair: ECDH, point: Buffer): boolean {
  return (['uncompressed', 'compressed', 'hybrid'] as const).some((form) =>
    pair.getPublicKey(null, form).equals(point),
  )
}

/** An ECPrivateKey that has its public key, and no parameters of its own. */
function encoded(oid: Buffer, scalar: Buffer, point: Buffer) {
  const names = [idEcPublicKey, oid].map((each) => der(tags.objectIdentifier, each))
  const identifier = der(tags.sequence, ...names)
  const octets = der(tags.octetString, scalar)
  const publicKey = der(publicKeyTag, der(tags.bitString, Buffer.of(0), point))
  const version = unsignedInteger(Buffer.of(1))
  const ecPrivateKey = der(tags.sequence, version, octets, publicKey)
  octets.fill(0)
  return {
    material: encodePrivateKeyInfo(identifier, ecPrivateKey),
    publicKey: encodePublicKeyInfo(identifier, point),
  }
}
