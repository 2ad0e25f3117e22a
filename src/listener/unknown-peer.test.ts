import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import { listening } from './testing/bench.ts'
import { post, RawClient, statuses } from './testing/raw-client.ts'

const folder = join(import.meta.dirname, '../../tests/vectors/tls')
const cert = readFileSync(join(folder, 'localhost.pem'))
const key = readFileSync(join(folder, 'localhost-key.pem'))

/*
 * What was received can be read behind a reset, but not who sent it. A request of nobody must not be served: a policy
 * that denies an address would not match it.
 */

/** A client that connects, speaks and resets while the listener is kept from looking. */
const hastyClient = `
const [port, text] = process.argv.slice(1)
const socket = require('node:net').connect({ host: '127.0.0.1', port: Number(port) }, () => {
  socket.write(text)
  socket.resetAndDestroy()
})`

test('a client that has reset its connection before it is accepted is not served', async (t) => {
  const { listener, port, seen } = await listening(t)
  for (let round = 0; round < 3; round++) {
    execFileSync(process.execPath, ['-e', hastyClient, String(port), post('x')])
  }
  await sleep(50)
  assert.deepEqual(
    seen.map(({ remoteAddress }) => remoteAddress),
    [],
  )
  assert.equal(listener.connections, 0)
  const next = new RawClient(port).send(post('x'))
  assert.deepEqual(statuses(await next.answers(1)), [200])
  next.end()
})

/** Resolves when a client has ended its handshake with its request, and reset the connection, all in one turn. */
function resetBehindHandshake(port: number): Promise<void> {
  return new Promise((resolve) => {
    const beneath = connectPlain({ host: '127.0.0.1', port })
    beneath.on('error', () => {})
    beneath.once('close', () => resolve())
    const held: Buffer[] = []
    let hello = true
    const between = new Duplex({
      read: () => {},
      write: (bytes: Buffer, _encoding, done) => {
        if (hello) beneath.write(bytes)
        else held.push(bytes)
        hello = false
        done()
      },
    })
    beneath.on('data', (bytes) => between.push(bytes))
    const socket = connectTls({ socket: between, ca: cert, servername: 'localhost' })
    socket.on('error', () => {})
    socket.on('secureConnect', () => {
      socket.write(post('x'), () => {
        beneath.write(Buffer.concat(held))
        beneath.resetAndDestroy()
      })
    })
  })
}

test('nor is one that has reset it before its handshake is ended', async (t) => {
  const { listener, port, seen } = await listening(t, {}, { tls: { cert, key } })
  for (let round = 0; round < 5; round++) await resetBehindHandshake(port)
  await sleep(50)
  assert.deepEqual(
    seen.map(({ remoteAddress }) => remoteAddress),
    [],
  )
  assert.equal(listener.connections, 0)
  const socket = connectTls({ port, host: '127.0.0.1', ca: cert, servername: 'localhost' })
  socket.end(post('x'))
  let received = ''
  for await (const bytes of socket) received += String(bytes)
  assert.deepEqual(statuses(received), [200])
})
