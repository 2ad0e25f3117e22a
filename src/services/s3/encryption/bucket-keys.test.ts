import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { systemRandom } from '../../../base/random.ts'
import { ObjectDamage } from '../../../objects/encryption/damage.ts'
import { account, House, region } from '../../../testing/house.ts'
import type { CallContext } from '../../operation.ts'
import { bucket } from '../testing/encryption-site.ts'
import { BucketKeys, type BucketKeysOptions, lifetimeMs, slotOf } from './bucket-keys.ts'

const arn = 'arn:aws:s3:::bucket'
const dataKey = Buffer.alloc(32, 9)

function book(options: Partial<BucketKeysOptions> = {}) {
  const clock = { time: 1_000_000, now: () => clock.time }
  const keys = new BucketKeys({ clock, random: systemRandom, ...options })
  const made: Buffer[] = []
  const add = (slot: string) => {
    const key = Buffer.alloc(32, made.length + 1)
    made.push(key)
    keys.add(slot, { key, blob: Buffer.from(`blob of ${slot}`), keyArn: `arn of ${slot}` })
  }
  return { clock, keys, made, add }
}

const isWiped = (key: Buffer | undefined) => key?.every((byte) => byte === 0) === true

test('what was wrapped under a bucket key opens under it, for its bucket', () => {
  const { keys, add } = book()
  add('a')
  add('b')
  assert.equal(keys.keyArnOf('a'), 'arn of a')
  const wrapped = keys.wrap('a', 'arn of a', dataKey, arn)
  assert.deepEqual(wrapped?.blob, Buffer.from('blob of a'))
  const { box } = wrapped ?? { box: Buffer.alloc(0) }
  assert.deepEqual(keys.unwrap('a', box, arn), dataKey)
  const again = keys.wrap('a', 'arn of a', dataKey, arn)
  assert.notDeepEqual(again?.box, box)
  // What was decided of one KMS key is no leave to use another.
  assert.equal(keys.wrap('a', 'arn of b', dataKey, arn), undefined)
  const isDamage = (error: unknown) => error instanceof ObjectDamage && error.kind === 'header'
  assert.throws(() => keys.unwrap('a', box, `${arn}2`), isDamage)
  assert.throws(() => keys.unwrap('b', box, arn), isDamage)
  for (let at = 0; at < box.length; at += 1) {
    const altered = Buffer.from(box)
    altered[at] = (altered[at] ?? 0) ^ 1
    assert.throws(() => keys.unwrap('a', altered, arn), isDamage)
  }
})

test('after five minutes there is none, and it is wiped; nor when the clock went back', () => {
  const { clock, keys, made, add } = book()
  add('a')
  clock.time += lifetimeMs - 1
  assert.equal(keys.keyArnOf('a'), 'arn of a')
  clock.time += 1
  assert.equal(isWiped(made[0]), false)
  assert.equal(keys.wrap('a', 'arn of a', dataKey, arn), undefined)
  assert.ok(isWiped(made[0]))
  assert.equal(keys.size, 0)
  assert.equal(keys.unwrap('a', Buffer.alloc(60), arn), undefined)

  add('a')
  clock.time -= 1
  assert.equal(keys.keyArnOf('a'), undefined)
  assert.ok(isWiped(made[1]))
})

test('nobody has to ask for those whose time is over to be wiped', (t: TestContext) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { clock, keys, made, add } = book()
  add('a')
  clock.time += lifetimeMs - 1
  add('b')
  t.mock.timers.tick(60_000)
  assert.equal(keys.size, 2)
  clock.time += 1
  t.mock.timers.tick(60_000)
  assert.deepEqual([keys.size, isWiped(made[0]), isWiped(made[1])], [1, true, false])
  clock.time += lifetimeMs
  t.mock.timers.tick(60_000)
  assert.deepEqual([keys.size, isWiped(made[1])], [0, true])
  // It begins anew with the next.
  add('c')
  clock.time += lifetimeMs
  t.mock.timers.tick(60_000)
  assert.ok(isWiped(made[2]))
})

test('there is room for so many; who was not used for longest goes, and is wiped', () => {
  const { keys, made, add } = book({ max: 2 })
  add('a')
  add('b')
  assert.ok(keys.wrap('a', 'arn of a', dataKey, arn))
  add('c')
  assert.equal(keys.keyArnOf('b'), undefined)
  assert.deepEqual(made.map(isWiped), [false, true, false])
  add('a')
  assert.deepEqual(made.map(isWiped), [true, true, false, false])
  assert.equal(keys.size, 2)
  keys.drop('a')
  assert.ok(isWiped(made[3]))
})

test('a bucket key wraps so many data keys and no more', () => {
  const { keys, made, add } = book({ usesMax: 2 })
  add('a')
  assert.ok(keys.wrap('a', 'arn of a', dataKey, arn))
  assert.ok(keys.wrap('a', 'arn of a', dataKey, arn))
  assert.ok(isWiped(made[0]))
  assert.equal(keys.wrap('a', 'arn of a', dataKey, arn), undefined)
})

test('everything that tells two bucket keys apart makes another slot', async (t) => {
  const house = await House.open(t)
  const alice = await house.addUser({ name: 'alice' })
  const callOf = (accessKeyId: string, more: Partial<CallContext> = {}): CallContext => ({
    caller: house.caller(accessKeyId),
    ...{ region, now: 0, requestId: 'REQUEST', globalConditions: {}, ...more },
  })
  const call = callOf(house.key.accessKeyId)
  const key = { name: 'key', context: { a: 'b', c: 'd' } }
  const slot = slotOf(call, 'wrap', bucket, key)
  const reordered = { ...key, context: { c: 'd', a: 'b' } }
  assert.equal(slotOf({ ...call, requestId: 'NEXT' }, 'wrap', bucket, reordered), slot)
  const others = [
    slotOf(callOf(alice.accessKeyId), 'wrap', bucket, key),
    slotOf({ ...call, caller: { ...call.caller, accessKeyId: 'ASIA' } }, 'wrap', bucket, key),
    slotOf(
      callOf(house.key.accessKeyId, { region: 'eu-west-1' as typeof region }),
      'wrap',
      bucket,
      key,
    ),
    slotOf(call, 'unwrap', bucket, key),
    slotOf(call, 'wrap', { ...bucket, name: 'other' }, key),
    slotOf(call, 'wrap', { ...bucket, storeId: 'other' }, key),
    slotOf(call, 'wrap', bucket, { ...key, name: 'other' }),
    slotOf(call, 'wrap', bucket, { ...key, context: undefined }),
    slotOf(call, 'wrap', bucket, { ...key, context: { a: 'b', c: 'e' } }),
  ]
  assert.equal(new Set([slot, ...others]).size, others.length + 1)
  assert.equal(call.caller.account, account)
})
