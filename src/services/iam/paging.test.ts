import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readPage } from './paging.ts'

const scope = ['List', '111122223333']
const identity = (name: string) => name

test('pages together are the list, and their markers are short enough to be sent', () => {
  const names = fc.uniqueArray(fc.string({ maxLength: 700, unit: 'binary' }), { maxLength: 20 })
  fc.assert(
    fc.property(names, fc.integer({ min: 1, max: 7 }), (unsorted, MaxItems) => {
      const items = unsorted.filter((name) => name.isWellFormed()).sort()
      const seen: string[] = []
      let Marker: string | undefined
      do {
        const { items: page, page: end } = readPage({ Marker, MaxItems }, scope, items, identity)
        assert.ok(page.length <= MaxItems)
        seen.push(...page)
        Marker = end.Marker
        assert.equal(end.IsTruncated, Marker !== undefined)
        assert.match(Marker ?? '-', /^[\w.-]{1,320}$/)
      } while (Marker !== undefined)
      assert.deepEqual(seen, items)
    }),
    { numRuns: 200 },
  )
})

test('a list that has changed goes on behind the place of the marker', () => {
  const { page } = readPage({ MaxItems: 2 }, scope, ['a', 'c', 'e'], identity)
  const { items } = readPage({ Marker: page.Marker }, scope, ['a', 'b', 'd', 'e'], identity)
  assert.deepEqual(items, ['d', 'e'])
})

test('a marker is good for its own list alone', () => {
  for (const items of [
    ['a', 'b'],
    ['a'.repeat(300), 'b'],
  ]) {
    const { page } = readPage({ MaxItems: 1 }, scope, items, identity)
    const { Marker = '' } = page
    for (const [marker, list] of [
      [Marker, ['Other']],
      [`${Marker}x`, scope],
      [Marker.slice(1), scope],
      ['', scope],
      ['.', scope],
    ] as const) {
      assert.throws(() => readPage({ Marker: marker }, list, items, identity), {
        code: 'validation',
        publicMessage: `Invalid Marker: ${marker}`,
      })
    }
  }
})
