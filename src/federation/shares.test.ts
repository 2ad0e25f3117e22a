import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { Shares } from './shares.ts'

const throttled = (error: unknown) => error instanceof ServiceError && error.code === 'throttled'

test('so many for each, and so many in all', () => {
  const shares = new Shares({ total: 3, each: 2 })
  const first = shares.take(['a', 'p'])
  shares.take(['a', 'q'])
  assert.throws(() => shares.take(['a', 'r']), throttled)
  const third = shares.take(['b', 'p'])
  assert.throws(() => shares.take(['c', 'r']), throttled, 'in all')
  third()
  first()
  shares.take(['c', 'p'])
  shares.take(['a', 'r'])
  assert.throws(() => shares.take(['d', 's']), throttled, 'in all, again')
})

test('who was refused has taken nothing', () => {
  const shares = new Shares({ total: 5, each: 1 })
  const held = shares.take(['p'])
  for (let time = 0; time < 10; time += 1) {
    assert.throws(() => shares.take(['a', 'p']), throttled)
  }
  held()
  shares.take(['a', 'p'])
})
