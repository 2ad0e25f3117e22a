import {
  constants,
  type KeyObject,
  privateEncrypt,
  publicDecrypt,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto'
import { encodePss, verifyPss } from './emsa-pss.ts'

/**
 * RSA signatures over a digest that the caller made. node:crypto signs messages only, but has RSA itself: the padding
 * is put around here (RFC 8017 §9), and the private key's operation is OpenSSL's.
 */
export type HashName = 'sha256' | 'sha384' | 'sha512'

const padding = constants.RSA_NO_PADDING

export function signPssDigest(privateKey: KeyObject, hash: HashName, digest: Buffer): Buffer {
  const salt = randomBytes(digest.length)
  const encoded = encodePss(hash, digest, salt, bitsOf(privateKey))
  return privateEncrypt({ key: privateKey, padding }, encoded)
}

export function verifyPssDigest(
  publicKey: KeyObject,
  hash: HashName,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const encoded = openSignature(publicKey, signature)
  return encoded !== undefined && verifyPss(hash, digest, encoded)
}

/** EMSA-PKCS1-v1_5. */
export function signPkcs1Digest(privateKey: KeyObject, hash: HashName, digest: Buffer): Buffer {
  const encoded = encodePkcs1(hash, digest, bitsOf(privateKey))
  return privateEncrypt({ key: privateKey, padding }, encoded)
}

/** Compares with the one encoding that there is (RFC 8017 §8.2.2), so that nothing of a signature has to be parsed. */
export function verifyPkcs1Digest(
  publicKey: KeyObject,
  hash: HashName,
  digest: Buffer,
  signature: Buffer,
): boolean {
  const encoded = openSignature(publicKey, signature)
  const expected = encodePkcs1(hash, digest, bitsOf(publicKey))
  return encoded !== undefined && timingSafeEqual(encoded, expected)
}

/** DigestInfo up to the digest (RFC 8017 §9.2, note 1). */
const digestInfo: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
}

function encodePkcs1(hash: HashName, digest: Buffer, modulusBits: number): Buffer {
  const encoded = Buffer.alloc(modulusBits / 8, 0xff)
  const digestAt = encoded.length - digest.length
  const infoAt = digestAt - digestInfo[hash].length
  encoded[0] = 0
  encoded[1] = 1
  encoded[infoAt - 1] = 0
  digestInfo[hash].copy(encoded, infoAt)
  digest.copy(encoded, digestAt)
  return encoded
}

/** As long as the modulus; undefined for what cannot be a signature of this key. */
function openSignature(publicKey: KeyObject, signature: Buffer): Buffer | undefined {
  if (signature.length !== bitsOf(publicKey) / 8) return undefined
  try {
    return publicDecrypt({ key: publicKey, padding }, signature)
  } catch {
    return undefined
  }
}

function bitsOf(key: KeyObject): number {
  return key.asymmetricKeyDetails?.modulusLength ?? 0
}
