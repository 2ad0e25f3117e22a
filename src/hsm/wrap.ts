import { type KeyObject, randomFillSync } from 'node:crypto'
import { openGcm, sealGcm, tagBytes } from './gcm.ts'

/**
 * How one key wraps another, everywhere in the hierarchy (`docs/formats/key-hierarchy.md`):
 *
 *   version (1) ‖ generation u32 ‖ IV 12 ‖ AES-256-GCM ciphertext ‖ tag 16
 *
 * The additional authenticated data are version, generation and a binding that says what is wrapped and where it
 * belongs, so that nothing opens in another place than its own.
 */
const version = 1
const generationAt = 1
const ivAt = 5
const ciphertextAt = 17
export const wrapOverhead = ciphertextAt + tagBytes
const wrappedBytesMax = 16_384

export type Purpose =
  | 'access-key-secret'
  | 'checkpoint-key'
  | 'domain-key'
  | 'import-token'
  | 'key-material'
  | 'region-key'
  | 'sealed'
  | 'secrets-key'

/** Length-prefixed, so that no two lists of parts give the same bytes. */
export function binding(purpose: Purpose, ...parts: readonly string[]): Buffer {
  const pieces: Buffer[] = []
  for (const part of ['kagiban/wrap/v1', purpose, ...parts]) {
    const bytes = Buffer.from(part)
    const length = Buffer.alloc(4)
    length.writeUInt32BE(bytes.length)
    pieces.push(length, bytes)
  }
  return Buffer.concat(pieces)
}

/** `generation`: for material that of the domain key, for a domain key its own, 0 for everything else. */
export function wrap(key: KeyObject, generation: number, plaintext: Buffer, bound: Buffer): Buffer {
  const wrapped = Buffer.alloc(wrapOverhead + plaintext.length)
  wrapped[0] = version
  wrapped.writeUInt32BE(generation, generationAt)
  randomFillSync(wrapped, ivAt, ciphertextAt - ivAt)
  const iv = wrapped.subarray(ivAt, ciphertextAt)
  const additional = Buffer.concat([wrapped.subarray(0, ivAt), bound])
  const { ciphertext, tag } = sealGcm(key, iv, plaintext, additional)
  ciphertext.copy(wrapped, ciphertextAt)
  tag.copy(wrapped, ciphertextAt + plaintext.length)
  return wrapped
}

/** The wrapped bytes in clear, the caller's to wipe; undefined when they do not open for this key and binding. */
export function unwrap(key: KeyObject, wrapped: Buffer, bound: Buffer): Buffer | undefined {
  if (generationOf(wrapped) === undefined) return undefined
  const tagAt = wrapped.length - tagBytes
  const iv = wrapped.subarray(ivAt, ciphertextAt)
  const additional = Buffer.concat([wrapped.subarray(0, ivAt), bound])
  const ciphertext = wrapped.subarray(ciphertextAt, tagAt)
  return openGcm(key, iv, { ciphertext, tag: wrapped.subarray(tagAt) }, additional)
}

/** Undefined for what cannot be a wrapped key. */
export function generationOf(wrapped: Buffer): number | undefined {
  if (wrapped.length < wrapOverhead || wrapped.length > wrappedBytesMax) return undefined
  return wrapped[0] === version ? wrapped.readUInt32BE(generationAt) : undefined
}

/** Undefined for text that is not the base64 (RFC 4648 §4, padded) of something. */
export function fromBase64(text: string): Buffer | undefined {
  if (text.length > wrappedBytesMax * 2) return undefined
  const bytes = Buffer.from(text, 'base64')
  return bytes.toString('base64') === text ? bytes : undefined
}
