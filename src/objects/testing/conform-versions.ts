import assert from 'node:assert/strict'
import type { ObjectStore } from '../port.ts'
import { plain, read } from './pieces.ts'
import type { Over } from './site.ts'

const versioned = (text: string) => plain(text, { versioning: 'enabled', name: text })
const suspended = (text: string) => plain(text, { versioning: 'suspended', name: text })

async function versionsOf(store: ObjectStore, key = 'k') {
  const { versions } = await store.listVersions('b', { prefix: key, max: 100 })
  return versions.map(({ versionId, latest, deleteMarker, etag }) => ({
    id: versionId === 'null' ? 'null' : 'random',
    latest,
    what: deleteMarker ? 'marker' : etag,
  }))
}

export function describeVersions(over: Over): void {
  describeHistory(over)
  describeRemovals(over)
}

function describeHistory(over: Over): void {
  over('are kept side by side once versioning is enabled', async (store) => {
    await store.put('b', 'k', plain('zero', { name: 'zero' }))
    const one = await store.put('b', 'k', versioned('one'))
    const two = await store.put('b', 'k', versioned('two'))
    assert.match(one.versionId, /^[\w-]{16,}$/)
    assert.notEqual(one.versionId, two.versionId)
    for (const [id, text] of [
      [one.versionId, 'one'],
      [two.versionId, 'two'],
      ['null', 'zero'],
    ]) {
      assert.equal((await read(store, 'b', 'k', id)).bytes.toString(), text)
    }
    assert.deepEqual(await versionsOf(store), [
      { id: 'random', latest: true, what: 'etag-two' },
      { id: 'random', latest: false, what: 'etag-one' },
      { id: 'null', latest: false, what: 'etag-zero' },
    ])
  })

  over('finish learns the id that the version then has', async (store) => {
    let learned = ''
    const put = plain('x', { versioning: 'enabled' })
    const version = await store.put('b', 'k', {
      ...put,
      finish: (written) => {
        learned = written.versionId
        return put.finish(written)
      },
    })
    assert.equal(learned, version.versionId)
  })

  over('are hidden by a delete marker, and shown when it is removed', async (store) => {
    await store.put('b', 'k', versioned('one'))
    const { versionId, deleteMarker } = await store.delete('b', 'k', { versioning: 'enabled' })
    assert.equal(deleteMarker, true)
    assert.equal((await store.head('b', 'k')).deleteMarker, true)
    assert.deepEqual((await store.list('b', { prefix: '', max: 10 })).entries, [])
    const removed = await store.delete('b', 'k', { versioning: 'enabled', versionId })
    assert.deepEqual(removed, { deleteMarker: true, versionId })
    assert.equal((await read(store, 'b', 'k')).bytes.toString(), 'one')
  })

  over('that are removed leave the one before them as the latest', async (store) => {
    await store.put('b', 'k', versioned('one'))
    const { versionId } = await store.put('b', 'k', versioned('two'))
    await store.delete('b', 'k', { versioning: 'enabled', versionId })
    assert.deepEqual(await versionsOf(store), [{ id: 'random', latest: true, what: 'etag-one' }])
    assert.deepEqual(await store.delete('b', 'k', { versioning: 'enabled', versionId }), {
      deleteMarker: false,
    })
  })
}

function describeRemovals(over: Over): void {
  over('of a suspended bucket: one null version, replaced each time', async (store) => {
    await store.put('b', 'k', plain('zero', { name: 'zero' }))
    await store.put('b', 'k', versioned('one'))
    await store.put('b', 'k', suspended('two'))
    assert.deepEqual(await versionsOf(store), [
      { id: 'null', latest: true, what: 'etag-two' },
      { id: 'random', latest: false, what: 'etag-one' },
    ])
    const deleted = await store.delete('b', 'k', { versioning: 'suspended' })
    assert.deepEqual(deleted, { deleteMarker: true, versionId: 'null' })
    assert.deepEqual(await versionsOf(store), [
      { id: 'null', latest: true, what: 'marker' },
      { id: 'random', latest: false, what: 'etag-one' },
    ])
    await store.put('b', 'k', suspended('three'))
    assert.equal((await versionsOf(store)).length, 2)
  })

  over('without versioning a delete removes, and leaves no marker', async (store) => {
    await store.put('b', 'k', plain('x'))
    const deleted = await store.delete('b', 'k', { versioning: 'unversioned' })
    assert.deepEqual(deleted, { deleteMarker: false, versionId: 'null' })
    const again = await store.delete('b', 'k', { versioning: 'unversioned' })
    assert.deepEqual(again, { deleteMarker: false })
    assert.deepEqual(await versionsOf(store), [])
  })

  over('are deleted on a condition', async (store) => {
    const versioning = 'enabled'
    const missing = store.delete('b', 'k', { versioning, ifMatch: '*' })
    await assert.rejects(missing, { code: 'no-such-key' })
    const { versionId } = await store.put('b', 'k', versioned('one'))
    for (const id of [undefined, versionId]) {
      const other = store.delete('b', 'k', { versioning, versionId: id, ifMatch: 'etag-two' })
      await assert.rejects(other, { code: 'precondition-failed' })
    }
    await store.delete('b', 'k', { versioning, ifMatch: 'etag-one' })
    assert.equal((await store.head('b', 'k')).deleteMarker, true)
    const hidden = versionedOn('etag-one')
    await assert.rejects(store.put('b', 'k', hidden), { code: 'no-such-key' })
    await store.put('b', 'k', plain('x', { versioning, condition: { ifNoneMatch: '*' } }))
  })
}

const versionedOn = (ifMatch: string) =>
  plain('x', { versioning: 'enabled', condition: { ifMatch } })
