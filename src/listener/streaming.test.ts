import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HttpRequest, IncomingStream, Reply } from '../wire/protocol.ts'
import type { Limits } from './limits.ts'
import { listening, textReply } from './testing/bench.ts'
import { RawClient, statuses } from './testing/raw-client.ts'

type Handler = (request: HttpRequest, reply: (reply: Reply) => void) => void

/** A listener for which everything streams; what it was asked, in order. */
async function streaming(t: TestContext, handle: Handler, limits: Partial<Limits> = {}) {
  const seen: HttpRequest[] = []
  const onRequest: Handler = (request, reply) => {
    seen.push(request)
    handle(request, reply)
  }
  const { port } = await listening(t, limits, { streams: () => true, onRequest })
  return { port, seen }
}

const refuse: Handler = (_request, reply) => reply({ ...textReply('no'), status: 403 })
const echo: Handler = ({ stream }, reply) => void gather(stream).then((it) => reply(textReply(it)))

async function gather(stream: IncomingStream | undefined): Promise<string> {
  let text = ''
  for await (const piece of stream ?? []) text += piece.toString('latin1')
  return text
}

const head = (line: string, ...headers: readonly string[]) =>
  `${[`${line} HTTP/1.1`, 'Host: h', ...headers].join('\r\n')}\r\n\r\n`
const smuggled = head('GET /smuggled', 'Authorization: a')
const signed = 'Authorization: a'
const presigned = '/o?X-Amz-Date=d&X-Amz-Signature=s'

test('of what nobody signed for no body is taken, and nothing behind it is a request', async (t) => {
  const { port, seen } = await streaming(t, refuse)
  const chunked = `${smuggled.length.toString(16)}\r\n${smuggled}\r\n0\r\n\r\n`
  for (const text of [
    head('PUT /o', `Content-Length: ${smuggled.length}`) + smuggled,
    head('PUT /o', 'Transfer-Encoding: chunked') + chunked,
    head('PUT /o', 'Content-Length: 99999999999') + smuggled,
    head('PUT /o?x-amz-signature=s', `Content-Length: ${smuggled.length}`) + smuggled,
  ]) {
    seen.length = 0
    const client = new RawClient(port).send(text)
    await client.closed
    assert.deepEqual(statuses(client.received), [403])
    assert.deepEqual(
      seen.map(({ target, body, stream }) => [target.slice(0, 2), body.length, stream]),
      [['/o', 0, undefined]],
    )
  }
})

test('only who signs is told to go on', async (t) => {
  const { port } = await streaming(t, echo)
  const waits = ['Content-Length: 4', 'Expect: 100-continue']
  const client = new RawClient(port).send(head('PUT /o', ...waits))
  await client.closed
  assert.deepEqual(statuses(client.received), [200])
  for (const text of [head('PUT /o', signed, ...waits), head(`PUT ${presigned}`, ...waits)]) {
    const other = new RawClient(port).send(text)
    await other.answers(1)
    other.send('text')
    await other.until((received) => received.endsWith('text'))
    assert.deepEqual(statuses(other.received), [100, 200])
    other.end()
  }
})

test('requests follow a body that was read, one that was not, and none', async (t) => {
  const { port, seen } = await streaming(t, (request, reply) => {
    if (request.target === '/unread') reply(textReply('unread'))
    else echo(request, reply)
  })
  const body = 'x'.repeat(1000)
  const client = new RawClient(port)
  client.send(head('PUT /read', signed, 'Content-Length: 1000') + body)
  client.send(head('PUT /unread', signed, 'Content-Length: 1000') + body)
  client.send(head('GET /none') + head('GET /last', signed, 'Connection: close'))
  await client.closed
  assert.deepEqual(
    seen.map(({ target }) => target),
    ['/read', '/unread', '/none', '/last'],
  )
  assert.deepEqual(statuses(client.received), [200, 200, 200, 200])
})

test('a body that is answered before it came is never a request', async (t) => {
  const { port, seen } = await streaming(t, refuse)
  const client = new RawClient(port).send(head('PUT /o', signed, 'Content-Length: 5000'))
  await client.answers(1)
  client.send(smuggled)
  await client.closed
  await sleep(20)
  assert.equal(seen.length, 1)
  assert.deepEqual(statuses(client.received), [403])
})

test('a stream that ends early, or is no chunks, fails for who reads it', async (t) => {
  const failures: unknown[] = []
  const { port } = await streaming(t, ({ stream }, reply) => {
    gather(stream).then(
      () => reply(textReply('read')),
      (error: unknown) => {
        failures.push(error instanceof Error && 'code' in error ? error.code : error)
        reply({ ...textReply('broken'), status: 400 })
      },
    )
  })
  const cut = new RawClient(port).send(`${head('PUT /o', signed, 'Content-Length: 10')}text`)
  await sleep(30)
  cut.end()
  const bad = new RawClient(port).send(
    `${head('PUT /o', signed, 'Transfer-Encoding: chunked')}zz\r\n${smuggled}`,
  )
  await bad.closed
  assert.deepEqual(statuses(bad.received), [400])
  assert.deepEqual(failures, ['IncompleteBody', 'IncompleteBody'])
})
