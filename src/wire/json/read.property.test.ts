import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import { blob, boolean, integer, list, map, string, structure, timestamp } from '../schema.ts'
import { readJson } from './read.ts'
import { Scanner } from './scanner.ts'

const schema = structure({
  a: string(),
  b: blob(),
  c: integer(),
  d: boolean(),
  e: timestamp(),
  f: list(string()),
  g: map(),
  h: structure({ a: string() }),
})
const nothing = structure({})

/** The value, or the text of the refusal; anything else that is thrown fails the test. */
function attempt(read: () => unknown): { value: unknown } | { refused: string } {
  try {
    return { value: read() }
  } catch (error) {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, 'serialization')
    return { refused: error.publicMessage ?? '' }
  }
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) }
  } catch {
    return undefined
  }
}

const isObject = (value: unknown) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const tokens = fc.array(
  fc.constantFrom(
    ...[
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      ' ',
      '\t',
      '"a"',
      '"b"',
      '"\\u0061"',
      '"\\n"',
      '"é"',
      '"',
      '\\',
    ],
    ...[
      '0',
      '-0',
      '1',
      '01',
      '-',
      '.5',
      '1.5',
      '1e5',
      '1E-5',
      'e',
      'true',
      'false',
      'null',
      'nul',
      '\u0001',
    ],
  ),
  { maxLength: 16 },
)

test('skipping accepts exactly what JSON.parse does, duplicates aside', () => {
  fc.assert(
    fc.property(tokens, (parts) => {
      const text = `{"a":${parts.join('')}}`
      const outcome = attempt(() => readJson(nothing, Buffer.from(text)))
      const duplicate = 'refused' in outcome && outcome.refused.startsWith('Duplicate')
      if (!duplicate) assert.equal('value' in outcome, isObject(parsed(text)?.value), text)
    }),
    { numRuns: 5000 },
  )
})

test('skipping accepts every JSON object within its depth', () => {
  const value = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 5 }))
  fc.assert(
    fc.property(value, fc.nat(3), (object, indent) => {
      const text = JSON.stringify(object, null, indent)
      if (!text.isWellFormed() || /\\ud[89a-f]/i.test(text)) return
      assert.deepEqual(
        attempt(() => readJson(nothing, Buffer.from(text))),
        { value: {} },
      )
    }),
  )
})

/** What `readJson` should make of a value that JSON.parse made. */
function expected(object: Record<string, unknown>): Record<string, unknown> {
  const { b, e, g, ...others } = object
  return {
    ...others,
    ...(b === undefined ? {} : { b: Buffer.from(b as string, 'base64') }),
    ...(e === undefined ? {} : { e: Math.round((e as number) * 1000) }),
    ...(g === undefined ? {} : { g: Object.assign(Object.create(null), g) }),
  }
}

const text = fc.string({ unit: 'grapheme', maxLength: 20 })
const anyObject = fc.record(
  {
    a: text,
    b: fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes).toString('base64')),
    c: fc.integer(),
    d: fc.boolean(),
    e: fc.integer({ min: 0, max: 4e12 }).map((milliseconds) => milliseconds / 1000),
    f: fc.array(text, { maxLength: 5 }),
    g: fc.dictionary(text, text, { maxKeys: 5 }),
    h: fc.record({ a: text }),
  },
  { requiredKeys: [] },
)

/** Each character as `\\uXXXX`, which is the same JSON. */
function escapeAll(json: string): string {
  return json.replace(/[a-z0-9é\u4e00-\u9fff]/g, (character) =>
    character.charCodeAt(0) > 0x60
      ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
      : character,
  )
}

test('reads what JSON.parse reads, by the schema', () => {
  fc.assert(
    fc.property(anyObject, (object) => {
      const json = JSON.stringify(object)
      assert.deepEqual(readJson(schema, Buffer.from(json)), expected(JSON.parse(json)))
    }),
  )
})

test('an escaped spelling means the same', () => {
  fc.assert(
    fc.property(text, fc.uint8Array({ maxLength: 20 }), (value, bytes) => {
      const base64 = Buffer.from(bytes).toString('base64')
      const plain = `{"a":${JSON.stringify(value.replaceAll('\\', ''))},"b":"${base64}"}`
      const escaped = plain.replace(/"[^"\\]*"/g, escapeAll)
      assert.deepEqual(readJson(schema, Buffer.from(escaped)), readJson(schema, Buffer.from(plain)))
    }),
  )
})

test('bodies of random bytes are refused and do nothing else', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      attempt(() => readJson(schema, Buffer.from(bytes)))
    }),
    { numRuns: 2000 },
  )
})

test('damaged bodies are read as JSON.parse reads them, or refused', () => {
  const damage = fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255) }), {
    minLength: 1,
    maxLength: 3,
  })
  fc.assert(
    fc.property(anyObject, damage, (object, changes) => {
      const body = Buffer.from(JSON.stringify(object))
      for (const { at, byte } of changes) body[at % body.length] = byte
      const outcome = attempt(() => readJson(schema, body))
      if ('refused' in outcome) return
      const again = parsed(body.toString())
      assert.ok(again !== undefined && isObject(again.value), body.toString())
    }),
    { numRuns: 2000 },
  )
})

test('numbers are those of JSON.parse', () => {
  const spelled = fc.stringMatching(
    /^-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,3})?$/,
  )
  const long = fc.bigInt({ min: -(10n ** 26n), max: 10n ** 26n }).map(String)
  fc.assert(
    fc.property(fc.oneof(spelled, long), (text) => {
      const value = new Scanner(Buffer.from(text)).number()
      assert.ok(Object.is(value, JSON.parse(text)), text)
    }),
    { numRuns: 1000 },
  )
})
