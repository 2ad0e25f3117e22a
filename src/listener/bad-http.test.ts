import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../wire/protocol.ts'
import { listening, textReply, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

const bad: [what: string, message: string][] = [
  ['junk', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03junk\r\n\r\n'],
  [
    'two lengths',
    'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 5\r\n\r\nabcde',
  ],
  [
    'two equal lengths',
    'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc',
  ],
  ['bare LF', 'POST / HTTP/1.1\nHost: t\nContent-Length: 3\n\nabc'],
  ['bare LF in headers', 'POST / HTTP/1.1\r\nHost: t\nContent-Length: 3\r\n\r\nabc'],
  ['bare CR', 'POST / HTTP/1.1\rHost: t\r\r'],
  ['space before colon', 'GET / HTTP/1.1\r\nHost : t\r\n\r\n'],
  ['NUL in a value', 'GET / HTTP/1.1\r\nHost: t\r\nA: b\0c\r\n\r\n'],
  ['negative length', 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\n'],
  ['length with a sign', 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: +3\r\n\r\nabc'],
  [
    'length beyond counting',
    `POST / HTTP/1.1\r\nHost: t\r\nContent-Length: ${'9'.repeat(30)}\r\n\r\n`,
  ],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n'],
  ['a folded header', 'GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n X-Amz-Target: c\r\n\r\n'],
  ['absolute form', 'GET http://t/ HTTP/1.1\r\nHost: t\r\n\r\n'],
  ['HTTP/2 preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
]

for (const [what, message] of bad) {
  test(what, async (t) => {
    const { port, seen } = await listening(t)
    const client = new RawClient(port).send(Buffer.from(message, 'latin1'))
    await client.closed
    assert.deepEqual(statuses(client.received), [400])
    assert.match(client.received, /\r\nConnection: close\r\n/)
    assert.equal(seen.length, 0)
    const next = new RawClient(port).send(post('fine'))
    assert.match(await next.answers(1), /fine$/)
    next.end()
  })
}

test('a body in chunks, well formed or not, alone or beside a length', async (t) => {
  const { port, seen } = await listening(t)
  const chunked = 'Transfer-Encoding: chunked'
  const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n'
  for (const [headers, body] of [
    [[chunked], '3\r\nabc\r\n0\r\n\r\n'],
    [[chunked], 'xyz\r\nabc\r\n0\r\n\r\n'],
    [['Transfer-Encoding: chunked, gzip'], '0\r\n\r\n'],
    [['Transfer-Encoding: identity', 'Content-Length: 0'], smuggled],
    [['Content-Length: 3', chunked], `0\r\n\r\n${smuggled}`],
    [[chunked, 'Content-Length: 3'], `0\r\n\r\n${smuggled}`],
    [['transfer-ENCODING:\tChunked'], `0\r\n\r\n${smuggled}`],
  ] as const) {
    const head = ['POST / HTTP/1.1', 'Host: t', ...headers].join('\r\n')
    const client = new RawClient(port).send(`${head}\r\n\r\n${body}`)
    await client.closed
    assert.deepEqual(statuses(client.received), [411], head)
    assert.match(client.received, /\r\nConnection: close\r\n/)
  }
  assert.equal(seen.length, 0)
})

test('what follows a body is a request of its own or junk, never part of either', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port).send(`${post('abc')}de${post('f')}`)
  await client.closed
  assert.deepEqual(statuses(client.received), [200, 405])
  assert.deepEqual(
    seen.map(({ text }) => text),
    ['abc'],
  )
})

test('a request before the junk is answered, then the connection is closed', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(t, {}, { onRequest: (_, reply) => waiting.push(reply) })
  const client = new RawClient(port).send(`${post('x')}junk\r\n\r\n`)
  await until(() => waiting.length >= 1)
  await sleep(20)
  waiting[0]?.(textReply('answered'))
  await client.closed
  assert.match(client.received, /^HTTP\/1\.1 200 .*answered$/s)
  assert.equal(waiting.length, 1)
})

test('CONNECT is refused', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port).send('CONNECT test:443 HTTP/1.1\r\nHost: test:443\r\n\r\n')
  await client.closed
  assert.deepEqual(statuses(client.received), [405])
  assert.match(client.received, /\r\nAllow: POST, GET, /)
  assert.equal(seen.length, 0)
})

test('what else is refused says why', async (t) => {
  const { port, seen } = await listening(t)
  for (const [line, status] of [
    ['TRACE / HTTP/1.1', 405],
    ['PROPFIND / HTTP/1.1', 405],
    [`GET /${'x'.repeat(9000)} HTTP/1.1`, 414],
  ] as const) {
    const client = new RawClient(port).send(`${line}\r\nHost: t\r\n\r\n`)
    await client.closed
    assert.deepEqual(statuses(client.received), [status])
  }
  assert.equal(seen.length, 0)
})

test('an upgrade is not granted: the request is one like any other', async (t) => {
  const { port, seen } = await listening(t)
  for (const protocol of ['websocket', 'h2c']) {
    const client = new RawClient(port).send(
      `GET / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n`,
    )
    assert.deepEqual(statuses(await client.answers(1)), [200])
    client.end()
  }
  assert.equal(seen.length, 2)
})

test('a reset in the middle', async (t) => {
  const { listener, port, seen } = await listening(t)
  const client = new RawClient(port).send(
    'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nab',
  )
  await until(() => listener.connections >= 1)
  await sleep(20)
  client.socket.resetAndDestroy()
  await until(() => listener.connections <= 0)
  assert.equal(seen.length, 0)
  const next = new RawClient(port).send(post('fine'))
  assert.match(await next.answers(1), /fine$/)
  next.end()
})
