import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StoreConflict } from '../../../storage/port.ts'
import { arnOf } from '../key.ts'
import { account, otherAccount, rootOf, TestKms } from '../testing/test-kms.ts'

const arn = (name: string) => `arn:aws:kms:us-east-1:${account}:${name}`

async function withAlias(name = 'alias/one') {
  const kms = new TestKms()
  const key = await kms.key()
  await kms.ok('CreateAlias', { AliasName: name, TargetKeyId: key.keyId })
  return { kms, key }
}

test('names that customers cannot have are refused by all three operations', async () => {
  const { kms, key } = await withAlias()
  const cases: [string, readonly string[]][] = [
    [
      'one',
      [
        'validation',
        'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
      ],
    ],
    ['alias/', ['validation', 'Invalid identifier']],
    ['alias/aws/s3', ['not-authorized']],
    ['alias/a:b', ['validation', 'alias/a:b contains invalid characters for an alias']],
  ]
  for (const [AliasName, answer] of cases) {
    const input = { AliasName, TargetKeyId: key.keyId }
    assert.deepEqual(await kms.fails('CreateAlias', input), answer)
    assert.deepEqual(await kms.fails('UpdateAlias', input), answer)
    assert.deepEqual(await kms.fails('DeleteAlias', { AliasName }), answer)
  }
})

test('an alias names one key, and no alias', async () => {
  const { kms, key } = await withAlias()
  const create = (TargetKeyId: string, AliasName = 'alias/one') =>
    kms.fails('CreateAlias', { AliasName, TargetKeyId })
  assert.deepEqual(await create(key.keyId), [
    'already-exists',
    `An alias with the name ${arn('alias/one')} already exists`,
  ])
  const ofAlias = ['validation', 'Aliases must refer to keys. Not aliases']
  assert.deepEqual(await create('alias/one', 'alias/two'), ofAlias)
  const update = { AliasName: 'alias/one', TargetKeyId: 'alias/one' }
  assert.deepEqual(await kms.fails('UpdateAlias', update), ofAlias)
  await kms.ok('CreateAlias', { AliasName: 'alias/One', TargetKeyId: arnOf(key) })
})

test('another account and another Region have aliases of their own', async () => {
  const { kms } = await withAlias()
  const caller = rootOf(otherAccount)
  const foreign = await kms.key({}, { caller })
  await kms.ok('CreateAlias', { AliasName: 'alias/one', TargetKeyId: foreign.keyId }, { caller })
  const input = { AliasName: 'alias/two', TargetKeyId: arnOf(foreign) }
  assert.equal((await kms.fails('CreateAlias', input))[0], 'access-denied')
})

test('each alias operation asks for the alias and for every key it touches', async () => {
  const { kms, key } = await withAlias()
  const other = await kms.key()
  const asked = async (operation: string, input: object) => {
    const { checks } = await kms.call(operation, input)
    return checks.map((check) => [check.permission, check.resource.type, check.resource.arn])
  }
  const two = arn('alias/two')
  assert.deepEqual(await asked('CreateAlias', { AliasName: 'alias/two', TargetKeyId: key.keyId }), [
    ['kms:CreateAlias', 'identity', two],
    ['kms:CreateAlias', 'key', arnOf(key)],
  ])
  assert.deepEqual(
    await asked('UpdateAlias', { AliasName: 'alias/two', TargetKeyId: other.keyId }),
    [
      ['kms:UpdateAlias', 'identity', two],
      ['kms:UpdateAlias', 'key', arnOf(key)],
      ['kms:UpdateAlias', 'key', arnOf(other)],
    ],
  )
  assert.deepEqual(await asked('DeleteAlias', { AliasName: 'alias/two' }), [
    ['kms:DeleteAlias', 'identity', two],
    ['kms:DeleteAlias', 'key', arnOf(other)],
  ])
})

test('an alias moves among keys of the same type and usage', async () => {
  const { kms } = await withAlias()
  const move = (targetKeyId: string) =>
    kms.fails('UpdateAlias', { AliasName: 'alias/one', TargetKeyId: targetKeyId })
  const refused = (what: string) => [
    'validation',
    `Alias ${arn('alias/one')} cannot be changed from a CMK with ${what}`,
  ]
  const hmac = await kms.key({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  assert.deepEqual(
    await move(hmac.keyId),
    refused('key usage ENCRYPT_DECRYPT to a CMK with key usage GENERATE_VERIFY_MAC'),
  )
  const rsa = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  assert.deepEqual(
    await move(rsa.keyId),
    refused('key type SYMMETRIC to a CMK with key type ASYMMETRIC'),
  )
  await kms.ok('CreateAlias', { AliasName: 'alias/two', TargetKeyId: rsa.keyId })
  const larger = await kms.key({ KeySpec: 'RSA_4096', KeyUsage: 'ENCRYPT_DECRYPT' })
  await kms.ok('UpdateAlias', { AliasName: 'alias/two', TargetKeyId: larger.keyId })
})

test('an alias moves, is listed by its key, and goes', async () => {
  const { kms, key } = await withAlias()
  const created = kms.now
  const other = await kms.key()
  kms.now += 1000
  await kms.ok('UpdateAlias', { AliasName: 'alias/one', TargetKeyId: arnOf(other) })
  const entry = {
    AliasName: 'alias/one',
    AliasArn: arn('alias/one'),
    TargetKeyId: other.keyId,
    CreationDate: created,
    LastUpdatedDate: kms.now,
  }
  const all = { Aliases: [entry], Truncated: false }
  assert.deepEqual(await kms.ok('ListAliases', {}), all)
  assert.deepEqual(await kms.ok('ListAliases', { KeyId: other.keyId }), all)
  const none = { Aliases: [], Truncated: false }
  assert.deepEqual(await kms.ok('ListAliases', { KeyId: key.keyId }), none)
  await kms.ok('DeleteAlias', { AliasName: 'alias/one' })
  assert.deepEqual(await kms.ok('ListAliases', {}), none)
  const text = `Alias ${arn('alias/one')} is not found.`
  const input = { AliasName: 'alias/one', TargetKeyId: key.keyId }
  assert.deepEqual(await kms.fails('DeleteAlias', input), ['not-found', text])
  assert.deepEqual(await kms.fails('UpdateAlias', input), ['not-found', text])
})

test('aliases are listed in pages, fifty by default', async () => {
  const kms = new TestKms({ aliasesPerKey: 60 })
  const { keyId } = await kms.key()
  for (let count = 10; count < 61; count++) {
    await kms.ok('CreateAlias', { AliasName: `alias/${count}`, TargetKeyId: keyId })
  }
  for (const KeyId of [undefined, keyId]) {
    const { Aliases, Truncated, NextMarker } = await kms.ok('ListAliases', { KeyId })
    assert.equal((Aliases as unknown[]).length, 50)
    assert.equal(Truncated, true)
    const otherList = { KeyId: KeyId === undefined ? keyId : undefined, Marker: NextMarker }
    assert.equal((await kms.fails('ListAliases', otherList))[0], 'invalid-marker')
    const rest = await kms.ok('ListAliases', { KeyId, Marker: NextMarker })
    assert.deepEqual(
      rest.Aliases?.map((alias) => alias.AliasName),
      ['alias/60'],
    )
  }
})

test('a key has a quota of aliases', async () => {
  const kms = new TestKms({ aliasesPerKey: 1 })
  const key = await kms.key()
  const other = await kms.key()
  await kms.ok('CreateAlias', { AliasName: 'alias/one', TargetKeyId: key.keyId })
  const second = { AliasName: 'alias/two', TargetKeyId: key.keyId }
  assert.equal((await kms.fails('CreateAlias', second))[0], 'limit-exceeded')
  await kms.ok('CreateAlias', { ...second, TargetKeyId: other.keyId })
  assert.equal((await kms.fails('UpdateAlias', second))[0], 'limit-exceeded')
  await kms.ok('UpdateAlias', { AliasName: 'alias/one', TargetKeyId: key.keyId })
})

test('an alias is not made for a key that changes at the same time', async () => {
  const kms = new TestKms()
  const { keyId } = await kms.key()
  const { changes } = await kms.call('CreateAlias', { AliasName: 'alias/x', TargetKeyId: keyId })
  assert.equal(changes.length, 2)
  const two = await Promise.allSettled([
    kms.call('CreateAlias', { AliasName: 'alias/one', TargetKeyId: keyId }),
    kms.call('ScheduleKeyDeletion', { KeyId: keyId }),
  ])
  const failed = two.filter((outcome) => outcome.status === 'rejected')
  assert.equal(failed.length, 1)
  assert.ok(failed[0]?.reason instanceof StoreConflict)
})
