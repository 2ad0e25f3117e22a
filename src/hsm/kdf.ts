import { hash } from 'node:crypto'

/**
 * NIST SP 800-108r1 §4.1, KDF in counter mode, with HMAC-SHA-256, r = 32 and L = 512: two blocks,
 *
 *   K(i) = HMAC-SHA-256(material, i ‖ Label ‖ 0x00 ‖ Context ‖ L)   i and L: u32, big-endian
 *
 * K(1) is the AES-256 key of one request, K(2) its public commitment.
 *
 * HMAC is written out (RFC 2104: H(opad ‖ H(ipad ‖ message))) over one-shot hashes, which cost a quarter less than
 * Hmac objects, and because the pads are Buffers that can be wiped, which a KeyObject cannot. Whatever is secret stays
 * in Buffers; a commitment is public, so it may be a string.
 */
export const label = 'kagiban/blob/v1'
/** The Context: the header up to and including the nonce. */
export const kdfContextBytes = 67

const hashBlock = 64
const digest = 32
const counterAt = hashBlock + 3
const contextAt = hashBlock + 4 + label.length + 1
const innerBytes = contextAt + kdfContextBytes + 4

/** The HMAC key in the form that derivation needs: ipad ‖ opad, 128 bytes, as secret as the material itself. */
export function padsOf(material: Buffer): Buffer {
  if (material.length > hashBlock) throw new RangeError('key material longer than a hash block')
  const pads = Buffer.allocUnsafeSlow(2 * hashBlock)
  for (let at = 0; at < hashBlock; at++) {
    const byte = material[at] ?? 0
    pads[at] = byte ^ 0x36
    pads[hashBlock + at] = byte ^ 0x5c
  }
  return pads
}

const inner = Buffer.alloc(innerBytes)
inner.write(label, hashBlock + 4, 'latin1')
inner.writeUInt32BE(512, innerBytes - 4)
const outer = Buffer.alloc(hashBlock + digest)

/** `key` is the caller's to wipe. `commitment` is 32 bytes as a latin1 string. */
export type Derived = { readonly key: Buffer; readonly commitment: string }

/** `header` begins with the `kdfContextBytes` of Context. */
export function derive(pads: Buffer, header: Buffer): Derived {
  pads.copy(inner, 0, 0, hashBlock)
  pads.copy(outer, 0, hashBlock)
  header.copy(inner, contextAt, 0, kdfContextBytes)
  hashInner(1)
  const key = hash('sha256', outer, 'buffer')
  hashInner(2)
  const commitment = hash('sha256', outer, 'latin1')
  inner.fill(0, 0, hashBlock)
  outer.fill(0)
  return { key, commitment }
}

function hashInner(counter: number): void {
  inner[counterAt] = counter
  const value = hash('sha256', inner, 'buffer')
  value.copy(outer, hashBlock)
  value.fill(0)
}
