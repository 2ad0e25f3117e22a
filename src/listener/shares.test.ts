import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Reply } from '../wire/protocol.ts'
import type { Limits } from './limits.ts'
import { listening, textReply, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

const signed = 'Authorization: some'
const health = 'GET /health HTTP/1.1\r\nHost: t\r\n\r\n'

test('a body without a signature: just the limit, and one byte more', async (t) => {
  const { port, seen } = await listening(t, { bodyBytes: 5000, unsignedBodyBytes: 1000 })
  const client = new RawClient(port).send(post('x'.repeat(1000)))
  assert.deepEqual(statuses(await client.answers(1)), [200])
  client.received = ''
  client.send(post('x'.repeat(1001)))
  await client.closed
  assert.deepEqual(statuses(client.received), [413])
  assert.match(client.received, /"__type":"RequestEntityTooLargeException"/)
  const other = new RawClient(port).send(post('x'.repeat(5000), signed))
  assert.deepEqual(statuses(await other.answers(1)), [200])
  other.end()
  assert.deepEqual(
    seen.map(({ body }) => body.length),
    [1000, 5000],
  )
})

test('a body without a signature is not asked for when it will be too large', async (t) => {
  const { port } = await listening(t, { bodyBytes: 5000, unsignedBodyBytes: 1000 })
  const head = (length: number, ...headers: string[]) =>
    [
      'POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue',
      ...headers,
      `Content-Length: ${length}\r\n\r\n`,
    ].join('\r\n')
  const client = new RawClient(port).send(head(1001))
  await client.closed
  assert.deepEqual(statuses(client.received), [413])
  for (const text of [head(1000), head(5000, signed)]) {
    const other = new RawClient(port).send(text)
    assert.deepEqual(statuses(await other.answers(1)), [100])
    other.end()
  }
})

test('the limit of unsigned bodies never widens that of all bodies', async (t) => {
  const { port } = await listening(t, { bodyBytes: 1000, unsignedBodyBytes: 5000 })
  const client = new RawClient(port).send(post('x'.repeat(1001)))
  await client.closed
  assert.deepEqual(statuses(client.received), [413])
})

/** One that comes from another address than the other clients. */
function elsewhere(port: number): RawClient {
  return new RawClient(port, { localAddress: '127.0.0.2' })
}

const shares: Partial<Limits> = {
  // A request is its body, some 100 of head and 2048 for itself.
  bodyBytes: 1000,
  bufferedBytes: 12_000,
  bufferedBytesPerAddress: 4500,
  limitLoopback: true,
}

test('bodies of one address together: beyond its share, others are still served', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(t, shares, { onRequest: (_, reply) => waiting.push(reply) })
  const body = 'x'.repeat(1000)
  // What is still coming holds its bytes like what was handed over.
  const slow = new RawClient(port).send(post(body, signed).slice(0, -100))
  await sleep(30)
  const beyond = new RawClient(port).send(post(body, signed))
  await beyond.closed
  assert.match(beyond.received, /^HTTP\/1\.1 503 .*\{"__type":"ServiceUnavailable",/s)
  const other = elsewhere(port).send(post(body, signed))
  await until(() => waiting.length === 1)
  slow.send(body.slice(0, 100))
  await until(() => waiting.length === 2)
  for (const reply of waiting.splice(0)) reply(textReply('done'))
  for (const client of [slow, other]) assert.match(await client.answers(1), /done$/)
  // What was answered counts no more, nor does what was refused or whose client left.
  const left = new RawClient(port).send(post(body, signed).slice(0, -1))
  await sleep(30)
  left.end()
  const after = new RawClient(port).send(post(body, signed))
  await until(() => waiting.length === 1)
  waiting[0]?.(textReply('done'))
  assert.match(await after.answers(1), /done$/)
  for (const client of [slow, other, after]) client.end()
})

test('a body counts with the room that is held for it, however little of it has come', async (t) => {
  const limits = { limitLoopback: true, bufferedBytesPerAddress: 100_000 }
  const { port } = await listening(t, limits)
  const announced = `${post('', signed).replace('Content-Length: 0', 'Content-Length: 60000')}x`
  const slow = new RawClient(port).send(announced)
  await sleep(30)
  assert.equal(slow.received, '')
  const beyond = new RawClient(port).send(announced)
  await beyond.closed
  assert.deepEqual(statuses(beyond.received), [503])
  const other = elsewhere(port).send(post('x', signed))
  assert.deepEqual(statuses(await other.answers(1)), [200])
  for (const client of [slow, other]) client.end()
})

test('requests whose client has left count until they are answered, heads and all', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const limits = { limitLoopback: true, bufferedBytesPerAddress: 100_000 }
  const { listener, port } = await listening(t, limits, {
    onRequest: (_, reply) => waiting.push(reply),
  })
  const headed = (bytes: number) =>
    new RawClient(port).send(post('', signed, `A: ${'x'.repeat(bytes)}`).repeat(4))
  for (let count = 1; count <= 20; count++) {
    const before = waiting.length
    const client = headed(6000)
    await Promise.race([client.closed, until(() => waiting.length === before + 4)])
    client.socket.resetAndDestroy()
  }
  await until(() => listener.connections === 0)
  // Each is some 6100 of head and 2048 for itself.
  assert.equal(waiting.length, 12)
  const beyond = new RawClient(port).send(post('', signed, `A: ${'x'.repeat(6000)}`))
  await beyond.closed
  assert.deepEqual(statuses(beyond.received), [503])
  for (const reply of waiting.splice(0)) reply(textReply(''))
  const after = headed(6000)
  await until(() => waiting.length === 4)
  for (const reply of waiting) reply(textReply(''))
  assert.deepEqual(statuses(await after.answers(4)), [200, 200, 200, 200])
  after.end()
})

test('loopback has no share unless it is told to have one', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(
    t,
    { ...shares, limitLoopback: false, connectionsPerAddress: 1 },
    { onRequest: (_, reply) => waiting.push(reply) },
  )
  const full = post('x'.repeat(1000), signed)
  const clients = [0, 1, 2].map(() => new RawClient(port).send(full))
  await until(() => waiting.length === 3)
  for (const reply of waiting) reply(textReply('done'))
  for (const client of clients) {
    assert.match(await client.answers(1), /done$/)
    client.end()
  }
})

test('connections of one address: beyond its share they are closed, others are not', async (t) => {
  const limits = { connections: 10, connectionsPerAddress: 2, limitLoopback: true }
  const { listener, port } = await listening(t, limits)
  const clients = [new RawClient(port), new RawClient(port)]
  await until(() => listener.connections === 2)
  const beyond = new RawClient(port).send(post('x'))
  await beyond.closed
  assert.equal(beyond.received, '')
  const other = elsewhere(port).send(post('x'))
  assert.deepEqual(statuses(await other.answers(1)), [200])
  clients[0]?.end()
  await until(() => listener.connections === 2)
  const next = new RawClient(port).send(post('x'))
  assert.deepEqual(statuses(await next.answers(1)), [200])
  for (const client of [...clients, other, next]) client.end()
})

test('a connection that only asks for health is not kept while many are open', async (t) => {
  const { listener, port } = await listening(t, { connectionsKeptUnsigned: 2 })
  const asking = new RawClient(port)
  for (let count = 1; count <= 20; count++) await asking.send(health).answers(count)
  const others = [new RawClient(port), new RawClient(port)]
  await until(() => listener.connections === 3)
  asking.received = ''
  asking.send(health)
  await asking.closed
  assert.match(asking.received, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n.*\{"status":"ok"\}$/s)
  for (const client of others) client.end()
})

test('nor is one whose requests were not signed; one that signs is kept', async (t) => {
  const { listener, port } = await listening(t, { connectionsKeptUnsigned: 1 })
  const keeper = new RawClient(port)
  await until(() => listener.connections === 1)
  const unsigned = new RawClient(port).send(post('x'))
  await unsigned.closed
  assert.deepEqual(statuses(unsigned.received), [200])
  assert.match(unsigned.received, /\r\nConnection: close\r\n/)
  const signing = new RawClient(port)
  for (let count = 1; count <= 5; count++) {
    assert.deepEqual(
      statuses(await signing.send(post('x', signed)).answers(count)),
      Array.from({ length: count }, () => 200),
    )
  }
  // What is pipelined behind it is still answered; the last of them decides.
  signing.received = ''
  signing.send(post('a') + post('b', signed))
  assert.match(await signing.answers(2), /a.*b$/s)
  signing.send(post('c', signed) + post('d'))
  await signing.closed
  assert.match(signing.received, /\r\nConnection: close\r\n\r\nd$/)
  keeper.end()
})
