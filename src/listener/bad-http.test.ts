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
  [
    'length and chunks',
    'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  ],
  [
    'chunks not last',
    'POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n',
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
  [
    'malformed chunk',
    'POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\nabc\r\n0\r\n\r\n',
  ],
  ['no Host', 'GET / HTTP/1.1\r\n\r\n'],
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

test('a folded header is not two headers', async (t) => {
  const { port, seen } = await listening(t)
  const client = new RawClient(port).send(
    'GET / HTTP/1.1\r\nHost: t\r\nA: b\r\n X-Amz-Target: c\r\n\r\n',
  )
  await Promise.race([client.closed, client.answers(1)])
  for (const { rawHeaders } of seen) assert.ok(!rawHeaders.includes('X-Amz-Target'))
  client.end()
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
