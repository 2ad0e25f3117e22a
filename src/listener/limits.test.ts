import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../wire/protocol.ts'
import { bytesReply, listening, textReply, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

const tooLarge =
  '{"__type":"RequestEntityTooLargeException","message":"The request body is larger than this service accepts."}'

/** Milliseconds until the connection is closed. */
async function closedAfter(client: RawClient): Promise<number> {
  const began = performance.now()
  const closed = await Promise.race([client.closed.then(() => true), sleep(4000, false)])
  assert.ok(closed, 'still open')
  return performance.now() - began
}

test('a body of just the limit, and one byte more', async (t) => {
  const { port, seen } = await listening(t, { bodyBytes: 1000 })
  const client = new RawClient(port).send(post('x'.repeat(1000)))
  assert.deepEqual(statuses(await client.answers(1)), [200])
  client.received = ''
  client.send(post('x'.repeat(1001)))
  await client.closed
  assert.match(client.received, /^HTTP\/1\.1 413 .*Content-Type: application\/x-amz-json-1\.1\r\n/s)
  assert.match(client.received, /\r\nConnection: close\r\n/)
  assert.ok(client.received.endsWith(tooLarge))
  assert.equal(seen.length, 1)
})

test('a body that is far too large is not read to its end', async (t) => {
  const { port, seen } = await listening(t, { bodyBytes: 1000 })
  for (const framing of ['Content-Length: 100000000', 'Transfer-Encoding: chunked']) {
    const client = new RawClient(port, { allowHalfOpen: true })
    client.send(`POST / HTTP/1.1\r\nHost: test\r\n${framing}\r\n\r\n`)
    const piece = 'x'.repeat(4096)
    let sent = 0
    while (!client.socket.destroyed && sent < 1000) {
      client.send(piece)
      sent++
      await sleep(1)
    }
    assert.ok(sent < 500, `took ${sent} pieces`)
    await client.closed
  }
  assert.equal(seen.length, 0)
})

test('Expect: 100-continue', async (t) => {
  const { port, seen } = await listening(t, { bodyBytes: 1000 })
  const head = (length: number) =>
    `POST / HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: ${length}\r\n\r\n`
  const client = new RawClient(port).send(head(3))
  await client.until((received) => received === 'HTTP/1.1 100 Continue\r\n\r\n')
  await client.send('abc').until((received) => received.endsWith('abc'))
  assert.equal(seen[0]?.text, 'abc')
  client.end()
  const refused = new RawClient(port).send(head(1001))
  await refused.closed
  assert.deepEqual(statuses(refused.received), [413])
  const other = new RawClient(port).send('GET / HTTP/1.1\r\nHost: test\r\nExpect: much\r\n\r\n')
  assert.deepEqual(statuses(await other.answers(1)), [417])
  other.end()
  assert.equal(seen.length, 1)
})

test('all requests together', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  // Each is some 1000 of body, some 100 of head and 2048 for itself.
  const limits = { bodyBytes: 1000, bufferedBytes: 7000 }
  const { port } = await listening(t, limits, { onRequest: (_, reply) => waiting.push(reply) })
  const full = post('x'.repeat(1000))
  const two = [new RawClient(port).send(full), new RawClient(port).send(full)]
  await until(() => waiting.length >= 2)
  const third = new RawClient(port).send(full)
  await third.closed
  assert.match(third.received, /^HTTP\/1\.1 503 .*\{"__type":"ServiceUnavailable",/s)
  for (const reply of waiting.splice(0)) reply(textReply('done'))
  for (const client of two) assert.match(await client.answers(1), /done$/)
  // What was answered counts no more, nor does what was refused.
  const fourth = new RawClient(port).send(full)
  await until(() => waiting.length >= 1)
  waiting[0]?.(textReply('done'))
  assert.deepEqual(statuses(await fourth.answers(1)), [200])
  for (const client of [...two, fourth]) client.end()
})

test('headers too large', async (t) => {
  const { port, seen } = await listening(t, { headerBytes: 2000 })
  const client = new RawClient(port).send(
    `GET / HTTP/1.1\r\nHost: test\r\nA: ${'x'.repeat(3000)}\r\n\r\n`,
  )
  await client.closed
  assert.deepEqual(statuses(client.received), [431])
  const target = new RawClient(port).send(`GET /${'x'.repeat(3000)} HTTP/1.1\r\nHost: test\r\n\r\n`)
  await target.closed
  assert.deepEqual(statuses(target.received), [431])
  assert.equal(seen.length, 0)
})

test('too many headers are refused, never dropped', async (t) => {
  const { port, seen } = await listening(t, { headers: 10 })
  const message = (count: number) =>
    `GET / HTTP/1.1\r\nHost: test\r\n${'A: b\r\n'.repeat(count - 1)}\r\n`
  const client = new RawClient(port).send(message(10))
  await client.answers(1)
  assert.equal(seen[0]?.rawHeaders.length, 20)
  client.received = ''
  client.send(message(11))
  await client.closed
  assert.deepEqual(statuses(client.received), [431])
  assert.equal(seen.length, 1)
})

test('however many headers are allowed, all of them are handed over', async (t) => {
  const { port, seen } = await listening(t, { headers: 5000, headerBytes: 100_000 })
  const client = new RawClient(port)
  client.send(`GET / HTTP/1.1\r\nHost: test\r\n${'A: b\r\n'.repeat(2999)}\r\n`)
  await client.answers(1)
  assert.equal(seen[0]?.rawHeaders.length, 6000)
  client.end()
})

test('more connections than allowed', async (t) => {
  const { listener, port } = await listening(t, { connections: 2 })
  const clients = [new RawClient(port), new RawClient(port)]
  await until(() => listener.connections >= 2)
  const third = new RawClient(port).send(post(''))
  await third.closed
  assert.equal(third.received, '')
  clients[0]?.end()
  await until(() => listener.connections <= 1)
  const fourth = new RawClient(port).send(post(''))
  assert.deepEqual(statuses(await fourth.answers(1)), [200])
  fourth.end()
  clients[1]?.end()
})

test('more pipelined requests than allowed', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(
    t,
    { pipelined: 3 },
    { onRequest: (_, reply) => waiting.push(reply) },
  )
  const client = new RawClient(port).send(post('x').repeat(100))
  await until(() => waiting.length >= 3)
  await sleep(30)
  assert.equal(waiting.length, 3)
  for (const reply of waiting) reply(textReply('ok'))
  await client.closed
  assert.deepEqual(statuses(client.received), [200, 200, 200, 503])
})

test('a connection that sends nothing', async (t) => {
  const { port } = await listening(t, { headerMs: 200 })
  const waited = await closedAfter(new RawClient(port))
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
})

test('headers that drip', async (t) => {
  const { port } = await listening(t, { headerMs: 200, keepAliveMs: 60_000 })
  for (const first of ['', post('x')]) {
    const client = new RawClient(port)
    if (first !== '') await client.send(first).answers(1)
    client.received = ''
    client.send('POST / HTTP/1.1\r\n')
    const drip = setInterval(() => client.send('A: b\r\n'), 20)
    const waited = await closedAfter(client)
    clearInterval(drip)
    assert.ok(waited >= 150 && waited < 3000, `${waited}`)
    assert.deepEqual(statuses(client.received), [408])
  }
})

test('a head that stops behind a request that is being answered', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(
    t,
    { headerMs: 200 },
    { onRequest: (_, reply) => waiting.push(reply) },
  )
  const client = new RawClient(port).send(`${post('x')}POST / HT`)
  await until(() => waiting.length === 1)
  await sleep(500)
  assert.equal(client.received, '')
  waiting[0]?.(textReply('answered'))
  await client.closed
  assert.match(client.received, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n\r\nanswered$/s)
})

test('100 Continue does not overtake an answer', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(t, {}, { onRequest: (_, reply) => waiting.push(reply) })
  const client = new RawClient(port).send(
    `${post('x')}POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n`,
  )
  await until(() => waiting.length === 1)
  await sleep(30)
  assert.equal(client.received, '')
  waiting[0]?.(textReply('one'))
  await client.until((received) => received.endsWith('100 Continue\r\n\r\n'))
  client.send('ab')
  await until(() => waiting.length === 2)
  waiting[1]?.(textReply('two'))
  await client.until((received) => received.endsWith('two'))
  assert.deepEqual(statuses(client.received), [200, 100, 200])
  client.end()
})

test('a body that stops', async (t) => {
  const { port, seen } = await listening(t, { bodyIdleMs: 200, requestMs: 60_000 })
  const client = new RawClient(port).send(
    'POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 10\r\n\r\nabc',
  )
  const waited = await closedAfter(client)
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
  assert.equal(seen.length, 0)
})

test('a body that drips', async (t) => {
  const { port, seen } = await listening(t, { bodyIdleMs: 60_000, requestMs: 300, headerMs: 250 })
  const client = new RawClient(port).send(
    'POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n',
  )
  const drip = setInterval(() => client.send('x'), 20)
  const waited = await closedAfter(client)
  clearInterval(drip)
  assert.ok(waited >= 200 && waited < 3000, `${waited}`)
  assert.equal(seen.length, 0)
})

test('a connection that stays open for nothing', async (t) => {
  const { port } = await listening(t, { keepAliveMs: 200 })
  const client = new RawClient(port).send(post('x'))
  await client.answers(1)
  const waited = await closedAfter(client)
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
})

test('an answer that takes longer than any deadline of the client', async (t) => {
  const short = { headerMs: 100, requestMs: 100, bodyIdleMs: 100, keepAliveMs: 100, writeMs: 100 }
  const onRequest = (_: unknown, reply: (reply: Reply) => void) => {
    setTimeout(() => reply(textReply('late')), 500)
  }
  const { port } = await listening(t, short, { onRequest })
  const client = new RawClient(port).send(post('x'))
  assert.match(await client.answers(1), /late$/)
  client.end()
})

test('a client that does not take its answer', async (t) => {
  const bodies: Buffer[] = []
  const { listener, port } = await listening(
    t,
    { writeMs: 200 },
    {
      onRequest: (_, reply) => {
        const body = Buffer.alloc(16 * 1024 * 1024, 1)
        bodies.push(body)
        reply(bytesReply(body))
      },
    },
  )
  const client = new RawClient(port)
  client.socket.pause()
  client.send(post('x'))
  const began = performance.now()
  await until(() => bodies.length >= 1 && listener.connections <= 0)
  const waited = performance.now() - began
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
  assert.ok(bodies[0]?.every((byte) => byte === 0))
  client.end()
})

test('a client that has said all still gets its answers, then the connection is closed', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { listener, port } = await listening(
    t,
    {},
    { onRequest: (_, reply) => waiting.push(reply) },
  )
  const client = new RawClient(port, { allowHalfOpen: true }).send(post('x') + post('y'))
  // What is not whole by then never will be.
  client.socket.end('POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nab')
  await until(() => waiting.length >= 2)
  await sleep(50)
  const answer = Buffer.from('answer')
  waiting[0]?.(bytesReply(answer))
  waiting[1]?.(textReply('another'))
  await closedAfter(client)
  assert.match(client.received, /\r\n\r\nanswerHTTP.*\r\nConnection: close\r\n\r\nanother$/s)
  assert.deepEqual(answer, Buffer.alloc(6))
  assert.equal(waiting.length, 2)
  await until(() => listener.connections === 0)
})

test('a half-open connection without a request is closed', async (t) => {
  const { port, seen } = await listening(t)
  for (const text of ['', 'POST / HTTP/1.1\r\nHo', post('abc').slice(0, -1)]) {
    const client = new RawClient(port, { allowHalfOpen: true })
    client.socket.end(text)
    assert.ok((await closedAfter(client)) < 1000)
    assert.equal(client.received, '')
  }
  assert.equal(seen.length, 0)
})

test('a client that does not close when all was said is closed', async (t) => {
  const { listener, port } = await listening(t)
  const client = new RawClient(port, { allowHalfOpen: true }).send('junk\0')
  await client.answers(1)
  await sleep(1000)
  assert.equal(listener.connections, 1)
  await until(() => listener.connections === 0)
  client.end()
})

test('a client that still sends when all was said is not closed before it has read why', async (t) => {
  const { listener, port } = await listening(t)
  const client = new RawClient(port, { allowHalfOpen: true }).send('junk\0')
  await client.answers(1)
  const sending = setInterval(() => client.send('more'), 100)
  await sleep(3500)
  clearInterval(sending)
  assert.equal(listener.connections, 1)
  await until(() => listener.connections === 0)
  client.end()
})

test('a refusal can be read by a client that sends all of its body first', async (t) => {
  const { port } = await listening(t, { bodyBytes: 300_000 })
  const client = new RawClient(port)
  client.socket.pause()
  for (let sent = 0; sent < 30; sent++) {
    client.send(sent === 0 ? post('x'.repeat(1_500_000)).slice(0, 50_000) : 'x'.repeat(50_000))
    await sleep(2)
  }
  client.socket.resume()
  await client.closed
  assert.deepEqual(statuses(client.received), [413])
  assert.ok(client.received.endsWith(tooLarge))
})

test('a client that asks and does not take its answers is not read further', async (t) => {
  let asked = 0
  const { listener, port } = await listening(
    t,
    { writeMs: 500 },
    {
      onRequest: (_, reply) => {
        asked++
        reply(textReply('x'.repeat(100_000)))
      },
    },
  )
  const client = new RawClient(port)
  client.socket.pause()
  const began = performance.now()
  while (listener.connections > 0 || asked === 0) {
    if (!client.socket.destroyed) client.send(post('x').repeat(200))
    await sleep(2)
    assert.ok(performance.now() - began < 4000, 'still open')
  }
  // The kernel takes some megabytes before it takes no more.
  assert.ok(asked < 200, `${asked} requests were taken`)
  client.end()
})

test('a client that is slow to take its answers gets all of them', async (t) => {
  const { port } = await listening(
    t,
    {},
    { onRequest: (_, reply) => reply(bytesReply(Buffer.alloc(200_000, 'x'))) },
  )
  const client = new RawClient(port)
  client.socket.pause()
  client.send(post('x').repeat(100))
  await sleep(100)
  client.socket.resume()
  await client.until((received) => received.length > 100 * 200_000, 10_000)
  assert.equal(statuses(client.received).length, 100)
  client.end()
})

test('clients that leave at any moment', async (t) => {
  const replies: Buffer[] = []
  const { listener, port } = await listening(
    t,
    { pipelined: 4 },
    {
      onRequest: (_, reply) => {
        setTimeout(() => {
          const bytes = Buffer.alloc(300_000, 1)
          replies.push(bytes)
          reply(bytesReply(bytes))
        }, replies.length % 7)
      },
    },
  )
  for (let round = 0; round < 10; round++) {
    const clients = Array.from({ length: 20 }, () => new RawClient(port).send(post('x').repeat(3)))
    for (const [index, client] of clients.entries()) {
      if (index % 2 === 0) setTimeout(() => client.socket.resetAndDestroy(), index % 11)
      else setTimeout(() => client.end(), index % 13)
    }
    await Promise.all(clients.map((client) => client.closed))
  }
  await until(() => listener.connections === 0)
  await sleep(20)
  assert.ok(replies.length > 50, `only ${replies.length} requests came through`)
  for (const bytes of replies) assert.ok(bytes.every((byte) => byte === 0))
  const next = new RawClient(port).send(post('x'))
  await next.answers(1)
  next.end()
})
