import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { describeObjectStore } from '../conformance.ts'
import { openInline } from '../rows/channel.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { completing, newUpload, pattern, plain, plainPart, read } from '../testing/pieces.ts'
import { nodeDisk } from './disk.ts'
import { openFileStore } from './store.ts'

const deps = { clock: systemClock, random: systemRandom }

/** Without threads, which take long to start; the tests below and those of kills have them. */
describeObjectStore('files', async () => {
  const directory = newObjectsFolder()
  let count = 0
  return {
    open: () => {
      count += 1
      const connect = (options: Parameters<typeof openInline>[0]) =>
        openInline(options, { disk: nodeDisk.sync })
      return openFileStore({ directory, node: `node-${count}`, connect, ...deps })
    },
    dispose: async () => rmSync(directory, { recursive: true }),
  }
})

test('everything crosses the threads as it is', async (context) => {
  const directory = newObjectsFolder(context)
  const store = await openFileStore({ directory, node: 'main', ...deps })
  await store.createBucket('b')
  await assert.rejects(store.createBucket('b'), { code: 'bucket-exists' })
  for (const size of [10, 300_000]) {
    const put = plain(pattern(size), { versioning: 'enabled' })
    const version = await store.put('b', 'k', put)
    assert.ok(Buffer.isBuffer(version.sidecar))
    const found = await read(store, 'b', 'k')
    assert.deepEqual(found.version, version)
    assert.ok(found.bytes.equals(pattern(size)))
    assert.ok(found.chunkTags.every((tags) => Buffer.isBuffer(tags)))
  }
  const name = await newUpload(store, 'b', 'u')
  assert.deepEqual((await store.upload(name)).sidecar, Buffer.from('sidecar-upload'))
  const part = await store.putPart(name, 1, plainPart(pattern(70_000)))
  assert.deepEqual((await store.listParts(name, { after: 0, max: 1 })).parts, [part])
  assert.equal((await store.listUploads('b', { prefix: '', max: 9 })).uploads.length, 1)
  const completed = await store.complete(name, completing([[1, 'part']]))
  assert.deepEqual(completed.sidecar, Buffer.from('sidecar-completed'))
  const { versions } = await store.listVersions('b', { prefix: '', max: 9 })
  assert.deepEqual(
    versions.map(({ key }) => key),
    ['k', 'k', 'u'],
  )
  await store.close()
})

test('a second process of the same node is refused', async (context) => {
  const directory = newObjectsFolder(context)
  const store = await openFileStore({ directory, node: 'main', ...deps })
  const second = openFileStore({ directory, node: 'main', ...deps })
  await assert.rejects(second, /cannot be opened: .* is in use by another process/)
  await store.close()
  const third = await openFileStore({ directory, node: 'main', ...deps })
  await third.close()
})

test('a node has a name that is good for a folder', async (context) => {
  const directory = newObjectsFolder(context)
  for (const node of ['', '..', 'a/b', 'A', 'x'.repeat(33)]) {
    await assert.rejects(openFileStore({ directory, node, ...deps }), /is no name of a node/)
  }
})
