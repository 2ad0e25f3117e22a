import assert from 'node:assert/strict'
import { test } from 'node:test'
import { authorizer } from '../../authorize/authorizer.ts'
import { defaultKeyPolicy } from '../../authorize/defaults.ts'
import { noLayers } from '../../authorize/layers.ts'
import { PolicyCache } from '../../authorize/policy/cache.ts'
import type { Caller } from '../../base/caller.ts'
import type { AccountId } from '../../base/ids.ts'
import { arnOf } from './key.ts'
import { account, otherAccount, region, rootOf, TestKms } from './testing/test-kms.ts'

test('describing a predefined alias makes the key behind it, once', async () => {
  const kms = new TestKms()
  const first = await kms.call('DescribeKey', { KeyId: 'alias/aws/s3' })
  assert.equal(first.changes.length, 3)
  const { KeyMetadata } = first.output ?? {}
  assert.equal(KeyMetadata?.['KeyManager'], 'AWS')
  assert.equal(KeyMetadata?.['KeyState'], 'Enabled')
  assert.equal(
    KeyMetadata?.['Description'],
    'Default key that protects my S3 objects when no other key is defined',
  )
  assert.deepEqual(
    first.events.map(({ eventName, resources }) => [eventName, resources[0]?.ARN]),
    [['CreateKey', KeyMetadata?.['Arn']]],
  )
  const again = await kms.call('DescribeKey', {
    KeyId: `arn:aws:kms:${region}:${account}:alias/aws/s3`,
  })
  assert.deepEqual(again.changes, [])
  assert.deepEqual(again.output, first.output)
})

test('each account and each alias has a key of its own', async () => {
  const kms = new TestKms()
  const keys = new Set<unknown>()
  for (const caller of [rootOf(account), rootOf(otherAccount)]) {
    for (const KeyId of ['alias/aws/s3', 'alias/aws/ebs']) {
      const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId }, { caller })
      keys.add(KeyMetadata?.['Arn'])
    }
  }
  assert.equal(keys.size, 4)
})

test('it rotates every year, and its policy lets the service use it and the account look at it', async () => {
  const kms = new TestKms()
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId: 'alias/aws/s3' })
  const key = kms.record(String(KeyMetadata?.['KeyId']))
  assert.deepEqual(key.rotation, { periodInDays: 365, nextDate: kms.now + 365 * 86_400_000 })
  const policy = JSON.parse(key.policy)
  const [use, look] = policy.Statement
  assert.equal(policy.Id, 'auto-s3-2')
  assert.deepEqual(use.Condition, {
    StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `s3.${region}.amazonaws.com` },
  })
  assert.ok(!use.Action.includes('kms:CreateGrant'))
  assert.deepEqual(look.Action, ['kms:Describe*', 'kms:Get*', 'kms:List*'])
})

test('only its service may use it, and only for callers of its account', async () => {
  const kms = new TestKms()
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId: 'alias/aws/s3' })
  const KeyId = String(KeyMetadata?.['Arn'])
  const user = (owner: typeof account) => ({
    ...rootOf(owner),
    ...{ type: 'user' as const, arn: `arn:aws:iam::${owner}:user/alice`, principalId: 'AIDAALICE' },
  })
  const asked: AccountId[] = []
  const authorize = authorizer(new PolicyCache(), {
    of: () => noLayers,
    ofResources: (owner) => {
      asked.push(owner)
      return []
    },
  })
  const may = async (operation: string, input: object, caller: Caller, via?: string) => {
    const setting = { caller, ...(via && { via: { name: via, region } }) }
    const { checks } = await kms.call(operation, { KeyId, ...input }, setting)
    const context = { globalConditions: { 'aws:SourceIp': '127.0.0.1' } }
    return checks.map((check) => authorize(caller, check, context).denied?.code)
  }
  const Plaintext = Buffer.from('x')
  const allowed = [undefined]
  const denied = ['access-denied']
  assert.deepEqual(await may('Encrypt', { Plaintext }, user(account), 's3'), allowed)
  assert.deepEqual(await may('Encrypt', { Plaintext }, user(account), 'ebs'), denied)
  assert.deepEqual(await may('Encrypt', { Plaintext }, user(account)), denied)
  assert.deepEqual(await may('Encrypt', { Plaintext }, rootOf(account)), denied)
  assert.deepEqual(await may('Encrypt', { Plaintext }, user(otherAccount), 's3'), denied)
  assert.deepEqual(await may('ScheduleKeyDeletion', {}, rootOf(account)), denied)
  assert.deepEqual(await may('GetKeyPolicy', {}, rootOf(account)), allowed)
  // Resource control policies are for keys of customers.
  assert.deepEqual(asked, [])
  const own = await kms.key()
  const [check] = (await kms.call('DescribeKey', { KeyId: own.keyId })).checks
  assert.ok(check?.resource.type === 'key')
  const resource = { ...check.resource, policy: defaultKeyPolicy(account) }
  const context = { globalConditions: {} }
  assert.equal(authorize(rootOf(account), { ...check, resource }, context).denied, undefined)
  assert.deepEqual(asked, [account])
})

test('nothing is made for an alias that is not predefined, of others, or without permission', async () => {
  const kms = new TestKms()
  assert.equal((await kms.fails('DescribeKey', { KeyId: 'alias/aws/nothing' }))[0], 'not-found')
  const foreign = `arn:aws:kms:${region}:${otherAccount}:alias/aws/s3`
  assert.equal((await kms.fails('DescribeKey', { KeyId: foreign }))[0], 'access-denied')
  const deny = () => true
  const denied = await kms.call('DescribeKey', { KeyId: 'alias/aws/s3' }, { deny })
  assert.equal(denied.failure?.code, 'access-denied')
  assert.equal(kms.state.keys.size, 0)
})

test('using it by its alias before it was made finds no key', async () => {
  const kms = new TestKms()
  const request = { KeyId: 'alias/aws/s3', Plaintext: Buffer.from('x') }
  assert.equal((await kms.fails('Encrypt', request))[0], 'not-found')
  await kms.ok('DescribeKey', { KeyId: 'alias/aws/s3' })
  const { KeyId } = await kms.ok('Encrypt', request)
  const [key] = kms.state.keys.values()
  assert.ok(key)
  assert.equal(KeyId, arnOf(key))
})
