import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ChunkedBody } from './chunked-body.ts'

/** The body, where it ended, and how, of bytes in these pieces. */
function read(pieces: readonly Buffer[]): { body: string; consumed: number; end: string } {
  const chunks = new ChunkedBody()
  let body = ''
  let consumed = 0
  for (const piece of pieces) {
    let at = 0
    while (at < piece.length && !chunks.isWhole && !chunks.isBroken) {
      const before = at
      at = chunks.read(piece, at)
      consumed += at - before
      body += chunks.piece?.toString('latin1') ?? ''
    }
  }
  return { body, consumed, end: chunks.isWhole ? 'whole' : chunks.isBroken ? 'broken' : 'more' }
}

const text = fc.string({
  unit: fc.constantFrom('\r', '\n', '0', 'a', ';'),
  minLength: 1,
  maxLength: 40,
})

test('the outcome does not depend on where the bytes were cut, and ends where the body does', () => {
  fc.assert(
    fc.property(fc.array(text), fc.array(fc.nat(300)), (parts, places) => {
      const coded = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
      const bytes = Buffer.from(`${coded}0\r\n\r\nGET /next`, 'latin1')
      const cuts = [0, ...places.toSorted((a, b) => a - b), bytes.length]
      const pieces = cuts.slice(1).map((to, at) => bytes.subarray(cuts[at], to))
      assert.deepEqual(read(pieces), {
        body: parts.join(''),
        consumed: coded.length + 5,
        end: 'whole',
      })
    }),
  )
})

for (const bad of [
  ...[
    '\r\n',
    'g\r\n',
    '-1\r\n',
    '+1\r\n',
    '0x1\r\n',
    ' 1\r\n',
    '1 \r\n',
    '1;a=b\r\n',
    '1\n',
    '1\rx',
  ],
  ...[
    '1\r\nab',
    '1\r\na\n',
    '1\r\na\rx',
    '0\r\nA: b\r\n\r\n',
    '0\r\n\n',
    '0\r\n\rx',
    '1234567890123\r\n',
  ],
]) {
  test(`${JSON.stringify(bad)} is broken`, () => {
    assert.equal(read([Buffer.from(bad)]).end, 'broken')
  })
}

test('half of it needs more', () => {
  for (const part of ['', '1', '1\r', '1\r\n', '2\r\na', '1\r\na\r', '0\r\n', '0\r\n\r']) {
    assert.equal(read([Buffer.from(part)]).end, 'more', JSON.stringify(part))
  }
})
