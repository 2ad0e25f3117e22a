import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../../base/clock.ts'
import { systemRandom } from '../../base/random.ts'
import type { ObjectStore } from '../port.ts'
import { openInline } from '../rows/channel.ts'
import { newObjectsFolder } from '../testing/folder.ts'
import { completing, newUpload, pattern, plain, plainPart, read } from '../testing/pieces.ts'
import { nodeDisk } from './disk.ts'
import { openFileStore } from './store.ts'
import {
  type Fault,
  faultyDatabase,
  faultyDisk,
  sqliteError,
  systemError,
} from './testing/faults.ts'

const deps = { clock: systemClock, random: systemRandom }

/** `files` and `statements` decide which calls fail; those of the threads' files, too. */
function openFaulty(directory: string, files: Fault, statements?: Fault): Promise<ObjectStore> {
  const disk = faultyDisk(files)
  return openFileStore({
    ...{ directory, node: 'main', disk, ...deps },
    connect: (options) =>
      openInline(options, {
        disk: disk.sync,
        connect: statements && options.writer && faultyDatabase(statements),
      }),
  })
}

async function contentOf(store: ObjectStore, key: string): Promise<Buffer | undefined> {
  try {
    return (await read(store, 'b', key)).bytes
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'no-such-key') return undefined
    throw error
  }
}

const kinds = { old: pattern(400_000, 1), new: pattern(1_700_000, 2) }

/** One thing each that a caller does; each says whether it was acknowledged. */
const calls: Record<string, (store: ObjectStore) => Promise<unknown>> = {
  put: (store) => store.put('b', 'k', plain(kinds.new, { name: 'new' })),
  complete: async (store) => {
    const name = await newUpload(store, 'b', 'k')
    await store.putPart(name, 1, plainPart(kinds.new, 'part'))
    await store.complete(name, completing([[1, 'part']]))
  },
  delete: (store) => store.delete('b', 'k', { versioning: 'unversioned' }),
  read: (store) => read(store, 'b', 'source'),
}

async function prepare(store: ObjectStore): Promise<void> {
  await store.put('b', 'k', plain(kinds.old, { name: 'old' }))
  await store.put('b', 'source', plain(kinds.new, { name: 'new' }))
}

async function outcomeOf(attempt: Promise<unknown>): Promise<unknown> {
  try {
    await attempt
    return 'acknowledged'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

/** Fails the n-th of the calls that it is asked about, once it is armed. */
function nth() {
  let left = Number.POSITIVE_INFINITY
  return {
    arm: (n: number) => {
      left = n
    },
    /** Whether there were not so many calls. */
    disarm: () => {
      const reached = left <= 0
      left = Number.POSITIVE_INFINITY
      return !reached
    },
    fails: () => --left === 0,
  }
}

/** What the key may have after a call that was acknowledged or refused. */
function expected(name: string, acknowledged: boolean): Buffer | undefined {
  if (!acknowledged || name === 'read') return kinds.old
  return name === 'delete' ? undefined : kinds.new
}

for (const [name, call] of Object.entries(calls)) {
  test(`${name}: each call of the file system fails once, and nothing is half there`, async (context) => {
    const directory = newObjectsFolder(context)
    const fault = nth()
    const store = await openFaulty(directory, () =>
      fault.fails() ? systemError('ENOSPC') : undefined,
    )
    await store.createBucket('b')
    for (let failing = 1, done = false; !done; failing++) {
      await prepare(store)
      fault.arm(failing)
      const outcome = await outcomeOf(call(store))
      done = fault.disarm()
      assert.ok(outcome === 'acknowledged' || outcome === 'internal', `${failing}: ${outcome}`)
      if (done) assert.equal(outcome, 'acknowledged')
      const content = expected(name, outcome === 'acknowledged')
      assert.deepEqual(await contentOf(store, 'k'), content, `after call ${failing}`)
      assert.equal(store.healthy, true)
    }
    await store.close()
  })

  if (name === 'read') continue
  test(`${name}: each statement meets a full disk, and it goes on afterwards`, async (context) => {
    const directory = newObjectsFolder(context)
    const fault = nth()
    const store = await openFaulty(
      directory,
      () => undefined,
      () => (fault.fails() ? sqliteError(13) : undefined),
    )
    await store.createBucket('b')
    for (let failing = 1, done = false; !done; failing++) {
      await prepare(store)
      fault.arm(failing)
      const outcome = await outcomeOf(call(store))
      done = fault.disarm()
      assert.ok(outcome === 'acknowledged' || outcome === 'internal', `${failing}: ${outcome}`)
      const content = expected(name, outcome === 'acknowledged')
      assert.deepEqual(await contentOf(store, 'k'), content, `after statement ${failing}`)
      assert.equal(store.healthy, true)
    }
    await store.close()
  })
}

for (const failing of ['BEGIN IMMEDIATE', 'SAVEPOINT one', 'INSERT INTO version', 'COMMIT']) {
  test(`an I/O error at ${failing} stops all writing until the next start`, async (context) => {
    const directory = newObjectsFolder(context)
    let armed = false
    const store = await openFaulty(
      directory,
      () => undefined,
      (sql) => (armed && sql.startsWith(failing) ? sqliteError(10) : undefined),
    )
    await store.createBucket('b')
    await prepare(store)
    armed = true
    assert.equal(await outcomeOf(store.put('b', 'k', plain(kinds.new))), 'internal')
    armed = false
    assert.equal(store.healthy, false)
    await assert.rejects(store.createBucket('other'), { code: 'internal' })
    assert.deepEqual(await contentOf(store, 'k'), kinds.old)
    await store.close()
    const again = await openFaulty(directory, () => undefined)
    assert.deepEqual(await contentOf(again, 'k'), kinds.old)
    await again.put('b', 'k', plain(kinds.new))
    await again.close()
  })
}

test('a put that is refused leaves no file, and one of unknown fate leaves its own', async (context) => {
  const directory = newObjectsFolder(context)
  const used = () =>
    readdirSync(join(directory, 'bodies'), { recursive: true, withFileTypes: true }).filter(
      (entry) => entry.isFile() && /^\d+$/.test(entry.name),
    ).length
  let failing: string | undefined
  let errcode: 10 | 13 = 13
  const store = await openFaulty(
    directory,
    () => undefined,
    (sql) => (sql === failing ? sqliteError(errcode) : undefined),
  )
  await store.createBucket('b')
  await store.put('b', 'k', plain(kinds.old))
  const before = used()
  const condition = { ifNoneMatch: '*' } as const
  const refused = store.put('b', 'k', plain(kinds.old, { condition }))
  await assert.rejects(refused, { code: 'precondition-failed' })
  assert.equal(used(), before - 1)
  failing = 'COMMIT'
  await assert.rejects(store.put('b', 'k', plain(kinds.old)), { code: 'internal' })
  assert.equal(used(), before - 2)
  errcode = 10
  await assert.rejects(store.put('b', 'k', plain(kinds.old)), { code: 'internal' })
  assert.equal(used(), before - 2)
  await store.close()
})

test('a store that cannot be opened says why', async (context) => {
  const directory = newObjectsFolder(context)
  const attempt = openFaulty(directory, (what) =>
    what === 'makeDirectory' ? systemError('ENOSPC') : undefined,
  )
  await assert.rejects(attempt, /The objects in '.*' cannot be opened: ENOSPC/)
  const store = await openFaulty(directory, () => undefined)
  await store.close()
  assert.ok(nodeDisk.sync.list(directory).includes('objects.db'))
})
