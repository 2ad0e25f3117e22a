import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { derive, kdfContextBytes, padsOf } from './kdf.ts'

/** SP 800-108r1 §4.1 step by step, with the Hmac of node:crypto. */
function counterMode(key: Buffer, label: Buffer, context: Buffer, bits: number): Buffer {
  const blocks: Buffer[] = []
  const length = Buffer.from(
    [bits >>> 24, bits >>> 16, bits >>> 8, bits].map((byte) => byte & 0xff),
  )
  for (let counter = 1; (counter - 1) * 256 < bits; counter++) {
    const fixed = Buffer.concat([label, Buffer.of(0), context, length])
    blocks.push(
      createHmac('sha256', key)
        .update(Buffer.concat([Buffer.of(0, 0, 0, counter), fixed]))
        .digest(),
    )
  }
  return Buffer.concat(blocks).subarray(0, bits / 8)
}

test('derivation is SP 800-108 in counter mode', () => {
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  fc.assert(
    fc.property(bytes(32), bytes(kdfContextBytes + 44), (material, header) => {
      const { key, commitment } = derive(padsOf(Buffer.from(material)), Buffer.from(header))
      const context = Buffer.from(header.subarray(0, kdfContextBytes))
      const label = Buffer.from('kagiban/blob/v1')
      const expected = counterMode(Buffer.from(material), label, context, 512)
      assert.deepEqual(Buffer.concat([key, Buffer.from(commitment, 'latin1')]), expected)
    }),
  )
})

test('the reference computation itself: a published HMAC-SHA-256 value (RFC 4231, case 2)', () => {
  const mac = createHmac('sha256', 'Jefe').update('what do ya want for nothing?').digest('hex')
  assert.equal(mac, '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843')
})

test('material longer than a hash block is refused', () => {
  assert.throws(() => padsOf(Buffer.alloc(65)), RangeError)
})
