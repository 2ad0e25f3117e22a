import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SharedTexts, SharingCodec } from './shared-texts.ts'

test('equal texts are one in memory, and a text nobody has is let go', () => {
  const texts = new SharedTexts()
  const codec = new SharingCodec<{ name: string; size: number }>(texts, ['name'])
  const body = codec.encode({ name: 'one of many', size: 1 })
  const two = [codec.decode(body), codec.decode(body)]
  assert.deepEqual(two, [JSON.parse(body), JSON.parse(body)])
  assert.equal(texts.size, 1)
  const sizes = two.map((record) => {
    codec.release(record)
    return texts.size
  })
  assert.deepEqual(sizes, [1, 0])
})
