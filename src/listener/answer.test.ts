import assert from 'node:assert/strict'
import { test } from 'node:test'
import { headOf, inOnePiece } from './answer.ts'

const date = 'Fri, 02 Jan 2026 03:04:05 GMT'

test('the head of an answer', () => {
  const reply = { status: 404, headers: ['A', 'b', 'C', '\xe9\t'], body: 'x' }
  const head = `HTTP/1.1 404 Not Found\r\nA: b\r\nC: \xe9\t\r\nDate: ${date}\r\n`
  assert.equal(headOf(reply, date, false), `${head}\r\n`)
  assert.equal(headOf(reply, date, true), `${head}Connection: close\r\n\r\n`)
  assert.match(headOf({ ...reply, status: 299 }, date, false), /^HTTP\/1\.1 299 \r\n/)
})

test('headers that cannot be sent as they are', () => {
  for (const bad of ['a\r\nB: c', 'a\rb', 'a\nb', '\0', '\x7f', '鍵']) {
    for (const headers of [
      ['A', bad],
      [bad, 'a'],
    ]) {
      assert.throws(() => headOf({ status: 200, headers, body: '' }, date, false), /must not$/)
    }
  }
})

test('one piece: the body is moved, not copied', () => {
  const body = Buffer.from('secret')
  const bytes = inOnePiece('head\xe9', body)
  assert.equal(bytes.toString('latin1'), 'head\xe9secret')
  assert.deepEqual(body, Buffer.alloc(6))
})
