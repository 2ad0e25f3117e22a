import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from '../../base/errors.ts'
import { contentRange, rangeOf, requireBounds } from './ranges.ts'

describe('a Range header', () => {
  for (const text of [
    ...['', 'bytes', 'bytes=', 'bytes=-', 'bytes=5-2', 'bytes=a-b', 'bits=0-1', 'bytes=1--2'],
    ...['bytes=0-1,3-4', 'bytes=-1-2', 'bytes=0x1-2', 'bytes=1-2;', `bytes=${'9'.repeat(16)}-`],
  ]) {
    test(`'${text}' is no range, and is ignored`, () => {
      assert.equal(rangeOf(text), undefined)
    })
  }

  test('that names no byte of the object is refused with both sizes', () => {
    for (const [text, size] of [
      ['bytes=5-', 5],
      ['bytes=-0', 5],
      ['bytes=0-', 0],
      ['bytes=-3', 0],
      ['bytes=9-10', 5],
    ] as const) {
      const range = rangeOf(text)
      assert.ok(range)
      assert.throws(
        () => requireBounds(range, size, text),
        (error) => {
          assert.ok(error instanceof ServiceError)
          assert.equal(error.code, 'InvalidRange')
          assert.deepEqual(error.members, { ActualObjectSize: String(size), RangeRequested: text })
          return true
        },
      )
    }
  })

  test('means the bytes that an array has there', () => {
    fc.assert(
      fc.property(fc.nat(40), fc.nat(40), fc.integer({ min: 1, max: 30 }), (one, other, size) => {
        const bytes = Array.from({ length: size }, (_, at) => at)
        const [first, last] = one <= other ? [one, other] : [other, one]
        for (const [text, expected] of [
          [`bytes=${first}-${last}`, bytes.slice(first, last + 1)],
          [`bytes=${first}-`, bytes.slice(first)],
          [`bytes=-${last}`, last === 0 ? [] : bytes.slice(-last)],
        ] as const) {
          const range = rangeOf(text)
          assert.ok(range)
          if (expected.length === 0) {
            assert.throws(() => requireBounds(range, size, text), ServiceError)
            continue
          }
          const bounds = requireBounds(range, size, text)
          assert.deepEqual(bytes.slice(bounds.start, bounds.end), expected)
          const end = expected.at(-1)
          assert.equal(contentRange(bounds, size), `bytes ${expected[0]}-${end}/${size}`)
        }
      }),
    )
  })
})
