import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { OrderedIds } from './ordered-ids.ts'

const id = fc.string({ maxLength: 3 })
const step = fc.record({ add: fc.boolean(), id })

test('it is a sorted set', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), id, fc.nat(50), (steps, position, count) => {
      const ids = new OrderedIds()
      const model = new Set<string>()
      for (const { add, id } of steps) {
        if (add) {
          ids.add(id)
          model.add(id)
        } else {
          ids.delete(id)
          model.delete(id)
        }
      }
      const sorted = [...model].sort()
      assert.equal(ids.size, sorted.length)
      assert.deepEqual(ids.after(undefined, Number.MAX_SAFE_INTEGER), sorted)
      const rest = sorted.filter((candidate) => candidate > position)
      assert.deepEqual(ids.after(position, count + 1), rest.slice(0, count + 1))
      const group = sorted.filter((candidate) => candidate.startsWith(position))
      assert.deepEqual(ids.startingWith(position), group)
    }),
  )
})

test('ids that are added in their order fill many blocks, and those with a prefix span several', () => {
  const ids = new OrderedIds()
  const model = Array.from(
    { length: 3000 },
    (_, index) => `${1 + (index >= 700 ? 1 : 0)}/${1e4 + index}`,
  )
  for (const id of model) ids.add(id)
  for (const id of model) ids.add(id)
  assert.equal(ids.size, 3000)
  assert.deepEqual(ids.after(undefined, 4000), model)
  assert.deepEqual(ids.startingWith('1/'), model.slice(0, 700))
  assert.deepEqual(ids.startingWith('2/'), model.slice(700))
  assert.deepEqual(ids.startingWith('3/'), [])
})

test('it keeps the order over many blocks, added in any order and emptied again', () => {
  const ids = new OrderedIds()
  const model = Array.from({ length: 5000 }, (_, index) => String((index * 7919) % 5000))
  for (const id of model) ids.add(id)
  model.sort()
  assert.equal(ids.size, 5000)
  assert.deepEqual(ids.after(undefined, 6000), model)
  assert.deepEqual(ids.after(model[2047], 1000), model.slice(2048, 3048))
  for (const id of model.slice(1000)) ids.delete(id)
  assert.deepEqual(ids.after(undefined, 6000), model.slice(0, 1000))
  for (const id of model) ids.delete(id)
  assert.equal(ids.size, 0)
  assert.deepEqual(ids.after(undefined, 1), [])
})
