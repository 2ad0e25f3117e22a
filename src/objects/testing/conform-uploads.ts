import assert from 'node:assert/strict'
import { completing, gather, newUpload, pattern, plain, plainPart, read } from './pieces.ts'
import type { Over } from './site.ts'

export function describeUploads(over: Over): void {
  describeCompletion(over)
  describeParts(over)
  describeEnds(over)
}

function describeCompletion(over: Over): void {
  over('become one object of the chosen parts, in order', async (store, other) => {
    const name = await newUpload(store, 'b', 'k')
    const parts = [pattern(300_000, 3), pattern(40, 5), pattern(1_200_000, 7)]
    await other.putPart(name, 7, plainPart(parts[2] ?? '', 'c'))
    await store.putPart(name, 3, plainPart(pattern(500_000), 'replaced'))
    await store.putPart(name, 3, plainPart(parts[0] ?? '', 'a'))
    await store.putPart(name, 4, plainPart(pattern(99), 'unused'))
    await other.putPart(name, 5, plainPart(parts[1] ?? '', 'b'))
    await assert.rejects(store.head('b', 'k'), { code: 'no-such-key' })
    const chosen = completing([
      [3, 'a'],
      [5, 'b'],
      [7, 'c'],
    ])
    const version = await store.complete(name, chosen)
    assert.equal(version.size, 1_500_040)
    const found = await read(other, 'b', 'k')
    assert.ok(found.bytes.equals(Buffer.concat(parts)))
    assert.deepEqual(found.sidecars, ['of part 3', 'of part 5', 'of part 7'])
    assert.deepEqual(found.version, version)
    await assert.rejects(store.upload(name), { code: 'no-such-upload' })
    await assert.rejects(store.complete(name, chosen), { code: 'no-such-upload' })
  })

  over('of a range only the segments that have bytes of it', async (store) => {
    const name = await newUpload(store, 'b', 'k')
    for (const number of [1, 2, 3]) await store.putPart(name, number, plainPart(pattern(100), 'p'))
    await store.complete(
      name,
      completing([
        [1, 'p'],
        [2, 'p'],
        [3, 'p'],
      ]),
    )
    const cases = [
      [{ first: 0, last: 99 }, [0]],
      [{ first: 99, last: 100 }, [0, 1]],
      [{ first: 200 }, [2]],
      [{ suffix: 101 }, [1, 2]],
      [{ suffix: 1000 }, [0, 1, 2]],
      [{ first: 300 }, []],
      [{ suffix: 0 }, []],
    ] as const
    for (const [range, ordinals] of cases) {
      const object = await store.open('b', 'k', { range })
      assert.equal(object.segmentCount, 3)
      assert.deepEqual(
        object.segments.map(({ ordinal }) => ordinal),
        ordinals,
      )
      for (const each of object.segments) {
        assert.equal(each.start, each.ordinal * 100)
        assert.ok((await gather(object.data(each, 0, 100))).equals(pattern(100)))
      }
      await object.close()
    }
  })
}

function describeParts(over: Over): void {
  over('refuse parts that are not there, others, or in another order', async (store) => {
    const name = await newUpload(store, 'b', 'k')
    await store.putPart(name, 1, plainPart('1', 'a'))
    await store.putPart(name, 2, plainPart('2', 'b'))
    const cases = [
      [
        [
          [1, 'a'],
          [3, 'c'],
        ],
        'invalid-part',
      ],
      [[[1, 'b']], 'invalid-part'],
      [
        [
          [2, 'b'],
          [1, 'a'],
        ],
        'invalid-part-order',
      ],
      [
        [
          [1, 'a'],
          [1, 'a'],
        ],
        'invalid-part-order',
      ],
      [[], 'invalid-part'],
    ] as const
    for (const [parts, code] of cases) {
      await assert.rejects(store.complete(name, completing(parts)), { code })
    }
    for (const number of [0, 10_001, 1.5]) {
      await assert.rejects(store.putPart(name, number, plainPart('')), { code: 'invalid-part' })
    }
    assert.equal((await store.listParts(name, { after: 0, max: 10 })).parts.length, 2)
  })

  over('list their parts by pages', async (store) => {
    const name = await newUpload(store, 'b', 'k')
    for (const number of [5, 1, 9]) await store.putPart(name, number, plainPart(`${number}`))
    const first = await store.listParts(name, { after: 0, max: 2 })
    assert.deepEqual(
      first.parts.map(({ number }) => number),
      [1, 5],
    )
    assert.equal(first.truncated, true)
    const second = await store.listParts(name, { after: 5, max: 2 })
    assert.deepEqual(
      second.parts.map(({ number }) => number),
      [9],
    )
    assert.equal(second.truncated, false)
    assert.deepEqual(second.parts[0]?.segmentSidecar, Buffer.from('segment-part'))
  })
}

function describeEnds(over: Over): void {
  over('take their place on a condition, and as a version', async (store) => {
    await store.put('b', 'k', plain('x', { versioning: 'enabled' }))
    const name = await newUpload(store, 'b', 'k')
    await store.putPart(name, 1, plainPart('1', 'a'))
    const complete = completing([[1, 'a']], 'enabled')
    const refused = store.complete(name, { ...complete, condition: { ifNoneMatch: '*' } })
    await assert.rejects(refused, { code: 'precondition-failed' })
    await store.complete(name, { ...complete, condition: { ifMatch: 'etag-one' } })
    const { versions } = await store.listVersions('b', { prefix: '', max: 10 })
    assert.equal(versions.length, 2)
  })

  over('are aborted, and go with their bucket', async (store) => {
    const name = await newUpload(store, 'b', 'k')
    await store.putPart(name, 1, plainPart(pattern(100_000)))
    await store.abort(name)
    await assert.rejects(store.abort(name), { code: 'no-such-upload' })
    const late = store.putPart(name, 2, plainPart(pattern(100_000)))
    await assert.rejects(late, { code: 'no-such-upload' })
    const another = await newUpload(store, 'b', 'k')
    await store.putPart(another, 1, plainPart(pattern(100_000)))
    await store.deleteBucket('b')
    await store.createBucket('b')
    await assert.rejects(store.upload(another), { code: 'no-such-upload' })
    assert.deepEqual(await store.listUploads('b', { prefix: '', max: 10 }), {
      uploads: [],
      prefixes: [],
    })
  })
}
