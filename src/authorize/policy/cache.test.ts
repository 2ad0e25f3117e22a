import assert from 'node:assert/strict'
import { test } from 'node:test'
import { policyText, refused, statement } from '../test-samples.ts'
import { PolicyCache } from './cache.ts'

const text = (number: number) => policyText(statement({ Sid: `number ${number}` }))

test('a text is compiled once', () => {
  const cache = new PolicyCache()
  assert.equal(cache.get(text(1)), cache.get(text(1)))
  assert.notEqual(cache.get(text(1)), cache.get(text(2)))
})

test('the cache is bounded, and what is in use stays', () => {
  const cost = text(100).length + 512
  const cache = new PolicyCache(cost * 20)
  const used = cache.get(text(100))
  for (let number = 101; number < 500; number++) {
    cache.get(text(number))
    assert.equal(cache.get(text(100)), used)
    assert.ok(cache.size <= 20)
  }
})

test('a policy larger than the cache is still compiled', () => {
  const cache = new PolicyCache(10)
  assert.equal(cache.get(text(1)).allows.length, 1)
  assert.ok(cache.size <= 2)
})

test('failures are not kept', () => {
  const cache = new PolicyCache()
  assert.throws(() => cache.get('{}'), refused('malformed-policy'))
  assert.equal(cache.size, 0)
})
