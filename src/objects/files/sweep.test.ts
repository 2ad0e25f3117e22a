import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom } from '../../base/random.ts'
import { openInline } from '../rows/channel.ts'
import { processGoneMs } from '../rows/garbage.ts'
import { Leases } from '../rows/leases.ts'
import { RowsClient } from '../rows/rows-client.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { bytesOf, pattern, plain } from '../testing/pieces.ts'
import { nodeDisk } from './disk.ts'
import { openFileStore } from './store.ts'

/** Rows of two nodes, with a clock that is held. */
async function twoNodes(directory: string) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const open = async (node: string) => {
    const seams = { disk: nodeDisk.sync }
    const writer = { node, run: 'ab', now: clock.now(), bodies: 'files' } as const
    return new RowsClient(
      await openInline({ directory }, seams),
      await openInline({ directory, writer }, seams),
      clock,
    )
  }
  return { clock, one: await open('one'), two: await open('two') }
}

const filesOf = (directory: string) =>
  readdirSync(join(directory, 'bodies'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    /\/\d+$/.test(path),
  ).length

async function deletedBody(one: RowsClient): Promise<string> {
  const names = await one.run({ kind: 'new-names' })
  assert.ok(Array.isArray(names))
  const target = { bucket: 'b', key: 'k', versionId: 'null', versioning: 'unversioned' } as const
  const beside = { etag: '', attributes: '', tagging: '', sidecar: Buffer.alloc(0) }
  const body = String(names[0])
  const stored = { size: 1, chunkTagsSize: 0, body }
  await one.change({ kind: 'create-bucket', bucket: 'b' })
  await one.change({ kind: 'put', target, beside, sidecar: beside.sidecar, stored })
  await one.change({ kind: 'delete', target })
  return body
}

test('what a reader of any process may need is not removed', async (context) => {
  const directory = newObjectsFolder(context)
  const { clock, one, two } = await twoNodes(directory)
  const body = await deletedBody(one)
  const { garbage } = one
  assert.equal(garbage, 1)
  // The other process has a reader that began before.
  for (let second = 0; second < 200; second += 20) {
    clock.time += 20_000
    assert.deepEqual(await two.run({ kind: 'garbage', needsBehind: 0 }), [])
    assert.deepEqual(await one.run({ kind: 'garbage', needsBehind: garbage }), [])
  }
  const due = await two.run({ kind: 'garbage', needsBehind: two.garbage })
  assert.deepEqual(due, [{ sequence: garbage, body }])
  assert.deepEqual(await one.run({ kind: 'garbage', needsBehind: garbage }), due)
  await one.run({ kind: 'forget-garbage', sequences: [garbage] })
  assert.deepEqual(await two.run({ kind: 'garbage', needsBehind: two.garbage }), [])
  await one.close()
  await two.close()
})

test('a process that is gone holds nothing up for longer than a minute', async (context) => {
  const directory = newObjectsFolder(context)
  const { clock, one, two } = await twoNodes(directory)
  // Idle for long, and yet there: there was no garbage to be asked about.
  clock.time += 10 * processGoneMs
  const body = await deletedBody(one)
  assert.deepEqual(await one.run({ kind: 'garbage', needsBehind: 1 }), [])
  clock.time += processGoneMs - 1
  assert.deepEqual(await one.run({ kind: 'garbage', needsBehind: 1 }), [])
  clock.time += 1
  assert.deepEqual(await one.run({ kind: 'garbage', needsBehind: 1 }), [{ sequence: 1, body }])
  await one.close()
  await two.close()
})

test('what cannot be removed stays garbage, and only what was removed is forgotten', async () => {
  const forgotten: (readonly number[])[] = []
  const done = Promise.withResolvers<void>()
  const due = ['a', 'b', 'c'].map((body, index) => ({ sequence: index + 1, body }))
  const rows = {
    garbage: 3,
    run: async (errand: { kind: string; sequences: readonly number[] }) => {
      if (errand.kind === 'garbage') return forgotten.length === 0 ? due : []
      forgotten.push(errand.sequences)
      return done.resolve()
    },
  }
  const remove = async (body: string) => {
    if (body === 'b') throw new Error('it is not allowed')
  }
  const leases = new Leases(rows as unknown as RowsClient, { remove }, 1)
  await done.promise
  assert.deepEqual(forgotten, [[1, 3]])
  await leases.stop()
})

test('leases hold back what became garbage after they were taken', async () => {
  const swept: number[] = []
  const rows = {
    garbage: 5,
    run: async ({ needsBehind }: { needsBehind: number }) => void swept.push(needsBehind),
  }
  const leases = new Leases(rows as unknown as RowsClient, { remove: async () => {} }, 1)
  const release = leases.take()
  rows.garbage = 9
  const other = leases.take()
  const until = async (count: number) => {
    const from = swept.length
    while (swept.length < from + count) await new Promise((resolve) => setTimeout(resolve, 2))
    return swept.at(-1)
  }
  assert.equal(await until(2), 5)
  release()
  assert.equal(await until(2), 9)
  rows.garbage = 12
  assert.equal(await until(2), 9)
  other()
  assert.equal(await until(2), 12)
  await leases.stop()
})

test('an open object of a file that is swept meanwhile is read to its end', async (context) => {
  const directory = newObjectsFolder(context)
  const clock = { now: () => Date.now() }
  const store = await openFileStore({ directory, node: 'main', clock, random: systemRandom })
  await store.createBucket('b')
  await store.put('b', 'k', plain(pattern(600_000)))
  const object = await store.open('b', 'k')
  await store.delete('b', 'k', { versioning: 'unversioned' })
  const before = filesOf(directory)
  // Longer than two sweeps.
  await new Promise((resolve) => setTimeout(resolve, 4500))
  assert.equal(filesOf(directory), before)
  assert.ok((await bytesOf(object)).equals(pattern(600_000)))
  await object.close()
  for (let tries = 0; filesOf(directory) === before && tries < 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  assert.equal(filesOf(directory), before - 1)
  await store.close()
})
