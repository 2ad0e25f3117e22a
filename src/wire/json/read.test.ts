import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { blob, boolean, integer, list, map, string, structure, timestamp } from '../schema.ts'
import { readJson } from './read.ts'

const everything = structure({
  Text: string(),
  Bytes: blob({ sensitive: true }),
  Count: integer(),
  Flag: boolean(),
  Time: timestamp(),
  Words: list(string()),
  Context: map(),
  Inner: structure({ Text: string(), Count: integer() }),
  Tags: list(structure({ TagKey: string(), TagValue: string() })),
})

const read = (text: string) => readJson(everything, Buffer.from(text))

function refuses(text: string | Buffer, message: string): void {
  const body = Buffer.from(text)
  assert.throws(() => readJson(everything, body), {
    name: 'ServiceError',
    code: 'serialization',
    publicMessage: message,
  })
}

const notJson = 'Request body is not valid JSON'

for (const text of [
  ' ',
  '{',
  '}',
  '{"Text"',
  '{"Text":',
  '{"Text":"a"',
  '{"Text":"a",}',
  '{,"Text":"a"}',
  '{"Text" "a"}',
  "{'Text':'a'}",
  '{Text:"a"}',
  '{"Text":"a"} x',
  '{"Text":"a"}{}',
  '{"Text":"a}',
  '{"Text":"a\\"}',
  '{"Text":"a\\x"}',
  '{"Text":"\\u12"}',
  '{"Text":"\\u12G4"}',
  '{"Text":"line\nfeed"}',
  '{"Text":"nul\u0000"}',
  '{"Text":nul}',
  '{"Flag":tru}',
  '{"Flag":True}',
  '{"Count":01}',
  '{"Count":+1}',
  '{"Count":-}',
  '{"Count":1.}',
  '{"Count":.5}',
  '{"Count":1e}',
  '{"Count":1e+}',
  '{"Count":0x10}',
  '{"Count":NaN}',
  '{"Words":["a",]}',
  '{"Words":["a"',
  '{"Words":["a" "b"]}',
  '{"Context":{"a":"b",}}',
  '{"Context":{"a"}}',
  '{"Unknown":}',
  '{"Unknown":[1,]}',
  '{"Unknown":{"a":1,}}',
  '{"Unknown":"\\q"}',
  '{"Unknown":-}',
  '{"Text":"a"}\u0000',
  '\ufeff{}',
  '{\u00a0}',
  '{}/* comment */',
]) {
  test(`refuses ${JSON.stringify(text)} as JSON.parse does`, () => {
    assert.throws(() => JSON.parse(text), SyntaxError)
    refuses(text, notJson)
  })
}

for (const [text, message] of [
  ['[]', 'Start of list found where not expected'],
  ['null', 'NULL_VALUE cannot be converted to Structure'],
  ['"text"', 'STRING_VALUE cannot be converted to Structure'],
  ['1', 'NUMBER_VALUE cannot be converted to Structure'],
  ['{"Text":1}', 'NUMBER_VALUE cannot be converted to String'],
  ['{"Text":true}', 'TRUE_VALUE cannot be converted to String'],
  ['{"Text":false}', 'FALSE_VALUE cannot be converted to String'],
  ['{"Text":{}}', 'Start of structure or map found where not expected.'],
  ['{"Text":[]}', 'Start of list found where not expected'],
  ['{"Bytes":1}', 'NUMBER_VALUE cannot be converted to Blob'],
  ['{"Bytes":"QQ"}', 'Invalid base64'],
  ['{"Bytes":"Q Q="}', 'Invalid base64'],
  ['{"Bytes":"QQ==\\n"}', 'Invalid base64'],
  ['{"Bytes":"QU\\"="}', 'Invalid base64'],
  ['{"Bytes":"Q\\u0151=="}', 'Invalid base64'],
  ['{"Count":"1"}', 'STRING_VALUE cannot be converted to Integer'],
  ['{"Count":1.5}', 'NUMBER_VALUE cannot be converted to Integer'],
  ['{"Count":2147483648}', 'NUMBER_VALUE cannot be converted to Integer'],
  ['{"Count":-2147483649}', 'NUMBER_VALUE cannot be converted to Integer'],
  ['{"Count":1e400}', 'NUMBER_VALUE cannot be converted to Integer'],
  [`{"Count":${'9'.repeat(5000)}}`, 'NUMBER_VALUE cannot be converted to Integer'],
  ['{"Flag":"true"}', 'STRING_VALUE cannot be converted to Boolean'],
  ['{"Flag":1}', 'NUMBER_VALUE cannot be converted to Boolean'],
  ['{"Time":"2026-11-23T00:00:00Z"}', 'STRING_VALUE cannot be converted to Timestamp'],
  ['{"Time":1e300}', 'NUMBER_VALUE cannot be converted to Timestamp'],
  ['{"Words":"a"}', 'STRING_VALUE cannot be converted to List'],
  ['{"Words":{}}', 'Start of structure or map found where not expected.'],
  ['{"Words":["a",null]}', 'NULL_VALUE cannot be converted to String'],
  ['{"Context":[]}', 'Start of list found where not expected'],
  ['{"Context":{"a":1}}', 'NUMBER_VALUE cannot be converted to String'],
  ['{"Context":{"a":null}}', 'NULL_VALUE cannot be converted to String'],
  ['{"Context":{"a":{}}}', 'Start of structure or map found where not expected.'],
  ['{"Inner":"a"}', 'STRING_VALUE cannot be converted to Structure'],
  ['{"Tags":[{"TagKey":1}]}', 'NUMBER_VALUE cannot be converted to String'],
] as const) {
  test(`refuses the type in ${text.slice(0, 60)}`, () => refuses(text, message))
}

for (const text of [
  '{"Text":"a","Text":"a"}',
  '{"Text":null,"Text":"a"}',
  '{"Text":"a","Text":null}',
  '{"Text":"a","T\\u0065xt":"b"}',
  '{"Unknown":1,"Unknown":2}',
  '{"Unknown":1,"\\u0055nknown":2}',
  '{"Context":{"a":"1","a":"2"}}',
  '{"Context":{"a":"1","\\u0061":"2"}}',
  '{"Context":{"__proto__":"1","__proto__":"2"}}',
  '{"Inner":{"Count":1,"Count":1}}',
]) {
  test(`refuses the duplicate in ${text}`, () => refuses(text, 'Duplicate member in request body'))
}

test('refuses half a surrogate pair, in values and in names', () => {
  for (const half of [
    '\\ud83d',
    '\\ude00',
    '\\ude00\\ud83d',
    '\\ude00\\ude00',
    '\\ud83d\\ud83d',
    '\\ud83dx',
  ]) {
    refuses(`{"Text":"${half}"}`, notJson)
    refuses(`{"Context":{"${half}":"a"}}`, notJson)
    refuses(`{"Unknown":"${half}"}`, notJson)
  }
})

test('refuses bytes that are not UTF-8, wherever they are', () => {
  const notUtf8 = 'Request body is not valid UTF-8'
  for (const bytes of [
    [0xff],
    [0xc0, 0xaf],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xe2, 0x82],
  ]) {
    const bad = Buffer.from(bytes)
    for (const member of ['Text', 'Bytes', 'Unknown']) {
      refuses(Buffer.concat([Buffer.from(`{"${member}":"`), bad, Buffer.from('"}')]), notUtf8)
    }
    refuses(Buffer.concat([Buffer.from('{}'), bad]), notUtf8)
  }
})

test('reads 32 levels and refuses 33, also where it only skips', () => {
  const nested = (levels: number) =>
    `{"Unknown":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`
  assert.deepEqual(read(nested(32)), {})
  refuses(nested(33), 'Request body is nested too deeply')
  refuses(`{"Unknown":${'{"a":'.repeat(32)}1${'}'.repeat(33)}`, 'Request body is nested too deeply')
  refuses(`{"Unknown":${'['.repeat(1_000_000)}`, 'Request body is nested too deeply')
})

test('an empty body is an empty object', () => {
  assert.deepEqual(read(''), {})
  assert.deepEqual(read(' \t\r\n{ } \n'), {})
})

test('reads every type', () => {
  const text = JSON.stringify({
    Text: 'a',
    Bytes: 'AAEC',
    Count: 7,
    Flag: false,
    Time: 1593622000.191,
    Words: ['x', ''],
    Context: { department: 'payments' },
    Inner: { Text: 'b', Count: -1 },
    Tags: [{ TagKey: 'k', TagValue: 'v' }, {}],
  })
  const value = read(text)
  assert.deepEqual(
    { ...value, Context: { ...value.Context } },
    {
      Text: 'a',
      Bytes: Buffer.from([0, 1, 2]),
      Count: 7,
      Flag: false,
      Time: 1593622000191,
      Words: ['x', ''],
      Context: { department: 'payments' },
      Inner: { Text: 'b', Count: -1 },
      Tags: [{ TagKey: 'k', TagValue: 'v' }, {}],
    },
  )
})

test('integers go by their value, not by their spelling', () => {
  for (const [text, value] of [
    ['0', 0],
    ['-0', 0],
    ['1.0', 1],
    ['1e3', 1000],
    ['12.5e1', 125],
    ['2147483647', 2147483647],
    ['-2147483648', -2147483648],
    ['100000000000000000000e-20', 1],
  ] as const) {
    assert.ok(Object.is(read(`{"Count":${text}}`).Count, value), text)
  }
})

test('null is the same as absence', () => {
  const value = read('{"Text":null,"Bytes":null,"Inner":null,"Words":null,"Count":3}')
  assert.equal(value.Text, undefined)
  assert.equal(value.Bytes, undefined)
  assert.equal(value.Inner, undefined)
  assert.equal(value.Count, 3)
})

test('unknown members are skipped, whatever they hold', () => {
  const text =
    '{"A":{"Text":"x","b":[1,-2.5e+3,true,false,null,"\\"}",{}]},"Text":"a","B":[[]],"C":"\\u00e9"}'
  assert.deepEqual(read(text), { Text: 'a' })
})

test('__proto__ and its like are data', () => {
  const context = read('{"Context":{"__proto__":"p","constructor":"c","toString":"t"}}').Context
  assert.ok(typeof context === 'object' && context !== null)
  assert.equal(Object.getPrototypeOf(context), null)
  assert.deepEqual(Object.keys(context).sort(), ['__proto__', 'constructor', 'toString'])
  assert.equal(Reflect.get(context, '__proto__'), 'p')

  const value = read('{"__proto__":{"Text":"polluted"},"constructor":{"prototype":{"x":1}}}')
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.equal(value.Text, undefined)
  assert.equal(Reflect.get({}, 'x'), undefined)
})

test('escapes and Unicode', () => {
  const { Context } = read(
    '{"Context":{"schlüssel":"鍵番","\\u9375":"\\ud83d\\ude00","\u{1f511}":"\\u0000",".":"\\"\\\\\\/\\b\\f\\n\\r\\t"}}',
  )
  assert.deepEqual(Object.entries(Context ?? {}), [
    ['schlüssel', '鍵番'],
    ['鍵', '\u{1f600}'],
    ['\u{1f511}', '\u0000'],
    ['.', '"\\/\b\f\n\r\t'],
  ])
})

test('base64 may be written with escapes', () => {
  assert.deepEqual(read('{"Bytes":"\\/\\u002b\\u002BA"}').Bytes, Buffer.from('/++A', 'base64'))
})

test('a blob never becomes a string', (t) => {
  const secret = Buffer.from('the quick brown fox jumps over it')
  const made: string[] = []
  const prototype = Buffer.prototype as unknown as Record<string, (...args: unknown[]) => string>
  for (const name of ['latin1Slice', 'utf8Slice', 'asciiSlice', 'base64Slice', 'toString']) {
    const original = prototype[name]
    assert.ok(original)
    t.mock.method(prototype, name, function (this: Buffer, ...args: unknown[]) {
      const text = original.apply(this, args)
      made.push(text)
      return text
    })
  }
  const base64 = 'dGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIGl0'
  const bodies = [
    `{"Text":"a","Bytes":"${base64}"}`,
    `{"Bytes":"\\u0064${base64.slice(1)}","Text":"a"}`,
  ]
  const values = bodies.map((text) => readJson(everything, Buffer.from(text)))
  t.mock.restoreAll()
  for (const value of values) assert.ok(value.Bytes?.equals(secret))
  assert.deepEqual(
    made.filter((text) => text.length > 8),
    [],
  )
  assert.ok(made.includes('a'))
})

/** Every Buffer that `run` allocates, as it is afterwards. */
function allocatedBy(t: TestContext, run: () => void): readonly Buffer[] {
  const allocated: Buffer[] = []
  const allocate = Buffer.allocUnsafe
  t.mock.method(Buffer, 'allocUnsafe', (size: number) => {
    const buffer = allocate(size)
    allocated.push(buffer)
    return buffer
  })
  run()
  t.mock.restoreAll()
  return allocated
}

test('a sensitive blob of a refused body is overwritten', (t) => {
  const body = Buffer.from('{"Bytes":"QUJD","Text":1}')
  const allocated = allocatedBy(t, () =>
    assert.throws(() => readJson(everything, body), ServiceError),
  )
  assert.deepEqual(allocated, [Buffer.alloc(3)])
})

test('base64 that was rid of its escapes is overwritten', (t) => {
  const body = Buffer.from('{"Bytes":"\\u0051UJD"}')
  const allocated = allocatedBy(t, () => assert.ok(readJson(everything, body).Bytes))
  const left = allocated.filter((buffer) => buffer.some((byte) => byte !== 0))
  assert.deepEqual(left, [Buffer.from('ABC')])
})
