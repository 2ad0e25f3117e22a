import assert from 'node:assert/strict'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises'
import { Calls, type CallsOptions } from './calls.ts'
import { memoryPair } from './memory-pair.ts'
import { encodeFrames, FrameReader, heartbeatId, type Item, outcomes } from './protocol.ts'
import { failure } from './testing/fixtures.ts'

const echo = 77
type Received = { id: number; code: number; text: string }

/** A core that writes down what it gets, and answers when it is told. */
function attachFake(calls: Calls) {
  const [clientEnd, coreEnd] = memoryPair()
  const messages: Received[][] = []
  const reader = new FrameReader((items) =>
    messages.push(items.map(({ id, code, fields }) => ({ id, code, text: String(fields[0]) }))),
  )
  coreEnd.on('data', (chunk: Buffer) => reader.push(chunk))
  coreEnd.on('error', () => {})
  calls.attach(clientEnd)
  const send = (items: readonly Item[]) => {
    for (const frame of encodeFrames(items)) coreEnd.write(frame)
  }
  const answer = (received: readonly Received[]) =>
    send(received.map(({ id, text }) => ({ code: outcomes.done, id, fields: [`re ${text}`] })))
  return { messages, send, answer, coreEnd, clientEnd, all: () => messages.flat() }
}

function newCalls(options: CallsOptions = {}): Calls {
  return new Calls({ reattachMs: 60, silenceMs: 5_000, ...options })
}

const ask = (calls: Calls, text: string) => calls.call(echo, [text], (fields) => String(fields[0]))

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn()
}

function ended(stream: Duplex): Promise<void> {
  return new Promise((resolve) => stream.once('close', () => resolve()))
}

test('the calls of one turn travel in one message, also those that follow from promises', async () => {
  const calls = newCalls()
  const core = attachFake(calls)
  const answers = Array.from({ length: 64 }, (_, index) => ask(calls, `direct ${index}`))
  const followers = Array.from({ length: 8 }, async (_, index) => {
    for (let step = 0; step < index; step++) await Promise.resolve()
    return ask(calls, `follows ${index}`)
  })
  await until(() => core.messages.length > 0)
  assert.equal(core.messages.length, 1)
  assert.equal(core.all().length, 72)
  core.answer(core.all().toReversed())
  assert.equal((await Promise.all(answers))[63], 're direct 63')
  assert.equal((await Promise.all(followers))[7], 're follows 7')
  calls.close()
})

test('what was not answered goes to the next core, in its order, and nothing else', async () => {
  const calls = newCalls()
  const first = attachFake(calls)
  const answers = ['a', 'b', 'c', 'd'].map((text) => ask(calls, text))
  await until(() => first.all().length === 4)
  first.answer(first.all().filter(({ text }) => text === 'b'))
  assert.equal(await answers[1], 're b')
  first.coreEnd.destroy()
  await ended(first.clientEnd)
  const late = ask(calls, 'late')
  const second = attachFake(calls)
  await until(() => second.all().length > 0)
  assert.deepEqual(
    second.all().map(({ text }) => text),
    ['a', 'c', 'd', 'late'],
  )
  second.answer(second.all())
  assert.deepEqual(await Promise.all(answers), ['re a', 're b', 're c', 're d'])
  assert.equal(await late, 're late')
  calls.close()
})

test('a second socket takes the place of the first, and its late answers count for nothing', async () => {
  const calls = newCalls()
  const first = attachFake(calls)
  const answer = ask(calls, 'a')
  await until(() => first.all().length === 1)
  const second = attachFake(calls)
  assert.equal(first.clientEnd.destroyed, true)
  await until(() => second.all().length === 1)
  second.answer(second.all())
  assert.equal(await answer, 're a')
  calls.close()
})

test('without a core calls wait, then fail as unavailable; later ones fail at once', async () => {
  const calls = newCalls()
  const started = performance.now()
  await assert.rejects(ask(calls, 'early'), failure('unavailable'))
  assert.ok(performance.now() - started >= 50)
  const again = performance.now()
  await assert.rejects(ask(calls, 'later'), failure('unavailable'))
  assert.ok(performance.now() - again < 40)
  const core = attachFake(calls)
  const answer = ask(calls, 'now')
  await until(() => core.all().length === 1)
  core.answer(core.all())
  assert.equal(await answer, 're now')
  core.coreEnd.destroy()
  await ended(core.clientEnd)
  await assert.rejects(ask(calls, 'gone'), failure('unavailable'))
  calls.close()
})

test('calls made before the first core are sent to it', async () => {
  const calls = newCalls()
  const answer = ask(calls, 'early')
  await turn()
  const core = attachFake(calls)
  await until(() => core.all().length === 1)
  core.answer(core.all())
  assert.equal(await answer, 're early')
  calls.close()
})

test('a failure has the code that the core says, and an unknown code is internal', async () => {
  const calls = newCalls()
  const core = attachFake(calls)
  const asked = ['invalid-ciphertext', 'key-unavailable', 'made up', ''].map((text) =>
    assert.rejects(
      ask(calls, text),
      failure(text.startsWith('made') || text === '' ? 'internal' : text),
    ),
  )
  await until(() => core.all().length === 4)
  core.send(core.all().map(({ id, text }) => ({ code: outcomes.failed, id, fields: [text] })))
  await Promise.all(asked)
  calls.close()
})

test('no more calls wait than allowed', async () => {
  const calls = newCalls({ pendingMax: 3 })
  const core = attachFake(calls)
  const answers = ['a', 'b', 'c'].map((text) => ask(calls, text))
  await assert.rejects(ask(calls, 'd'), failure('unavailable'))
  await until(() => core.all().length === 3)
  core.answer(core.all())
  await Promise.all(answers)
  calls.close()
})

test('closing fails what waits and what comes later', async () => {
  const calls = newCalls()
  const core = attachFake(calls)
  const waiting = assert.rejects(ask(calls, 'a'), failure('unavailable'))
  calls.close()
  await waiting
  await assert.rejects(ask(calls, 'b'), failure('unavailable'))
  assert.equal(core.clientEnd.destroyed, true)
  const late = attachFake(calls)
  assert.equal(late.clientEnd.destroyed, true)
})

test('a core that is silent loses its socket, and its calls go to the next', async () => {
  const calls = newCalls({ silenceMs: 40, reattachMs: 5_000 })
  const silent = attachFake(calls)
  await delay(60)
  assert.equal(silent.clientEnd.destroyed, false)
  const answer = ask(calls, 'a')
  await ended(silent.clientEnd)
  const next = attachFake(calls)
  await until(() => next.all().length === 1)
  next.answer(next.all())
  assert.equal(await answer, 're a')
  calls.close()
})

test('a core that says that it is at work keeps its socket', async () => {
  const calls = newCalls({ silenceMs: 100, reattachMs: 5_000 })
  const busy = attachFake(calls)
  const answer = ask(calls, 'a')
  await until(() => busy.all().length === 1)
  for (let beat = 0; beat < 10; beat++) {
    await delay(20)
    busy.send([{ code: outcomes.done, id: heartbeatId, fields: [] }])
  }
  assert.equal(busy.clientEnd.destroyed, false)
  busy.answer(busy.all())
  assert.equal(await answer, 're a')
  calls.close()
})

test('a call that five cores died of is given up', async () => {
  const calls = newCalls({ reattachMs: 5_000 })
  const poison = assert.rejects(ask(calls, 'poison'), failure('internal'))
  for (let time = 0; time < 5; time++) {
    const core = attachFake(calls)
    await until(() => core.all().length === 1)
    core.coreEnd.destroy()
    await ended(core.clientEnd)
  }
  const sixth = attachFake(calls)
  await poison
  await turn()
  assert.deepEqual(sixth.all(), [])
  calls.close()
})

test('a malformed answer ends the connection; the call goes to the next core', async () => {
  const malformed = ['00000000', 'ffffffff', '00000003000000', '0000000a 00 00000001 01 00000009']
  for (const bytes of malformed) {
    const calls = newCalls({ reattachMs: 5_000 })
    const core = attachFake(calls)
    const answer = ask(calls, 'a')
    await until(() => core.all().length === 1)
    core.coreEnd.write(Buffer.from(bytes.replaceAll(' ', ''), 'hex'))
    await ended(core.clientEnd)
    const next = attachFake(calls)
    await until(() => next.all().length === 1)
    next.answer(next.all())
    assert.equal(await answer, 're a')
    calls.close()
  }
})

test('what a call sent and what came back is overwritten', async () => {
  const calls = newCalls()
  const [clientEnd, coreEnd] = memoryPair()
  const sent: Buffer[] = []
  const came: Buffer[] = []
  const write = clientEnd.write.bind(clientEnd)
  clientEnd.write = ((chunk: Buffer, done: () => void) => {
    sent.push(chunk)
    return write(chunk, done)
  }) as typeof clientEnd.write
  coreEnd.on('data', (chunk: Buffer) => {
    assert.equal(chunk.includes('a secret'), true)
    const [frame] = encodeFrames([{ code: outcomes.done, id: 1, fields: ['an answer'] }])
    coreEnd.write(frame)
  })
  calls.attach(clientEnd)
  clientEnd.prependListener('data', (chunk: Buffer) => {
    assert.equal(chunk.includes('an answer'), true)
    came.push(chunk)
  })
  assert.equal(await ask(calls, 'a secret'), 'an answer')
  for (const chunk of [...sent, ...came]) assert.deepEqual(chunk, Buffer.alloc(chunk.length))
  assert.deepEqual([sent.length, came.length], [1, 1])
  calls.close()
})
