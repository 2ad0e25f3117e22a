import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import { blob, boolean, integer, list, map, string, structure, timestamp } from '../schema.ts'
import { readJson } from './read.ts'
import { quote, writeJson } from './write.ts'

const members = {
  Text: string(),
  Bytes: blob(),
  Count: integer(),
  Flag: boolean(),
  Time: timestamp(),
  Words: list(string()),
  Context: map(),
  Inner: structure({ Text: string() }),
  Items: list(structure({ Bytes: blob(), Count: integer() })),
}
const open = structure(members)
const secret = structure({
  ...members,
  Bytes: blob({ sensitive: true }),
  Items: list(structure({ Bytes: blob({ sensitive: true }), Count: integer() })),
})

const text = fc.string({ unit: 'binary', maxLength: 20 })
const bytes = fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array))
const output = fc.record(
  {
    Text: text,
    Bytes: bytes,
    Count: fc.integer(),
    Flag: fc.boolean(),
    Time: fc.integer({ min: 0, max: 4e12 }),
    Words: fc.array(text, { maxLength: 4 }),
    Context: fc
      .dictionary(text, text, { maxKeys: 4 })
      .map((entries): Record<string, string> => Object.assign(Object.create(null), entries)),
    Inner: fc.record({ Text: text }, { noNullPrototype: true }),
    Items: fc.array(fc.record({ Bytes: bytes, Count: fc.integer() }, { noNullPrototype: true }), {
      maxLength: 3,
    }),
  },
  { requiredKeys: [], noNullPrototype: true },
)

test('what is written is ASCII, is JSON, and reads back the same', () => {
  fc.assert(
    fc.property(output, (value) => {
      const written = writeJson(open, value)
      assert.ok(typeof written === 'string')
      assert.match(written, /^[ -~]*$/)
      assert.ok(typeof JSON.parse(written) === 'object')
      assert.deepEqual(readJson(open, Buffer.from(written, 'latin1')), value)
    }),
  )
})

test('the way without strings writes the same bytes', () => {
  fc.assert(
    fc.property(output, (value) => {
      const written = writeJson(secret, value)
      const hasSecret =
        value.Bytes !== undefined || (value.Items !== undefined && value.Items.length > 0)
      assert.equal(typeof written !== 'string', hasSecret)
      assert.equal(written.toString(), writeJson(open, value))
    }),
  )
})

test('a sensitive blob never becomes a string', (t) => {
  const value = { Bytes: Buffer.from('the quick brown fox'), Text: 'shown' }
  const encoded = value.Bytes.toString('base64')
  const made: string[] = []
  const prototype = Buffer.prototype as unknown as Record<string, (...args: unknown[]) => string>
  for (const name of ['latin1Slice', 'utf8Slice', 'base64Slice', 'toString']) {
    const original = prototype[name]
    assert.ok(original)
    t.mock.method(prototype, name, function (this: Buffer, ...args: unknown[]) {
      const result = original.apply(this, args)
      made.push(result)
      return result
    })
  }
  const written = writeJson(secret, value)
  t.mock.restoreAll()
  assert.deepEqual(made, [])
  assert.ok(Buffer.isBuffer(written))
  assert.equal(written.toString(), `{"Text":"shown","Bytes":"${encoded}"}`)
})

test('the order is the schema’s, undefined and unnamed members are left out', () => {
  const value = { Unnamed: 'x', Flag: true, Text: 'a', Count: undefined }
  assert.equal(writeJson(open, value), '{"Text":"a","Flag":true}')
  assert.equal(writeJson(open, {}), '{}')
  assert.equal(writeJson(open, { Inner: {}, Words: [] }), '{"Words":[],"Inner":{}}')
})

test('timestamps are epoch seconds with their milliseconds', () => {
  assert.equal(writeJson(open, { Time: 1593622000191 }), '{"Time":1593622000.191}')
  assert.equal(writeJson(open, { Time: 1568290320000 }), '{"Time":1568290320}')
})

test('what is not printable ASCII is escaped', () => {
  assert.equal(
    quote('"\\/\n\u0000\u007fé鍵\u{1f511}\ud800'),
    '"\\"\\\\/\\n\\u0000\\u007f\\u00e9\\u9375\\ud83d\\udd11\\ud800"',
  )
})

test('a number that JSON cannot hold is a failure of our own', () => {
  for (const Count of [Number.NaN, Number.POSITIVE_INFINITY]) {
    assert.throws(
      () => writeJson(open, { Count }),
      (error) => error instanceof ServiceError && error.code === 'internal',
    )
  }
})
