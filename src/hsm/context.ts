import { ServiceError } from '../base/errors.ts'
import type { EncryptionContext } from './port.ts'

/** What the canonical form of one encryption context may take, in bytes. */
export const contextBytesMax = 65_536

/**
 * The one byte string that stands for an encryption context in the additional authenticated data: the number of
 * entries, then each key and value with its length before it (u32, big-endian), in ascending order of the keys' UTF-8
 * bytes. Two contexts have the same form only if they are equal. `docs/formats/ciphertext.md` has the table.
 *
 * Throws 'validation' for text that is not well-formed Unicode: UTF-8 would write every lone surrogate as the same
 * replacement character, and different contexts would collide.
 */
export function canonicalContext(context: EncryptionContext): Buffer {
  const keys = Object.keys(context)
  if (keys.length > 1) keys.sort(byUtf8)
  let size = 4
  for (const key of keys) size += 8 + utf8Length(key) + utf8Length(context[key])
  if (size > contextBytesMax) throw refused('The encryption context is too long.')
  const bytes = Buffer.allocUnsafe(size)
  let at = bytes.writeUInt32BE(keys.length, 0)
  for (const key of keys) {
    at = writeText(bytes, key, at)
    at = writeText(bytes, context[key] ?? '', at)
  }
  return bytes
}

/**
 * Compares well-formed strings as their UTF-8 bytes compare. JavaScript compares UTF-16, which puts the surrogates of
 * U+10000 and above before U+E000 to U+FFFF; here they come after them.
 */
function byUtf8(left: string, right: string): number {
  const shorter = Math.min(left.length, right.length)
  for (let at = 0; at < shorter; at++) {
    const [a, b] = [left.charCodeAt(at), right.charCodeAt(at)]
    if (a !== b) return inUtf8Order(a) - inUtf8Order(b)
  }
  return left.length - right.length
}

function inUtf8Order(unit: number): number {
  if (unit < 0xd800) return unit
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800
}

function utf8Length(text: string | undefined): number {
  if (typeof text !== 'string' || !text.isWellFormed()) {
    throw refused('The encryption context contains text that is not well-formed Unicode.')
  }
  return Buffer.byteLength(text)
}

function writeText(bytes: Buffer, text: string, at: number): number {
  const written = bytes.write(text, at + 4)
  bytes.writeUInt32BE(written, at)
  return at + 4 + written
}

function refused(message: string): ServiceError {
  return new ServiceError('validation', message)
}
