import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { Row } from '../port.ts'
import { openDatabase } from './database.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'
import { faultyDatabase, sqliteError } from './testing/faulty-database.ts'

type Writer = { readonly child: ChildProcess; readonly acknowledged: () => number[] }

function startWriter(file: string, name: string, count: number): Writer {
  const program = join(import.meta.dirname, 'testing', 'writer.ts')
  const child = spawn(process.execPath, [program, file, name, String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.on('data', (chunk) => {
    output += chunk
  })
  // The last piece is empty, or a number that was cut off.
  return { child, acknowledged: () => output.split('\n').slice(0, -1).map(Number) }
}

async function ended({ child }: Writer): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
}

async function rowsOf(file: string): Promise<{ rows: Row[]; events: string[] }> {
  const store = await openSqliteStore({ file })
  const rows: Row[] = []
  await store.load((row) => rows.push(row))
  const events = (await store.outbox()).map(({ id }) => id)
  await store.close()
  return { rows, events }
}

test('two processes that begin with no store add up without losing a step', async (context) => {
  const file = newStorePath(context)
  const writers = [startWriter(file, 'one', 100), startWriter(file, 'two', 100)]
  await Promise.all(writers.map(ended))
  const sums = writers.flatMap(({ acknowledged }) => acknowledged()).sort((a, b) => a - b)
  assert.deepEqual(
    sums,
    Array.from({ length: 200 }, (_, index) => index + 1),
  )
  const { rows, events } = await rowsOf(file)
  assert.equal(rows.find(({ kind }) => kind === 'sum')?.body, '200')
  assert.equal(rows.length, 201)
  assert.equal(events.length, 200)
})

test('what a killed process acknowledged is there, rows and events, whole', async (context) => {
  const file = newStorePath(context)
  for (let round = 0; round < 3; round++) {
    const writer = startWriter(file, `round${round}`, 1e9)
    const before = round === 0 ? 0 : (await rowsOf(file)).events.length
    while (writer.acknowledged().length < 50) await pause(5)
    writer.child.kill('SIGKILL')
    await ended(writer)
    const last = writer.acknowledged().at(-1) ?? 0
    const { rows, events } = await rowsOf(file)
    const sum = Number(rows.find(({ kind }) => kind === 'sum')?.body)
    assert.ok(last >= before + 50)
    // One more may have been on the disk when the process died before saying so.
    assert.ok(sum === last || sum === last + 1, `${sum} on disk, ${last} acknowledged`)
    assert.equal(events.length, sum)
    assert.equal(rows.length, sum + 1)
  }
})

test('a commit outlasts a lock that another process holds for a while', async (context) => {
  const file = newStorePath(context)
  const store = await openSqliteStore({ file })
  const other = openDatabase(file)
  other.exec('BEGIN IMMEDIATE')
  let ticks = 0
  const ticking = setInterval(() => {
    ticks += 1
  }, 1)
  const commit = store.commit({
    puts: [{ kind: 'k', id: 'a', body: '1', expected: 0 }],
    events: [],
  })
  await pause(300)
  other.exec('COMMIT')
  other.close()
  assert.ok((await commit) > 0)
  clearInterval(ticking)
  assert.ok(ticks >= 3, 'the event loop ran meanwhile')
  await store.close()
})

test('a lock that is never released fails the commit and spares the store', async (context) => {
  let locked = true
  const fault = (sql: string) =>
    locked && sql === 'BEGIN IMMEDIATE'
      ? { error: sqliteError(5, 'database is locked'), afterwards: false }
      : undefined
  const file = newStorePath(context)
  await openSqliteStore({ file }).then((store) => store.close())
  const store = await openSqliteStore({ file, connect: faultyDatabase(fault) })
  const transaction = { puts: [{ kind: 'k', id: 'a', body: '1', expected: 0 }], events: [] }
  await assert.rejects(store.commit(transaction), { code: 'internal', detail: /locked/ })
  assert.equal(store.healthy, true)
  locked = false
  await store.commit(transaction)
  await store.close()
})
