import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { connect as connectPlain, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'
import type { Reply } from '../../wire/protocol.ts'
import { post, RawClient, statuses } from '../testing/raw-client.ts'
import { bytesReply, listening, until } from './testing/bench.ts'

const folder = join(import.meta.dirname, '../../../tests/vectors/tls')
const tls = {
  cert: readFileSync(join(folder, 'localhost.pem')),
  key: readFileSync(join(folder, 'localhost-key.pem')),
}
const rounds = 40

/** What a client may have said when it resets its connection. */
const lastWords: [what: string, text: string][] = [
  ['nothing', ''],
  ['CONNECT', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n'],
  ['CONNECT and bytes for the other side', 'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\nbytes'],
  ['CONNECT behind a request', `${post('x')}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n`],
  [
    'an upgrade',
    'GET / HTTP/1.1\r\nHost: t\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nbytes',
  ],
  ['junk', '\0\x01junk\r\n\r\n'],
  ['half a head', 'POST / HTTP/1.1\r\nHo'],
  ['half a body', 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nab'],
  [
    'an expectation',
    'POST / HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n',
  ],
  ['an expectation that is refused', 'GET / HTTP/1.1\r\nHost: t\r\nExpect: much\r\n\r\n'],
  ['more than is accepted', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: t\r\n\r\n`],
  ['a request', post('x')],
  ['many requests', post('x').repeat(20)],
  ['health', 'GET /health HTTP/1.1\r\nHost: t\r\n\r\n'],
]

/** `beneath`: the connection itself, below TLS where there is some. */
type Spoken = { readonly beneath: Socket; readonly received: () => number }
type Speak = (port: number, text: string) => Promise<Spoken>

/** Resolves once the text is written. */
const plain: Speak = (port, text) => {
  const socket = connectPlain({ host: '127.0.0.1', port })
  return spoken(socket, socket, 'connect', text)
}

const secure: Speak = (port, text) => {
  const beneath = connectPlain({ host: '127.0.0.1', port })
  beneath.on('error', () => {})
  const socket = connectTls({ socket: beneath, ca: tls.cert, servername: 'localhost' })
  return spoken(socket, beneath, 'secureConnect', text)
}

function spoken(socket: Socket, beneath: Socket, ready: string, text: string): Promise<Spoken> {
  let received = 0
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    received += bytes.length
  })
  return new Promise((resolve) => {
    socket.on(ready, () => {
      if (text !== '') socket.write(text)
      resolve({ beneath, received: () => received })
    })
  })
}

for (const [scheme, speak, options] of [
  ['http', plain, {}],
  ['https', secure, { tls }],
] as const) {
  describe(`a connection of ${scheme} that is reset after`, () => {
    for (const [what, text] of lastWords) {
      test(what, async (t) => {
        const answers: Buffer[] = []
        const onRequest = (_: unknown, reply: (reply: Reply) => void) => {
          const answer = Buffer.alloc(100_000, 1)
          answers.push(answer)
          setTimeout(() => reply(bytesReply(answer)), answers.length % 3)
        }
        const { listener, port } = await listening(t, { writeMs: 400 }, { ...options, onRequest })
        for (let round = 0; round < rounds; round++) {
          const { beneath } = await speak(port, text)
          // Before it is looked at, meanwhile, and behind the answer.
          if (round % 4 !== 0) await sleep(round % 4)
          beneath.resetAndDestroy()
        }
        await until(() => listener.connections === 0)
        await until(() => answers.every((bytes) => bytes.every((byte) => byte === 0)))
        const after = await speak(port, post('x'))
        await until(() => after.received() > 100_000)
        after.beneath.destroy()
      })
    }
  })
}

test('a handshake that is reset', async (t) => {
  const { listener, port } = await listening(t, {}, { tls })
  for (let round = 0; round < rounds; round++) {
    const { beneath } = await plain(port, '\x16\x03\x01')
    if (round % 2 === 0) await sleep(round % 3)
    beneath.resetAndDestroy()
  }
  await sleep(20)
  assert.equal(listener.connections, 0)
  const after = await secure(port, post('x'))
  await until(() => after.received() > 0)
  after.beneath.destroy()
})

test('CONNECT does not overtake the answer to the request before it', async (t) => {
  const waiting: ((reply: Reply) => void)[] = []
  const { port } = await listening(t, {}, { onRequest: (_, reply) => waiting.push(reply) })
  const client = new RawClient(port).send(
    `${post('x')}CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n${post('y')}`,
  )
  await until(() => waiting.length === 1)
  await sleep(20)
  waiting[0]?.(bytesReply(Buffer.from('answered')))
  await client.closed
  assert.deepEqual(statuses(client.received), [200])
  assert.match(client.received, /\r\nConnection: close\r\n.*answered$/s)
  assert.equal(waiting.length, 1)
})
