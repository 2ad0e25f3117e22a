import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { describeListings } from './testing/conform-listings.ts'
import { describeUploads } from './testing/conform-uploads.ts'
import { describeVersions } from './testing/conform-versions.ts'
import { checkAgainstModel } from './testing/model.ts'
import { bytesOf, failing, gather, pattern, plain, read } from './testing/pieces.ts'
import type { MakeSite, Over } from './testing/site.ts'

/** What every adapter of `ObjectStore` must hold. What survives a crash is the adapter's own test. */
export function describeObjectStore(name: string, makeSite: MakeSite): void {
  const over: Over = (title, body) =>
    test(title, async () => {
      const site = await makeSite()
      const store = await site.open()
      const other = await site.open()
      try {
        await store.createBucket('b')
        await body(store, other)
      } finally {
        await store.close()
        await other.close()
        await site.dispose()
      }
    })

  describe(`objects: ${name}`, () => {
    describe('buckets', () => describeBuckets(over))
    describe('objects', () => describeObjects(over))
    describe('conditions', () => describeConditions(over))
    describe('tags', () => describeTags(over))
    describe('reading', () => describeReading(over))
    describe('versions', () => describeVersions(over))
    describe('uploads', () => describeUploads(over))
    describe('listings', () => describeListings(over))
    test('any sequence of calls does what the model does', () => checkAgainstModel(makeSite))
    test('a closed store refuses everything', async () => {
      const site = await makeSite()
      const store = await site.open()
      await store.close()
      await assert.rejects(store.list('b', { prefix: '', max: 1 }), { code: 'internal' })
      await assert.rejects(store.createBucket('b'), { code: 'internal' })
      await site.dispose()
    })
  })
}

function describeBuckets(over: Over): void {
  over('are made once, seen by all, and deleted when they are empty', async (store, other) => {
    await assert.rejects(other.createBucket('b'), { code: 'bucket-exists' })
    await other.put('b', 'k', plain('x'))
    await assert.rejects(store.deleteBucket('b'), { code: 'bucket-not-empty' })
    await store.delete('b', 'k', { versioning: 'unversioned' })
    await store.deleteBucket('b')
    await assert.rejects(other.put('b', 'k', plain('x')), { code: 'no-such-bucket' })
    await assert.rejects(other.deleteBucket('b'), { code: 'no-such-bucket' })
    await assert.rejects(other.list('b', { prefix: '', max: 1 }), { code: 'no-such-bucket' })
    await other.createBucket('b')
    await assert.rejects(store.head('b', 'k'), { code: 'no-such-key' })
  })

  over('with a delete marker are not empty', async (store) => {
    await store.delete('b', 'k', { versioning: 'enabled' })
    await assert.rejects(store.deleteBucket('b'), { code: 'bucket-not-empty' })
  })
}

const sizes = [0, 1, 1000, 16_383, 16_384, 16_385, 262_144, 1_048_576, 1_048_577, 3_500_000]

function describeObjects(over: Over): void {
  for (const size of sizes) {
    over(`of ${size} bytes are kept as they came`, async (store, other) => {
      const bytes = pattern(size)
      const put = plain(bytes)
      const version = await store.put('b', 'k', put)
      assert.equal(version.size, size)
      assert.equal(version.etag, 'etag-one')
      const found = await read(other, 'b', 'k')
      assert.ok(found.bytes.equals(bytes))
      assert.deepEqual(found.version, version)
      assert.deepEqual(found.version.sidecar, Buffer.from('sidecar-one'))
      assert.deepEqual(found.sidecars, ['segment-one'])
      const { chunkTags } = put.finish({ size, versionId: 'null' })
      assert.deepEqual(found.chunkTags, [chunkTags])
      assert.deepEqual(await other.head('b', 'k'), version)
    })
  }

  over('are replaced as a whole', async (store, other) => {
    await store.put('b', 'k', plain(pattern(20_000), { name: 'old' }))
    await other.put('b', 'k', plain(pattern(30_000, 2), { name: 'new' }))
    const { version, bytes } = await read(store, 'b', 'k')
    assert.equal(version.etag, 'etag-new')
    assert.ok(bytes.equals(pattern(30_000, 2)))
  })

  over('that fail while they come leave nothing', async (store) => {
    for (const size of [10, 2_000_000]) {
      const error = new Error('the client went away')
      const put = plain('', { data: failing(pattern(size), error) })
      await assert.rejects(store.put('b', 'k', put), error)
      const refused = plain(pattern(size), {
        finish: () => {
          throw new Error('the checksum is another')
        },
      })
      await assert.rejects(store.put('b', 'k', refused), /the checksum is another/)
      await assert.rejects(store.open('b', 'k'), { code: 'no-such-key' })
    }
  })

  over('have keys of 1 to 1024 bytes of UTF-8', async (store) => {
    for (const key of ['', 'é'.repeat(513), 'x'.repeat(1025), 'a\ud800']) {
      await assert.rejects(store.put('b', key, plain('x')), { code: 'invalid-key' })
    }
    for (const key of ['x'.repeat(1024), 'a\u0000b', 'a\u0000', '../..', '/', '\u{1f511}']) {
      await store.put('b', key, plain(key))
      assert.equal((await read(store, 'b', key)).bytes.toString(), key)
    }
    assert.equal((await store.list('b', { prefix: '', max: 10 })).entries.length, 6)
  })
}

function describeConditions(over: Over): void {
  over('are put on a condition', async (store) => {
    const condition = { ifNoneMatch: '*' } as const
    const missing = plain('x', { condition: { ifMatch: 'etag-one' } })
    await assert.rejects(store.put('b', 'k', missing), { code: 'no-such-key' })
    await store.put('b', 'k', plain('x', { condition }))
    const again = plain(pattern(100_000), { condition })
    await assert.rejects(store.put('b', 'k', again), { code: 'precondition-failed' })
    const other = plain('y', { condition: { ifMatch: 'etag-two' } })
    await assert.rejects(store.put('b', 'k', other), { code: 'precondition-failed' })
    await store.put('b', 'k', plain('y', { condition: { ifMatch: 'etag-one' }, name: 'two' }))
    assert.equal((await read(store, 'b', 'k')).bytes.toString(), 'y')
  })

  over('put at once on a condition succeed once', async (store, other) => {
    const condition = { ifNoneMatch: '*' } as const
    const puts = Array.from({ length: 20 }, (_, index) =>
      (index % 2 === 0 ? store : other).put('b', 'k', plain(`${index}`, { condition })),
    )
    const outcomes = await Promise.allSettled(puts)
    assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1)
  })
}

function describeTags(over: Over): void {
  over('are set alone', async (store) => {
    await store.put('b', 'k', plain('x'))
    await store.setTagging('b', 'k', undefined, 'a=b')
    assert.equal((await store.head('b', 'k')).tagging, 'a=b')
    await assert.rejects(store.setTagging('b', 'x', undefined, ''), { code: 'no-such-key' })
    await assert.rejects(store.setTagging('b', 'k', 'x', ''), { code: 'no-such-version' })
  })
}

function describeReading(over: Over): void {
  over('any range of a segment, and of its tags', async (store) => {
    for (const size of [5000, 700_000]) {
      const bytes = pattern(size)
      await store.put('b', 'k', plain(bytes))
      const object = await store.open('b', 'k')
      const [only] = object.segments
      assert.ok(only)
      for (const [start, end] of [
        [0, 0],
        [0, 1],
        [1, size],
        [size - 1, size],
        [size, size],
      ]) {
        const found = await gather(object.data(only, start ?? 0, end ?? 0))
        assert.ok(found.equals(bytes.subarray(start, end)), `${start}-${end} of ${size}`)
      }
      assert.equal((await object.chunkTags(only, 3, 7)).toString(), 'oneo')
      const beyond = object.data(only, 0, size + 1)
      await assert.rejects(gather(beyond), { code: 'internal' })
      await object.close()
    }
  })

  over('goes on when the object is replaced and deleted meanwhile', async (store, other) => {
    const bytes = pattern(3_000_000)
    await store.put('b', 'k', plain(bytes))
    const object = await store.open('b', 'k')
    await other.put('b', 'k', plain('another'))
    await other.delete('b', 'k', { versioning: 'unversioned' })
    assert.ok((await bytesOf(object)).equals(bytes))
    await object.close()
  })

  over('may end early', async (store) => {
    await store.put('b', 'k', plain(pattern(2_000_000)))
    const object = await store.open('b', 'k')
    const [only] = object.segments
    assert.ok(only)
    for await (const piece of object.data(only, 0, only.size)) {
      assert.ok(piece.length > 0)
      break
    }
    await object.close()
    await object.close()
  })

  over('of what is not there', async (store) => {
    await assert.rejects(store.open('c', 'k'), { code: 'no-such-bucket' })
    await assert.rejects(store.open('b', 'k'), { code: 'no-such-key' })
    await assert.rejects(store.open('b', 'k', { versionId: 'x' }), { code: 'no-such-version' })
  })
}
