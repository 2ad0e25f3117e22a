import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { SigningScope } from '../hsm/port.ts'
import { SigningKey } from './signing-key.ts'
import { SigningKeys } from './signing-keys.ts'

const scopeOf = (accessKeyId: string, sealedSecret = 'sealed'): SigningScope => ({
  accessKeyId,
  sealedSecret,
  date: '20150830',
  region: 'us-east-1',
  service: 'kms',
})
const credentialOf = (accessKeyId: string) => `${accessKeyId}/20150830/us-east-1/kms/aws4_request`

function keys(max: number) {
  const asked: string[] = []
  const derived: Buffer[] = []
  const cache = new SigningKeys(async (scope) => {
    asked.push(`${scope.accessKeyId} ${scope.sealedSecret}`)
    const key = Buffer.alloc(32, 7)
    derived.push(key)
    return key
  }, max)
  const derive = (id: string, sealed?: string) =>
    cache.derive(credentialOf(id), scopeOf(id, sealed))
  const has = (id: string, sealed = 'sealed') => cache.find(credentialOf(id), sealed) !== undefined
  return { cache, asked, derived, derive, has }
}

test('concurrent misses share one derivation', async () => {
  const { asked, derive } = keys(10)
  const [one, two] = await Promise.all([derive('a'), derive('a'), derive('b')])
  assert.equal(one, two)
  assert.deepEqual(asked, ['a sealed', 'b sealed'])
})

test('a failed derivation is not kept', async () => {
  let failing = true
  const cache = new SigningKeys(async () => {
    if (failing) throw new ServiceError('unavailable')
    return Buffer.alloc(32)
  }, 10)
  const derive = () => cache.derive(credentialOf('a'), scopeOf('a'))
  const answers = await Promise.allSettled([derive(), derive()])
  for (const answer of answers) assert.equal(answer.status, 'rejected')
  failing = false
  assert.ok((await derive()) instanceof SigningKey)
  assert.equal(cache.size, 1)
})

test('never more than the bound; the least recently used goes', async () => {
  const { cache, derive, has } = keys(2)
  await derive('a')
  await derive('b')
  assert.ok(has('a'))
  await derive('c')
  assert.equal(cache.size, 2)
  assert.deepEqual([has('a'), has('b'), has('c')], [true, false, true])
})

test('another sealed secret does not find the key, and replaces it', async () => {
  const { asked, cache, derive, has } = keys(10)
  await derive('a')
  assert.ok(!has('a', 'resealed'))
  await derive('a', 'resealed')
  assert.ok(has('a', 'resealed'))
  assert.ok(!has('a'))
  assert.equal(cache.size, 1)
  assert.deepEqual(asked, ['a sealed', 'a resealed'])
})

test('a key that replaces another wipes it, and counts as the one used last', async () => {
  const { cache, derive, has } = keys(2)
  const replaced = await derive('a')
  await derive('b')
  await derive('a', 'resealed')
  assert.throws(
    () => replaced.verifies('0'.repeat(64), '20150830T123600Z', '0'.repeat(64)),
    (error: ServiceError) =>
      error.code === 'internal' && error.detail === 'signing key used after it was dropped',
  )
  await derive('c')
  assert.equal(cache.size, 2)
  assert.deepEqual([has('a', 'resealed'), has('b'), has('c')], [true, false, true])
})

test('the derived bytes are wiped, and a key that was dropped signs nothing', async () => {
  const { derived, derive } = keys(1)
  const key = await derive('a')
  assert.deepEqual(derived[0], Buffer.alloc(32))
  assert.equal(key.verifies('0'.repeat(64), '20150830T123600Z', '0'.repeat(64)), false)
  await derive('b')
  assert.throws(
    () => key.verifies('0'.repeat(64), '20150830T123600Z', '0'.repeat(64)),
    (error: ServiceError) =>
      error.code === 'internal' && error.detail === 'signing key used after it was dropped',
  )
})
