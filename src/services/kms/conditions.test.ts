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
  'kms:ResourceAliases': ['alias/own'],
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

test('each operation brings its own condition keys, with the defaults filled in', async () => {
  const kms = new TestKms()
  const Message = Buffer.alloc(32)
  const rsa = { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }
  const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }
  const kem = { KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' }
  const agreement = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }
  const SigningAlgorithm = 'RSASSA_PSS_SHA_256'
  const signs = { 'kms:SigningAlgorithm': SigningAlgorithm }
  const mac = { Message, MacAlgorithm: 'HMAC_SHA_256' }
  const macs = { 'kms:MacAlgorithm': 'HMAC_SHA_256' }
  const pair = {
    'kms:DataKeyPairSpec': 'ECC_NIST_P256',
    'kms:EncryptionAlgorithm': 'SYMMETRIC_DEFAULT',
    'kms:EncryptionContext:a': 'b',
    'kms:EncryptionContextKeys': ['a'],
  }
  const pairs = { KeyPairSpec: 'ECC_NIST_P256', EncryptionContext: { a: 'b' } }
  const cases: [string, object, object, object][] = [
    ['Sign', rsa, { Message, SigningAlgorithm }, { ...signs, 'kms:MessageType': 'RAW' }],
    [
      'Sign',
      rsa,
      { Message, SigningAlgorithm, MessageType: 'DIGEST' },
      { ...signs, 'kms:MessageType': 'DIGEST' },
    ],
    [
      'Verify',
      rsa,
      { Message, SigningAlgorithm, Signature: Message, MessageType: 'EXTERNAL_MU' },
      { ...signs, 'kms:MessageType': 'EXTERNAL_MU' },
    ],
    ['GenerateMac', hmac, mac, macs],
    ['VerifyMac', hmac, { ...mac, Mac: Message }, macs],
    [
      'DeriveSharedSecret',
      agreement,
      { KeyAgreementAlgorithm: 'ECDH', PublicKey: Message },
      { 'kms:KeyAgreementAlgorithm': 'ECDH' },
    ],
    ['Encapsulate', kem, { EncapsulationAlgorithm: 'ML_KEM' }, {}],
    [
      'Decapsulate',
      kem,
      { EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: Message },
      {},
    ],
    ['GetPublicKey', rsa, {}, {}],
    ['GenerateDataKeyPair', {}, pairs, pair],
    ['GenerateDataKeyPairWithoutPlaintext', {}, pairs, pair],
  ]
  for (const [operation, kind, request, expected] of cases) {
    const key = await kms.key(kind)
    const input = { ...request, KeyId: `arn:aws:kms:us-east-1:${account}:key/${key.keyId}` }
    const caller = rootOf(otherAccount)
    const { checks } = await kms.call(operation, input, { caller })
    assert.deepEqual(
      checks.map(({ permission, resource }) => [
        permission,
        resource.arn,
        resource.type === 'key' && resource.crossAccount,
      ]),
      [[`kms:${operation}`, input.KeyId, true]],
    )
    assert.deepEqual(checks[0]?.conditions, {
      'kms:CallerAccount': otherAccount,
      'kms:CustomerMasterKeySpec': key.keySpec,
      'kms:CustomerMasterKeyUsage': key.keyUsage,
      'kms:KeyOrigin': 'AWS_KMS',
      'kms:KeySpec': key.keySpec,
      'kms:KeyUsage': key.keyUsage,
      'kms:MultiRegion': 'false',
      'aws:ResourceAccount': account,
      ...expected,
    })
    const alias = `alias/${operation}/${Object.keys(request).length}`
    await kms.ok('CreateAlias', { AliasName: alias, TargetKeyId: key.keyId })
    const named = await kms.call(operation, { ...request, KeyId: alias })
    assert.equal(named.checks[0]?.conditions['kms:RequestAlias'], alias)
  }
})

test('an asymmetric key has no encryption context, and a multi-Region key says which it is', async () => {
  const kms = new TestKms()
  const kind = { KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT', MultiRegion: true }
  const { keyId: KeyId } = await kms.key(kind)
  const { failure, checks } = await kms.call('Encrypt', {
    KeyId,
    Plaintext: Buffer.from('x'),
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_1',
    EncryptionContext: { a: 'b' },
  })
  assert.equal(failure?.code, 'validation')
  const { conditions = {} } = checks[0] ?? {}
  assert.deepEqual(
    Object.keys(conditions).filter((name) => name.startsWith('kms:EncryptionContext')),
    [],
  )
  assert.equal(conditions['kms:EncryptionAlgorithm'], 'RSAES_OAEP_SHA_1')
  assert.equal(conditions['kms:MultiRegion'], 'true')
  assert.equal(conditions['kms:MultiRegionKeyType'], 'PRIMARY')
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
  const { 'aws:ResourceTag/team': _, 'kms:ResourceAliases': __, ...ofOther } = ofKey
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
