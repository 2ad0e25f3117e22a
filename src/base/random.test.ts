import assert from 'node:assert/strict'
import { test } from 'node:test'
import { systemRandom } from './random.ts'

const many = 3000

test('a UUID is of version 4, in lower case', () => {
  const form = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  for (let count = 0; count < many; count++) assert.match(systemRandom.uuid(), form)
})

test('no UUID comes twice, whenever the pool is filled anew', () => {
  const seen = new Set<string>()
  for (let count = 0; count < many; count++) seen.add(systemRandom.uuid())
  assert.equal(seen.size, many)
})

test('bytes are their asker’s alone: whoever wipes them has wiped all there is', () => {
  for (const count of [12, 32, 64]) {
    assert.equal(systemRandom.bytes(count).buffer.byteLength, count)
    assert.notDeepEqual(systemRandom.bytes(count), systemRandom.bytes(count))
  }
})

test('every digit but version and variant takes every value', () => {
  const values = Array.from({ length: 36 }, () => new Set<string>())
  for (let count = 0; count < many; count++) {
    for (const [at, digit] of [...systemRandom.uuid()].entries()) values[at]?.add(digit)
  }
  const expected = values.map((_, at) =>
    [8, 13, 14, 18, 23].includes(at) ? 1 : at === 19 ? 4 : 16,
  )
  assert.deepEqual(
    values.map((set) => set.size),
    expected,
  )
})
