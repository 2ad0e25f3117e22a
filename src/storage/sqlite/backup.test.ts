import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { test } from 'node:test'
import { type Row, type Store, textDigest } from '../port.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'

const put = (id: string, body: string) => ({ kind: 'key', id, body, expected: 0 })

async function rowsOf(store: Store): Promise<Row[]> {
  const rows: Row[] = []
  await store.load((row) => rows.push(row))
  return rows.sort((a, b) => a.revision - b.revision)
}

test('the copy holds what was committed before the call and nothing after', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  const before = Array.from({ length: 8000 }, (_, index) => put(`before-${index}`, 'x'.repeat(600)))
  const events = [{ id: 'e', record: '{}' }]
  const revision = await store.commit({ puts: before, events, archive: ['old'] })
  const copy = `${file}.copy`
  const steps: [number, number][] = []
  const late: Promise<number>[] = []
  const backup = store.backup(copy, (done, total) => {
    late.push(store.commit({ puts: [put(`during-${steps.length}`, 'x')], events: [] }))
    steps.push([done, total])
  })
  await store.commit({ puts: [put('after', '1')], events: [], archive: ['later'] })
  assert.equal(existsSync(copy), false, 'the copy bears its name only when it is complete')
  await backup
  await Promise.all(late)
  assert.ok(steps.length >= 3, 'progress was shown')
  for (const [done, total] of steps) assert.ok(done > 0 && done <= total)
  assert.equal(statSync(copy).mode & 0o777, 0o600)

  const restored = await openSqliteStore({ file: copy })
  const rows = await rowsOf(restored)
  assert.equal(rows.length, before.length)
  assert.ok(rows.every(({ id }) => id.startsWith('before-')))
  assert.deepEqual(await restored.outbox(), events)
  assert.equal(await restored.archived(textDigest('old')), 'old')
  assert.equal(await restored.archived(textDigest('later')), undefined)
  assert.ok((await restored.commit({ puts: [put('new', '1')], events: [] })) > revision)
  await restored.close()
  assert.equal((await rowsOf(store)).length, before.length + 1 + late.length)
  await store.close()
})

test('a file that exists is never replaced', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  writeFileSync(`${file}.copy`, 'mine')
  await assert.rejects(store.backup(`${file}.copy`), { code: 'already-exists' })
  writeFileSync(`${file}.other.partial`, 'half')
  await assert.rejects(store.backup(`${file}.other`), {
    code: 'already-exists',
    publicMessage: /interrupted/,
  })
  await assert.rejects(store.backup(file), { code: 'already-exists' })
  await store.close()
})

test('a backup that fails leaves nothing behind', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  await assert.rejects(store.backup(`${file}.none/copy.db`), {
    code: 'internal',
    detail: /cannot be written/,
  })
  await store.commit({ puts: [put('a', 'x'.repeat(5_000_000))], events: [] })
  const copy = `${file}.copy`
  const late = store.backup(copy, () => writeFileSync(copy, 'somebody was faster'))
  await assert.rejects(late, { code: 'already-exists' })
  assert.equal(readFileSync(copy, 'utf8'), 'somebody was faster')
  assert.deepEqual(
    readdirSync(dirname(file)).filter((name) => name.endsWith('.partial')),
    [],
  )
  assert.equal(store.healthy, true)
  await store.close()
})
