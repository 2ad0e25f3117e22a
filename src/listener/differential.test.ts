import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { Duplex } from 'node:stream'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { servedMethods } from './request-head.ts'
import { bytesOf, type Parsed, parse } from './testing/parse.ts'

type Requests = Parsed['requests'][number][]

const server = createServer({ insecureHTTPParser: false, maxHeaderSize: 64 * 1024 })
server.maxHeadersCount = 0

/** Node is given this many turns to find what we found, and then as many as these to find more. */
const turnsMax = 100
const turnsBeyond = 3

/** What node's own server makes of the bytes: requests, and errors by their code. */
async function nodeRequests(bytes: Buffer, enough: number): Promise<(Requests[number] | string)[]> {
  const requests: (Requests[number] | string)[] = []
  const socket = new Duplex({
    read() {},
    write: (_chunk, _encoding, done) => done(),
  })
  socket.on('error', () => {})
  const take = (request: IncomingMessage, response: ServerResponse) => {
    if (request.socket !== (socket as unknown)) return
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const { method = '', url: target = '', rawHeaders } = request
      const body = Buffer.concat(chunks).toString('latin1')
      requests.push({ method, target, rawHeaders, body })
      response.end()
    })
  }
  const events = ['request', 'checkContinue', 'checkExpectation']
  const fail = (error: NodeJS.ErrnoException) => {
    requests.push(error.code ?? error.message)
  }
  for (const event of events) server.on(event, take)
  server.on('clientError', fail)
  server.emit('connection', socket)
  socket.push(bytes)
  for (let turn = 0; turn < turnsMax && requests.length < enough; turn++) await nextTurn()
  for (let turn = 0; turn < turnsBeyond; turn++) await nextTurn()
  for (const event of events) server.off(event, take)
  server.off('clientError', fail)
  socket.destroy()
  return requests
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

/** What we accept of the bytes, how we end, and the bytes of the requests alone. */
function accepted(bytes: Buffer): Omit<Parsed, 'consumed'> & { readonly consumed: Buffer } {
  const parsed = parse(Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)))
  return { ...parsed, consumed: bytes.subarray(0, parsed.consumed) }
}

const fieldName = fc.string({
  unit: fc.constantFrom(..."!#$%&'*+-.^_`|~09azAZ"),
  minLength: 1,
  maxLength: 12,
})
const fieldValue = fc.string({
  unit: fc.constantFrom(...'\t \x80\xa0\xff,;:="\\aZ09'),
  maxLength: 20,
})
const line = fc.oneof(
  fc.tuple(fieldName, fieldValue).map(([name, value]) => `${name}:${value}`),
  fc.constantFrom(
    // Not with `Connection: Upgrade`: node reads nothing behind a request that asks for another protocol.
    ...['Connection: keep-alive', 'Upgrade: h2c', 'TE: trailers'],
    ...['Expect: 100-continue', 'Trailer: x', 'Connection: close', 'Authorization: x'],
  ),
)
const targetText = fc
  .string({ unit: fc.constantFrom(...'/?%20+=&.;:@~*!$a"<>[]{}|^`\\') })
  .map((text) => `/${text}`)
const valid = fc
  .record({
    method: fc.constantFrom(...servedMethods),
    target: targetText,
    lines: fc.array(line, { maxLength: 6 }),
    body: fc.option(fc.string({ unit: fc.constantFrom(...'\0\r\n aG:'), maxLength: 30 })),
    minor: fc.constantFrom('1', '1', '1', '0'),
  })
  .map(({ method, target, lines, body, minor }) => {
    const length = body === null ? [] : [`Content-Length: ${body.length}`]
    const all = [`${method} ${target} HTTP/1.${minor}`, 'Host: t', ...lines, ...length]
    return `${all.join('\r\n')}\r\n\r\n${body ?? ''}`
  })

const intruder = fc.constantFrom(
  ...[
    '\r',
    '\n',
    '\r\n',
    '\r\n\r\n',
    ' ',
    '\t',
    ':',
    ',',
    '\0',
    '\x7f',
    '\x80',
    '\x0b',
    '#',
    '+',
    '-',
    '0',
    '3',
  ],
  ...[
    'Transfer-Encoding: chunked\r\n',
    'Content-Length: 3\r\n',
    'content-length : 3\r\n',
    ' folded\r\n',
  ],
  ...['Host: u\r\n', 'GET ', ' HTTP/1.1', 'HTTP/1.1\r\n', 'http://u'],
)
type Change = readonly [place: number, remove: number, insert: string]
const change: fc.Arbitrary<Change> = fc.tuple(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.constantFrom(0, 0, 1, 2),
  fc.oneof(fc.constant(''), intruder),
)

function changed(text: string, changes: readonly Change[]): string {
  let result = text
  for (const [place, remove, insert] of changes) {
    const at = Math.floor(place * result.length)
    result = result.slice(0, at) + insert + result.slice(at + remove)
  }
  return result
}

test('of valid requests, node reads what we read', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(valid, { minLength: 1, maxLength: 3 }), async (texts) => {
      const bytes = bytesOf(texts.join(''))
      const { requests, end, consumed } = accepted(bytes)
      assert.ok(end === 'idle' || end === 'closed', `refused with ${end}`)
      assert.deepEqual(await nodeRequests(consumed, requests.length), requests)
    }),
    { numRuns: 300 },
  )
})

test('whatever we accept of what is nearly valid, node accepts, and reads it as we do', async () => {
  let taken = 0
  let refused = 0
  const inputs = fc.tuple(
    fc.array(valid, { minLength: 1, maxLength: 2 }),
    fc.array(change, { minLength: 1, maxLength: 2 }),
  )
  await fc.assert(
    fc.asyncProperty(inputs, async ([texts, changes]) => {
      const bytes = bytesOf(changed(texts.join(''), changes))
      const { requests, end, consumed } = accepted(bytes)
      if (typeof end === 'number') refused++
      taken += requests.length
      assert.deepEqual(await nodeRequests(consumed, requests.length), requests)
    }),
    { numRuns: 1500 },
  )
  assert.ok(taken > 200 && refused > 200, `${taken} taken, ${refused} refused`)
})

/** All that node takes and we do not. */
const onlyNode: [what: string, text: string, status: number][] = [
  ['empty lines first', '\r\n\r\nGET / HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['two Hosts', 'GET / HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n', 400],
  ['chunks', 'POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 411],
  ['absolute form', 'GET http://t/ HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a long target', `GET /${'x'.repeat(9000)} HTTP/1.1\r\nHost: t\r\n\r\n`, 414],
  ['a method that is not served', 'PROPFIND / HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['an unknown expectation', 'GET / HTTP/1.1\r\nHost: t\r\nExpect: x\r\n\r\n', 417],
]

describe('node takes it, we do not:', () => {
  for (const [what, text, status] of onlyNode) {
    test(what, async () => {
      assert.equal(parse([bytesOf(text)]).end, status)
      const [request] = await nodeRequests(bytesOf(text), 1)
      assert.equal(typeof request, 'object', String(request))
    })
  }
})
