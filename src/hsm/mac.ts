import { hash, timingSafeEqual } from 'node:crypto'
import type { MacAlgorithm } from './key-specs.ts'

/**
 * HMAC (RFC 2104) written out over one-shot hashes, H(opad ‖ H(ipad ‖ message)), because its pads are Buffers that can
 * be wiped, which the key of an Hmac object cannot.
 */
const hashes = {
  HMAC_SHA_224: { name: 'sha224', block: 64, bytes: 28 },
  HMAC_SHA_256: { name: 'sha256', block: 64, bytes: 32 },
  HMAC_SHA_384: { name: 'sha384', block: 128, bytes: 48 },
  HMAC_SHA_512: { name: 'sha512', block: 128, bytes: 64 },
} as const satisfies Readonly<Record<MacAlgorithm, object>>

/** As secret as the key that they are made of. */
export type MacPads = {
  readonly algorithm: MacAlgorithm
  readonly inner: Buffer
  readonly outer: Buffer
}

/** A key that is longer than a block is hashed first, as RFC 2104 has it. */
export function macPads(algorithm: MacAlgorithm, key: Buffer): MacPads {
  const { name, block } = hashes[algorithm]
  const short = key.length > block ? hash(name, key, 'buffer') : key
  const inner = Buffer.allocUnsafeSlow(block)
  const outer = Buffer.allocUnsafeSlow(block)
  for (let at = 0; at < block; at++) {
    const byte = short[at] ?? 0
    inner[at] = byte ^ 0x36
    outer[at] = byte ^ 0x5c
  }
  if (short !== key) short.fill(0)
  return { algorithm, inner, outer }
}

export function wipePads({ inner, outer }: MacPads): void {
  inner.fill(0)
  outer.fill(0)
}

export function macOf({ algorithm, inner, outer }: MacPads, message: Buffer): Buffer {
  const { name } = hashes[algorithm]
  const first = Buffer.concat([inner, message])
  const innerDigest = hash(name, first, 'buffer')
  const second = Buffer.concat([outer, innerDigest])
  const mac = hash(name, second, 'buffer')
  // Buffers of the shared pool, too, must not keep the key.
  for (const each of [first, innerDigest, second]) each.fill(0)
  return mac
}

/** In constant time for MACs of the right length. */
export function macMatches(pads: MacPads, message: Buffer, mac: Buffer): boolean {
  const expected = macOf(pads, message)
  try {
    return mac.length === expected.length && timingSafeEqual(expected, mac)
  } finally {
    expected.fill(0)
  }
}
