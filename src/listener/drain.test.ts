import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../wire/protocol.ts'
import { listening, textReply, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

test('requests in flight are answered, idle connections closed, new ones not accepted', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const onRequest = (_: unknown, reply: (reply: Reply) => void) => {
    if (waiting.length === 0) reply(textReply('first'))
    waiting.push(reply)
  }
  const { listener, port } = await listening(t, {}, { onRequest })
  const idle = new RawClient(port).send(post('x'))
  await idle.answers(1)
  const silent = new RawClient(port)
  const busy = new RawClient(port).send(post('x'))
  await until(() => waiting.length >= 2 && listener.connections >= 3)
  let drained = false
  const draining = listener.drain().then(() => {
    drained = true
  })
  await Promise.all([idle.closed, silent.closed])
  const late = new RawClient(port).send(post('x'))
  await late.closed
  assert.equal(late.received, '')
  await sleep(30)
  assert.equal(drained, false)
  waiting[1]?.(textReply('in flight'))
  await busy.closed
  assert.match(busy.received, /\r\nConnection: close\r\n\r\nin flight$/)
  await draining
  assert.equal(listener.connections, 0)
})

test('a request whose body is still coming is taken to its end', async (t) => {
  const { listener, port, seen } = await listening(t)
  const client = new RawClient(port).send(
    'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 6\r\n\r\nabc',
  )
  await until(() => listener.connections >= 1)
  await sleep(20)
  const draining = listener.drain()
  await sleep(20)
  client.send('def')
  await client.closed
  assert.deepEqual(statuses(client.received), [200])
  assert.equal(seen[0]?.text, 'abcdef')
  await draining
})

test('it waits no longer than it may', async (t) => {
  const { listener, port } = await listening(t, { drainMs: 200 }, { onRequest: () => {} })
  const client = new RawClient(port).send(post('x'))
  await until(() => listener.connections >= 1)
  await sleep(20)
  const began = performance.now()
  await listener.drain()
  const waited = performance.now() - began
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
  await client.closed
})

test('twice is once', async (t) => {
  const { listener } = await listening(t)
  assert.equal(listener.drain(), listener.drain())
  await listener.drain()
})

test('a client that is slow to take its answers gets them, and is asked for no more', async (t) => {
  const onRequest = (_: unknown, reply: (reply: Reply) => void) => {
    reply(textReply('x'.repeat(4_000_000)))
  }
  const { listener, port } = await listening(t, { drainMs: 4000 }, { onRequest })
  // The first connection is held with requests that were not looked at, the second one with none.
  const clients = [new RawClient(port).send(post('x').repeat(3)), new RawClient(port)]
  clients[1]?.send(post('x'))
  for (const client of clients) client.socket.pause()
  await until(() => listener.connections === 2)
  await sleep(100)
  clients[1]?.send(post('x'))
  await sleep(20)
  const draining = listener.drain()
  for (const client of clients) client.socket.resume()
  const began = performance.now()
  await draining
  assert.ok(performance.now() - began < 3000)
  for (const client of clients) {
    await client.closed
    assert.equal(client.received.length % 4_000_000 < 1000, true)
    assert.ok(statuses(client.received).length >= 1)
  }
})
