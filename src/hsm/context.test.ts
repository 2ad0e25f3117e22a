import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalContext, contextBytesMax } from './context.ts'
import type { EncryptionContext } from './port.ts'
import { failure } from './testing/fixtures.ts'

const text = fc.string({ unit: 'binary', maxLength: 12 })
/** Where the two orders differ: around the surrogates. */
const border = fc.constantFrom('a', '\ud7ff', '\ue000', '\uffff', '\u{10000}', '\u{10ffff}')
const borderText = fc.oneof(text, fc.string({ unit: border, maxLength: 3 }))
const contexts: fc.Arbitrary<EncryptionContext> = fc.dictionary(text, text, { maxKeys: 6 })
const hex = (context: EncryptionContext) => canonicalContext(context).toString('hex')

test('the canonical form is as documented', () => {
  assert.equal(hex({}), '00000000')
  assert.equal(hex({ a: 'bc' }), '00000001 00000001 61 00000002 6263'.replaceAll(' ', ''))
  const two = '00000002 00000001 61 00000000 00000002 c3bc 00000001 78'.replaceAll(' ', '')
  assert.equal(hex({ ü: 'x', a: '' }), two)
})

test('contexts that are nearly the same have different forms', () => {
  const near: EncryptionContext[] = [
    {},
    { a: 'bc' },
    { ab: 'c' },
    { abc: '' },
    { '': 'abc' },
    { a: 'b', c: '' },
    { a: '', b: 'c' },
    { A: 'bc' },
    { 'a ': 'bc' },
    { a: 'bc\0' },
    { '\u00e9': '' },
    { 'e\u0301': '' },
    { '\ufffd': '' },
  ]
  assert.equal(new Set(near.map(hex)).size, near.length)
})

test('different contexts have different forms, equal ones the same in any order', () => {
  fc.assert(
    fc.property(contexts, contexts, (left, right) => {
      const reversed = Object.fromEntries(Object.entries(left).reverse())
      assert.equal(hex(left), hex(reversed))
      const same = (context: EncryptionContext) => JSON.stringify(Object.entries(context).sort())
      assert.equal(hex(left) === hex(right), same(left) === same(right))
    }),
  )
})

test('keys are in the order of their UTF-8 bytes, which is not that of UTF-16', () => {
  assert.ok('\uffff' > '\u{10000}')
  assert.ok(hex({ '\u{10000}': '', '\uffff': '' }).startsWith('0000000200000003efbfbf'))
  fc.assert(
    fc.property(fc.uniqueArray(borderText, { minLength: 2, maxLength: 6 }), (keys) => {
      const form = canonicalContext(Object.fromEntries(keys.map((key) => [key, ''])))
      const found: Buffer[] = []
      for (let at = 4; at < form.length; ) {
        const length = form.readUInt32BE(at)
        found.push(form.subarray(at + 4, at + 4 + length))
        at += 8 + length
      }
      const expected = keys.map((key) => Buffer.from(key)).sort(Buffer.compare)
      assert.deepEqual(found, expected)
    }),
  )
})

test('text that is not well-formed is refused, in keys and in values', () => {
  const lone = ['\ud800', 'a\udc00', '\udfff\ud800']
  for (const each of lone) {
    assert.throws(() => canonicalContext({ [each]: 'v' }), failure('validation'))
    assert.throws(() => canonicalContext({ k: each }), failure('validation'))
  }
})

test('what is no string is refused, and what is too long', () => {
  assert.throws(() => canonicalContext({ k: 7 } as never), failure('validation'))
  assert.throws(() => canonicalContext({ k: undefined } as never), failure('validation'))
  const longest = contextBytesMax - 13
  assert.equal(canonicalContext({ k: 'x'.repeat(longest) }).length, contextBytesMax)
  assert.throws(() => canonicalContext({ k: 'x'.repeat(longest + 1) }), failure('validation'))
})

test('a key called __proto__ is a key', () => {
  const context = JSON.parse('{"__proto__":"x"}')
  assert.notEqual(hex(context), hex({}))
})
