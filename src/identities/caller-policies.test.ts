import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseAccountId } from '../base/ids.ts'
import { allow, assume, trust } from '../services/sts/testing/sessions.ts'
import { account, House, turns } from '../testing/house.ts'
import { iam } from '../testing/query-calls.ts'

const denied = (Action: string) => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Deny', Action, Resource: '*' },
})

test('who is gone while a call is under way is bounded by all that there was, and more', async (t) => {
  const waiting: ((answer: undefined) => void)[] = []
  const lastUsage = () => new Promise<undefined>((resolve) => waiting.push(resolve))
  const house = await House.open(t, { lastUsage })
  const user = await house.addUser({ name: 'mona', boundary: denied('kms:DisableKey') })
  const statement = { Effect: 'Allow', Action: 'kms:*', Resource: '*' }
  const idle = { NumericLessThan: { 'kms:TrailingDaysWithoutKeyUsage': '0' } }
  const KeyId = await house.newKey({
    Policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { ...statement, Principal: { AWS: [account, user.arn] } },
        { ...statement, Effect: 'Deny', Principal: '*', Condition: idle },
      ],
    }),
  })
  const call = house.call('DisableKey', { KeyId }, { key: user })
  await turns()
  assert.equal(waiting.length, 1)
  await house.removeIdentity(user.id)
  for (const resolve of waiting) resolve(undefined)
  const { error, message } = await call
  assert.equal(error, 'AccessDeniedException')
  assert.match(String(message), /with an explicit deny in a permissions boundary$/)
})

test('a session whose managed session policy is deleted may do nothing any more', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const user = await house.addUser({ name: 'mona' })
  const trusting = trust({ AWS: user.arn })
  const role = await house.addRole({ name: 'worker', trust: trusting, policies: [allow('kms:*')] })
  const policy = await house.addPolicy('no-encrypt', denied('kms:Encrypt'))
  const passed = { Policy: JSON.stringify(allow('kms:*')), PolicyArns: [{ arn: policy.arn }] }
  const session = await assume(house, role.arn, passed, { key: user })
  const encrypt = async () => {
    const { message } = await house.call('Encrypt', { KeyId, Plaintext: 'AAAA' }, { key: session })
    return String(message).replace(/.* with/, 'with')
  }
  await house.ok('DescribeKey', { KeyId }, { key: session })
  assert.equal(await encrypt(), `with an explicit deny in a sessions policy: ${policy.arn}`)
  await iam(house, 'DeletePolicy', { PolicyArn: policy.arn })
  assert.equal(await encrypt(), 'with an explicit deny in a sessions policy')
})

test('accounts that are only named do not add up', async (t) => {
  const { callerPolicies } = (await House.open(t)).assembly
  const levelsOf = (number: number) => {
    const named = parseAccountId(String(10 ** 11 + number))
    assert.ok(named)
    return callerPolicies.ofResources(named)
  }
  const first = levelsOf(0)
  assert.equal(levelsOf(0), first, 'it is kept')
  for (let number = 1; number <= 5000; number++) levelsOf(number)
  assert.notEqual(levelsOf(0), first, 'it is kept for ever')
})
