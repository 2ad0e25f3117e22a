import { hash, timingSafeEqual } from 'node:crypto'

/** EMSA-PSS (RFC 8017 §9.1) of a digest, with MGF1 of the same hash and a salt as long as the digest. */
const trailer = 0xbc
const padding = Buffer.alloc(8)

/** The encoded message for a modulus of `modulusBits`, which is a multiple of 8. */
export function encodePss(name: string, digest: Buffer, salt: Buffer, modulusBits: number): Buffer {
  const encoded = Buffer.alloc(modulusBits / 8)
  const hashAt = encoded.length - digest.length - 1
  const sealed = hash(name, Buffer.concat([padding, digest, salt]), 'buffer')
  const saltAt = hashAt - salt.length
  encoded[saltAt - 1] = 1
  salt.copy(encoded, saltAt)
  applyMask(name, sealed, encoded.subarray(0, hashAt))
  // The encoded message has one bit less than the modulus, so that as a number it is less.
  encoded[0] = (encoded[0] ?? 0) & 0x7f
  sealed.copy(encoded, hashAt)
  encoded[encoded.length - 1] = trailer
  return encoded
}

/** Whether `encoded`, which is overwritten, is an encoding of the digest with a salt as long as the digest. */
export function verifyPss(name: string, digest: Buffer, encoded: Buffer): boolean {
  const hashAt = encoded.length - digest.length - 1
  if (encoded[encoded.length - 1] !== trailer || ((encoded[0] ?? 0) & 0x80) !== 0) return false
  const sealed = Buffer.from(encoded.subarray(hashAt, -1))
  const block = encoded.subarray(0, hashAt)
  applyMask(name, sealed, block)
  block[0] = (block[0] ?? 0) & 0x7f
  const saltAt = hashAt - digest.length
  if (block.subarray(0, saltAt - 1).some((byte) => byte !== 0)) return false
  if (block[saltAt - 1] !== 1) return false
  const salt = block.subarray(saltAt)
  return timingSafeEqual(hash(name, Buffer.concat([padding, digest, salt]), 'buffer'), sealed)
}

/** XORs MGF1 (RFC 8017 §B.2.1) of `seed` into `target`. */
function applyMask(name: string, seed: Buffer, target: Buffer): void {
  const input = Buffer.concat([seed, Buffer.alloc(4)])
  for (let at = 0, counter = 0; at < target.length; counter++) {
    input.writeUInt32BE(counter, seed.length)
    const mask = hash(name, input, 'buffer')
    for (let byte = 0; byte < mask.length && at < target.length; byte++, at++) {
      target[at] = (target[at] ?? 0) ^ (mask[byte] ?? 0)
    }
  }
}
