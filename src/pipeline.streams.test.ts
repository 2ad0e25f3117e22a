import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { connect, type Socket } from 'node:net'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  authorizationOf,
  encodedChunks,
  presigned,
  signedChunks,
  signS3,
} from './authenticate/testing/s3-signer.ts'
import type { Limits } from './listener/limits.ts'
import { listening, until } from './listener/testing/bench.ts'
import { post, RawClient, statuses } from './listener/testing/raw-client.ts'
import { House } from './testing/house.ts'
import { type Things, withThings } from './testing/things.ts'

const slow = process.env['SLOW'] === '1'
const mebibyte = 1024 * 1024

async function open(t: TestContext, limits: Partial<Limits> = {}) {
  const things: Things = { stored: new Map(), discarded: [], onPiece: () => {} }
  const house = await House.open(t, { services: (known) => withThings(known, things) })
  const { port, listener } = await listening(t, limits, {
    onRequest: (request, reply) => house.pipeline.accept(request, reply),
    streams: (head) => house.assembly.directory.streams(head),
  })
  const key = {
    ...{ accessKeyId: house.key.accessKeyId, secret: house.key.secretAccessKey },
    ...{ region: 'us-east-1', service: 's3', timestamp: '20260506T070809Z' },
  }
  const events = () => house.journal.events
  return { things, house, port, listener, key, events }
}

type Key = Awaited<ReturnType<typeof open>>['key']

type Sending = {
  readonly path?: string
  readonly query?: Readonly<Record<string, string>>
  readonly host?: string
  readonly contentSha256?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly unsigned?: readonly string[]
}

/** The head of a signed request. */
function head(key: Key, method: string, sending: Sending = {}): string {
  const { path = '/bucket/thing', query = {}, contentSha256 = 'UNSIGNED-PAYLOAD' } = sending
  const headers = {
    host: sending.host ?? 's3.test',
    'x-amz-date': key.timestamp,
    'x-amz-content-sha256': contentSha256,
    ...sending.headers,
  }
  const authorization = authorizationOf({ method, path, query, headers, contentSha256 }, key)
  const text = Object.entries(query).map(([name, value]) =>
    value === '' ? name : `${name}=${value}`,
  )
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return [
    `${method} ${path}${text.length === 0 ? '' : `?${text.join('&')}`} HTTP/1.1`,
    ...[...lines, `Authorization: ${authorization}`, ...(sending.unsigned ?? [])],
    ...['', ''],
  ].join('\r\n')
}

function put(key: Key, body: string, sending: Sending = {}): string {
  return head(key, 'PUT', { ...sending, unsigned: [`Content-Length: ${body.length}`] }) + body
}

async function codeOf(client: RawClient): Promise<string | undefined> {
  const received = await client.until((text) => text.includes('</Error>'))
  return /<Code>(\w+)<\/Code>/.exec(received)?.[1]
}

describe('a thing', () => {
  test('is put and got over one connection, and each is recorded before it is answered', async (t) => {
    const { things, port, key, events } = await open(t)
    const client = new RawClient(port).send(put(key, 'hello', { headers: { 'x-amz-meta-a': 'b' } }))
    assert.match(await client.answers(1), /\r\nETag: "thing"\r\nx-size: 5\r\n/)
    client.send(head(key, 'GET'))
    assert.match(await client.answers(2), /x-amz-request-id: [0-9a-f-]{36}\r\n.*hello$/s)
    client.send(head(key, 'HEAD')).send(head(key, 'GET'))
    await client.answers(4)
    await client.until((text) => text.endsWith('hello'))
    client.end()
    assert.deepEqual(things.stored.get('thing')?.bytes, 5)
    assert.deepEqual(
      events().map(({ eventName }) => eventName),
      ['PutThing', 'GetThing', 'GetThing', 'GetThing'],
    )
  })

  test('in pipelined requests, with a call of KMS among them, one after another', async (t) => {
    const { house, port, key } = await open(t)
    const kms = house.request('ListKeys', {})
    const lines = ['POST / HTTP/1.1']
    for (let at = 0; at < kms.rawHeaders.length; at += 2) {
      lines.push(`${kms.rawHeaders[at]}: ${kms.rawHeaders[at + 1]}`)
    }
    const call = `${[...lines, `Content-Length: ${kms.body.length}`, '', ''].join('\r\n')}${kms.body}`
    const client = new RawClient(port)
    client.send(
      `${call}${put(key, 'abc')}${head(key, 'GET')}${call}${put(key, 'defg')}${head(key, 'GET')}`,
    )
    const received = await client.until((text) => text.endsWith('defg'))
    client.end()
    assert.deepEqual(statuses(received), [200, 200, 200, 200, 200, 200])
    assert.match(received, /"Keys".*"thing".*\r\n\r\nabcHTTP.*"Keys".*"thing".*\r\n\r\ndefg$/s)
  })

  test('of unknown length, in the transfer coding `chunked` around signed chunks', async (t) => {
    const { things, port, key } = await open(t)
    const contentSha256 = 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD'
    const body = Buffer.alloc(100_000, 'z')
    const headers = { 'x-amz-decoded-content-length': String(body.length) }
    const signed = {
      ...{ host: 's3.test', 'x-amz-date': key.timestamp, 'x-amz-content-sha256': contentSha256 },
      ...headers,
    }
    const toSign = { method: 'PUT', path: '/bucket/thing', headers: signed, contentSha256 }
    const chunks = encodedChunks(signedChunks(body, 40_000, signS3(toSign, key), key))
    const unsigned = ['Transfer-Encoding: chunked']
    const client = new RawClient(port).send(head(key, 'PUT', { contentSha256, headers, unsigned }))
    for (let at = 0; at < chunks.length; at += 7000) {
      const piece = chunks.subarray(at, at + 7000)
      client
        .send(`${piece.length.toString(16)}\r\n`)
        .send(piece)
        .send('\r\n')
    }
    client.send(`0\r\n\r\n${head(key, 'GET')}`)
    const received = await client.until((text) => text.endsWith('xx'))
    assert.deepEqual(statuses(received), [200, 200])
    assert.equal(things.stored.get('thing')?.bytes, 100_000)
    client.end()
  })

  test('by a presigned URL, in virtual-hosted style', async (t) => {
    const { things, port, key } = await open(t)
    const host = 'bucket.s3.localhost:7781'
    const target = presigned({ method: 'PUT', path: '/a/b%20c', headers: { host } }, key, 60)
    const client = new RawClient(port)
    client.send(`PUT ${target} HTTP/1.1\r\nHost: ${host}\r\nContent-Length: 3\r\n\r\nabc`)
    await client.answers(1)
    assert.deepEqual(statuses(client.received), [200])
    assert.deepEqual([...things.stored.keys()], ['a/b c'])
    client.end()
  })

  test('many are deleted by what stands in an XML body', async (t) => {
    const { things, port, key } = await open(t)
    const client = new RawClient(port).send(put(key, 'abc'))
    await client.answers(1)
    const xml =
      '<Delete><Object><Key>thing</Key></Object><Object><Key>&lt;&#x41;</Key></Object></Delete>'
    const post = (body: string) =>
      head(key, 'POST', {
        ...{ path: '/bucket', query: { delete: '' } },
        contentSha256: createHash('sha256').update(body).digest('hex'),
        unsigned: [`Content-Length: ${body.length}`],
      }) + body
    client.send(post(xml))
    const received = await client.until((text) => text.includes('</DeleteResult>'))
    assert.match(received, /<Deleted><Key>thing<\/Key><\/Deleted><Deleted><Key>&lt;A<\/Key>/)
    assert.equal(things.stored.size, 0)
    client.send(post('<!DOCTYPE Delete><Delete/>'))
    assert.equal(await codeOf(client), 'MalformedXML')
    client.end()
  })
})

describe('what is refused', () => {
  const refused: readonly [string, number, string, (key: Key) => string][] = [
    ['nobody', 403, 'AccessDenied', () => 'GET /bucket/thing HTTP/1.1\r\nHost: t\r\n\r\n'],
    ['no such thing', 404, 'NoSuchKey', (key) => head(key, 'GET')],
    ['another operation', 501, 'NotImplemented', (key) => head(key, 'GET', { query: { acl: '' } })],
    ['no operation', 405, 'MethodNotAllowed', (key) => head(key, 'PATCH')],
    [
      'a parameter that nobody knows',
      501,
      'NotImplemented',
      (key) => head(key, 'GET', { query: { versionId: '1' } }),
    ],
    [
      'a header that nobody knows',
      501,
      'NotImplemented',
      (key) => put(key, 'a', { headers: { 'x-amz-acl': 'public-read' } }),
    ],
    ['a body of no length', 411, 'MissingContentLength', (key) => head(key, 'PUT')],
    [
      'chunks that tell no length',
      501,
      'NotImplemented',
      (key) =>
        `${head(key, 'PUT', { unsigned: ['Transfer-Encoding: chunked'] })}1\r\na\r\n0\r\n\r\n`,
    ],
    [
      'a path that is no text',
      400,
      'InvalidURI',
      (key) => head(key, 'GET', { path: '/bucket/%FF' }),
    ],
    [
      'a key too long',
      400,
      'KeyTooLongError',
      (key) => head(key, 'GET', { path: `/bucket/${'k'.repeat(1025)}` }),
    ],
    [
      'another hash',
      400,
      'XAmzContentSHA256Mismatch',
      (key) => put(key, 'abc', { contentSha256: '0'.repeat(64) }),
    ],
  ]
  for (const [name, status, code, message] of refused) {
    test(`${name}: ${code}`, async (t) => {
      const { things, port, key, house, events } = await open(t)
      const client = new RawClient(port).send(message(key))
      assert.equal(await codeOf(client), code)
      assert.deepEqual(statuses(client.received), [status])
      assert.equal(things.stored.size, 0)
      if (name === 'nobody') {
        assert.equal(events().length, 0)
        await house.refusals.flush()
        assert.match(house.journal.records.join(), /AccessDenied/)
      } else assert.equal(events().at(-1)?.errorCode, code)
      // What was refused with all that it brought does not cost the connection.
      client.received = ''
      client.send(put(key, 'fine'))
      assert.match(await client.answers(1), /HTTP\/1.1 200/)
      client.end()
    })
  }

  test('what nobody signed for, before anything of its body is read', async (t) => {
    const { port, house, events } = await open(t)
    const heads = [
      ['PUT /bucket/thing', 'Content-Length: 5000000000', 'Expect: 100-continue'],
      ['PUT /bucket/thing', 'Transfer-Encoding: chunked'],
      ['POST /?delete', 'Content-Length: 1', 'Content-Type: application/xml'],
    ]
    for (const [line = '', ...headers] of heads) {
      const lines = [`${line} HTTP/1.1`, 'Host: s3.test', ...headers, '', '']
      const client = new RawClient(port).send(lines.join('\r\n'))
      assert.equal(await codeOf(client), 'AccessDenied', line)
      assert.deepEqual(statuses(client.received), [403], 'and no 100')
      assert.match(client.received, /\r\nx-amz-request-id: .*\r\nConnection: close\r\n/s)
      await client.closed
    }
    const got = new RawClient(port).send('GET /bucket/thing HTTP/1.1\r\nHost: s3.test\r\n\r\n')
    assert.equal(await codeOf(got), 'AccessDenied')
    got.send(post('{}', 'X-Amz-Target: TrentService.ListKeys'))
    assert.match(await got.answers(2), /MissingAuthenticationToken/, 'the connection stays')
    got.end()
    await house.refusals.flush()
    const counted = events().map(({ eventName, errorCode, serviceEventDetails }) => [
      eventName,
      errorCode,
      serviceEventDetails,
    ])
    assert.deepEqual(counted, [
      ['RefusedUnauthenticated', 'AccessDenied', { requests: 4 }],
      ['RefusedUnauthenticated', 'MissingAuthenticationTokenException', { requests: 1 }],
    ])
  })

  test('both lengths, and codings of other names, before anything else', async (t) => {
    const { port, key, house } = await open(t)
    const smuggled = 'GET /smuggled HTTP/1.1\r\nHost: t\r\n\r\n'
    for (const [headers, body] of [
      [['Transfer-Encoding: chunked', 'Content-Length: 5'], `0\r\n\r\n${smuggled}`],
      [['Content-Length: 5', 'Transfer-Encoding: chunked'], `0\r\n\r\n${smuggled}`],
      [['Transfer-Encoding: chunked', 'Transfer-Encoding: chunked'], smuggled],
      [['Transfer-Encoding: gzip, chunked'], smuggled],
    ] as const) {
      const client = new RawClient(port).send(head(key, 'PUT', { unsigned: headers }) + body)
      await client.closed
      assert.deepEqual(statuses(client.received), [411])
    }
    assert.equal(house.journal.events.length, 0)
  })

  test('chunks of HTTP that break the rules end the connection', async (t) => {
    const { port, key, things } = await open(t)
    const contentSha256 = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'
    const sending = { contentSha256, headers: { 'x-amz-decoded-content-length': '3' } }
    for (const body of [
      '1;ext=1\r\na\r\n',
      '1\na',
      '1\r\nab\r\n',
      'x\r\n',
      '1\r\na\n',
      '0\r\nTrailer: x\r\n\r\n',
      '\r\n',
      '1111111111111\r\n',
    ]) {
      const unsigned = ['Transfer-Encoding: chunked']
      const client = new RawClient(port).send(
        `${head(key, 'PUT', { ...sending, unsigned })}${body}${head(key, 'GET')}`,
      )
      assert.equal(await codeOf(client), 'IncompleteBody', JSON.stringify(body))
      await client.closed
      assert.deepEqual(statuses(client.received), [400])
    }
    assert.equal(things.stored.size, 0)
  })
})

describe('a client that', () => {
  test('waits for 100 is told when the body is pulled, and not when it is refused', async (t) => {
    const { port, key, things } = await open(t)
    const unsigned = ['Expect: 100-continue', 'Content-Length: 3']
    const client = new RawClient(port).send(head(key, 'PUT', { unsigned }))
    await client.until((text) => text === 'HTTP/1.1 100 Continue\r\n\r\n')
    client.send('abc')
    assert.match(await client.answers(2), /^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 200/)
    client.end()
    assert.equal(things.stored.size, 1)
    const other = new RawClient(port).send(head({ ...key, secret: 'x' }, 'PUT', { unsigned }))
    assert.equal(await codeOf(other), 'SignatureDoesNotMatch')
    assert.deepEqual(statuses(other.received), [403])
    await other.closed
    assert.match(other.received, /\r\nConnection: close\r\n/)
  })

  test('goes away amid its body has put nothing, and that is recorded', async (t) => {
    const { port, key, things, events } = await open(t)
    const client = new RawClient(port).send(
      head(key, 'PUT', { unsigned: ['Content-Length: 1000'] }),
    )
    client.send('abc')
    await sleep(50)
    client.end()
    await until(() => events().length > 0)
    assert.deepEqual(
      events().map(({ eventName, errorCode }) => [eventName, errorCode]),
      [['PutThing', 'IncompleteBody']],
    )
    assert.deepEqual([things.stored.size, things.discarded], [0, ['thing']])
  })

  test('says amid its body that it has said all, hears so', async (t) => {
    const { port, key } = await open(t)
    const client = new RawClient(port, { allowHalfOpen: true })
    client.send(`${head(key, 'PUT', { unsigned: ['Content-Length: 1000'] })}abc`).socket.end()
    assert.equal(await codeOf(client), 'IncompleteBody')
  })

  test('stops sending is not waited for for ever, nor is one that sends too little', async (t) => {
    const limits = { bodyIdleMs: 200, requestMs: 400, streamedBytesMin: 1000 }
    const { port, key } = await open(t, limits)
    const idle = new RawClient(port).send(head(key, 'PUT', { unsigned: ['Content-Length: 1000'] }))
    assert.equal(await codeOf(idle), 'RequestTimeout')
    const trickling = new RawClient(port)
    trickling.send(head(key, 'PUT', { unsigned: ['Content-Length: 100000'] }))
    const timer = setInterval(() => trickling.send('a'), 50)
    assert.equal(await codeOf(trickling), 'RequestTimeout')
    clearInterval(timer)
    idle.end()
    trickling.end()
  })

  test('takes longer than a request may, but goes on, is served', async (t) => {
    const { port, key, things } = await open(t, {
      bodyIdleMs: 200,
      requestMs: 200,
      streamedBytesMin: 10,
    })
    const client = new RawClient(port).send(head(key, 'PUT', { unsigned: ['Content-Length: 200'] }))
    for (let piece = 0; piece < 20; piece++) {
      client.send('0123456789')
      await sleep(40)
    }
    await client.answers(1)
    assert.equal(things.stored.get('thing')?.bytes, 200)
    client.end()
  })

  test('sends faster than it is read is held back, and is not blamed for that', async (t) => {
    const { port, key, things } = await open(t, { bodyIdleMs: 100, requestMs: 100 })
    const bytes = 16 * mebibyte
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    let first = true
    things.onPiece = () => {
      if (!first) return undefined
      first = false
      return held
    }
    const client = new RawClient(port)
    client
      .send(head(key, 'PUT', { unsigned: [`Content-Length: ${bytes}`] }))
      .send(Buffer.alloc(bytes))
    await sleep(500)
    assert.ok(client.socket.writableLength > mebibyte, 'all was taken though nobody read it')
    release()
    await client.answers(1)
    assert.equal(things.stored.get('thing')?.bytes, bytes)
    client.end()
  })
})

describe('an answer that streams', () => {
  test('and breaks off never looks complete', async (t) => {
    const { port, key, things } = await open(t)
    things.stored.set('thing', { bytes: mebibyte, head: Buffer.from('h') })
    const client = new RawClient(port).send(head(key, 'GET', { query: { break: '2' } }))
    await client.closed
    const [top = '', body = ''] = client.received.split('\r\n\r\n')
    assert.match(top, /Content-Length: 1048576/)
    assert.ok(body.length < mebibyte)
  })

  test('waits for a client that reads slowly, and drain waits for it', async (t) => {
    const { port, key, things, listener } = await open(t, { drainMs: 5000 })
    const bytes = 32 * mebibyte
    things.stored.set('thing', { bytes, head: Buffer.from('h') })
    let received = 0
    const socket = connect(port, '127.0.0.1')
    socket.on('data', (chunk) => {
      received += chunk.length
    })
    socket.write(head(key, 'GET'))
    await until(() => received > 0)
    socket.pause()
    await sleep(300)
    assert.ok(received < bytes)
    const drained = listener.drain()
    socket.resume()
    await drained
    await until(() => received > bytes)
  })

  test('to a client that stays away ends', async (t) => {
    const { port, key, things, listener } = await open(t, { writeMs: 300 })
    things.stored.set('thing', { bytes: 1024 * mebibyte, head: Buffer.from('h') })
    const socket = connect(port, '127.0.0.1')
    socket.on('error', () => {})
    socket.pause()
    socket.write(head(key, 'GET'))
    await until(() => listener.connections === 1)
    await until(() => listener.connections === 0)
    socket.destroy()
  })
})

test('a large thing passes in little memory, in and out', { timeout: 600_000 }, async (t) => {
  const { port, key, things } = await open(t)
  const bytes = (slow ? 10 : 1) * 1024 * mebibyte
  const before = process.memoryUsage().rss
  let peak = 0
  const watch = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss)
  }, 20)
  t.after(() => clearInterval(watch))
  const socket = connect(port, '127.0.0.1')
  await putSlices(socket, head(key, 'PUT', { unsigned: [`Content-Length: ${bytes}`] }), bytes)
  assert.equal(things.stored.get('thing')?.bytes, bytes)
  let received = 0
  socket.on('data', (chunk) => {
    received += chunk.length
  })
  socket.write(head(key, 'GET'))
  while (received < bytes) await sleep(20)
  socket.destroy()
  const grown = (peak - before) / mebibyte
  t.diagnostic(`grown by ${grown.toFixed(0)} MiB, the client's own memory included`)
  assert.ok(grown < 100, `memory grew by ${grown} MiB`)
})

/** Resolves once it is answered. */
async function putSlices(socket: Socket, head: string, bytes: number): Promise<void> {
  const slice = Buffer.alloc(256 * 1024, 'y')
  const answered = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  socket.write(head)
  for (let sent = 0; sent < bytes; sent += slice.length) {
    if (!socket.write(slice)) await new Promise((resolve) => socket.once('drain', resolve))
  }
  await answered
}
