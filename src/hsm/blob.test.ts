import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type KeyId, parseKeyId } from '../base/ids.ts'
import { blobBytesMax, blobOverhead, headerPrefix, parseBlob } from './blob.ts'
import { multiRegionKey, uuidKey } from './testing/fixtures.ts'

const hexDigits = (count: number) =>
  fc
    .uint8Array({ minLength: count / 2, maxLength: count / 2 })
    .map((bytes) => Buffer.from(bytes).toString('hex'))
const keyIds: fc.Arbitrary<KeyId> = fc
  .tuple(fc.boolean(), hexDigits(32))
  .map(([multiRegion, hex]) => {
    const uuid = hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
    return parseKeyId(multiRegion ? `mrk-${hex}` : uuid)
  })
  .filter((keyId) => keyId !== undefined)

function blobOf(keyId: KeyId, materialId: string, length = blobOverhead): Buffer {
  const blob = Buffer.alloc(length)
  headerPrefix(keyId, materialId).copy(blob)
  return blob
}

test('the header is as documented', () => {
  const materialId = 'f0'.repeat(32)
  const uuid = headerPrefix(uuidKey, materialId).toString('hex')
  assert.equal(uuid, `010100${'1234abcd12ab34cd56ef1234567890ab'}${materialId}`)
  const multiRegion = headerPrefix(multiRegionKey, materialId).toString('hex')
  assert.equal(multiRegion, `010101${'1234abcd12ab34cd56ef1234567890ab'}${materialId}`)
  assert.equal(blobOverhead, 127)
})

test('every key id and material id comes back', () => {
  fc.assert(
    fc.property(keyIds, hexDigits(64), (keyId, materialId) => {
      assert.deepEqual(parseBlob(blobOf(keyId, materialId)), { keyId, materialId })
    }),
  )
})

test('what cannot be a blob of this version is undefined', () => {
  const good = blobOf(uuidKey, '00'.repeat(32))
  const altered = (at: number, byte: number) => {
    const blob = Buffer.from(good)
    blob[at] = byte
    return blob
  }
  assert.notEqual(parseBlob(good), undefined)
  assert.equal(parseBlob(Buffer.alloc(0)), undefined)
  assert.equal(parseBlob(good.subarray(0, -1)), undefined)
  assert.equal(parseBlob(altered(0, 0)), undefined)
  assert.equal(parseBlob(altered(0, 2)), undefined)
  assert.equal(parseBlob(altered(1, 2)), undefined)
  assert.equal(parseBlob(altered(2, 2)), undefined)
  assert.notEqual(parseBlob(blobOf(uuidKey, '00'.repeat(32), blobBytesMax)), undefined)
  assert.equal(parseBlob(blobOf(uuidKey, '00'.repeat(32), blobBytesMax + 1)), undefined)
})

test('no bytes make the parser fail', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, plausible) => {
      const blob = Buffer.from(bytes)
      if (plausible) Buffer.of(1, 1, 0).copy(blob)
      const parsed = parseBlob(blob)
      if (parsed !== undefined) assert.equal(parseKeyId(parsed.keyId), parsed.keyId)
    }),
  )
})
