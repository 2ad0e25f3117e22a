import { randomBytes, randomFillSync } from 'node:crypto'

/**
 * Randomness as good as that of keys. Ids and nonces come from here, and so do the data keys of objects under SSE-S3
 * and under bucket keys, which the service makes itself; keys of KMS come from the key core alone. Passed in, so that
 * tests can hold it.
 */
export interface Random {
  /** The asker's own: nothing else is in its memory, so that wiping it wipes all there was of it. */
  bytes(count: number): Buffer
  /** A random (version 4) UUID in lower case with dashes. */
  uuid(): string
}

/** OpenSSL's generator, which the kernel seeds: the one that the key core has as well. */
export const systemRandom: Random = { bytes: (count) => randomBytes(count), uuid }

const uuidBytes = 16
const poolBytes = 256 * uuidBytes
const digits = Buffer.from('0123456789abcdef')
/** Where each byte's two digits stand in the text. RFC 9562 §4 */
const places = [0, 2, 4, 6, 9, 11, 14, 16, 19, 21, 24, 26, 28, 30, 32, 34]
const text = Buffer.alloc(36, '-')
const pool = Buffer.allocUnsafeSlow(poolBytes)
let used = poolBytes

/**
 * Every request takes two or three. node's randomUUID puts its text together of 20 pieces, which cost more than the
 * rest of it once the text is written somewhere; this costs about half.
 */
function uuid(): string {
  if (used === poolBytes) {
    randomFillSync(pool)
    used = 0
  }
  // Version 4 and variant 10, RFC 9562 §5.4
  pool[used + 6] = ((pool[used + 6] ?? 0) & 0x0f) | 0x40
  pool[used + 8] = ((pool[used + 8] ?? 0) & 0x3f) | 0x80
  for (const place of places) {
    const byte = pool[used++] ?? 0
    text[place] = digits[byte >> 4] ?? 0
    text[place + 1] = digits[byte & 0x0f] ?? 0
  }
  return text.toString('latin1')
}
