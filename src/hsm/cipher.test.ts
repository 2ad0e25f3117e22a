import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { blobOverhead, headerPrefix, layout } from './blob.ts'
import { decryptBlob, encryptBlob, type MaterialKey, plaintextBytesMax } from './cipher.ts'
import { canonicalContext } from './context.ts'
import { padsOf } from './kdf.ts'
import { RandomPool } from './random-pool.ts'
import { failure, multiRegionKey, otherKey, uuidKey } from './testing/fixtures.ts'

const random = new RandomPool()
const materialId = '5a'.repeat(32)
const material = randomBytes(32)
const key: MaterialKey = { prefix: headerPrefix(uuidKey, materialId), pads: padsOf(material) }
const context = canonicalContext({ department: 'finance', purpose: 'test' })

test('what was encrypted decrypts, whatever its length and context', () => {
  const plaintexts = fc.uint8Array({ maxLength: plaintextBytesMax })
  const contexts = fc.dictionary(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(plaintexts, contexts, (bytes, entries) => {
      const canonical = canonicalContext(entries)
      const blob = encryptBlob(key, Buffer.from(bytes), canonical, random)
      assert.equal(blob.length, bytes.length + blobOverhead)
      assert.deepEqual(decryptBlob(key, blob, canonical), Buffer.from(bytes))
    }),
  )
})

test('nonce, IV, commitment and ciphertext are new each time', () => {
  const blobs = [1, 2].map(() => encryptBlob(key, Buffer.alloc(64), context, random))
  const parts = [
    [layout.nonce, layout.iv],
    [layout.iv, layout.commitment],
    [layout.commitment, layout.ciphertext],
    [layout.ciphertext, layout.ciphertext + 64],
    [layout.ciphertext + 64, layout.ciphertext + 80],
  ]
  for (const [start, end] of parts) {
    const [first, second] = blobs.map((blob) => blob.toString('hex', start, end))
    assert.notEqual(first, second)
  }
})

test('every flipped bit is refused', () => {
  const blob = encryptBlob(key, Buffer.from('sixteen bytes ok'), context, random)
  for (let bit = 0; bit < blob.length * 8; bit++) {
    const altered = Buffer.from(blob)
    altered[bit >> 3] = (altered[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    assert.throws(
      () => decryptBlob(key, altered, context),
      failure('invalid-ciphertext'),
      `bit ${bit}`,
    )
  }
  assert.equal(decryptBlob(key, blob, context).toString(), 'sixteen bytes ok')
})

test('every truncation and every extension is refused', () => {
  const blob = encryptBlob(key, Buffer.from('0123456789'), context, random)
  for (let length = 0; length < blob.length; length++) {
    assert.throws(
      () => decryptBlob(key, blob.subarray(0, length), context),
      failure('invalid-ciphertext'),
    )
  }
  const longer = Buffer.concat([blob, Buffer.of(0)])
  assert.throws(() => decryptBlob(key, longer, context), failure('invalid-ciphertext'))
  const huge = Buffer.concat([blob, Buffer.alloc(6145)])
  assert.throws(() => decryptBlob(key, huge, context), failure('invalid-ciphertext'))
})

test('another context, key id, material id or material is refused', () => {
  const blob = encryptBlob(key, Buffer.from('plain'), context, random)
  const contexts = [
    {},
    { department: 'finance' },
    { department: 'Finance', purpose: 'test' },
    { department: 'finance', purpose: 'test', more: '' },
    { departmen: 'tfinance', purpose: 'test' },
  ]
  for (const other of contexts) {
    assert.throws(
      () => decryptBlob(key, blob, canonicalContext(other)),
      failure('invalid-ciphertext'),
    )
  }
  const otherKeys: MaterialKey[] = [
    { ...key, prefix: headerPrefix(otherKey, materialId) },
    { ...key, prefix: headerPrefix(multiRegionKey, materialId) },
    { ...key, prefix: headerPrefix(uuidKey, '5b'.repeat(32)) },
    { ...key, pads: padsOf(randomBytes(32)) },
  ]
  for (const other of otherKeys) {
    assert.throws(() => decryptBlob(other, blob, context), failure('invalid-ciphertext'))
  }
})

test('a blob does not open under another material, even when its header is made to name that', () => {
  const blob = encryptBlob(key, Buffer.from('plain'), context, random)
  const other: MaterialKey = { prefix: headerPrefix(otherKey, '77'.repeat(32)), pads: key.pads }
  other.prefix.copy(blob)
  assert.throws(() => decryptBlob(other, blob, context), failure('invalid-ciphertext'))
})

test('the errors of all failures are the same', () => {
  const blob = encryptBlob(key, Buffer.from('plain'), context, random)
  const damaged = [0, layout.nonce, layout.commitment, layout.ciphertext, blob.length - 1].map(
    (at) => {
      const altered = Buffer.from(blob)
      altered[at] = (altered[at] ?? 0) ^ 1
      return altered
    },
  )
  for (const altered of damaged) {
    assert.throws(
      () => decryptBlob(key, altered, context),
      (error: Error & { detail?: string; publicMessage?: string }) => {
        assert.equal(error.message, 'invalid-ciphertext')
        assert.equal(error.detail, undefined)
        assert.equal(error.publicMessage, undefined)
        assert.equal(error.cause, undefined)
        return true
      },
    )
  }
})

test('a plaintext that is too long is refused', () => {
  const tooLong = Buffer.alloc(plaintextBytesMax + 1)
  assert.throws(() => encryptBlob(key, tooLong, context, random), failure('internal'))
})
