import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inRange, parseIp, parseIpRange } from './ip.ts'

const hex = (text: string) => {
  const address = parseIp(text)
  return address === undefined ? undefined : Buffer.from(address).toString('hex')
}

// RFC 4291 §2.2
test('every notation of an address', () => {
  const cases = [
    ['255.255.255.255', 'ffffffff'],
    ['0.0.0.0', '00000000'],
    ['::', '0'.repeat(32)],
    ['1:2:3:4:5:6:7:8', '00010002000300040005000600070008'],
    ['1:2:3:4:5:6:7::', '00010002000300040005000600070000'],
    ['::2:3:4:5:6:7:8', '00000002000300040005000600070008'],
    ['1:2:3:4:5:6:1.2.3.4', '00010002000300040005000601020304'],
    ['1::1.2.3.4', '00010000000000000000000001020304'],
    // The longest there is: 45 characters.
    ['0000:0000:0000:0000:0000:FFFF:255.255.255.255', '00000000000000000000ffffffffffff'],
  ] as const
  for (const [text, bytes] of cases) assert.equal(hex(text), bytes, text)
})

test('what is no address', () => {
  for (const text of [
    ...['', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', '0x1.2.3.4'],
    ...[':', ':::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7::8'],
    ...['g::1', '1::g', '12345::', ':1:2:3:4:5:6:7', '::1%eth0'],
    // Dotted decimals anywhere but at the end.
    ...['1.2.3.4::', '1.2.3.4::1', '::1.2.3.4:1', '1.2.3.4:1:2:3:4:5:6', '1:2:3:4:5:6:7:1.2.3.4'],
  ]) {
    assert.equal(hex(text), undefined, text)
  }
})

test('ranges', () => {
  const lengths = [
    ['1.2.3.4', 32],
    ['1.2.3.4/32', 32],
    ['1.2.3.4/0', 0],
    ['::1', 128],
    ['::1/128', 128],
  ] as const
  for (const [text, length] of lengths) assert.equal(parseIpRange(text)?.prefixLength, length, text)
  for (const text of ['1.2.3.4/33', '::/129', '1.2.3.4/', '1.2.3.4/08', '1.2.3.4/8/8', '/8', '']) {
    assert.equal(parseIpRange(text), undefined, text)
  }
})

test('every bit of the prefix counts, and none behind it', () => {
  const range = { address: Uint8Array.from([203, 0, 113, 77]), prefixLength: 20 }
  for (let bit = 0; bit < 32; bit++) {
    const address = Uint8Array.from(range.address)
    address[bit >> 3] = (address[bit >> 3] ?? 0) ^ (0x80 >> (bit & 7))
    assert.equal(inRange(address, range), bit >= 20, `bit ${bit}`)
  }
  assert.equal(inRange(new Uint8Array(16), { ...range, prefixLength: 0 }), false)
})
