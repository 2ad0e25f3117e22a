import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { type ChecksumAlgorithm, checksum } from './checksums.ts'

function of(algorithm: ChecksumAlgorithm, ...pieces: readonly Buffer[]): string {
  const sum = checksum(algorithm)
  for (const piece of pieces) sum.update(piece)
  return sum.digest().toString('hex')
}

const check = Buffer.from('123456789')
const zeros = Buffer.alloc(32)
const ones = Buffer.alloc(32, 0xff)
const ascending = Buffer.from(Array.from({ length: 32 }, (_, at) => at))

/** The catalogue's check values, RFC 3720 §B.4, and the NVMe specification's own examples. */
for (const [algorithm, bytes, expected] of [
  ['crc32', check, 'cbf43926'],
  ['crc32c', check, 'e3069283'],
  ['crc32c', zeros, '8a9136aa'],
  ['crc32c', ones, '62a8ab43'],
  ['crc32c', ascending, '46dd794e'],
  ['crc64nvme', check, 'ae8b14860a799888'],
  ['crc64nvme', Buffer.alloc(4096), '6482d367eb22b64e'],
  ['crc64nvme', Buffer.alloc(4096, 0xff), 'c0ddba7302eca3ac'],
  ['crc64nvme', Buffer.alloc(0), '0000000000000000'],
  ['sha1', check, 'f7c3bc1d808e04732adf679965ccc34ca7ae3441'],
  ['sha256', Buffer.alloc(0), 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
] as const) {
  test(`${algorithm} of ${bytes.length} bytes, ${bytes.toString('hex', 0, 4)}…`, () => {
    assert.equal(of(algorithm, bytes), expected)
  })
}

/** One bit at a time, from the definition, with numbers of any length. */
function bitwise(bytes: Buffer, width: bigint, polynomial: bigint): string {
  const all = (1n << width) - 1n
  let crc = all
  for (const byte of bytes) {
    crc ^= BigInt(byte)
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1n) === 0n ? crc >> 1n : (crc >> 1n) ^ polynomial
  }
  return (crc ^ all).toString(16).padStart(Number(width) / 4, '0')
}

test('in any pieces, as by the definition', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (array, place) => {
      const bytes = Buffer.from(array)
      const cut = Math.min(place, bytes.length)
      const pieces = [bytes.subarray(0, cut), bytes.subarray(cut)]
      assert.equal(of('crc32', ...pieces), bitwise(bytes, 32n, 0xedb88320n))
      assert.equal(of('crc32c', ...pieces), bitwise(bytes, 32n, 0x82f63b78n))
      assert.equal(of('crc64nvme', ...pieces), bitwise(bytes, 64n, 0x9a6c9329ac4bc9b5n))
    }),
  )
})

test('a changed bit changes it', () => {
  const bytes = randomBytes(1000)
  for (const algorithm of ['crc32', 'crc32c', 'crc64nvme', 'sha1', 'sha256'] as const) {
    const before = of(algorithm, bytes)
    const changed = Buffer.from(bytes)
    changed[500] = (changed[500] ?? 0) ^ 1
    assert.notEqual(of(algorithm, changed), before)
  }
})
