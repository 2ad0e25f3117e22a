import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  blob,
  boolean,
  integer,
  list,
  oneOf,
  required,
  type StructureSchema,
  string,
  structure,
} from './schema.ts'
import { validate } from './validate.ts'

const tag = structure({
  TagKey: required(string({ min: 1, max: 128 })),
  TagValue: required(string({ min: 0, max: 256 })),
})

function refuses(schema: StructureSchema, value: unknown, message: string): void {
  assert.throws(() => validate(schema, value), {
    name: 'ServiceError',
    code: 'validation',
    publicMessage: message,
  })
}

/** The whole message about one broken constraint. */
const one = (rest: string) => `1 validation error detected: ${rest}`

test('row 15: a plaintext that is too long is not shown', () => {
  const schema = structure({ Plaintext: required(blob({ min: 1, max: 4096, sensitive: true })) })
  refuses(
    schema,
    { Plaintext: Buffer.alloc(4097) },
    one(
      "Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    ),
  )
  refuses(
    schema,
    { Plaintext: Buffer.alloc(0) },
    one(
      "Value at 'plaintext' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ),
  )
})

test('row 21: a number out of its range', () => {
  const schema = structure({ NumberOfBytes: integer({ min: 1, max: 1024 }) })
  refuses(
    schema,
    { NumberOfBytes: 1025 },
    one(
      "Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    ),
  )
  refuses(
    schema,
    { NumberOfBytes: 0 },
    one(
      "Value '0' at 'numberOfBytes' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ),
  )
})

test('row 22: a value outside its enumeration', () => {
  const schema = structure({
    MacAlgorithm: oneOf('HMAC_SHA_384', 'HMAC_SHA_256', 'HMAC_SHA_224', 'HMAC_SHA_512'),
  })
  refuses(
    schema,
    { MacAlgorithm: 'INVALID' },
    one(
      "Value 'INVALID' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
    ),
  )
  refuses(
    schema,
    { MacAlgorithm: 'constructor' },
    one(
      "Value 'constructor' at 'macAlgorithm' failed to satisfy constraint: Member must satisfy enum value set: [HMAC_SHA_384, HMAC_SHA_256, HMAC_SHA_224, HMAC_SHA_512]",
    ),
  )
})

test('row 23: a tag inside a list has a path', () => {
  const long = 'v'.repeat(257)
  refuses(
    structure({ Tags: list(tag) }),
    { Tags: [{ TagKey: 'k', TagValue: long }] },
    one(
      `Value '${long}' at 'tags.1.member.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256`,
    ),
  )
  refuses(
    structure({ Tags: list(tag) }),
    { Tags: [{ TagKey: 'k', TagValue: '' }, { TagKey: 'l' }] },
    one(
      "Value null at 'tags.2.member.tagValue' failed to satisfy constraint: Member must not be null",
    ),
  )
})

test('row 39: an empty id', () => {
  refuses(
    structure({ KeyId: required(string({ min: 1, max: 2048 })) }),
    { KeyId: '' },
    one(
      "Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ),
  )
})

test('several broken constraints are counted and joined', () => {
  const schema = structure({
    KeyId: required(string()),
    Name: string({ min: 1, max: 4, pattern: '[a-z]+' }),
    Inner: structure({ Limit: integer({ max: 2 }) }),
  })
  refuses(
    schema,
    { Name: '', Inner: { Limit: 3 } },
    '4 validation errors detected: ' +
      "Value null at 'keyId' failed to satisfy constraint: Member must not be null; " +
      "Value '' at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1; " +
      "Value '' at 'name' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-z]+; " +
      "Value '3' at 'inner.limit' failed to satisfy constraint: Member must have value less than or equal to 2",
  )
})

test('a string that is too long is not matched against its pattern', () => {
  refuses(
    structure({ Name: string({ max: 4, pattern: '[a-z]+' }) }),
    { Name: 'ABCDE' },
    one(
      "Value 'ABCDE' at 'name' failed to satisfy constraint: Member must have length less than or equal to 4",
    ),
  )
})

test('lists: their length, and the constraint on their simple elements', () => {
  const schema = structure({
    GrantTokens: list(string({ min: 1, max: 5 }), { max: 2 }),
    Operations: list(oneOf('Encrypt', 'Decrypt'), { min: 1 }),
  })
  validate(schema, { GrantTokens: ['a', 'b'], Operations: ['Decrypt'] })
  refuses(
    schema,
    { GrantTokens: ['a', 'b', 'c'] },
    one(
      "Value '[a, b, c]' at 'grantTokens' failed to satisfy constraint: Member must have length less than or equal to 2",
    ),
  )
  refuses(
    schema,
    { GrantTokens: ['a', ''], Operations: [] },
    '2 validation errors detected: ' +
      "Value '[a, ]' at 'grantTokens' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 5, Member must have length greater than or equal to 1]; " +
      "Value '[]' at 'operations' failed to satisfy constraint: Member must have length greater than or equal to 1",
  )
  refuses(
    schema,
    { Operations: ['Encrypt', 'Sing'] },
    one(
      "Value '[Encrypt, Sing]' at 'operations' failed to satisfy constraint: Member must satisfy constraint: [Member must satisfy enum value set: [Encrypt, Decrypt]]",
    ),
  )
})

test('secrets are not shown', () => {
  const schema = structure({
    Password: string({ max: 3, sensitive: true }),
    Passwords: list(string({ max: 3, sensitive: true })),
  })
  refuses(
    schema,
    { Password: 'hunter2', Passwords: ['hunter2'] },
    '2 validation errors detected: ' +
      "Value at 'password' failed to satisfy constraint: Member must have length less than or equal to 3; " +
      "Value at 'passwords' failed to satisfy constraint: Member must satisfy constraint: [Member must have length less than or equal to 3]",
  )
})

test('a pattern without a length to bound it is a defect of the schema', () => {
  assert.throws(
    () => validate(structure({ Name: string({ pattern: 'a+' }) }), { Name: 'a' }),
    /needs a length/,
  )
})

test('a message is bounded and well-formed, however much it has to say', () => {
  const schema = structure({ Tags: list(tag), Word: string({ max: 1 }) })
  const Tags = Array.from({ length: 20_000 }, () => ({
    TagKey: '',
    TagValue: '\u{1f511}'.repeat(300),
  }))
  assert.throws(
    () => validate(schema, { Tags, Word: 'x'.repeat(1_000_000) }),
    (error: Error) => {
      assert.ok(error.message.startsWith('40001 validation errors detected: '))
      assert.ok(error.message.length <= 4096)
      assert.ok(error.message.isWellFormed())
      return true
    },
  )
})

const bounds = fc
  .tuple(fc.integer({ min: 1, max: 40 }), fc.nat(40))
  .map(([min, more]) => ({ min, max: min + more }))

/** Holds at both bounds and fails on the other side of each. */
function holdsWithin(
  schema: StructureSchema,
  { min, max }: { min: number; max: number },
  valueFor: (measure: number) => unknown,
): void {
  for (const measure of [min, max]) validate(schema, { Member: valueFor(measure) })
  for (const [measure, text] of [
    [min - 1, `greater than or equal to ${min}`],
    [max + 1, `less than or equal to ${max}`],
  ] as const) {
    assert.throws(
      () => validate(schema, { Member: valueFor(measure) }),
      (error: Error) =>
        error.message.startsWith('1 validation error detected: ') && error.message.endsWith(text),
    )
  }
}

test('bounds include their ends: strings in code points', () => {
  const unit = fc.constantFrom('a', 'é', '鍵', '\u{1f511}')
  fc.assert(
    fc.property(bounds, unit, (range, character) => {
      holdsWithin(structure({ Member: string(range) }), range, (count) => character.repeat(count))
    }),
  )
})

test('bounds include their ends: blobs, integers, lists', () => {
  fc.assert(
    fc.property(bounds, (range) => {
      holdsWithin(structure({ Member: blob(range) }), range, (count) => Buffer.alloc(count))
      holdsWithin(structure({ Member: integer(range) }), range, (count) => count)
      holdsWithin(structure({ Member: list(boolean(), range) }), range, (count) =>
        Array.from({ length: count }, () => true),
      )
    }),
  )
})

test('absent members have no bounds', () => {
  validate(structure({ Name: string({ min: 1 }), Inner: structure({ A: required(string()) }) }), {
    Name: undefined,
  })
})
