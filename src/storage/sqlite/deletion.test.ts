import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import fc from 'fast-check'
import type { Put } from '../port.ts'
import { openDatabase } from './database.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'

/** All bytes that the store has on the disk. */
function bytesOf(file: string): string {
  return [file, `${file}-wal`, `${file}-shm`]
    .filter((path) => existsSync(path))
    .map((path) => readFileSync(path, 'latin1'))
    .join('\n')
}

async function until(holds: () => boolean): Promise<void> {
  for (let waited = 0; !holds(); waited += 20) {
    assert.ok(waited < 5000, 'it never came to hold')
    await pause(20)
  }
}

test('the bytes of a deleted row leave the file and its log soon', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  const secret = 'wrapped-material-of-a-deleted-key'
  const row = { kind: 'material', id: 'a', expected: 0 }
  const revision = await store.commit({ puts: [{ ...row, body: secret }], events: [] })
  assert.ok(bytesOf(file).includes(secret))
  await store.commit({ puts: [{ ...row, body: null, expected: revision }], events: [] })
  await until(() => !bytesOf(file).includes(secret))
  assert.equal(store.healthy, true)
  await store.close()
})

test('a reader delays that, and no longer than it reads', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  const secret = 'wrapped-material-of-a-deleted-key'
  const row = { kind: 'material', id: 'a', expected: 0 }
  const revision = await store.commit({ puts: [{ ...row, body: secret }], events: [] })
  const reader = openDatabase(file)
  reader.exec('BEGIN; SELECT * FROM rows')
  await store.commit({ puts: [{ ...row, body: null, expected: revision }], events: [] })
  await pause(500)
  assert.ok(bytesOf(file).includes(secret), 'the reader still sees it')
  reader.exec('COMMIT')
  reader.close()
  await until(() => !bytesOf(file).includes(secret))
  await store.close()
})

test('after any history only the bodies of live rows are in the file', async (context) => {
  const base = newStorePath(context)
  const step = fc.record({
    id: fc.integer({ min: 0, max: 120 }),
    size: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 120 })),
    deletes: fc.boolean(),
  })
  const history = fc.array(step, { minLength: 2000, maxLength: 2000, size: 'max' })
  let run = 0
  const property = fc.asyncProperty(history, (steps) => checkHistory(`${base}-${run++}`, steps))
  await fc.assert(property, { numRuns: 3, endOnFailure: true })
})

async function checkHistory(
  file: string,
  steps: readonly { id: number; size: number; deletes: boolean }[],
): Promise<void> {
  const store = await openSqliteStore({ file })
  const live = new Map<string, { marker: string; revision: number }>()
  const dead: string[] = []
  for (let index = 0; index < steps.length; index += 10) {
    const puts: Put[] = []
    const next = new Map<string, string | null>()
    steps.slice(index, index + 10).forEach(({ id: number, size, deletes }, offset) => {
      const id = `id-${number}`
      if (next.has(id)) return
      const marker = `<body ${index + offset}>`
      const body = deletes ? null : marker.repeat(size)
      next.set(id, deletes ? null : marker)
      puts.push({ kind: 'key', id, body, expected: live.get(id)?.revision ?? 0 })
    })
    const revision = await store.commit({ puts, events: [] })
    for (const [id, marker] of next) {
      const before = live.get(id)
      if (before !== undefined) dead.push(before.marker)
      if (marker === null) live.delete(id)
      else live.set(id, { marker, revision })
    }
  }
  await store.close()
  const bytes = bytesOf(file)
  for (const { marker } of live.values()) assert.ok(bytes.includes(marker))
  const ghosts = dead.filter((marker) => bytes.includes(marker))
  assert.deepEqual(ghosts, [])
}
