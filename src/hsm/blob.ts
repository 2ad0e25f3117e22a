import { type KeyId, parseKeyId } from '../base/ids.ts'

/**
 * The layout of a ciphertext blob, version 1. `docs/formats/ciphertext.md` is its description; a blob of this version
 * must decrypt for ever, so nothing here ever changes.
 */
export const layout = {
  version: 0,
  suite: 1,
  keyIdForm: 2,
  keyId: 3,
  materialId: 19,
  nonce: 51,
  iv: 67,
  commitment: 79,
  ciphertext: 111,
  tagBytes: 16,
} as const

/** What a blob is longer than its plaintext. */
export const blobOverhead = layout.ciphertext + layout.tagBytes
/** AWS's limit of CiphertextBlob. */
export const blobBytesMax = 6144

const version = 1
/** SP 800-108 counter mode with HMAC-SHA-256, AES-256-GCM, 32-byte key commitment. */
const suite = 1
const uuidForm = 0
const multiRegionForm = 1
const multiRegionPrefix = 'mrk-'

/** What a blob says of itself before anything is known to be authentic: good for finding the key, for nothing else. */
export type UnverifiedBlob = { readonly keyId: KeyId; readonly materialId: string }

/** Undefined for anything that this version of the format cannot be. */
export function parseBlob(blob: Buffer): UnverifiedBlob | undefined {
  if (blob.length < blobOverhead || blob.length > blobBytesMax) return undefined
  if (blob[layout.version] !== version || blob[layout.suite] !== suite) return undefined
  const hex = blob.toString('hex', layout.keyId, layout.materialId)
  const keyId = keyIdOf(blob[layout.keyIdForm], hex)
  if (keyId === undefined) return undefined
  return { keyId, materialId: blob.toString('hex', layout.materialId, layout.nonce) }
}

/** The part of the header that is the same for every blob of one key material: version to material id, 51 bytes. */
export function headerPrefix(keyId: KeyId, materialId: string): Buffer {
  const prefix = Buffer.alloc(layout.nonce)
  const multiRegion = keyId.startsWith(multiRegionPrefix)
  prefix[layout.version] = version
  prefix[layout.suite] = suite
  prefix[layout.keyIdForm] = multiRegion ? multiRegionForm : uuidForm
  const hex = multiRegion ? keyId.slice(multiRegionPrefix.length) : keyId.replaceAll('-', '')
  prefix.write(hex, layout.keyId, 'hex')
  prefix.write(materialId, layout.materialId, 'hex')
  return prefix
}

function keyIdOf(form: number | undefined, hex: string): KeyId | undefined {
  if (form === multiRegionForm) return parseKeyId(multiRegionPrefix + hex)
  if (form !== uuidForm) return undefined
  const groups = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    hex.slice(12, 16),
    hex.slice(16, 20),
    hex.slice(20),
  ]
  return parseKeyId(groups.join('-'))
}
