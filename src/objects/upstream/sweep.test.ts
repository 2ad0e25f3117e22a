import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import { openRows } from '../rows/open-rows.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { pattern, plain, read } from '../testing/pieces.ts'
import { UpstreamServer } from '../testing/upstream-server.ts'
import { FormerRuns } from './sweep.ts'
import { engineFor, inline, openOver } from './testing/open.ts'

const orphan = (run: string, digit: string) => `p/${run}/${digit.repeat(32)}`

/** A store with bodies of one run, and beside them what a crash may have left. */
async function leftBehind(server: UpstreamServer, directory: string): Promise<string> {
  const store = await openOver(server, { directory, node: 'main', prefix: 'p/' })
  await store.createBucket('b')
  for (const key of ['a', 'c', 'd', 'e', 'f']) {
    await store.put('b', key, plain(pattern(20_000)))
  }
  await store.close()
  const [name = ''] = [...server.objects.keys()].filter((each) => /\/.+\//.test(each))
  const [, run = ''] = name.split('/')
  for (const digit of ['0', '7', '9', 'f']) server.objects.set(orphan(run, digit), pattern(10))
  for (const id of ['x', 'y', 'z']) {
    server.uploads.set(id, { key: orphan(run, id === 'x' ? 'a' : 'b'), parts: new Map() })
  }
  return run
}

const isOrphan = (name: string) => /([0-9a-f])\1{31}$/.test(name)

test('what a former run left is removed, page by page, and what it made stays', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const run = await leftBehind(server, directory)
  const foreign = [orphan('0123456789abcdef', '1'), `p/${run}/notes`, `p/${run}0/${'2'.repeat(32)}`]
  for (const name of foreign) server.objects.set(name, pattern(10))
  server.uploads.set('foreign', { key: foreign[0] ?? '', parts: new Map() })
  const store = await openOver(server, { directory, node: 'main', prefix: 'p/' })
  const left = () => [...server.objects.keys()].filter(isOrphan).length + server.uploads.size
  for (let tries = 0; left() > 3 && tries < 100; tries++) await pause(20)
  const names = [...server.objects.keys()]
  assert.deepEqual(names.filter(isOrphan).sort(), [foreign[0], foreign[2]].sort())
  assert.ok(names.includes(foreign[1] ?? ''))
  assert.deepEqual([...server.uploads.keys()], ['foreign'])
  for (const key of ['a', 'c', 'd', 'e', 'f']) {
    assert.ok((await read(store, 'b', key)).bytes.equals(pattern(20_000)))
  }
  await store.close()
  await server.stop()
})

test('a run is forgotten once it was looked at again, and not while that fails', async (context) => {
  const server = await new UpstreamServer().start()
  const directory = newObjectsFolder(context)
  const run = await leftBehind(server, directory)
  const options = { directory, node: 'main', clock: systemClock, random: systemRandom }
  const { rows } = await openRows({ ...options, connect: inline }, 's3')
  const engine = engineFor(server, { directory, node: 'main', prefix: 'p/' })
  const runs = () => rows.run({ kind: 'former-runs' })
  server.fault = ({ method }) => (method === 'DELETE' ? 403 : undefined)
  const failing = new FormerRuns(engine, rows, 10)
  await pause(300)
  await failing.stop()
  assert.deepEqual(await runs(), [run])
  server.fault = () => undefined
  const former = new FormerRuns(engine, rows, 400)
  await pause(300)
  assert.deepEqual([...server.objects.keys()].filter(isOrphan), [])
  assert.deepEqual(await runs(), [run])
  // It came behind the first look: the engine had taken it from a process that was gone already.
  server.objects.set(orphan(run, '5'), pattern(10))
  for (let tries = 0; ((await runs()) as unknown[]).length > 0 && tries < 100; tries++) {
    await pause(20)
  }
  assert.deepEqual(await runs(), [])
  assert.deepEqual([...server.objects.keys()].filter(isOrphan), [])
  await former.stop()
  engine.close()
  await rows.close()
  await server.stop()
})
