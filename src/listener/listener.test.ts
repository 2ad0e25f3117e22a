import assert from 'node:assert/strict'
import { request } from 'node:http'
import { test } from 'node:test'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { startListener } from './listener.ts'
import { bytesReply, listening, now, textReply, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

test('hands a complete request over, as it was sent', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port).send(
    'PUT /a%20b/../?x=+ HTTP/1.1\r\nhost: test\r\nX-Two: 1\r\nx-TWO:  2 \r\nContent-Length: 3\r\n\r\nabc',
  )
  await client.answers(1)
  const [one] = seen
  assert.equal(one?.method, 'PUT')
  assert.equal(one?.target, '/a%20b/../?x=+')
  assert.deepEqual(one?.rawHeaders, [
    'host',
    'test',
    'X-Two',
    '1',
    'x-TWO',
    '2',
    'Content-Length',
    '3',
  ])
  assert.equal(one?.text, 'abc')
  assert.equal(one?.remoteAddress, '127.0.0.1')
  assert.equal(one !== undefined && 'tls' in one, false)
  client.end()
})

test('sends the reply as it is, with the date of the clock and nothing else', async (t) => {
  const reply: Reply = {
    status: 400,
    headers: ['x-amzn-RequestId', 'id', 'Content-Length', '2'],
    body: '\xe9!',
  }
  const { port } = await listening(t, {}, { onRequest: (_request, answer) => answer(reply) })
  const client = new RawClient(port).send(post(''))
  assert.equal(
    await client.until((received) => received.endsWith('!')),
    'HTTP/1.1 400 Bad Request\r\nx-amzn-RequestId: id\r\nContent-Length: 2\r\n' +
      'Date: Fri, 02 Jan 2026 03:04:05 GMT\r\n\r\n\xe9!',
  )
  client.end()
})

test('an answer to HEAD has the length of the body, not the body', async (t) => {
  const bytes = Buffer.from('secret')
  const { port } = await listening(t, {}, { onRequest: (_, reply) => reply(bytesReply(bytes)) })
  const client = new RawClient(port).send('HEAD / HTTP/1.1\r\nHost: t\r\n\r\n'.repeat(2))
  await client.answers(2)
  for (const answer of client.received.split('HTTP/1.1 ').slice(1)) {
    assert.match(answer, /^200 OK\r\nContent-Length: 6\r\nDate: [^\r]+\r\n\r\n$/)
  }
  assert.deepEqual(bytes, Buffer.alloc(6))
  client.end()
})

test('an answer whose headers would be more than headers is not sent, and reported', async (t) => {
  const body = Buffer.from('secret')
  const headers = ['Content-Length', '6', 'X', 'a\r\nSet-Cookie: b']
  const { port, log } = await listening(
    t,
    {},
    { onRequest: (_, reply) => reply({ status: 200, headers, body }) },
  )
  const client = new RawClient(port).send(post('x').repeat(3))
  await client.closed
  assert.equal(client.received, '')
  assert.equal(log.length, 1)
  assert.match(log[0] ?? '', /^an answer cannot be sent: Error: the header "X" /)
  assert.deepEqual(body, Buffer.alloc(6))
})

test('the date goes with the clock', async (t) => {
  let at = now
  const { port } = await listening(t, {}, { clock: { now: () => at } })
  const client = new RawClient(port).send(post('a'))
  await client.answers(1)
  at += 1000
  await client.send(post('b')).answers(2)
  assert.deepEqual(client.received.match(/Date: [^\r]+/g), [
    'Date: Fri, 02 Jan 2026 03:04:05 GMT',
    'Date: Fri, 02 Jan 2026 03:04:06 GMT',
  ])
  client.end()
})

test('health needs no signature, for GET and HEAD alone', async (t) => {
  let status: 200 | 503 = 200
  const health = () => ({ status, body: '{"status":"it"}' })
  const { port, seen } = await listening(t, {}, { health })
  const client = new RawClient(port).send('GET /health HTTP/1.1\r\nHost: test\r\n\r\n')
  assert.match(
    await client.answers(1),
    /^HTTP\/1\.1 200 .*Content-Type: application\/json.*\r\n\r\n\{"status":"it"\}$/s,
  )
  status = 503
  client.received = ''
  client.send('HEAD /health HTTP/1.1\r\nHost: test\r\n\r\n')
  assert.match(await client.answers(1), /^HTTP\/1\.1 503 .*Content-Length: 15.*\r\n\r\n$/s)
  assert.equal(seen.length, 0)
  client.send('POST /health HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n')
  client.send('GET /health?x HTTP/1.1\r\nHost: test\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n')
  await client.answers(4)
  assert.deepEqual(
    seen.map(({ method, target }) => `${method} ${target}`),
    ['POST /health', 'GET /health?x', 'GET /'],
  )
  // A bucket, or an object of a bucket that the Host names, may have that name.
  client.send('GET /health HTTP/1.1\r\nHost: test\r\nAuthorization: AWS4-HMAC-SHA256 x\r\n\r\n')
  await until(() => seen.length === 4)
  assert.equal(seen[3]?.target, '/health')
  client.end()
})

test('a body in many pieces', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port)
  const body = 'x'.repeat(300_000)
  const message = post(body, 'Authorization: some')
  for (let at = 0; at < message.length; at += 70_000) client.send(message.slice(at, at + 70_000))
  await client.answers(1)
  assert.equal(seen[0]?.text, body)
  client.end()
})

test('HTTP/1.0, once', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port).send('POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab')
  await client.closed
  assert.match(client.received, /^HTTP\/1\.1 200 .*Connection: close\r\n\r\nab$/s)
  assert.equal(seen.length, 1)
})

test('pipelined requests are answered in order, whenever they are done', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const onRequest = (_request: HttpRequest, reply: (reply: Reply) => void) => waiting.push(reply)
  const { port } = await listening(t, {}, { onRequest })
  const client = new RawClient(port).send(post('1') + post('2') + post('3'))
  await until(() => waiting.length >= 3)
  const bytes = Buffer.from('two')
  waiting[1]?.(bytesReply(bytes))
  waiting[2]?.(textReply('three'))
  await new Promise((resolve) => setTimeout(resolve, 30))
  assert.equal(client.received, '')
  assert.equal(bytes.toString(), 'two')
  waiting[0]?.(textReply('one'))
  await client.until((received) => received.endsWith('three'))
  assert.deepEqual(client.received.match(/one|two|three/g), ['one', 'two', 'three'])
  assert.deepEqual(bytes, Buffer.alloc(3))
  client.end()
})

test('bodies are wiped: the request when it is answered, bytes of a reply when they are sent', async (t) => {
  const bodies: Buffer[] = []
  const replies: Buffer[] = []
  const { port } = await listening(
    t,
    {},
    {
      onRequest: ({ body }, reply) => {
        bodies.push(body)
        // The reply may be the request's own memory.
        if (bodies.length === 1) reply(textReply('ok'))
        else {
          replies.push(body)
          reply(bytesReply(body))
        }
      },
    },
  )
  const client = new RawClient(port).send(post('secret')).send(post('secret'))
  await client.until((received) => received.endsWith('secret'))
  await client.send(post('s'.repeat(200_000), 'Authorization: some')).answers(3)
  await client.until((received) => received.length > 200_000)
  client.end()
  for (const bytes of [...bodies, ...replies]) assert.ok(bytes.every((byte) => byte === 0))
  assert.deepEqual(
    bodies.map(({ length }) => length),
    [6, 6, 200_000],
  )
})

test('a client that leaves before its answer', async (t) => {
  const waiting: [Buffer, (reply: Reply) => void][] = []
  const { listener, port } = await listening(
    t,
    {},
    {
      onRequest: ({ body }, reply) => waiting.push([body, reply]),
    },
  )
  const client = new RawClient(port).send(post('secret'))
  await until(() => waiting.length >= 1)
  client.socket.resetAndDestroy()
  await until(() => listener.connections <= 0)
  const [body, reply] = waiting[0] ?? []
  // The pipeline may still be reading it.
  assert.equal(body?.toString(), 'secret')
  const answer = Buffer.from('answer')
  reply?.(bytesReply(answer))
  assert.deepEqual(answer, Buffer.alloc(6))
  assert.deepEqual(body, Buffer.alloc(6))
})

test('a second reply is told and dropped, whether the first is on its way, sent or in vain', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { listener, port, log } = await listening(
    t,
    {},
    { onRequest: (_, reply) => waiting.push(reply) },
  )
  const client = new RawClient(port).send(post('1') + post('2') + post('3'))
  await until(() => waiting.length === 3)
  const again = (index: number, told: number) => {
    const secret = Buffer.from('again')
    waiting[index]?.(bytesReply(secret))
    assert.deepEqual(secret, Buffer.alloc(5))
    assert.equal(log.length, told)
    assert.match(log.at(-1) ?? '', /^the pipeline answered a request twice/)
  }
  const two = bytesReply(Buffer.from('two'))
  waiting[1]?.(two)
  again(1, 1)
  // The answer that waits for its turn is not what is wiped.
  waiting[1]?.(two)
  waiting[0]?.(textReply('one'))
  await client.until((received) => received.endsWith('two'))
  again(0, 3)
  client.socket.resetAndDestroy()
  await until(() => listener.connections === 0)
  waiting[2]?.(textReply('three'))
  again(2, 4)
  assert.deepEqual(statuses(client.received), [200, 200])
})

test('a reply that comes after the pipeline threw is told and dropped', async (t) => {
  const late: ((reply: Reply) => void)[] = []
  const { port, log } = await listening(
    t,
    {},
    {
      onRequest: (_, reply) => {
        late.push(reply)
        throw new Error('planned')
      },
    },
  )
  const client = new RawClient(port).send(post('x'))
  await client.closed
  late[0]?.(textReply('late'))
  assert.deepEqual(statuses(client.received), [500])
  assert.equal(log.length, 2)
  assert.match(log[1] ?? '', /^the pipeline answered a request twice/)
})

test('a pipeline that throws fails the request and is reported; the next connection works', async (t) => {
  let throwing = true
  const { port, log } = await listening(
    t,
    {},
    {
      onRequest: (_request, reply) => {
        if (throwing) throw new Error('planned')
        reply(textReply('fine'))
      },
    },
  )
  const client = new RawClient(port).send(post('secret'))
  await client.closed
  assert.match(client.received, /^HTTP\/1\.1 500 .*\r\n\r\n\{"__type":"InternalFailure"\}$/s)
  assert.match(log[0] ?? '', /^the pipeline threw: Error: planned/)
  throwing = false
  const next = new RawClient(port).send(post(''))
  assert.match(await next.answers(1), /fine$/)
  next.end()
})

test("node's own client works, over one connection", async (t) => {
  const { port } = await listening(t)
  for (const body of ['one', 'two']) {
    const answer = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ port, host: '127.0.0.1', method: 'POST' }, (response) => {
        let text = ''
        response.on('data', (bytes: Buffer) => {
          text += bytes
        })
        response.on('end', () => resolve(text))
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
    assert.equal(answer, body)
  }
})

const base = {
  port: 0,
  insecurePlaintext: false,
  onRequest: () => {},
  health: () => ({ status: 200 as const, body: '' }),
  clock: { now: () => now },
  log: () => {},
}

test('beyond loopback there is no listener without TLS', async () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.1', '128.0.0.1', 'example.com']) {
    const outcome = await startListener({ ...base, host }).catch((error: Error) => error)
    if (!(outcome instanceof Error)) await outcome.drain()
    assert.match(String(outcome), /^Error: Refusing to listen at .* without TLS/)
  }
})

test('beyond loopback without TLS, when it is asked for in words', async () => {
  const listener = await startListener({ ...base, host: '0.0.0.0', insecurePlaintext: true })
  assert.equal(listener.endpoint, `http://0.0.0.0:${listener.port}`)
  await listener.drain()
})

test('loopback under its other names', async () => {
  for (const host of ['localhost', '127.9.9.9']) {
    const listener = await startListener({ ...base, host })
    await listener.drain()
    assert.equal(listener.endpoint, `http://${host}:${listener.port}`)
  }
})

test('a port that is taken', async (t) => {
  const { port } = await listening(t)
  await assert.rejects(
    startListener({ ...base, host: '127.0.0.1', port }),
    (error: NodeJS.ErrnoException) => error.code === 'EADDRINUSE',
  )
})
