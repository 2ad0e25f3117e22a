import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type TLSSocket } from 'node:tls'
import type { Reply } from '../wire/protocol.ts'
import { startListener } from './listener.ts'
import { bytesReply, listening, now, until } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

const folder = join(import.meta.dirname, '../../tests/vectors/tls')
const cert = readFileSync(join(folder, 'localhost.pem'))
const key = readFileSync(join(folder, 'localhost-key.pem'))
const tls = { cert, key }

test('TLS 1.3, and the request says so', async (t) => {
  const { listener, port, seen } = await listening(t, {}, { tls })
  assert.equal(listener.endpoint, `https://127.0.0.1:${port}`)
  const agent = new Agent({ keepAlive: true, ca: cert })
  for (const body of ['one', 'two']) {
    const answer = await new Promise<string>((resolve, reject) => {
      const outgoing = request({ port, host: '127.0.0.1', method: 'POST', agent }, (response) => {
        response.on('data', (bytes: Buffer) => resolve(String(bytes)))
      })
      outgoing.on('error', reject)
      outgoing.end(body)
    })
    assert.equal(answer, body)
  }
  agent.destroy()
  for (const { tls: spoken, remoteAddress } of seen) {
    assert.equal(spoken?.version, 'TLSv1.3')
    assert.match(spoken?.cipher ?? '', /^TLS_(AES|CHACHA20)_/)
    assert.equal(remoteAddress, '127.0.0.1')
  }
  assert.equal(seen.length, 2)
})

test('a client that ends its side still gets its answer', async (t) => {
  const answers: Buffer[] = []
  const onRequest = (_: unknown, reply: (reply: Reply) => void) => {
    const answer = Buffer.alloc(200_000, 'x')
    answers.push(answer)
    setTimeout(() => reply(bytesReply(answer)), 50)
  }
  const { listener, port } = await listening(t, {}, { tls, onRequest })
  const halfOpen = { port, host: '127.0.0.1', ca: cert, allowHalfOpen: true }
  const socket = connect(halfOpen)
  socket.end(post('x'))
  let received = ''
  for await (const bytes of socket) received += String(bytes)
  assert.match(received, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n\r\nx{200000}$/s)
  socket.destroy()
  await until(() => listener.connections === 0)
  assert.ok(answers[0]?.every((byte) => byte === 0))
})

test('pipelined requests, and junk behind them', async (t) => {
  const { port, seen } = await listening(t, {}, { tls })
  const socket = connect({ port, host: '127.0.0.1', ca: cert })
  socket.write(`${post('1')}${post('2')}junk\r\n\r\n`)
  let received = ''
  for await (const bytes of socket) received += String(bytes)
  assert.deepEqual(statuses(received), [200, 200, 400])
  assert.deepEqual(
    seen.map(({ text }) => text),
    ['1', '2'],
  )
})

test('TLS 1.2 is refused', async (t) => {
  const { port, seen } = await listening(t, {}, { tls })
  const error = await new Promise<NodeJS.ErrnoException>((resolve, reject) => {
    const options = { port, host: '127.0.0.1', ca: cert, maxVersion: 'TLSv1.2' as const }
    const socket: TLSSocket = connect(options, () => reject(new Error('connected')))
    socket.on('error', resolve)
  })
  assert.equal(error.code, 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  assert.equal(seen.length, 0)
})

test('plaintext at a TLS port gets no answer', async (t) => {
  const { listener, port, seen } = await listening(t, {}, { tls })
  const client = new RawClient(port).send(post('x'))
  await client.closed
  assert.ok(!client.received.includes('HTTP'))
  assert.equal(seen.length, 0)
  assert.equal(listener.connections, 0)
})

test('a handshake that does not come', async (t) => {
  const { port } = await listening(t, { headerMs: 200 }, { tls })
  const began = performance.now()
  await new RawClient(port).closed
  const waited = performance.now() - began
  assert.ok(waited >= 150 && waited < 3000, `${waited}`)
})

test('drain does not wait for a handshake longer than it may', async (t) => {
  const { listener, port } = await listening(t, { drainMs: 200 }, { tls })
  const client = new RawClient(port)
  await sleep(50)
  await listener.drain()
  await client.closed
})

test('beyond loopback with TLS; never with a certificate that does not fit', async () => {
  const options = {
    host: '0.0.0.0',
    port: 0,
    insecurePlaintext: false,
    onRequest: () => {},
    health: () => ({ status: 200 as const, body: '' }),
    clock: { now: () => now },
    log: () => {},
  }
  const listener = await startListener({ ...options, tls })
  assert.equal(listener.endpoint, `https://0.0.0.0:${listener.port}`)
  await listener.drain()
  await assert.rejects(startListener({ ...options, tls: { cert, key: Buffer.from('no key') } }))
})
