import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { type CombinableAlgorithm, combinedChecksum, isCombinable } from './checksum-combination.ts'
import { checksum } from './checksums.ts'

function digestOf(algorithm: CombinableAlgorithm, bytes: Buffer): Buffer {
  const sum = checksum(algorithm)
  sum.update(bytes)
  return sum.digest()
}

function runOf(algorithm: CombinableAlgorithm, bytes: Buffer) {
  return { digest: digestOf(algorithm, bytes), size: bytes.length }
}

for (const algorithm of ['crc32', 'crc32c', 'crc64nvme'] as const) {
  describe(`${algorithm} of runs`, () => {
    test('is that of all their bytes, wherever they are cut', () => {
      const pieces = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 12 })
      fc.assert(
        fc.property(pieces, (arrays) => {
          const all = arrays.map((array) => Buffer.from(array))
          const combined = combinedChecksum(
            algorithm,
            all.map((bytes) => runOf(algorithm, bytes)),
          )
          assert.deepEqual(combined, digestOf(algorithm, Buffer.concat(all)))
        }),
      )
    })

    test('of no run, of one, and of empty ones', () => {
      const bytes = randomBytes(1000)
      const [one, empty] = [runOf(algorithm, bytes), runOf(algorithm, Buffer.alloc(0))]
      assert.deepEqual(combinedChecksum(algorithm, []), empty.digest)
      assert.deepEqual(combinedChecksum(algorithm, [one]), one.digest)
      assert.deepEqual(combinedChecksum(algorithm, [empty, one, empty]), one.digest)
    })

    test('is another one in another order', () => {
      const runs = [randomBytes(70), randomBytes(30)].map((bytes) => runOf(algorithm, bytes))
      const backward = combinedChecksum(algorithm, runs.toReversed())
      assert.notDeepEqual(combinedChecksum(algorithm, runs), backward)
    })

    test('of more bytes than 32 bits can count', () => {
      // Zeros, so that halves of halves are the same: 2^40 of them out of one of 2^20.
      const zeros = runOf(algorithm, Buffer.alloc(2 ** 20))
      let doubled = zeros
      for (let times = 0; times < 20; times++) {
        const digest = combinedChecksum(algorithm, [doubled, doubled])
        doubled = { digest, size: 2 * doubled.size }
      }
      const half = { digest: doubled.digest, size: doubled.size }
      const whole = combinedChecksum(algorithm, [half, zeros])
      assert.deepEqual(combinedChecksum(algorithm, [zeros, half]), whole)
    })

    test('takes no digest of another length', () => {
      const bad = { digest: Buffer.alloc(5), size: 1 }
      assert.throws(() => combinedChecksum(algorithm, [bad]), RangeError)
    })
  })
}

test('ten thousand runs of as many sizes take little time', () => {
  const runs = Array.from({ length: 10_000 }, (_, at) => ({
    digest: randomBytes(8),
    size: 2 ** 32 - 1 - at,
  }))
  const before = performance.now()
  combinedChecksum('crc64nvme', runs)
  assert.ok(performance.now() - before < 2000, `${performance.now() - before} ms`)
})

test('hashes cannot be combined', () => {
  assert.deepEqual(['sha1', 'sha256', 'crc32', 'toString'].map(isCombinable), [
    false,
    false,
    true,
    false,
  ])
})
