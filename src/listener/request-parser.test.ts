import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import fc from 'fast-check'
import { collectGarbage } from '../testing/garbage.ts'
import { RequestParser, type Step } from './request-parser.ts'
import { bytesOf, cut, type Parsed, parse, parserLimits } from './testing/parse.ts'

const one = 'POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc'

function head(...lines: string[]): string {
  return ['POST / HTTP/1.1', 'Host: t', ...lines, '', ''].join('\r\n')
}

const accepted: [what: string, text: string, outcome: Parsed['end'], bodies: string[]][] = [
  ['a body', one, 'idle', ['abc']],
  ['no length, no body', 'GET / HTTP/1.1\r\nHost: t\r\n\r\n', 'idle', ['']],
  ['an empty body', head('Content-Length: 0'), 'idle', ['']],
  ['a length with zeros before it', `${head('Content-Length: 003')}abc`, 'idle', ['abc']],
  ['three in a row', `${one}GET /b HTTP/1.1\r\nhost:\r\n\r\n${one}`, 'idle', ['abc', '', 'abc']],
  ['the beginning of another', `${one}POST / HT`, 'within', ['abc']],
  [
    'a body that looks like a request',
    `${head('Content-Length: 18')}GET / HTTP/1.1\r\n\r\n`,
    'idle',
    ['GET / HTTP/1.1\r\n\r\n'],
  ],
  [
    'a body of control characters',
    `${head('Content-Length: 4')}\0\r\n\x7f`,
    'idle',
    ['\0\r\n\x7f'],
  ],
  ['one that closes', `${head('Connection: close')}${one}`, 'closed', ['']],
  ['one that closes, in a list', `${head('Connection: TE, Close')}${one}`, 'closed', ['']],
  [
    'one that does not close',
    `${head('Connection: closed, keep-alive')}${one}`,
    'idle',
    ['', 'abc'],
  ],
  ['HTTP/1.0', `POST / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx${one}`, 'closed', ['x']],
  ['HTTP/1.0 that would stay', 'GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n', 'closed', ['']],
  ['white space around values', head('A:\t b\t', 'B:', 'C: \t ', 'D: e f'), 'idle', ['']],
  ['an upgrade', head('Connection: Upgrade', 'Upgrade: h2c'), 'idle', ['']],
  ['an expectation', `${head('Expect: 100-Continue', 'Content-Length: 1')}x`, 'idle', ['x']],
  ['bytes beyond ASCII in a value', head('A: \x80\xe9\xff'), 'idle', ['']],
  ['every character of a token', head("!#$%&'*+-.^_`|~09azAZ: x"), 'idle', ['']],
  [
    'a target of all that is visible',
    `GET /!"$%&'()*+,-./:;<=>?@[\\]^_\`{|}~ HTTP/1.1\r\nHost: t\r\n\r\n`,
    'idle',
    [''],
  ],
]

const refused: [what: string, text: string, status: number][] = [
  ['an empty line first', `\r\n${one}`, 400],
  ['nothing but empty lines', '\r\n\r\n', 400],
  ['no version', 'GET /\r\nHost: t\r\n\r\n', 400],
  ['another version', 'GET / HTTP/1.2\r\nHost: t\r\n\r\n', 400],
  ['the version in lower case', 'GET / http/1.1\r\nHost: t\r\n\r\n', 400],
  ['something behind the version', 'GET / HTTP/1.1 \r\nHost: t\r\n\r\n', 400],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
  ['no method', ' / HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['no method and no target', ' HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['no target', 'GET  HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['nothing between', 'GET HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a method that is no token', 'GE(T / HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a method in lower case', 'post / HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['a method that is not served', 'PROPFIND / HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['CONNECT', 'CONNECT t:443 HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['TRACE', 'TRACE / HTTP/1.1\r\nHost: t\r\n\r\n', 405],
  ['two spaces before the target', 'GET  / HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['two spaces behind the target', 'GET /  HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a space in the target', 'GET /a b HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a tab in the target', 'GET /a\tb HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a fragment', 'GET /a#b HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a target beyond ASCII', 'GET /\xe9 HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a target in absolute form', 'GET http://t/ HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a target in asterisk form', 'OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n', 400],
  ['a long target', `GET /${'x'.repeat(8192)} HTTP/1.1\r\nHost: t\r\n\r\n`, 414],
  ['no Host', 'GET / HTTP/1.1\r\nA: b\r\n\r\n', 400],
  ['no header at all', 'GET / HTTP/1.1\r\n\r\n', 400],
  ['two Hosts', head('host: t'), 400],
  ['two Hosts in HTTP/1.0', 'GET / HTTP/1.0\r\nHost: t\r\nHost: t\r\n\r\n', 400],
  ['a header without a colon', head('A'), 400],
  ['a header without a name', head(': b'), 400],
  ['a space before the colon', head('A : b'), 400],
  ['a tab before the colon', head('A\t: b'), 400],
  ['a name that is no token', head('A(: b'), 400],
  ['a name beyond ASCII', head('\xe9: b'), 400],
  ['folding', head('A: b', ' c'), 400],
  ['folding with a tab', head('A: b', '\tc: d'), 400],
  ['folding in the first line', 'GET / HTTP/1.1\r\n Host: t\r\n\r\n', 400],
  ['two lengths', `${head('Content-Length: 3', 'Content-Length: 4')}abc`, 400],
  ['two equal lengths', `${head('Content-Length: 3', 'content-length: 3')}abc`, 400],
  ['a list of lengths', `${head('Content-Length: 3, 3')}abc`, 400],
  ['lengths with a space between', `${head('Content-Length: 3 3')}abc`, 400],
  ['an empty length', `${head('Content-Length:')}`, 400],
  ['a length with a plus', `${head('Content-Length: +3')}abc`, 400],
  ['a length with a minus', `${head('Content-Length: -3')}abc`, 400],
  ['a hexadecimal length', `${head('Content-Length: 0x3')}abc`, 400],
  ['a length with an exponent', `${head('Content-Length: 1e1')}`, 400],
  ['a length with a point', `${head('Content-Length: 3.0')}abc`, 400],
  ['a length of superscripts', `${head('Content-Length: \xb3')}abc`, 400],
  ['a length beyond counting', head(`Content-Length: ${'9'.repeat(16)}`), 400],
  ['a transfer coding', `${head('Transfer-Encoding: chunked')}0\r\n\r\n`, 411],
  ['a transfer coding that is none', head('Transfer-Encoding: identity'), 411],
  ['an empty transfer coding', head('transfer-encoding:'), 411],
  ['a transfer coding in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 411],
  [
    'a length and a transfer coding',
    `${head('Content-Length: 3', 'Transfer-Encoding: x')}abc`,
    411,
  ],
  [
    'a transfer coding and a length',
    `${head('Transfer-Encoding: x', 'Content-Length: 3')}abc`,
    411,
  ],
  ['another expectation', head('Expect: 200-ok'), 417],
  ['two expectations in one', head('Expect: 100-continue, 100-continue'), 417],
  ['a NUL in a value', head('A: b\0c'), 400],
  ['a DEL in a value', head('A: b\x7f'), 400],
  ['a form feed around a value', head('A:\fb'), 400],
  ['a bare CR in a value', head('A: b\rC: d'), 400],
  ['a bare LF in a value', head('A: b\nC: d'), 400],
  ['a CR before a line end', head('A: b\r'), 400],
  ['a CR before the last line end', 'GET / HTTP/1.1\r\nHost: t\r\r\n\r\n', 400],
  ['LF for line ends', 'GET / HTTP/1.1\nHost: t\n\n', 400],
  ['LF for the empty line', 'GET / HTTP/1.1\r\nHost: t\r\n\n', 400],
  ['LF for one line end', 'GET / HTTP/1.1\nHost: t\r\n\r\n', 400],
  ['CR for line ends', 'GET / HTTP/1.1\rHost: t\r\r', 400],
  ['TLS', '\x16\x03\x01\x02\0\x01\0', 400],
  ['too large a head', `${head(`A: ${'x'.repeat(16 * 1024)}`)}`, 431],
  ['a head without an end', 'GET / HTTP/1.1\r\nA: '.padEnd(17_000, 'x'), 431],
  ['too many headers', head(...Array.from({ length: 100 }, () => 'A: b')), 431],
]

/** Every way to cut the bytes in two: of long ones, those near the ends and some between. */
function* cutsInTwo(bytes: Buffer): Generator<Buffer[]> {
  for (let at = 0; at <= bytes.length; at++) {
    if (bytes.length < 1000 || at < 60 || at > bytes.length - 60 || at % 997 === 0) {
      yield cut(bytes, [at])
    }
  }
}

function assertSameHoweverCut(bytes: Buffer, expected: Outcome): void {
  for (const pieces of cutsInTwo(bytes)) {
    assert.deepEqual(outcome(pieces), expected, `cut at ${pieces[0]?.length}`)
  }
  const single = Array.from(bytes, (_, at) => bytes.subarray(at, at + 1))
  assert.deepEqual(outcome(single), expected, 'byte by byte')
}

type Outcome = Pick<Parsed, 'requests' | 'end'>

function outcome(pieces: readonly Buffer[]): Outcome {
  const { requests, end } = parse(pieces)
  return { requests, end }
}

describe('accepted, however it is cut:', () => {
  for (const [what, text, end, bodies] of accepted) {
    test(what, () => {
      const whole = outcome([bytesOf(text)])
      assert.equal(whole.end, end)
      assert.deepEqual(
        whole.requests.map(({ body }) => body),
        bodies,
      )
      assertSameHoweverCut(bytesOf(text), whole)
    })
  }
})

describe('refused, however it is cut, with what comes before it accepted:', () => {
  for (const [what, text, status] of refused) {
    test(what, () => {
      assert.deepEqual(outcome([bytesOf(text)]), { requests: [], end: status })
      const behind = bytesOf(one + text)
      const { requests } = parse([bytesOf(one)])
      assertSameHoweverCut(behind, { requests, end: status })
    })
  }
})

test('what is handed over is what came', () => {
  const text =
    'PUT /a%20b/../?x=+&y HTTP/1.1\r\nhOsT:  t:1 \r\nX-Two: 1\r\nx-TWO:\t2, 3\t\r\nX:\r\nE: \xe9 f\r\n\r\n'
  assert.deepEqual(parse([bytesOf(text)]).requests, [
    {
      method: 'PUT',
      target: '/a%20b/../?x=+&y',
      rawHeaders: ['hOsT', 't:1', 'X-Two', '1', 'x-TWO', '2, 3', 'X', '', 'E', '\xe9 f'],
      body: '',
    },
  ])
})

test('limits: just so, and one more', () => {
  const limits = { headerBytes: 100, headers: 3 }
  const sized = (bytes: number) => bytesOf(head(`A: ${'x'.repeat(bytes - head('A: ').length)}`))
  for (const [bytes, end] of [
    [100, 'idle'],
    [101, 431],
    [5000, 431],
  ] as const) {
    assert.equal(sized(bytes).length, bytes)
    for (const pieces of cutsInTwo(sized(bytes))) assert.equal(parse(pieces, limits).end, end)
  }
  const counted = (count: number) => bytesOf(head(...Array.from({ length: count - 1 }, () => 'A:')))
  assert.equal(parse([counted(3)], limits).end, 'idle')
  assert.equal(parse([counted(4)], limits).end, 431)
  const target = (length: number) =>
    bytesOf(`GET /${'x'.repeat(length - 1)} HTTP/1.1\r\nHost: t\r\n\r\n`)
  assert.equal(parse([target(8192)]).end, 'idle')
  assert.equal(parse([target(8193)]).end, 414)
})

test('a long stream in arbitrary pieces', () => {
  const request = fc.oneof(
    fc.constant('GET /x?y HTTP/1.1\r\nHost: t\r\nA: b\r\n\r\n'),
    fc
      .string({ unit: 'binary-ascii', maxLength: 200 })
      .map((body) => `${head(`Content-Length: ${body.length}`)}${body}`),
  )
  const streams = fc.tuple(
    fc.array(request, { maxLength: 6 }),
    fc.array(fc.nat(1500), { maxLength: 12 }),
  )
  fc.assert(
    fc.property(streams, ([texts, places]) => {
      const bytes = bytesOf(texts.join(''))
      const pieces = cut(
        bytes,
        places.filter((place) => place < bytes.length),
      )
      const parsed = outcome(pieces)
      assert.equal(parsed.requests.length, texts.length)
      assert.deepEqual(parsed, outcome([bytes]))
    }),
  )
})

test('pieces fed faster than they are used up are not lost', () => {
  const parser = new RequestParser(parserLimits)
  for (const piece of cut(bytesOf(one), [3, 30, 45])) parser.feed(Buffer.from(piece))
  assert.equal(parser.next(), 'head')
  assert.equal(parser.next(), 'body')
  assert.equal(parser.takeBody().toString(), 'abc')
  assert.equal(parser.next(), 'more')
})

test('a body in one piece is not copied; one in many is wiped where it was', () => {
  const parser = new RequestParser(parserLimits)
  const whole = bytesOf(one)
  parser.feed(whole)
  parser.next()
  parser.next()
  assert.equal(parser.takeBody().buffer, whole.buffer)
  const [first, second] = [
    bytesOf(`${head('Content-Length: 70000')}se`),
    bytesOf('x'.repeat(69_998)),
  ]
  parser.feed(first)
  assert.equal(parser.next(), 'head')
  assert.equal(parser.next(), 'more')
  assert.equal(parser.bodyRoom, 65_536)
  assert.deepEqual(first.subarray(-2), Buffer.alloc(2))
  parser.feed(second)
  assert.equal(parser.next(), 'body')
  assert.deepEqual(second, Buffer.alloc(69_998))
  assert.equal(parser.takeBody().toString(), `se${'x'.repeat(69_998)}`)
})

test('room for a body grows with what has come, not with what was announced', () => {
  const parser = new RequestParser(parserLimits)
  const before = process.memoryUsage().arrayBuffers
  parser.feed(bytesOf(`${head('Content-Length: 999999999999999')}x`))
  assert.equal(parser.next(), 'head')
  assert.equal(parser.head.contentLength, 999_999_999_999_999)
  assert.equal(parser.next(), 'more')
  assert.ok(process.memoryUsage().arrayBuffers - before < 1_000_000)
})

const secret = 'TOP-SECRET'
const withSecret = `${head(`Content-Length: ${secret.length}`)}${secret}`

/** Takes all bodies and wipes them, as their owner does. */
function drive(parser: RequestParser, piece: Buffer): Step {
  parser.feed(piece)
  for (let step = parser.next(); ; step = parser.next()) {
    if (step === 'body') parser.takeBody().fill(0)
    else if (step !== 'head') return step
  }
}

for (const [what, text, end] of [
  ['a body', withSecret, 'more'],
  ['a damaged head', withSecret.replace('\r\n', '\n'), 'refused'],
  ['a head that is refused', withSecret.replace('Host: t', 'Most: t'), 'refused'],
  ['a damaged head and a body of lines', `POST / HTTP/1.1\n\n${secret}\r\n\r\n`, 'refused'],
  ['a head that never ends', `POST / HTTP/1.1\r\nA: ${secret}${'x'.repeat(900)}`, 'refused'],
  ['a head without its end', `POST / HTTP/1.1\r\nA: ${secret}`, 'more'],
] as const) {
  test(`nothing of it stays behind, however it is cut: ${what}`, (t) => {
    const made = t.mock.method(Buffer, 'allocUnsafeSlow')
    for (let at = 0; at <= Math.min(text.length, 120); at++) {
      const pieces = cut(bytesOf(text), [at]).map((piece) => Buffer.from(piece))
      const parser = new RequestParser({ headerBytes: 900, headers: 100 })
      const steps = pieces.map((piece) => drive(parser, piece))
      assert.equal(steps.at(-1), end, `cut at ${at}`)
      parser.wipe()
      const rooms = made.mock.calls.map(({ result }) => result ?? Buffer.alloc(0))
      for (const bytes of [...pieces, ...rooms]) {
        assert.ok(!/SEC|CRE|RET/.test(bytes.toString('latin1')), `cut at ${at}`)
      }
      made.mock.resetCalls()
    }
  })
}

test('pieces that are used up are not kept', async () => {
  const parsers: RequestParser[] = []
  const feed = (text: string) => {
    // Of its own, not of the pool that node takes small ones from.
    const piece = Buffer.alloc(30_000, text, 'latin1').subarray(0, text.length)
    const parser = new RequestParser(parserLimits)
    parsers.push(parser)
    parser.feed(piece)
    parser.next()
    parser.next()
    if (parser.next() === 'body') parser.takeBody()
    return new WeakRef(piece.buffer)
  }
  const kept = [
    feed('POST / HT'),
    feed(`${head(`A: ${'x'.repeat(10_000)}`, 'Content-Length: 100000')}x`),
    feed(head('Content-Length: 100000')),
    feed(one),
  ]
  // What a WeakRef was made of is kept until the end of the turn.
  await setImmediate()
  collectGarbage()
  assert.deepEqual(
    kept.map((piece) => piece.deref() === undefined),
    [true, true, true, true],
  )
  assert.equal(parsers.length, 4)
})

test('wiped: what was held, what was not looked at, and nothing is taken any more', () => {
  const parser = new RequestParser(parserLimits)
  const chunk = bytesOf(`${one}${one}`)
  parser.feed(chunk)
  assert.equal(parser.next(), 'head')
  parser.wipe()
  assert.deepEqual(chunk.subarray(-3), Buffer.alloc(3))
  assert.equal(parser.hasInput, false)
  parser.feed(bytesOf(one))
  assert.equal(parser.next(), 'refused')
})
