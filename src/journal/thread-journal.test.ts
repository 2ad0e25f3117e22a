import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { test } from 'node:test'
import type { Worker } from 'node:worker_threads'
import type { FromJournal } from './messages.ts'
import { ThreadJournal } from './thread-journal.ts'

const state = { origin: 'kagiban/test/0', size: 7, segment: 2, checkpointSize: 5 }

/** A journal whose thread says what the test says. */
function opened(cut = 0, sign: () => Promise<Buffer> = () => new Promise(() => {})) {
  const logged: string[] = []
  const thread = Object.assign(new EventEmitter(), { postMessage: () => {} })
  const options = { sign, clock: { now: () => 1000 }, log: (line: string) => logged.push(line) }
  const ready = { kind: 'ready', state, cut } as const
  const journal = new ThreadJournal(thread as unknown as Worker, options, 65536, ready)
  const say = (message: FromJournal) => thread.emit('message', message)
  return { journal, say, end: () => thread.emit('exit', 1), logged }
}

test('what was cut at the start is told, and stands in the status', () => {
  const { journal, logged } = opened(123)
  assert.equal(journal.status().cut, 123)
  assert.deepEqual(logged, [
    'journal: its end was torn; 123 bytes that nobody had an answer for are cut',
  ])
  assert.deepEqual(opened().logged, [])
})

test('a segment that cannot be prepared is told once, and so is that it could be', () => {
  const { journal, say, logged } = opened()
  say({ kind: 'preparation', failure: undefined })
  assert.deepEqual(logged, [])
  for (let attempt = 0; attempt < 3; attempt += 1) say({ kind: 'preparation', failure: 'ENOSPC' })
  assert.equal(journal.status().preparationFailure, 'ENOSPC')
  assert.equal(logged.length, 1)
  assert.match(logged[0] ?? '', /next segment cannot be prepared.*: ENOSPC$/)
  say({ kind: 'preparation', failure: undefined })
  assert.equal(journal.status().preparationFailure, undefined)
  assert.deepEqual(logged.slice(1), ['journal: its next segment could be prepared'])
})

test('checkpoints that cannot be signed are told once for each reason, and once when they can be again', async () => {
  const { journal, say, logged } = opened(0, () => Promise.reject(new Error('no core')))
  for (let attempt = 0; attempt < 3; attempt += 1) say({ kind: 'sign', text: 'a checkpoint' })
  await new Promise((resolve) => setImmediate(resolve))
  assert.equal(journal.status().signerFailure, 'no core')
  for (let attempt = 0; attempt < 3; attempt += 1) say({ kind: 'unsigned', reason: 'not ours' })
  assert.equal(journal.status().signerFailure, 'not ours')
  for (let attempt = 0; attempt < 3; attempt += 1) say({ kind: 'checkpoint', state })
  assert.equal(journal.status().signerFailure, undefined)
  assert.deepEqual(logged, [
    'journal: its checkpoints cannot be signed: no core',
    'journal: its checkpoints cannot be signed: not ours',
    'journal: its checkpoints are signed again',
  ])
})

test('a failure is told once, and an end that was asked for is none', async () => {
  const failing = opened()
  failing.say({ kind: 'failed', reason: 'EIO' })
  failing.end()
  assert.equal(failing.journal.failure, 'EIO')
  assert.deepEqual(failing.logged, ['journal: it failed: EIO'])
  const closing = opened()
  const closed = closing.journal.close()
  closing.end()
  await closed
  assert.deepEqual(closing.logged, [])
})
