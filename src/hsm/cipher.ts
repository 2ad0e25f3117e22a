import { timingSafeEqual } from 'node:crypto'
import { internalError, ServiceError } from '../base/errors.ts'
import { blobBytesMax, blobOverhead, layout } from './blob.ts'
import { contextBytesMax } from './context.ts'
import { openGcm, sealGcm } from './gcm.ts'
import { derive } from './kdf.ts'
import type { RandomPool } from './random-pool.ts'

/** AWS's limit of Plaintext. */
export const plaintextBytesMax = 4096

/** Key material, ready for use. */
export type MaterialKey = {
  /** What every blob of this material begins with. */
  readonly prefix: Buffer
  /** ipad ‖ opad of the material. */
  readonly pads: Buffer
}

/** Header ‖ canonical context: one buffer for all requests, because they run one after the other. */
const aadBuffer = Buffer.allocUnsafeSlow(layout.ciphertext + contextBytesMax)
const commitmentBuffer = Buffer.allocUnsafeSlow(32)

/** `context` is in canonical form. */
export function encryptBlob(
  key: MaterialKey,
  plaintext: Buffer,
  context: Buffer,
  random: RandomPool,
): Buffer {
  if (plaintext.length > plaintextBytesMax) throw internalError('plaintext too long')
  const aad = additionalData(key.prefix, layout.nonce, context)
  random.fill(aad, layout.nonce, layout.commitment)
  const derived = derive(key.pads, aad)
  aad.write(derived.commitment, layout.commitment, 'latin1')
  const iv = aad.subarray(layout.iv, layout.commitment)
  const { ciphertext, tag } = sealGcm(derived.key, iv, plaintext, aad)
  derived.key.fill(0)
  const blob = Buffer.allocUnsafe(blobOverhead + plaintext.length)
  aad.copy(blob, 0, 0, layout.ciphertext)
  ciphertext.copy(blob, layout.ciphertext)
  tag.copy(blob, layout.ciphertext + plaintext.length)
  return blob
}

/** The plaintext is the caller's to wipe. Throws 'invalid-ciphertext', and never says why. */
export function decryptBlob(key: MaterialKey, blob: Buffer, context: Buffer): Buffer {
  if (blob.length < blobOverhead || blob.length > blobBytesMax) throw invalidCiphertext()
  if (blob.compare(key.prefix, 0, layout.nonce, 0, layout.nonce) !== 0) throw invalidCiphertext()
  const derived = derive(key.pads, blob)
  try {
    commitmentBuffer.write(derived.commitment, 'latin1')
    const claimed = blob.subarray(layout.commitment, layout.ciphertext)
    if (!timingSafeEqual(commitmentBuffer, claimed)) throw invalidCiphertext()
    return openBlob(derived.key, blob, context)
  } finally {
    derived.key.fill(0)
  }
}

function openBlob(key: Buffer, blob: Buffer, context: Buffer): Buffer {
  const tagAt = blob.length - layout.tagBytes
  const iv = blob.subarray(layout.iv, layout.commitment)
  const aad = additionalData(blob, layout.ciphertext, context)
  const sealed = { ciphertext: blob.subarray(layout.ciphertext, tagAt), tag: blob.subarray(tagAt) }
  const plaintext = openGcm(key, iv, sealed, aad)
  if (plaintext === undefined) throw invalidCiphertext()
  return plaintext
}

/** The first `headerBytes` of `header`, room for the rest of it, and the context. */
function additionalData(header: Buffer, headerBytes: number, context: Buffer): Buffer {
  if (context.length > contextBytesMax) throw internalError('context too long')
  header.copy(aadBuffer, 0, 0, headerBytes)
  context.copy(aadBuffer, layout.ciphertext)
  return aadBuffer.subarray(0, layout.ciphertext + context.length)
}

function invalidCiphertext(): ServiceError {
  return new ServiceError('invalid-ciphertext')
}
