import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ServiceError } from './base/errors.ts'
import type { AccountId } from './base/ids.ts'
import { Throttle } from './throttle.ts'

const account = '111122223333' as AccountId
const other = '444455556666' as AccountId

function admits(throttle: Throttle, now: number, who = account, group = 'Encrypt'): boolean {
  try {
    throttle.admit(who, group, now, 'Slower.')
    return true
  } catch (error) {
    assert.ok(error instanceof ServiceError)
    assert.equal(error.code, 'throttled')
    assert.equal(error.publicMessage, 'Slower.')
    return false
  }
}

test('without a quota nothing is refused', () => {
  const throttle = new Throttle(() => undefined)
  for (let n = 0; n < 10_000; n++) assert.ok(admits(throttle, 0))
})

test("a second's worth at once, then as the seconds go by", () => {
  const throttle = new Throttle(() => 5)
  const admitted = (now: number) => {
    let count = 0
    while (admits(throttle, now)) count++
    return count
  }
  assert.equal(admitted(1000), 5)
  assert.equal(admitted(1100), 0)
  assert.equal(admitted(1400), 2)
  assert.equal(admitted(9000), 5)
})

test('a quota of nothing lets nothing through', () => {
  const throttle = new Throttle(() => 0)
  assert.ok(!admits(throttle, 0))
  assert.ok(!admits(throttle, 1_000_000))
})

test('a quota below one a second still lets one through now and then', () => {
  const throttle = new Throttle(() => 0.5)
  assert.ok(admits(throttle, 0))
  assert.ok(!admits(throttle, 1900))
  assert.ok(admits(throttle, 2000))
})

test('accounts and groups do not pay for each other, and a clock that goes back gives nothing', () => {
  const throttle = new Throttle((_account, group) => (group === 'Encrypt' ? 1 : undefined))
  assert.ok(admits(throttle, 1000))
  assert.ok(!admits(throttle, 500))
  assert.ok(admits(throttle, 1000, other))
  assert.ok(admits(throttle, 1000, account, 'DescribeKey'))
})

test('never more than rate × time + one second, however calls come', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 50 }),
      fc.array(fc.integer({ min: 0, max: 400 }), { maxLength: 300 }),
      (rate, pauses) => {
        const throttle = new Throttle(() => rate)
        let now = 0
        let count = 0
        for (const pause of pauses) {
          now += pause
          if (admits(throttle, now)) count++
        }
        assert.ok(count <= rate + (rate * now) / 1000 + 1e-6)
      },
    ),
  )
})
