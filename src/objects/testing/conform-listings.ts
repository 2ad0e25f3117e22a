import assert from 'node:assert/strict'
import type { ObjectStore } from '../port.ts'
import { newUpload, plain } from './pieces.ts'
import type { Over } from './site.ts'

async function fill(store: ObjectStore, keys: readonly string[]): Promise<void> {
  await Promise.all(keys.map((key) => store.put('b', key, plain(key))))
}

/** All pages of a listing, as what stands on each. */
async function pages(
  store: ObjectStore,
  query: { prefix?: string; delimiter?: string; after?: string; max: number },
): Promise<string[][]> {
  const all: string[][] = []
  for (let after = query.after; all.length < 100; ) {
    const page = await store.list('b', { prefix: '', ...query, after })
    const names = [...page.entries.map(({ key }) => key), ...page.prefixes]
    all.push(names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))))
    if (page.next === undefined) break
    after = page.next
  }
  return all
}

export function describeListings(over: Over): void {
  describeObjectListings(over)
  describeOtherListings(over)
}

function describeObjectListings(over: Over): void {
  over('are in the order of UTF-8 bytes', async (store) => {
    const keys = ['Z', 'a', 'a ', 'a/b', 'aa', 'é', '\uffff', '\u{10000}', 'a\u0000']
    await fill(store, keys)
    const { entries } = await store.list('b', { prefix: '', max: 100 })
    const expected = ['Z', 'a', 'a\u0000', 'a ', 'a/b', 'aa', 'é', '\uffff', '\u{10000}']
    assert.deepEqual(
      entries.map(({ key }) => key),
      expected,
    )
    assert.equal(entries[0]?.size, 1)
    assert.equal(entries[0]?.etag, 'etag-one')
  })

  over('go page by page, each as full as it may be', async (store) => {
    await fill(store, ['a', 'b', 'c', 'd'])
    assert.deepEqual(await pages(store, { max: 2 }), [
      ['a', 'b'],
      ['c', 'd'],
    ])
    assert.deepEqual(await pages(store, { max: 3, after: 'a' }), [['b', 'c', 'd']])
    assert.deepEqual(await pages(store, { max: 3, after: 'aa' }), [['b', 'c', 'd']])
    assert.deepEqual(await pages(store, { max: 0 }), [[]])
    assert.deepEqual(await pages(store, { max: 9, prefix: 'b', after: 'c' }), [[]])
  })

  over('roll up what has a delimiter behind the prefix', async (store) => {
    await fill(store, ['a', 'p/1', 'p/2', 'p/q/3', 'p0', 'q/4', 'z'])
    assert.deepEqual(await pages(store, { max: 2, delimiter: '/' }), [
      ['a', 'p/'],
      ['p0', 'q/'],
      ['z'],
    ])
    const below = { prefix: 'p/', delimiter: '/', max: 9 }
    assert.deepEqual(await pages(store, below), [['p/1', 'p/2', 'p/q/']])
    assert.deepEqual(await pages(store, { ...below, after: 'p/q/' }), [[]])
    assert.deepEqual(await pages(store, { delimiter: '/', after: 'p/1', max: 1 }), [
      ['p/'],
      ['p0'],
      ['q/'],
      ['z'],
    ])
    const long = { prefix: 'p', delimiter: '/q', max: 9 }
    assert.deepEqual(await pages(store, long), [['p/1', 'p/2', 'p/q', 'p0']])
  })
}

function describeOtherListings(over: Over): void {
  over('of versions go on within a key, also behind one that is gone', async (store) => {
    for (const text of ['1', '2', '3']) {
      await store.put('b', 'k', plain(text, { versioning: 'enabled', name: text }))
    }
    const query = { prefix: '', max: 1 }
    const seen: string[] = []
    let next: { key: string; version?: string } | undefined
    do {
      const page = await store.listVersions('b', {
        ...query,
        after: next?.key,
        afterVersion: next?.version,
      })
      for (const { etag } of page.versions) seen.push(etag)
      next = page.next
    } while (next !== undefined)
    assert.deepEqual(seen, ['etag-3', 'etag-2', 'etag-1'])
    const { versions } = await store.listVersions('b', { prefix: '', max: 9 })
    const behind = { ...query, after: 'k', afterVersion: versions[0]?.versionId }
    assert.equal((await store.listVersions('b', behind)).versions[0]?.etag, 'etag-2')
  })

  over('of uploads are by key, and then the oldest first', async (store) => {
    const names = []
    for (const key of ['b/1', 'a', 'b/2', 'a']) names.push(await newUpload(store, 'b', key))
    const all = await store.listUploads('b', { prefix: '', max: 9 })
    assert.deepEqual(
      all.uploads.map(({ key }) => key),
      ['a', 'a', 'b/1', 'b/2'],
    )
    assert.equal(all.next, undefined)
    const first = await store.listUploads('b', { prefix: '', max: 1 })
    const rest = { after: first.next?.key, afterUpload: first.next?.upload }
    const second = await store.listUploads('b', { prefix: '', max: 9, ...rest })
    assert.deepEqual(
      [...first.uploads, ...second.uploads].map(({ uploadId }) => uploadId),
      all.uploads.map(({ uploadId }) => uploadId),
    )
    const rolled = await store.listUploads('b', { prefix: '', delimiter: '/', max: 9 })
    assert.deepEqual(rolled.prefixes, ['b/'])
    const whole = await store.listUploads('b', { prefix: '', max: 9, after: 'a' })
    assert.equal(whole.uploads.length, 2)
  })
}
