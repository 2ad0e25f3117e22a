import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TokenBuckets } from './token-buckets.ts'

function taking(
  buckets: TokenBuckets,
  name: string,
  now: number,
  allowance = { burst: 3, rate: 1 },
) {
  let count = 0
  while (count < 100 && buckets.take(name, allowance, now)) count++
  return count
}

test('so many at once, then as the seconds go by, and never more at once', () => {
  const buckets = new TokenBuckets()
  assert.equal(taking(buckets, 'a', 0), 3)
  assert.equal(taking(buckets, 'a', 999), 0)
  assert.equal(taking(buckets, 'a', 1000), 1)
  assert.equal(taking(buckets, 'a', 3500), 2)
  assert.equal(taking(buckets, 'a', 4000), 1)
  assert.equal(taking(buckets, 'a', 1_000_000), 3)
})

test('names do not pay for each other, and a clock that goes back gives nothing', () => {
  const buckets = new TokenBuckets()
  assert.equal(taking(buckets, 'a', 5000), 3)
  assert.equal(taking(buckets, 'b', 5000), 3)
  assert.equal(taking(buckets, 'a', 1000), 0)
  assert.equal(taking(buckets, 'a', 2000), 1)
})

test('what is not even one at once is nothing', () => {
  const buckets = new TokenBuckets()
  assert.equal(taking(buckets, 'a', 0, { burst: 0, rate: 0 }), 0)
  assert.equal(taking(buckets, 'a', 1_000_000, { burst: 0, rate: 0 }), 0)
})

test('beyond ten thousand names the oldest is forgotten, and no other', () => {
  const buckets = new TokenBuckets()
  for (let name = 0; name < 10_000; name += 1) taking(buckets, String(name), 0)
  assert.equal(taking(buckets, '1', 0), 0)
  assert.equal(taking(buckets, 'new', 0), 3)
  assert.equal(taking(buckets, '1', 0), 0)
  assert.equal(taking(buckets, '0', 0), 3)
})
