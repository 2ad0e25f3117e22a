import { hash } from 'node:crypto'

const blockBytes = 64
const digestBytes = 32

/**
 * HMAC-SHA-256 (RFC 2104), H(opad ‖ H(ipad ‖ message)), over one-shot hashes: they cost a fraction of Hmac objects, and
 * each object that is opened takes half a dozen. `key`: at most 64 bytes. The result is the caller's to wipe.
 */
export function hmac(key: Buffer, ...message: readonly Buffer[]): Buffer {
  if (key.length > blockBytes) throw new RangeError('a key longer than a block of the hash')
  const length = message.reduce((sum, part) => sum + part.length, 0)
  const inner = Buffer.alloc(blockBytes + length)
  const outer = Buffer.alloc(blockBytes + digestBytes)
  for (let at = 0; at < blockBytes; at++) {
    const byte = key[at] ?? 0
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  let at = blockBytes
  for (const part of message) at += part.copy(inner, at)
  const innerDigest = hash('sha256', inner, 'buffer')
  innerDigest.copy(outer, blockBytes)
  const result = hash('sha256', outer, 'buffer')
  for (const secret of [inner, outer, innerDigest]) secret.fill(0)
  return result
}

const first = Buffer.from([1])

/** HKDF-SHA-256 (RFC 5869): 32 bytes for each `info`, of the same secret and salt. */
export function hkdf(ikm: Buffer, salt: Buffer, ...infos: readonly string[]): Buffer[] {
  const prk = hmac(salt, ikm)
  const keys = infos.map((info) => hmac(prk, Buffer.from(info), first))
  prk.fill(0)
  return keys
}
