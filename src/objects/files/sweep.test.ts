import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemRandom } from '../../base/random.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { bytesOf, pattern, plain } from '../testing/pieces.ts'
import { processGoneMs } from './body-folders.ts'
import { openInline } from './channel.ts'
import { nodeDisk } from './disk.ts'
import { Leases } from './leases.ts'
import { RowsClient } from './rows-client.ts'
import { openFileStore } from './store.ts'

/** Rows of two nodes, with a clock that is held. */
async function twoNodes(directory: string) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const open = async (node: string) => {
    const seams = { disk: nodeDisk.sync }
    const writer = { node, run: 'ab', now: clock.now() }
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

async function deletedBody(directory: string, one: RowsClient) {
  const names = await one.run({ kind: 'new-names' })
  assert.ok(Array.isArray(names))
  const target = { bucket: 'b', key: 'k', versionId: 'null', versioning: 'unversioned' } as const
  const beside = { etag: '', attributes: '', tagging: '', sidecar: Buffer.alloc(0) }
  const stored = { size: 1, chunkTagsSize: 0, body: String(names[0]) }
  await one.change({ kind: 'create-bucket', bucket: 'b' })
  await one.change({ kind: 'put', target, beside, sidecar: beside.sidecar, stored })
  const before = filesOf(directory)
  await one.change({ kind: 'delete', target })
  return before
}

test('what a reader of any process may need is not removed', async (context) => {
  const directory = newObjectsFolder(context)
  const { clock, one, two } = await twoNodes(directory)
  const before = await deletedBody(directory, one)
  const [garbage] = [one.garbage]
  assert.equal(garbage, 1)
  // The other process has a reader that began before.
  for (let second = 0; second < 200; second += 20) {
    clock.time += 20_000
    await two.run({ kind: 'sweep', needsBehind: 0 })
    await one.run({ kind: 'sweep', needsBehind: garbage })
    assert.equal(filesOf(directory), before)
  }
  await two.run({ kind: 'sweep', needsBehind: two.garbage })
  assert.equal(filesOf(directory), before - 1)
  await one.close()
  await two.close()
})

test('a process that is gone holds nothing up for longer than a minute', async (context) => {
  const directory = newObjectsFolder(context)
  const { clock, one, two } = await twoNodes(directory)
  // Idle for long, and yet there: there was no garbage to be asked about.
  clock.time += 10 * processGoneMs
  const before = await deletedBody(directory, one)
  await one.run({ kind: 'sweep', needsBehind: 1 })
  assert.equal(filesOf(directory), before)
  clock.time += processGoneMs - 1
  await one.run({ kind: 'sweep', needsBehind: 1 })
  assert.equal(filesOf(directory), before)
  clock.time += 1
  await one.run({ kind: 'sweep', needsBehind: 1 })
  assert.equal(filesOf(directory), before - 1)
  await one.close()
  await two.close()
})

test('leases hold back what became garbage after they were taken', async () => {
  const swept: number[] = []
  const rows = {
    garbage: 5,
    run: async ({ needsBehind }: { needsBehind: number }) => void swept.push(needsBehind),
  }
  const leases = new Leases(rows as unknown as RowsClient, 1)
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
