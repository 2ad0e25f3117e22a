import {
  constants,
  createCipheriv,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  publicEncrypt,
  randomBytes,
} from 'node:crypto'
import { type KeySpec, specRow, type WrappingAlgorithm } from '../key-specs.ts'

/** What the owner of key material does with it before ImportKeyMaterial. */
export function wrapForImport(
  algorithm: WrappingAlgorithm,
  publicKey: Buffer,
  material: Buffer,
  ephemeral = randomBytes(32),
): Buffer {
  const oaepHash = algorithm.endsWith('SHA_256') ? 'sha256' : 'sha1'
  const key = createPublicKey({ key: publicKey, format: 'der', type: 'spki' })
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const encrypt = (message: Buffer) => publicEncrypt({ key, padding, oaepHash }, message)
  if (algorithm.startsWith('RSAES')) return encrypt(material)
  return Buffer.concat([encrypt(ephemeral), wrapPadded(ephemeral, material)])
}

/** RFC 5649. */
export function wrapPadded(key: Buffer, material: Buffer): Buffer {
  const iv = Buffer.from('a65959a6', 'hex')
  return createCipheriv(`id-aes${key.length * 8}-wrap-pad`, key, iv).update(material)
}

/** Some material of `spec` as its owner has it: random bytes, or PKCS #8 in DER. */
export function sampleMaterial(spec: KeySpec): Buffer {
  const kind = specRow(spec).material
  return kind.type === 'secret' ? randomBytes(kind.bytes) : pkcs8(samplePrivateKey(spec))
}

export function samplePrivateKey(spec: KeySpec): KeyObject {
  const kind = specRow(spec).material
  switch (kind.type) {
    case 'secret':
      throw new RangeError(`${spec} has no private key`)
    case 'rsa':
      return generateKeyPairSync('rsa', { modulusLength: kind.bits }).privateKey
    case 'ec':
      return generateKeyPairSync('ec', { namedCurve: kind.curve }).privateKey
    case 'ed25519':
      return generateKeyPairSync('ed25519').privateKey
    case 'ml-dsa-44':
    case 'ml-dsa-65':
    case 'ml-dsa-87':
      return generateKeyPairSync(kind.type).privateKey
    default:
      return generateKeyPairSync(kind.type).privateKey
  }
}

export function pkcs8(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'pkcs8' })
}
