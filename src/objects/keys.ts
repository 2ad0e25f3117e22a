import { ObjectRefusal } from './port.ts'

/** AWS's limit, in bytes of UTF-8. */
export const keyBytesMax = 1024

/** A key as its UTF-8 bytes, whose order is S3's. Throws 'invalid-key'. */
export function keyBytes(key: string): Buffer {
  const bytes = Buffer.from(key)
  if (bytes.length === 0 || bytes.length > keyBytesMax || !key.isWellFormed()) {
    throw new ObjectRefusal('invalid-key', 'a key has 1 to 1024 bytes of UTF-8')
  }
  return bytes
}

/** The least byte string behind all that begin with `prefix`; UTF-8 has no byte 255, so there is always one. */
export function behindPrefix(prefix: Buffer): Buffer {
  const behind = Buffer.from(prefix)
  const last = behind.length - 1
  behind[last] = (behind[last] ?? 0) + 1
  return behind
}

/** `prefix` and what comes up to the delimiter behind it, that included; undefined when there is no delimiter. */
export function commonPrefix(key: Buffer, prefix: Buffer, delimiter: Buffer): Buffer | undefined {
  const at = key.indexOf(delimiter, prefix.length)
  return at < 0 ? undefined : key.subarray(0, at + delimiter.length)
}

export function startsWith(key: Buffer, prefix: Buffer): boolean {
  return key.length >= prefix.length && prefix.compare(key, 0, prefix.length) === 0
}
