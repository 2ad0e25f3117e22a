import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Mirror } from '../mirror.ts'
import type { Put, Row } from '../port.ts'
import { openSqliteStore } from './store.ts'
import { newStorePath } from './testing/directory.ts'

const rowsOf = (kind: string, count: number): Put[] =>
  Array.from({ length: count }, (_, n) => ({
    kind,
    id: `${kind}-${String(n).padStart(5, '0')}`,
    body: `${n}`,
    expected: 0,
  }))

test('load shows each live row of each kind once, however many pages they fill', async (context) => {
  const store = await openSqliteStore({ file: newStorePath(context) })
  const puts = [...rowsOf('a', 999), ...rowsOf('b', 1000), ...rowsOf('c', 2001), ...rowsOf('d', 1)]
  const revision = await store.commit({ puts, events: [] })
  const gone = puts.filter((_, index) => index % 7 === 0)
  const last = await store.commit({
    puts: gone.map((put) => ({ ...put, body: null, expected: revision })),
    events: [],
  })
  const seen: Row[] = []
  assert.equal(await store.load((row) => seen.push(row)), last)
  const expected = puts
    .filter((_, index) => index % 7 !== 0)
    .map(({ kind, id, body }) => ({ kind, id, revision, body }))
  assert.deepEqual(seen, expected)
  await store.close()
})

test('a mirror that is loaded while others commit shows all that they committed', async (context) => {
  const file = newStorePath(context)
  const writer = await openSqliteStore({ file })
  const puts = rowsOf('key', 2500)
  const revision = await writer.commit({ puts, events: [] })
  const store = await openSqliteStore({ file })
  const mirror = new Mirror(store)
  const keys = mirror.table<number>('key', { decode: Number, encode: String })
  const loading = mirror.load()
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(keys.size, 1000)
  // Of the page that is read one row goes, and one is new before it; of those to come one goes and one changes.
  const [first, late, later] = [puts[0]?.id ?? '', puts[2000]?.id ?? '', puts[2400]?.id ?? '']
  await writer.commit({
    puts: [
      { kind: 'key', id: first, body: null, expected: revision },
      { kind: 'key', id: late, body: null, expected: revision },
      { kind: 'key', id: later, body: '-1', expected: revision },
      { kind: 'key', id: 'key-', body: '-2', expected: 0 },
    ],
    events: [],
  })
  await loading
  assert.deepEqual([keys.get(first), keys.get(late)], [undefined, undefined])
  assert.deepEqual([keys.get(later), keys.get('key-')], [-1, -2])
  assert.equal(keys.size, 2499)
  await store.close()
  await writer.close()
})
