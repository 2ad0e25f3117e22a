import assert from 'node:assert/strict'
import { createDecipheriv } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemRandom } from '../../../base/random.ts'
import { ObjectDamage } from '../../../objects/encryption/damage.ts'
import { encodeWrapped, open, parseWrapped, seal, type WrappedKey } from './wrapped-keys.ts'

const file = join(import.meta.dirname, '../../../../tests/vectors/objects/wrapped-v1.json')
const vectors = JSON.parse(readFileSync(file, 'utf8')) as Readonly<Record<string, string>>[]
const bytes = (text: string | undefined) => Buffer.from(text ?? '', 'hex')
const isDamage = (kind: string) => (error: unknown) =>
  error instanceof ObjectDamage && error.kind === kind

/** The page's layout, read by a second implementation. */
function openByThePage(wrapped: Buffer, bucketKey: Buffer, bucketArn: string) {
  assert.equal(wrapped[0], 3)
  const decipher = createDecipheriv('aes-256-gcm', bucketKey, wrapped.subarray(1, 13))
  decipher.setAAD(Buffer.concat([Buffer.from('kagiban/bucket-key/v1/'), Buffer.from(bucketArn)]))
  decipher.setAuthTag(wrapped.subarray(45, 61))
  const dataKey = Buffer.concat([decipher.update(wrapped.subarray(13, 45)), decipher.final()])
  return { dataKey, blob: wrapped.subarray(61) }
}

test('the vectors are what the page says, and open', () => {
  const names = vectors.map(({ name }) => name)
  assert.deepEqual(names, ['sealed', 'kms', 'bucket-key', 'bucket-key'])
  for (const vector of vectors) {
    const wrapped = bytes(vector['wrapped'])
    if (vector['name'] === 'sealed') {
      const { ownerId, sealed } = parseWrapped(wrapped, 'sealed')
      assert.deepEqual([ownerId, sealed], [bytes(vector['ownerId']), bytes(vector['sealed'])])
      assert.deepEqual(wrapped, Buffer.concat([Buffer.of(1), ownerId, sealed]))
      assert.equal(ownerId.length, 32)
    } else if (vector['name'] === 'kms') {
      assert.deepEqual(parseWrapped(wrapped, 'kms').blob, bytes(vector['blob']))
      assert.deepEqual(wrapped, Buffer.concat([Buffer.of(2), bytes(vector['blob'])]))
    } else {
      const { bucketKey, bucketArn = '' } = vector
      const expected = { dataKey: bytes(vector['dataKey']), blob: bytes(vector['blob']) }
      assert.deepEqual(openByThePage(wrapped, bytes(bucketKey), bucketArn), expected)
      const { box, blob } = parseWrapped(wrapped, 'bucket-key')
      assert.deepEqual(open(bytes(bucketKey), box, bucketArn), expected.dataKey)
      assert.deepEqual(blob, expected.blob)
    }
  }
})

test('what is sealed now is of the same layout, with an IV of its own each time', () => {
  const [bucketKey, dataKey] = [systemRandom.bytes(32), systemRandom.bytes(32)]
  const blob = Buffer.from('blob')
  const ivs = new Set<string>()
  for (let each = 0; each < 100; each += 1) {
    const box = seal(bucketKey, dataKey, 'arn:aws:s3:::b', systemRandom)
    ivs.add(box.subarray(0, 12).toString('hex'))
    const wrapped = encodeWrapped({ kind: 'bucket-key', box, blob })
    assert.deepEqual(openByThePage(wrapped, bucketKey, 'arn:aws:s3:::b'), { dataKey, blob })
  }
  assert.equal(ivs.size, 100)
})

test('any bytes are parsed back, or refused as no such format', () => {
  const part = fc.uint8Array({ minLength: 1, maxLength: 200 }).map((each) => Buffer.from(each))
  const kinds = ['sealed', 'kms', 'bucket-key'] as const
  fc.assert(
    fc.property(part, fc.constantFrom(...kinds), (any, kind) => {
      let parsed: WrappedKey
      try {
        parsed = parseWrapped(any, kind)
      } catch (error) {
        assert.ok(isDamage('format')(error))
        return
      }
      assert.deepEqual(encodeWrapped(parsed), any)
    }),
  )
})

test('what is cut short, or of another kind, is refused', () => {
  for (const vector of vectors) {
    const wrapped = bytes(vector['wrapped'])
    const kind = vector['name'] as WrappedKey['kind']
    const least = { sealed: 33, kms: 1, 'bucket-key': 61 }[kind]
    for (const length of [0, 1, least]) {
      assert.throws(() => parseWrapped(wrapped.subarray(0, length), kind), isDamage('format'))
    }
    for (const other of ['sealed', 'kms', 'bucket-key'] as const) {
      if (other !== kind) assert.throws(() => parseWrapped(wrapped, other), isDamage('format'))
    }
  }
})
