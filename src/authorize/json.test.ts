import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../base/errors.ts'
import { type JsonValue, pathOf, readJson } from './json.ts'
import { refused } from './test-samples.ts'

const limits = { bytesMax: 32_768, depthMax: 20 }
const read = (text: string) => readJson(text, limits)

function plain(value: JsonValue): unknown {
  switch (value.type) {
    case 'object':
      return Object.fromEntries([...value.members].map(([name, member]) => [name, plain(member)]))
    case 'array':
      return value.items.map(plain)
    case 'string':
      return value.text
    default:
      return JSON.parse(value.text)
  }
}

test('what JSON does not allow is refused, with the place', () => {
  const cases: [text: string, message: RegExp][] = [
    ['', /line 1, column 1: expected a value/],
    ['   ', /line 1, column 4: expected a value/],
    ['{', /expected a member name/],
    ['{"a"', /expected ":"/],
    ['{"a":}', /line 1, column 6 \(a\): expected a value/],
    ['{"a":1,}', /column 8: expected a member name/],
    ['[1,]', /column 4 \(\[1\]\): expected a value/],
    ['[1 2]', /expected "," or "\]"/],
    ['{"a":1 "b":2}', /expected "," or "}"/],
    ['"abc', /column 5: expected the end of the string/],
    ['"abc\\', /expected the end of the string/],
    ['"a\tb"', /expected the end of the string/],
    ['"a\nb"', /expected the end of the string/],
    ['"\\x41"', /escape/],
    ['"\\u12"', /escape/],
    ['01', /expected the end of the text/],
    ['+1', /expected a value/],
    ['.5', /expected a value/],
    ['1.', /expected the end of the text/],
    ['NaN', /expected a value/],
    ['nul', /expected a value/],
    ['True', /expected a value/],
    ["{'a':1}", /expected a member name/],
    ['{} {}', /column 4: expected the end of the text/],
    ['// comment\n{}', /expected a value/],
    ['{\n  "a": [\n    x\n  ]\n}', /line 3, column 5 \(a\[0\]\): expected a value/],
  ]
  for (const [text, message] of cases) {
    assert.throws(() => read(text), refused('malformed-policy', message), text)
    assert.throws(() => read(text), refused('malformed-policy', /^Policy contains a syntax error/))
  }
})

test('a member that appears twice is refused, also when it is spelled with an escape', () => {
  const twice = /line 1, column 8 \(a\): the member appears more than once/
  assert.throws(() => read('{"a":1,"a":1}'), refused('malformed-policy', twice))
  assert.throws(() => read('{"a":1,"\\u0061":1}'), refused('malformed-policy', twice))
  assert.throws(
    () => read('{"x":{"b":[{"__proto__":1,"__proto__":2}]}}'),
    refused('malformed-policy', /\(x\.b\[0\]\.__proto__\)/),
  )
  assert.deepEqual(plain(read('{"a":{"a":1},"b":{"a":2}}')), { a: { a: 1 }, b: { a: 2 } })
})

test('depth is bounded', () => {
  const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`
  assert.equal(read(nested(20)).type, 'array')
  assert.throws(() => read(nested(21)), refused('malformed-policy', /more than 20 levels/))
  assert.throws(() => read('{"a":'.repeat(4000)), refused('malformed-policy', /more than 20/))
})

test('size is bounded in bytes, not characters', () => {
  assert.equal(read(`"${'a'.repeat(32_766)}"`).type, 'string')
  assert.throws(() => read(`"${'a'.repeat(32_767)}"`), refused('limit-exceeded'))
  assert.equal(read(`"${'é'.repeat(16_383)}"`).type, 'string')
  assert.throws(() => read(`"${'é'.repeat(16_384)}"`), refused('limit-exceeded'))
  assert.throws(() => read('['.repeat(10_000_000)), refused('limit-exceeded'))
})

test('only tab, line feed, carriage return and U+0020 to U+00FF may appear', () => {
  const message = /U\+0020 to U\+00FF/
  for (const character of [
    '\u0100',
    '鍵',
    '\u0000',
    '\u000b',
    '\u2028',
    '😀',
    '\ud800',
    '\ufeff',
  ]) {
    assert.throws(() => read(`{"a":"${character}"}`), refused('malformed-policy', message))
  }
  for (const escaped of ['\\u0100', '\\u0000', '\\ud83d\\ude00', '\\ud800', '\\b']) {
    assert.throws(() => read(`{"a":"${escaped}"}`), refused('malformed-policy', message))
  }
  assert.throws(() => read('{\n"é":"鍵"}'), refused('malformed-policy', /line 2, column 6/))
  assert.deepEqual(plain(read('\r\n\t{"ÿ\\n":"\\u00ff\u007f"}')), { 'ÿ\n': 'ÿ\u007f' })
})

test('every value knows its place', () => {
  const root = read('{\n  "Statement": [\n    {"Condition": {"a.b": 1}}\n  ]\n}')
  const member = (value: JsonValue | undefined, name: string) =>
    value?.type === 'object' ? value.members.get(name) : undefined
  const list = member(root, 'Statement')
  const first = list?.type === 'array' ? list.items[0] : undefined
  const leaf = member(member(first, 'Condition'), 'a.b')
  assert.ok(leaf !== undefined)
  assert.equal(pathOf(leaf.at), 'Statement[0].Condition.a.b')
  assert.deepEqual([leaf.at.line, leaf.at.column], [3, 27])
})

test('numbers and booleans keep their text', () => {
  const value = read('[1.0, -0, 1e3, true, false, null]')
  const texts = value.type === 'array' ? value.items.map((item) => 'text' in item && item.text) : []
  assert.deepEqual(texts, ['1.0', '-0', '1e3', 'true', 'false', 'null'])
})

test('a text that is accepted means what JSON.parse reads', () => {
  const latin = fc.string({
    unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)),
    maxLength: 8,
  })
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      latin,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(latin, tie('value'), { maxKeys: 4 }),
    ),
  })).value
  fc.assert(
    fc.property(value, fc.constantFrom(undefined, 1, '\t'), (expected, indent) => {
      const text = JSON.stringify(expected, undefined, indent)
      assert.equal(JSON.stringify(plain(read(text))), JSON.stringify(JSON.parse(text)))
    }),
    { numRuns: 300 },
  )
})

test('any text is accepted or refused as a policy, and never more than JSON.parse accepts', () => {
  const token = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '"',
    '\\',
    '1',
    '-',
    'true',
    ' ',
  )
  const text = fc.array(token, { maxLength: 12 }).map((tokens) => tokens.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.string(), fc.json()), (source) => {
      try {
        read(source)
      } catch (error) {
        assert.ok(error instanceof ServiceError && error.code === 'malformed-policy')
        return
      }
      JSON.parse(source)
    }),
    { numRuns: 2000 },
  )
})
