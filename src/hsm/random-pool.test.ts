import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RandomPool } from './random-pool.ts'

test('no piece comes twice, across refills and beyond the size of the pool', () => {
  const pool = new RandomPool()
  const seen = new Set<string>()
  for (let i = 0; i < 1000; i++) seen.add(pool.bytes(16).toString('hex'))
  assert.equal(seen.size, 1000)
  const big = pool.bytes(10_000).toString('hex')
  assert.equal(new Set(big.match(/.{32}/g)).size, 625)
})

test('only the part asked for is written', () => {
  const target = Buffer.alloc(64)
  new RandomPool().fill(target, 16, 48)
  assert.deepEqual(target.subarray(0, 16), Buffer.alloc(16))
  assert.deepEqual(target.subarray(48), Buffer.alloc(16))
  assert.notDeepEqual(target.subarray(16, 32), Buffer.alloc(16))
  assert.notDeepEqual(target.subarray(32, 48), Buffer.alloc(16))
})
