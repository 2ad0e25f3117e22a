import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeAttributes, encodeAttributes, type ObjectAttributes } from './attributes.ts'
import { packParts, unpackParts } from './packed-parts.ts'

const parts = fc
  .uniqueArray(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 30 })
  .chain((numbers) =>
    fc.tuple(
      fc.constant(numbers.sort((a, b) => a - b)),
      fc.array(fc.constantFrom(0, 1, 5_242_880, 5_368_709_120), {
        minLength: numbers.length,
        maxLength: numbers.length,
      }),
      fc.constantFrom(0, 4, 8, 20, 32),
      fc.boolean(),
    ),
  )
  .map(([numbers, sizes, width, inOrder]) =>
    numbers.map((number, at) => ({
      number: inOrder ? at + 1 : number,
      size: sizes[at] ?? 0,
      ...(width > 0 && { checksum: randomBytes(width).toString('base64') }),
    })),
  )

test('parts come back as they were', () => {
  fc.assert(
    fc.property(parts, (given) => {
      assert.deepEqual(unpackParts(JSON.parse(JSON.stringify(packParts(given)))), given)
    }),
  )
})

test('attributes have them as they were, and the same attributes without any', () => {
  const some: ObjectAttributes = {
    encryption: { mode: 'AES256', byDefault: true },
    contentType: 'text/x',
    parts: [
      { number: 2, size: 5 },
      { number: 7, size: 5 },
    ],
  }
  assert.deepEqual(decodeAttributes(encodeAttributes(some)), some)
  const { parts: _, ...none } = some
  assert.deepEqual(decodeAttributes(encodeAttributes(none)), none)
  assert.throws(() => decodeAttributes('no JSON'), { code: 'internal' })
})

test('ten thousand of one size take little room', () => {
  const many = Array.from({ length: 10_000 }, (_, at) => ({ number: at + 1, size: 8_388_608 }))
  assert.ok(JSON.stringify(packParts(many)).length < 50)
  const checksum = Buffer.alloc(4, 7).toString('base64')
  const summed = many.map((part) => ({ ...part, checksum }))
  assert.ok(JSON.stringify(packParts(summed)).length < 60_000)
})
