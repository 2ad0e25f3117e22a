import assert from 'node:assert/strict'
import { test } from 'node:test'
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
