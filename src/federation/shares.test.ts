import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { Shares } from './shares.ts'

const throttled = (error: unknown) => error instanceof ServiceError && error.code === 'throttled'
const sharers = (max: number, ...names: readonly string[]) => names.map((name) => ({ name, max }))

test('so many for each, and so many in all', () => {
  const shares = new Shares(3)
  const take = (...names: readonly string[]) => shares.take(sharers(2, ...names))
  const first = take('a', 'p')
  take('a', 'q')
  assert.throws(() => take('a', 'r'), throttled)
  const third = take('b', 'p')
  assert.throws(() => take('c', 'r'), throttled, 'in all')
  third()
  first()
  take('c', 'p')
  take('a', 'r')
  assert.throws(() => take('d', 's'), throttled, 'in all, again')
})

test('a sharer may have more than another', () => {
  const shares = new Shares(10)
  const take = (provider: string) =>
    shares.take([...sharers(2, provider), ...sharers(3, 'account')])
  take('p')
  const second = take('p')
  assert.throws(() => take('p'), throttled)
  take('q')
  assert.throws(() => take('r'), throttled, 'of the account')
  second()
  take('r')
  assert.throws(() => take('q'), throttled, 'of the account, again')
})

test('who was refused has taken nothing', () => {
  const shares = new Shares(5)
  const held = shares.take(sharers(1, 'p'))
  for (let time = 0; time < 10; time += 1) {
    assert.throws(() => shares.take(sharers(1, 'a', 'p')), throttled)
  }
  held()
  shares.take(sharers(1, 'a', 'p'))
})
