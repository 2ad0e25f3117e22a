import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, otherAccount, rootOf, TestKms } from './testing/test-kms.ts'

const ofKey = {
  'kms:CallerAccount': account,
  'kms:CustomerMasterKeySpec': 'SYMMETRIC_DEFAULT',
  'kms:CustomerMasterKeyUsage': 'ENCRYPT_DECRYPT',
  'kms:KeyOrigin': 'AWS_KMS',
  'kms:KeySpec': 'SYMMETRIC_DEFAULT',
  'kms:KeyUsage': 'ENCRYPT_DECRYPT',
  'kms:MultiRegion': 'false',
  'aws:ResourceAccount': account,
  'aws:ResourceTag/team': 'red',
}

async function world() {
  const kms = new TestKms()
  const key = await kms.key({ Tags: [{ TagKey: 'team', TagValue: 'red' }] })
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  const conditions = async (operation: string, input: object, setting = {}) => {
    const { checks } = await kms.call(operation, input, setting)
    return checks.map((check) => check.conditions)
  }
  return { kms, KeyId: key.keyId, conditions }
}

test('a call on a key brings the kind of the key, its tags and who calls', async () => {
  const { KeyId, conditions } = await world()
  assert.deepEqual(await conditions('DisableKey', { KeyId }), [ofKey])
  const [described] = await conditions(
    'DescribeKey',
    { KeyId: `arn:aws:kms:us-east-1:${account}:key/${KeyId}` },
    { caller: rootOf(otherAccount) },
  )
  assert.deepEqual(described, { ...ofKey, 'kms:CallerAccount': otherAccount })
})

test('only the operations that use a key, and DescribeKey, are open to other accounts', async () => {
  const { kms, KeyId } = await world()
  const open = async (operation: string, input: object) => {
    const { checks } = await kms.call(operation, { KeyId, ...input })
    return checks.map(({ resource }) => resource.type === 'key' && resource.crossAccount)
  }
  assert.deepEqual(await open('DescribeKey', {}), [true])
  assert.deepEqual(await open('GenerateDataKey', { KeySpec: 'AES_256' }), [true])
  const managing: [string, object][] = [
    ['DisableKey', {}],
    ['EnableKey', {}],
    ['GetKeyPolicy', {}],
    ['ListKeyPolicies', {}],
    ['ListResourceTags', {}],
    ['PutKeyPolicy', { Policy: '{"a":"policy"}' }],
    ['ScheduleKeyDeletion', {}],
    ['CancelKeyDeletion', {}],
    ['TagResource', { Tags: [] }],
    ['UntagResource', { TagKeys: [] }],
    ['UpdateKeyDescription', { Description: '' }],
  ]
  for (const [operation, input] of managing) assert.deepEqual(await open(operation, input), [false])
})

test('the encryption context comes as pairs and as the set of its keys', async () => {
  const { KeyId, conditions } = await world()
  const Plaintext = Buffer.from('x')
  const bare = { ...ofKey, 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' }
  assert.deepEqual(await conditions('Encrypt', { KeyId, Plaintext }), [bare])
  assert.deepEqual(await conditions('Encrypt', { KeyId, Plaintext, EncryptionContext: {} }), [bare])
  const EncryptionContext = JSON.parse('{"Dept":"IT","__proto__":"x"}') as object
  for (const operation of ['Encrypt', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']) {
    const size = operation === 'Encrypt' ? { Plaintext } : { KeySpec: 'AES_256' }
    assert.deepEqual(await conditions(operation, { KeyId, EncryptionContext, ...size }), [
      {
        ...bare,
        'kms:EncryptionContext:Dept': 'IT',
        'kms:EncryptionContext:__proto__': 'x',
        'kms:EncryptionContextKeys': ['Dept', '__proto__'],
      },
    ])
  }
})

test('the algorithm that was asked for is what conditions see', async () => {
  const { KeyId, conditions } = await world()
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const input = { KeyId, Plaintext: Buffer.from('x'), EncryptionAlgorithm }
  const [seen] = await conditions('Encrypt', input)
  assert.equal(seen?.['kms:EncryptionAlgorithm'], EncryptionAlgorithm)
})

test('each side of ReEncrypt sees its own context, algorithm and alias', async () => {
  const { kms, KeyId, conditions } = await world()
  const other = await kms.key()
  const { CiphertextBlob } = await kms.ok('Encrypt', {
    KeyId,
    Plaintext: Buffer.from('x'),
    EncryptionContext: { from: 'a' },
  })
  const request = {
    CiphertextBlob,
    SourceEncryptionContext: { from: 'a' },
    DestinationEncryptionContext: { to: 'b' },
  }
  const { 'aws:ResourceTag/team': _, ...ofOther } = ofKey
  const algorithm = { 'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT' }
  const from = {
    ...algorithm,
    'kms:EncryptionContext:from': 'a',
    'kms:EncryptionContextKeys': ['from'],
  }
  const to = {
    ...algorithm,
    'kms:EncryptionContext:to': 'b',
    'kms:EncryptionContextKeys': ['to'],
  }
  assert.deepEqual(await conditions('ReEncrypt', { ...request, DestinationKeyId: other.keyId }), [
    { ...ofKey, ...from, 'kms:ReEncryptOnSameKey': 'false' },
    { ...ofOther, ...to, 'kms:ReEncryptOnSameKey': 'false' },
  ])
  const sameKey = { ...request, SourceKeyId: 'alias/own', DestinationKeyId: KeyId }
  assert.deepEqual(await conditions('ReEncrypt', sameKey), [
    { ...ofKey, ...from, 'kms:ReEncryptOnSameKey': 'true', 'kms:RequestAlias': 'alias/own' },
    { ...ofKey, ...to, 'kms:ReEncryptOnSameKey': 'true' },
  ])
})

test('Decrypt without a key id brings no alias', async () => {
  const { kms, KeyId, conditions } = await world()
  const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext: Buffer.from('x') })
  const [without] = await conditions('Decrypt', { CiphertextBlob })
  assert.ok(without !== undefined && !('kms:RequestAlias' in without))
  const [named] = await conditions('Decrypt', { CiphertextBlob, KeyId: 'alias/own' })
  assert.equal(named?.['kms:RequestAlias'], 'alias/own')
})

test('tags of a request are seen when they are there', async () => {
  const { KeyId, conditions } = await world()
  const Tags = [{ TagKey: 'cost', TagValue: '7' }]
  assert.deepEqual(await conditions('TagResource', { KeyId, Tags }), [
    { ...ofKey, 'aws:RequestTag/cost': '7', 'aws:TagKeys': ['cost'] },
  ])
  const now = { ...ofKey, 'aws:ResourceTag/cost': '7' }
  assert.deepEqual(await conditions('TagResource', { KeyId, Tags: [] }), [now])
  assert.deepEqual(await conditions('UntagResource', { KeyId, TagKeys: ['cost'] }), [
    { ...now, 'aws:TagKeys': ['cost'] },
  ])
})

test('PutKeyPolicy tells a waived lockout check from one that was not mentioned', async () => {
  const { KeyId, conditions } = await world()
  const input = { KeyId, Policy: '{"a":"policy"}' }
  assert.deepEqual(await conditions('PutKeyPolicy', input), [ofKey])
  for (const bypass of [true, false]) {
    const [seen] = await conditions('PutKeyPolicy', {
      ...input,
      BypassPolicyLockoutSafetyCheck: bypass,
    })
    assert.equal(seen?.['kms:BypassPolicyLockoutSafetyCheck'], String(bypass))
  }
})

test('operations on no key bring no key, and alias resources only the caller', async () => {
  const { kms, conditions } = await world()
  for (const operation of ['ListKeys', 'ListAliases']) {
    assert.deepEqual(await conditions(operation, {}), [{}])
  }
  assert.deepEqual(await conditions('GenerateRandom', { NumberOfBytes: 1 }), [{}])
  const { checks } = await kms.call('DeleteAlias', { AliasName: 'alias/own' })
  assert.deepEqual(checks[0]?.conditions, { 'kms:CallerAccount': account })
})
