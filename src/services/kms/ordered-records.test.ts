import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OrderedRecords } from './ordered-records.ts'
import { RecordGroups } from './record-groups.ts'

type Item = { readonly at: number }

const compare = (a: Item, b: Item) => a.at - b.at
const everything = () => true

/** Items in another order than that of their places: steps of a number that has no factor in common with `count`. */
function shuffled(count: number): Item[] {
  return Array.from({ length: count }, (_, step) => ({ at: (step * 7919) % count }))
}

test('records come in their order, from any position, whatever was added and removed', () => {
  const step = fc.record({ at: fc.nat(60), remove: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step), fc.nat(60), fc.nat(20), (steps, position, count) => {
      const records = new OrderedRecords<Item>(compare)
      const groups = new RecordGroups<Item>(compare)
      const model = new Set<number>()
      for (const { at, remove } of steps) {
        if (remove) {
          records.delete({ at })
          groups.delete('group', { at })
          model.delete(at)
        } else {
          records.add({ at })
          groups.add('group', { at })
          model.add(at)
        }
      }
      const expected = [...model]
        .sort((a, b) => a - b)
        .filter((at) => at > position)
        .slice(0, count)
        .map((at) => ({ at }))
      const isBeyond = ({ at }: Item) => at > position
      assert.deepEqual(records.from(isBeyond, count), expected)
      assert.deepEqual(groups.from('group', isBeyond, count), expected)
      assert.equal(records.size, model.size)
      assert.equal(groups.size('group'), model.size)
    }),
  )
})

test('many blocks are read and emptied like one', () => {
  const records = new OrderedRecords<Item>(compare)
  const items = shuffled(5000)
  for (const item of items) records.add(item)
  assert.equal(records.size, 5000)
  const found = records.from(everything, 6000)
  assert.deepEqual(
    found.map(({ at }) => at),
    Array.from({ length: 5000 }, (_, at) => at),
  )
  assert.deepEqual(
    records.from(({ at }) => at > 2999, 3).map(({ at }) => at),
    [3000, 3001, 3002],
  )
  assert.deepEqual(
    records.from(({ at }) => at > 4999, 3),
    [],
  )
  for (const item of items) records.delete(item)
  assert.equal(records.size, 0)
  assert.deepEqual(records.from(everything, 10), [])
})

test('a page of fifty thousand looks at few of them', () => {
  let looks = 0
  const groups = new RecordGroups<Item>((a, b) => {
    looks++
    return a.at - b.at
  })
  for (const item of shuffled(50_000)) groups.add('group', item)
  const perItem = looks / 50_000
  assert.ok(perItem < 40, `${perItem} comparisons to add one`)
  for (const start of [-1, 25_000, 49_900]) {
    looks = 0
    const isBeyond = ({ at }: Item) => {
      looks++
      return at > start
    }
    const page = groups.from('group', isBeyond, 50)
    assert.equal(page[0]?.at, start + 1)
    assert.equal(page.length, 50)
    assert.ok(looks < 40, `${looks} looks`)
  }
  looks = 0
  groups.delete('group', { at: 33_333 })
  assert.ok(looks < 40, `${looks} looks to remove one`)
  assert.equal(groups.size('group'), 49_999)
})

test('groups do not know of each other, and an empty one is gone', () => {
  const groups = new RecordGroups<Item>(compare)
  assert.deepEqual(groups.from('a', everything, 5), [])
  groups.delete('a', { at: 1 })
  groups.add('a', { at: 1 })
  groups.add('b', { at: 2 })
  groups.delete('a', { at: 2 })
  assert.deepEqual(groups.from('a', everything, 5), [{ at: 1 }])
  assert.deepEqual(groups.from('a', everything, 0), [])
  groups.delete('a', { at: 1 })
  assert.equal(groups.size('a'), 0)
  assert.deepEqual(groups.from('b', everything, 5), [{ at: 2 }])
})
