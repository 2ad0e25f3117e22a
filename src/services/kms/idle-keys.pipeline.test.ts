import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { account, House, turns } from '../../testing/house.ts'
import type { KeyLastUse } from './last-usage.ts'

const dayMs = 86_400_000
const denied = 'AccessDeniedException'

/** A key that can be disabled once it was idle for 30 days, and what is known of its use. */
async function world(t: TestContext) {
  const usage: { last: KeyLastUse | undefined; asked: number; fails: boolean } = {
    ...{ last: undefined, asked: 0, fails: false },
  }
  const house = await House.open(t, {
    lastUsage: async () => {
      usage.asked++
      if (usage.fails) throw new Error('the index is damaged')
      return usage.last
    },
  })
  const statement = (Action: string, Condition?: object, Effect = 'Allow') => ({
    ...{ Effect, Principal: { AWS: account }, Action, Resource: '*' },
    ...(Condition && { Condition }),
  })
  const idle = (operator: string) => ({
    [operator]: { 'kms:TrailingDaysWithoutKeyUsage': '30' },
  })
  const keyWith = (...statements: object[]) =>
    house.newKey({
      Policy: JSON.stringify({
        Version: '2012-10-17',
        Statement: [statement('kms:DescribeKey'), statement('kms:PutKeyPolicy'), ...statements],
      }),
    })
  const disable = async (KeyId: string) => {
    const { status, error } = await house.call('DisableKey', { KeyId })
    return status === 200 ? 'disabled' : error
  }
  const used = (time: number) => {
    usage.last = { operation: 'Decrypt', time, eventId: 'event', requestId: 'request' }
  }
  return { house, usage, statement, idle, keyWith, disable, used }
}

test('a key may be disabled once nobody has used it for long enough', async (t) => {
  const { house, usage, statement, idle, keyWith, disable, used } = await world(t)
  const KeyId = await keyWith(statement('kms:DisableKey', idle('NumericGreaterThanEquals')))
  // Never used: since it was made.
  assert.equal(await disable(KeyId), denied)
  assert.equal(usage.asked, 1)
  house.clock.time += 30 * dayMs - 1
  assert.equal(await disable(KeyId), denied)
  house.clock.time += 1
  used(house.clock.now() - 30 * dayMs + 1)
  assert.equal(await disable(KeyId), denied)
  used(house.clock.now() - 30 * dayMs)
  assert.equal(await disable(KeyId), 'disabled')
})

test('a denial holds as well, and so do two of them on ScheduleKeyDeletion', async (t) => {
  const { house, statement, idle, keyWith, disable, used } = await world(t)
  const KeyId = await keyWith(
    statement('kms:*'),
    statement('kms:*', idle('NumericLessThan'), 'Deny'),
    statement('kms:*', { Null: { 'kms:TrailingDaysWithoutKeyUsage': 'false' } }, 'Allow'),
  )
  used(house.clock.now())
  assert.equal(await disable(KeyId), denied)
  const schedule = () => house.call('ScheduleKeyDeletion', { KeyId })
  assert.equal((await schedule()).error, denied)
  used(house.clock.now() - 31 * dayMs)
  assert.equal(await disable(KeyId), 'disabled')
  assert.equal((await schedule()).status, 200)
})

test('nobody looks for it unless a policy asks', async (t) => {
  const { house, usage, statement, keyWith, disable } = await world(t)
  const KeyId = await keyWith(statement('kms:*'))
  assert.equal(await disable(KeyId), 'disabled')
  await house.ok('EnableKey', { KeyId })
  assert.equal(usage.asked, 0)
})

test('what cannot be found out is no leave, and is recorded once', async (t) => {
  const { house, usage, statement, idle, keyWith } = await world(t)
  const KeyId = await keyWith(
    statement('kms:*'),
    statement('kms:DisableKey', idle('NumericLessThan'), 'Deny'),
  )
  usage.fails = true
  const answer = await house.call('DisableKey', { KeyId })
  assert.equal(answer.error, 'KMSInternalException')
  assert.equal(house.recordsOf(answer).length, 1)
  const { KeyMetadata } = await house.ok('DescribeKey', { KeyId })
  assert.equal((KeyMetadata as { KeyState: string }).KeyState, 'Enabled')
})

test('other operations never carry it', async (t) => {
  const { usage, house, statement, idle, keyWith } = await world(t)
  const KeyId = await keyWith(statement('kms:EnableKey', idle('NumericGreaterThanEquals')))
  assert.equal((await house.call('EnableKey', { KeyId })).error, denied)
  assert.equal(usage.asked, 0)
})

test('a policy that asks only when the call is decided anew leaves no search behind that may fail', async (t) => {
  const { house, usage, statement, idle, keyWith, disable } = await world(t)
  usage.fails = true
  const KeyId = await keyWith(statement('kms:DisableKey'))
  const asking = {
    Version: '2012-10-17',
    Statement: [statement('kms:*'), statement('kms:DisableKey', idle('NumericLessThan'), 'Deny')],
  }
  house.faults.commit = async () => {
    house.faults.commit = () => {}
    await house.ok('PutKeyPolicy', { KeyId, Policy: JSON.stringify(asking) })
  }
  assert.equal(await disable(KeyId), 'KMSInternalException')
  await turns()
})
