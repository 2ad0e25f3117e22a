import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Deadlines } from './deadlines.ts'
import { defaultLimits } from './limits.ts'

const limits = {
  ...defaultLimits,
  headerMs: 1000,
  requestMs: 3000,
  bodyIdleMs: 2000,
  keepAliveMs: 5000,
}
const sweepMs = 100

test('the first request, and the next one', () => {
  const deadlines = new Deadlines(limits, 5)
  assert.equal(deadlines.isPast('request', 15, sweepMs), false)
  assert.equal(deadlines.isPast('request', 16, sweepMs), true)
  deadlines.served()
  deadlines.idle(20)
  assert.equal(deadlines.isPast('request', 70, sweepMs), false)
  assert.equal(deadlines.isPast('request', 71, sweepMs), true)
})

test('a head, from its first byte', () => {
  const deadlines = new Deadlines(limits, 0)
  deadlines.within(40)
  deadlines.heard(50)
  deadlines.within(50)
  assert.equal(deadlines.isWithin, true)
  assert.equal(deadlines.isPast('head', 50, sweepMs), false)
  assert.equal(deadlines.isPast('head', 51, sweepMs), true)
  deadlines.resume(60)
  assert.equal(deadlines.isPast('head', 70, sweepMs), false)
  deadlines.between()
  assert.equal(deadlines.isWithin, false)
  deadlines.resume(70)
  assert.equal(deadlines.isWithin, false)
})

test('a body, from its last byte and from the first of all', () => {
  const deadlines = new Deadlines(limits, 0)
  deadlines.within(10)
  deadlines.heard(10)
  assert.equal(deadlines.isPast('body', 30, sweepMs), false)
  assert.equal(deadlines.isPast('body', 31, sweepMs), true)
  deadlines.heard(30)
  assert.equal(deadlines.isPast('body', 40, sweepMs), false)
  deadlines.heard(40)
  assert.equal(deadlines.isPast('body', 41, sweepMs), true)
})

test('nothing is never late; closing is two seconds after the last bytes, ten in all', () => {
  const deadlines = new Deadlines(limits, 0)
  assert.equal(deadlines.isPast('nothing', 1_000_000, sweepMs), false)
  deadlines.ended(10)
  assert.equal(deadlines.isPast('close', 30, sweepMs), false)
  assert.equal(deadlines.isPast('close', 31, sweepMs), true)
  deadlines.heard(25)
  assert.equal(deadlines.isPast('close', 45, sweepMs), false)
  assert.equal(deadlines.isPast('close', 46, sweepMs), true)
  for (const tick of [45, 60, 75, 90, 105]) deadlines.heard(tick)
  assert.equal(deadlines.isPast('close', 110, sweepMs), false)
  assert.equal(deadlines.isPast('close', 111, sweepMs), true)
})
