import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { test } from 'node:test'
import { type Put, type Row, type Store, StoreConflict, textDigest } from '../port.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'
import { type Fault, faultyDatabase, sqliteError } from './testing/faulty-database.ts'

const put = (id: string, expected = 0, body: string | null = id): Put => ({
  kind: 'key',
  id,
  body,
  expected,
})

type Story = {
  /** Ids whose commit resolved, and those whose commit was refused by a conflict. */
  readonly kept: string[]
  readonly conflicted: string[]
  readonly failed: string[]
}

/** Commits of several turns; what the store said of each is written down. */
async function tell(store: Store, story: Story): Promise<void> {
  const commit = async (id: string, change: Put) => {
    try {
      const events = [{ id, record: '{}' }]
      await store.commit({ puts: [change], events, archive: [`before ${id}`] })
      story.kept.push(id)
    } catch (error) {
      if (error instanceof StoreConflict) story.conflicted.push(id)
      else {
        assert.equal((error as { code?: string }).code, 'internal')
        story.failed.push(id)
      }
    }
  }
  await Promise.all([commit('a', put('a')), commit('x', put('a')), commit('b', put('b'))])
  await store.settle(['a']).catch(() => undefined)
  await Promise.all([commit('c', put('c')), commit('y', put('c', 99))])
  await commit('d', put('d'))
}

/** Lets the `failing`th write call fail; answers whether there was one. */
function failNth(
  failing: number,
  afterwards: boolean,
): { fault: Fault; arm: () => void; hit: () => boolean } {
  let armed = false
  let calls = 0
  const fault = () => {
    if (!armed) return undefined
    calls += 1
    return calls === failing ? { error: sqliteError(10, 'disk I/O error'), afterwards } : undefined
  }
  return {
    fault,
    arm: () => {
      armed = true
    },
    hit: () => calls >= failing,
  }
}

for (const afterwards of [false, true]) {
  const when = afterwards ? 'after it was done' : 'before it is done'
  test(`whichever call fails ${when}, nothing acknowledged is missing`, async (context) => {
    const file = newStorePath(context)
    for (let failing = 1; ; failing++) {
      const { fault, arm, hit } = failNth(failing, afterwards)
      const store = await openSqliteStore({ file, connect: faultyDatabase(fault) })
      arm()
      const story: Story = { kept: [], conflicted: [], failed: [] }
      await tell(store, story)
      const failed = hit()
      if (failed) await assertRefusing(store)
      await store.close()
      await assertOnDisk(file, story)
      for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true })
      if (!failed) {
        assert.deepEqual(story, { kept: ['a', 'b', 'c', 'd'], conflicted: ['x', 'y'], failed: [] })
        assert.ok(failing > 30, 'the calls were counted')
        return
      }
    }
  })
}

async function assertRefusing(store: Store): Promise<void> {
  assert.equal(store.healthy, false)
  await assert.rejects(store.commit({ puts: [put('late')], events: [] }), {
    name: 'ServiceError',
    code: 'internal',
    publicMessage: undefined,
    detail: /disk I\/O error/,
  })
  await assert.rejects(store.settle(['a']), { code: 'internal' })
}

async function assertOnDisk(file: string, { kept, conflicted, failed }: Story): Promise<void> {
  const store = await openSqliteStore({ file })
  const rows: Row[] = []
  await store.load((row) => rows.push(row))
  const ids = new Set(rows.map(({ id }) => id))
  for (const id of kept) assert.ok(ids.has(id), `'${id}' was acknowledged and is lost`)
  // A commit that failed may stand there all the same; nothing else may.
  for (const id of ids)
    assert.ok(kept.includes(id) || failed.includes(id), `'${id}' came from nowhere`)
  const events = new Set((await store.outbox()).map(({ id }) => id))
  events.add('a')
  for (const id of ids) assert.ok(events.has(id), `'${id}' has lost its event`)
  for (const id of conflicted)
    assert.ok(!events.has(id), `the event of '${id}', a conflict, is there`)
  for (const id of [...ids, ...conflicted]) {
    const text = ids.has(id) ? `before ${id}` : undefined
    assert.equal(await store.archived(textDigest(`before ${id}`)), text)
  }
  await store.close()
}

const reads: readonly [string, (store: Store) => Promise<unknown>][] = [
  ['SELECT min(kind)', (store) => store.load(() => undefined)],
  ['SELECT text', (store) => store.archived(textDigest('t'))],
]
for (const [statement, read] of reads) {
  test(`a read that fails (${statement}) is internal, names the file, and makes the store refuse`, async (context) => {
    const file = newStorePath(context)
    let failing = false
    const fault: Fault = (sql) =>
      failing && sql.startsWith(statement)
        ? { error: sqliteError(11, 'database disk image is malformed'), afterwards: false }
        : undefined
    const store = await openSqliteStore({ file, connect: faultyDatabase(fault) })
    failing = true
    const expected = { code: 'internal', detail: new RegExp(`${file}.*malformed`) }
    await assert.rejects(read(store), expected)
    assert.equal(store.healthy, false)
    await assert.rejects(store.commit({ puts: [put('a')], events: [] }), { code: 'internal' })
    await store.close()
  })
}

test("the visitor's own error passes through load and leaves the store sound", async (context) => {
  const store = await openSqliteStore({ file: newStorePath(context) })
  await store.commit({ puts: [put('a'), put('b')], events: [] })
  const broken = new Error('cannot decode')
  await assert.rejects(
    store.load(() => {
      throw broken
    }),
    broken,
  )
  assert.equal(store.healthy, true)
  await store.commit({ puts: [put('c')], events: [] })
  await store.close()
})
