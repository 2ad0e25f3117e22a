import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryStore } from './memory/store.ts'
import { ownOutbox } from './own-outbox.ts'
import { textDigest } from './port.ts'

test('a process sees, settles and names its own events alone', async () => {
  const shared = createMemoryStore()
  const one = ownOutbox(shared, 'one')
  const other = ownOutbox(shared, 'other')
  await one.commit({ puts: [], events: [{ id: 'a', record: 'first' }], archive: ['text'] })
  await other.commit({ puts: [], events: [{ id: 'b', record: 'second' }] })
  assert.equal(await other.archived(textDigest('text')), 'text', 'the archive is of all')
  assert.deepEqual(await one.outbox(), [{ id: 'a', record: 'first' }])
  assert.deepEqual(await other.outbox(), [{ id: 'b', record: 'second' }])
  await one.settle(['a', 'b'])
  assert.deepEqual(await one.outbox(), [])
  assert.deepEqual(await other.outbox(), [{ id: 'b', record: 'second' }])
})

test('a node whose name begins like another is not taken for it', async () => {
  const shared = createMemoryStore()
  await ownOutbox(shared, 'main-2').commit({ puts: [], events: [{ id: 'a', record: 'x' }] })
  assert.deepEqual(await ownOutbox(shared, 'main').outbox(), [])
})
