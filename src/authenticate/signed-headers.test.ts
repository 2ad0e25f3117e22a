import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { readHeaders } from './request-headers.ts'
import { canonicalHeaders, parseSignedHeaders, SignedHeadersCache } from './signed-headers.ts'

const refusedWith = (detail: string) => (error: unknown) =>
  error instanceof ServiceError && error.code === 'invalid-signature' && error.detail === detail

test('names are in lower case and ascend, and may begin with any character', () => {
  assert.deepEqual(parseSignedHeaders('!;0-first;host').names, ['!', '0-first', 'host'])
  for (const text of ['X-Amz-Date;host', 'host;host', 'x;host', ';host']) {
    const refused = refusedWith('SignedHeaders not canonical')
    assert.throws(() => parseSignedHeaders(text), refused, text)
  }
})

// https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html: values are trimmed, and
// several spaces in a row are one.
describe('a header value in canonical form:', () => {
  const cases = [
    ['', ''],
    [' ', ''],
    ['a', 'a'],
    ['a b', 'a b'],
    [' a', 'a'],
    ['a ', 'a'],
    ['a  b', 'a b'],
    ['a b  c', 'a b c'],
    ['\ta', 'a'],
    ['a\t', 'a'],
    ['a\tb', 'a b'],
    ['a \t b', 'a b'],
  ] as const
  for (const [value, canonical] of cases) {
    test(JSON.stringify(value), () => {
      const headers = readHeaders(['Host', 'kms.test', 'X', value])
      const lines = canonicalHeaders(headers, parseSignedHeaders('host;x'))
      assert.equal(lines, `host:kms.test\nx:${canonical}\n`)
    })
  }
})

test('Date must be signed only where it says when', () => {
  const signed = parseSignedHeaders('host;x-amz-date')
  const dates = ['X-Amz-Date', '20150830T123600Z', 'Date', 'Sun, 30 Aug 2015 12:36:00 GMT']
  const lines = canonicalHeaders(readHeaders(['Host', 'a', ...dates]), signed)
  assert.equal(lines, 'host:a\nx-amz-date:20150830T123600Z\n')
  assert.throws(
    () => canonicalHeaders(readHeaders(['Host', 'a', ...dates.slice(2)]), signed),
    refusedWith('unsigned header date'),
  )
})

test('a list is read once, and 256 are kept', () => {
  const cache = new SignedHeadersCache()
  const list = (index: number) => cache.read(`host;x-${index}`)
  const first = list(0)
  for (let index = 1; index < 256; index++) list(index)
  assert.equal(list(0), first)
  assert.equal(list(255), list(255))
  list(256)
  assert.notEqual(list(0), first)
})
