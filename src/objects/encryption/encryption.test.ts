import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { MemoryObjectStore } from '../memory/store.ts'
import { gather, inPieces, pattern } from '../testing/pieces.ts'
import {
  identity,
  keysOf,
  opened,
  putSealed,
  seal,
  sealMultipart,
  unseal,
} from '../testing/sealed.ts'
import { customerKeyMark, isCustomerKey } from './customer-key.ts'
import { chunkBytes } from './header.ts'
import { ObjectOpener, wrappedKeysOf } from './open.ts'

const edges = [0, 1, chunkBytes - 1, chunkBytes, chunkBytes + 1, 3 * chunkBytes, 200_000]

for (const keys of [keysOf(1), keysOf(1, 2)]) {
  test(`objects keep their length and come back, with ${keys.length} data keys`, async () => {
    for (const size of edges) {
      const bytes = pattern(size)
      const sealed = await seal(bytes, keys)
      assert.equal(sealed.size, size)
      const [segment] = sealed.segments
      assert.equal(segment?.chunkTags.length, Math.ceil(size / chunkBytes) * 16 * keys.length)
      assert.ok(size < 16 || !segment?.data.equals(bytes))
      assert.ok((await unseal(sealed, keys)).equals(bytes))
    }
  })
}

test('any range of an object of parts', async () => {
  const parts = [chunkBytes + 5, 0, 10, 2 * chunkBytes, 1].map((size, seed) => pattern(size, seed))
  const whole = Buffer.concat(parts)
  const keys = keysOf(1, 2)
  const sealed = await sealMultipart(parts, keys)
  const place = fc.integer({ min: 0, max: whole.length })
  await fc.assert(
    fc.asyncProperty(place, place, async (one, other) => {
      const [start, end] = one < other ? [one, other] : [other, one]
      const found = await unseal(sealed, keys, identity, [start, end])
      assert.ok(found.equals(whole.subarray(start, end)), `${start}-${end}`)
    }),
    { numRuns: 60 },
  )
})

test('a range reads its own chunks and tags alone', async () => {
  const sealed = await seal(pattern(10 * chunkBytes))
  const object = opened(sealed)
  const asked: unknown[] = []
  const watched = {
    ...object,
    data: (segment: (typeof object.segments)[0], start: number, end: number) => {
      asked.push(['data', start / chunkBytes, end / chunkBytes])
      return object.data(segment, start, end)
    },
    chunkTags: (segment: (typeof object.segments)[0], start: number, end: number) => {
      asked.push(['tags', start / 16, end / 16])
      return object.chunkTags(segment, start, end)
    },
  }
  const opener = new ObjectOpener(sealed.sidecar, keysOf(1), identity)
  const range = [3 * chunkBytes + 7, 5 * chunkBytes] as const
  assert.equal((await gather(opener.decrypt(watched, ...range))).length, range[1] - range[0])
  assert.deepEqual(asked, [
    ['tags', 3, 5],
    ['data', 3, 5],
  ])
})

test('tags of a large object are read a window at a time', async () => {
  const size = 1030 * chunkBytes
  const bytes = Buffer.alloc(size, 7)
  const sealed = await seal(bytes)
  const object = opened(sealed)
  let most = 0
  const chunkTags: typeof object.chunkTags = (segment, start, end) => {
    most = Math.max(most, end - start)
    return object.chunkTags(segment, start, end)
  }
  const opener = new ObjectOpener(sealed.sidecar, keysOf(1), identity)
  let count = 0
  for await (const piece of opener.decrypt({ ...object, chunkTags })) count += piece.length
  assert.equal(count, size)
  assert.equal(most, 1024 * 16)
})

test('what wraps the keys is read before there are any', async () => {
  const { sidecar } = await seal(Buffer.from('x'), keysOf(1, 2))
  const wrapped = wrappedKeysOf(sidecar).map(String)
  assert.deepEqual(wrapped, ['wrapped 0', 'wrapped 1'])
  assert.throws(() => wrappedKeysOf(Buffer.alloc(200)), { name: 'ObjectDamage', kind: 'format' })
})

test('no two objects of the same bytes and keys look alike', async () => {
  const bytes = pattern(1000)
  const [one, other] = [await seal(bytes), await seal(bytes)]
  assert.ok(!one.segments[0]?.data.equals(other.segments[0]?.data ?? bytes))
  const parts = await sealMultipart([bytes, bytes])
  assert.ok(!parts.segments[0]?.data.equals(parts.segments[1]?.data ?? bytes))
})

test('an object goes through a store and comes back', async () => {
  const store = new MemoryObjectStore(systemClock, systemRandom)
  await store.createBucket('b')
  const bytes = pattern(300_000)
  await putSealed(store, identity, inPieces(bytes, 1000), keysOf(5))
  const object = await store.open('b', 'k')
  const opener = new ObjectOpener(object.version.sidecar, keysOf(5), identity)
  assert.ok((await gather(opener.decrypt(object))).equals(bytes))
  await object.close()
})

test("a customer's key is recognised, and no other", () => {
  const key = pattern(32)
  const mark = customerKeyMark(key, systemRandom)
  assert.equal(mark.length, 64)
  assert.ok(!mark.includes(key))
  assert.equal(isCustomerKey(mark, Buffer.from(key)), true)
  assert.equal(isCustomerKey(mark, pattern(32, 2)), false)
  assert.equal(isCustomerKey(mark.subarray(1), key), false)
  for (let at = 0; at < mark.length; at++) {
    const other = Buffer.from(mark)
    other[at] = (other[at] ?? 0) ^ 1
    assert.equal(isCustomerKey(other, key), false)
  }
  assert.ok(!customerKeyMark(key, systemRandom).equals(mark))
})
