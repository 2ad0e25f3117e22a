import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmsOf, keySpecs, keyUsages } from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import {
  account,
  lockingPolicy,
  malformedPolicy,
  otherAccount,
  rootOf,
  TestKms,
} from '../testing/test-kms.ts'

const day = 86_400_000

test('CreateKey answers exactly the metadata of a new key', async () => {
  const kms = new TestKms()
  const { KeyMetadata } = await kms.ok('CreateKey', {})
  const { KeyId, CurrentKeyMaterialId, ...rest } = KeyMetadata as Record<string, unknown>
  assert.deepEqual(rest, {
    AWSAccountId: account,
    Arn: `arn:aws:kms:us-east-1:${account}:key/${KeyId}`,
    CreationDate: kms.now,
    CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    Description: '',
    Enabled: true,
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    KeyManager: 'CUSTOMER',
    KeySpec: 'SYMMETRIC_DEFAULT',
    KeyState: 'Enabled',
    KeyUsage: 'ENCRYPT_DECRYPT',
    MultiRegion: false,
    Origin: 'AWS_KMS',
  })
  assert.match(String(CurrentKeyMaterialId), /^[0-9a-f]{64}$/)
  assert.deepEqual((await kms.ok('DescribeKey', { KeyId })).KeyMetadata, KeyMetadata)
})

test('CreateKey keeps what it is given, and falls back to the default policy', async () => {
  const kms = new TestKms()
  const Tags = [
    { TagKey: 'b', TagValue: '2' },
    { TagKey: 'a', TagValue: '' },
  ]
  const key = await kms.key({ Description: 'text', Policy: '{"its":"own"}', Tags })
  assert.equal(key.description, 'text')
  assert.equal(key.policy, '{"its":"own"}')
  assert.deepEqual(key.tags, [Tags[1], Tags[0]])
  assert.equal((await kms.key()).policy, `{"default":"${account}"}`)
})

test('CreateKey asks for CreateKey, and for TagResource when there are tags', async () => {
  const kms = new TestKms()
  const asked = async (input: object) => {
    const { checks } = await kms.call('CreateKey', input)
    return checks.map(({ permission, resource }) => [permission, resource.type, resource.arn])
  }
  const create = ['kms:CreateKey', 'identity', '*']
  assert.deepEqual(await asked({}), [create])
  assert.deepEqual(await asked({ Tags: [] }), [create])
  assert.deepEqual(await asked({ Tags: [{ TagKey: 'a', TagValue: 'b' }] }), [
    create,
    ['kms:TagResource', 'identity', '*'],
  ])
})

test('CreateKey brings the effective kind, and the waived lockout check only when it is said', async () => {
  const kms = new TestKms()
  const kind = {
    'kms:CallerAccount': account,
    'kms:CustomerMasterKeySpec': 'SYMMETRIC_DEFAULT',
    'kms:CustomerMasterKeyUsage': 'ENCRYPT_DECRYPT',
    'kms:KeyOrigin': 'AWS_KMS',
    'kms:KeySpec': 'SYMMETRIC_DEFAULT',
    'kms:KeyUsage': 'ENCRYPT_DECRYPT',
    'kms:MultiRegion': 'false',
  }
  assert.deepEqual((await kms.call('CreateKey', {})).checks[0]?.conditions, kind)
  const input = {
    BypassPolicyLockoutSafetyCheck: false,
    Tags: [{ TagKey: 'team', TagValue: 'red' }],
  }
  assert.deepEqual((await kms.call('CreateKey', input)).checks[0]?.conditions, {
    ...kind,
    'kms:BypassPolicyLockoutSafetyCheck': 'false',
    'aws:RequestTag/team': 'red',
    // Of the key that is to be.
    'aws:ResourceTag/team': 'red',
    'aws:TagKeys': ['team'],
  })
})

test("every spec with every usage makes a key, or is refused in AWS's words", async () => {
  const kms = new TestKms()
  for (const KeySpec of keySpecs) {
    for (const KeyUsage of keyUsages) {
      if (algorithmsOf(KeySpec, KeyUsage).length > 0) {
        const key = await kms.key({ KeySpec, KeyUsage })
        assert.deepEqual([key.keySpec, key.keyUsage, key.state], [KeySpec, KeyUsage, 'Enabled'])
        const [material] = kms.state.materialsOf(key)
        assert.equal(material?.materialId, key.currentMaterialId)
      } else {
        assert.deepEqual(await kms.fails('CreateKey', { KeySpec, KeyUsage }), [
          'validation',
          `KeyUsage ${KeyUsage} is not compatible with KeySpec ${KeySpec}`,
        ])
      }
    }
    if (KeySpec !== 'SYMMETRIC_DEFAULT') {
      assert.deepEqual(await kms.fails('CreateKey', { KeySpec }), usageMissing)
    }
  }
})

const usageMissing = [
  'validation',
  'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
]

test('the deprecated CustomerMasterKeySpec works in place of KeySpec', async () => {
  const kms = new TestKms()
  const CustomerMasterKeySpec = 'HMAC_256'
  assert.deepEqual(await kms.fails('CreateKey', { CustomerMasterKeySpec }), usageMissing)
  const KeyUsage = 'GENERATE_VERIFY_MAC'
  assert.equal((await kms.key({ CustomerMasterKeySpec, KeyUsage })).keySpec, 'HMAC_256')
})

test('SM2 exists in other partitions alone', async () => {
  const kms = new TestKms()
  for (const KeyUsage of ['ENCRYPT_DECRYPT', 'SIGN_VERIFY', 'KEY_AGREEMENT']) {
    assert.deepEqual(await kms.fails('CreateKey', { KeySpec: 'SM2', KeyUsage }), [
      'unsupported',
      'KeySpec SM2 is not supported.',
    ])
  }
})

test('a key of origin EXTERNAL waits for its material', async () => {
  const kms = new TestKms()
  for (const KeySpec of keySpecs) {
    const KeyUsage = keyUsages.find((usage) => algorithmsOf(KeySpec, usage).length > 0)
    const input = { KeySpec, KeyUsage, Origin: 'EXTERNAL' }
    if (KeySpec.startsWith('ML_')) {
      assert.deepEqual(await kms.fails('CreateKey', input), [
        'unsupported',
        `Origin EXTERNAL is not valid for KeySpec ${KeySpec}.`,
      ])
      continue
    }
    const { output, changes } = await kms.call('CreateKey', input)
    const { KeyId, KeyState, Enabled, Origin, ...rest } = output?.KeyMetadata ?? {}
    assert.deepEqual([KeyState, Enabled, Origin], ['PendingImport', false, 'EXTERNAL'])
    for (const member of ['CurrentKeyMaterialId', 'ExpirationModel', 'ValidTo']) {
      assert.ok(!(member in rest), member)
    }
    assert.equal(changes.length, 1)
    const key = kms.record(String(KeyId))
    assert.deepEqual([key.currentMaterialId, key.publicKey], [undefined, undefined])
    assert.deepEqual(kms.state.materialsOf(key), [])
  }
})

test('a multi-Region key is a primary key, and its id says that it is one of these', async () => {
  const kms = new TestKms()
  const { output, checks } = await kms.call('CreateKey', { MultiRegion: true })
  const { KeyId, Arn, MultiRegion, MultiRegionConfiguration } = output?.KeyMetadata ?? {}
  assert.match(String(KeyId), /^mrk-[0-9a-f]{32}$/)
  assert.equal(MultiRegion, true)
  assert.deepEqual(MultiRegionConfiguration, {
    MultiRegionKeyType: 'PRIMARY',
    PrimaryKey: { Arn, Region: 'us-east-1' },
    ReplicaKeys: [],
  })
  const { conditions = {} } = checks[0] ?? {}
  assert.equal(conditions['kms:MultiRegion'], 'true')
  assert.equal(conditions['kms:MultiRegionKeyType'], 'PRIMARY')
  const key = kms.record(String(KeyId))
  assert.deepEqual(key.replication, { type: 'PRIMARY', primaryRegion: 'us-east-1' })
  assert.equal(arnOf(key), Arn)
  const single = await kms.call('CreateKey', { MultiRegion: false })
  assert.ok(!('MultiRegionConfiguration' in (single.output?.KeyMetadata ?? {})))
  assert.ok(!('kms:MultiRegionKeyType' in (single.checks[0]?.conditions ?? {})))
})

test('CreateKey refuses what fits no key, and stores that are not there', async () => {
  const kms = new TestKms()
  const missing = (name: string) =>
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`
  const store = { CustomKeyStoreId: 'cks-1' }
  const hsm = { ...store, Origin: 'AWS_CLOUDHSM' }
  const external = { ...store, Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'x' }
  const rsa = { KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }
  const cases: [object, string, string][] = [
    [store, 'validation', 'CustomKeyStoreId is not valid for Origin AWS_KMS.'],
    [
      { ...store, Origin: 'EXTERNAL' },
      'validation',
      'CustomKeyStoreId is not valid for Origin EXTERNAL.',
    ],
    [{ XksKeyId: 'x' }, 'validation', 'XksKeyId is not valid for Origin AWS_KMS.'],
    [{ ...hsm, XksKeyId: 'x' }, 'validation', 'XksKeyId is not valid for Origin AWS_CLOUDHSM.'],
    [{ Origin: 'AWS_CLOUDHSM' }, 'validation', missing('customKeyStoreId')],
    [{ Origin: 'EXTERNAL_KEY_STORE', XksKeyId: 'x' }, 'validation', missing('customKeyStoreId')],
    [{ ...store, Origin: 'EXTERNAL_KEY_STORE' }, 'validation', missing('xksKeyId')],
    [{ ...hsm, ...rsa }, 'unsupported', 'Origin AWS_CLOUDHSM is not valid for KeySpec RSA_2048.'],
    [
      { ...external, MultiRegion: true },
      'unsupported',
      'MultiRegion with Origin EXTERNAL_KEY_STORE is not supported.',
    ],
    [hsm, 'custom-key-store-not-found', 'Custom key store cks-1 does not exist.'],
    [external, 'custom-key-store-not-found', 'Custom key store cks-1 does not exist.'],
    [
      { KeySpec: 'SYMMETRIC_DEFAULT', CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT' },
      'validation',
      'You cannot specify KeySpec and CustomerMasterKeySpec in the same request. CustomerMasterKeySpec is deprecated.',
    ],
  ]
  for (const [input, code, text] of cases) {
    assert.deepEqual(await kms.fails('CreateKey', input), [code, text])
  }
  const denied = await kms.fails('CreateKey', hsm, { deny: () => true })
  assert.deepEqual(denied, ['access-denied', 'denied'])
  assert.equal(kms.state.keyIds(kms.context().region, account).size, 0)
})

test('an account has a quota of keys in each Region', async () => {
  const kms = new TestKms({ keys: 2 })
  await kms.key()
  const { keyId: KeyId } = await kms.key()
  await kms.ok('ScheduleKeyDeletion', { KeyId })
  const [code] = await kms.fails('CreateKey', {})
  assert.equal(code, 'limit-exceeded')
  await kms.ok('CreateKey', {}, { caller: rootOf(otherAccount) })
})

test('a policy has at most 32768 bytes', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  for (const operation of ['CreateKey', 'PutKeyPolicy']) {
    const rest = operation === 'CreateKey' ? {} : { KeyId }
    for (const Policy of ['x'.repeat(32_769), 'é'.repeat(16_385)]) {
      assert.deepEqual(await kms.fails(operation, { ...rest, Policy }), [
        'limit-exceeded',
        'A key policy can have at most 32768 bytes.',
      ])
    }
    await kms.ok(operation, { ...rest, Policy: 'é'.repeat(16_384) })
  }
  const small = new TestKms({ policyBytes: 9 })
  const [code] = await small.fails('CreateKey', { Policy: '{"is":"longer"}' })
  assert.equal(code, 'limit-exceeded')
})

test('a policy is admitted before it is put, as one that the caller must be able to change', async () => {
  for (const operation of ['CreateKey', 'PutKeyPolicy']) {
    const kms = new TestKms()
    const key = await kms.key({ Tags: [{ TagKey: 'team', TagValue: 'red' }] })
    const rest = operation === 'CreateKey' ? { Tags: key.tags } : { KeyId: key.keyId }
    const refused = (input: object) => kms.fails(operation, { ...rest, ...input })
    assert.deepEqual(await refused({ Policy: malformedPolicy }), [
      'malformed-policy',
      'not a policy',
    ])
    const locked = ['malformed-policy', 'locked out']
    assert.deepEqual(await refused({ Policy: lockingPolicy }), locked)
    const insisting = { Policy: lockingPolicy, BypassPolicyLockoutSafetyCheck: false }
    assert.deepEqual(await refused(insisting), locked)
    await kms.ok(operation, {
      ...rest,
      Policy: lockingPolicy,
      BypassPolicyLockoutSafetyCheck: true,
    })
    // Waiving the lockout check waives no other.
    const bypassed = { Policy: malformedPolicy, BypassPolicyLockoutSafetyCheck: true }
    assert.deepEqual(await refused(bypassed), ['malformed-policy', 'not a policy'])
    const change = kms.policyChanges[2]
    assert.equal(change?.keyAccount, account)
    assert.deepEqual(change?.caller, rootOf(account))
    assert.ok(change?.keyArn.startsWith(`arn:aws:kms:us-east-1:${account}:key/`))
    assert.equal(change?.conditions[0]?.['aws:ResourceTag/team'], 'red')
    assert.equal(change?.conditions[0]?.['kms:BypassPolicyLockoutSafetyCheck'], 'false')
    assert.equal(change?.conditions[1]?.['aws:SourceIp'], '127.0.0.1')
  }
})

test('a policy is not judged before the caller may put one', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  const input = { KeyId, Policy: malformedPolicy }
  const [code] = await kms.fails('PutKeyPolicy', input, { deny: () => true })
  assert.equal(code, 'access-denied')
  assert.deepEqual(kms.policyChanges, [])
})

test('the default policy needs no admission', async () => {
  const kms = new TestKms()
  await kms.key()
  assert.deepEqual(kms.policyChanges, [])
})

test('GetKeyPolicy answers the text that was put; there is no other name than default', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  const Policy = '{\n "any" : "form"\n}'
  await kms.ok('PutKeyPolicy', { KeyId, Policy, PolicyName: 'default' })
  const expected = { Policy, PolicyName: 'default' }
  assert.deepEqual(await kms.ok('GetKeyPolicy', { KeyId }), expected)
  assert.deepEqual(await kms.ok('GetKeyPolicy', { KeyId, PolicyName: 'default' }), expected)
  const other = { KeyId, PolicyName: 'other', Policy }
  for (const operation of ['GetKeyPolicy', 'PutKeyPolicy']) {
    assert.deepEqual(await kms.fails(operation, other), ['not-found', 'No such policy exists'])
  }
})

test('a key is switched off and on; doing it twice changes nothing', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  assert.equal((await kms.call('EnableKey', { KeyId })).changes.length, 0)
  assert.equal((await kms.call('DisableKey', { KeyId })).changes.length, 1)
  assert.equal((await kms.call('DisableKey', { KeyId })).changes.length, 0)
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
  const { Enabled, KeyState } = KeyMetadata as Record<string, unknown>
  assert.deepEqual([Enabled, KeyState], [false, 'Disabled'])
  await kms.ok('EnableKey', { KeyId })
  assert.equal(kms.record(KeyId).state, 'Enabled')
})

test('UpdateKeyDescription replaces the description, with nothing if need be', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Description: 'old' })
  await kms.ok('UpdateKeyDescription', { KeyId, Description: '' })
  assert.equal(kms.record(KeyId).description, '')
})

test('deletion is scheduled for 7 to 30 days from now, 30 unless said', async () => {
  const kms = new TestKms()
  for (const [PendingWindowInDays, days] of [
    [undefined, 30],
    [7, 7],
    [30, 30],
  ]) {
    const key = await kms.key()
    const KeyId = key.keyId
    const { output, checks } = await kms.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays })
    const date = kms.now + Number(days) * day
    assert.deepEqual(output, {
      KeyId: arnOf(key),
      DeletionDate: date,
      KeyState: 'PendingDeletion',
      PendingWindowInDays: days,
    })
    assert.equal(checks[0]?.conditions['kms:ScheduleKeyDeletionPendingWindowInDays'], String(days))
    const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
    const { Enabled, KeyState, DeletionDate } = KeyMetadata as Record<string, unknown>
    assert.deepEqual([Enabled, KeyState, DeletionDate], [false, 'PendingDeletion', date])
  }
  const { keyId: KeyId } = await kms.key()
  for (const PendingWindowInDays of [1, 6, 31, 365]) {
    assert.deepEqual(await kms.fails('ScheduleKeyDeletion', { KeyId, PendingWindowInDays }), [
      'validation',
      'PendingWindowInDays must be between 7 and 30',
    ])
  }
})

test('a key whose deletion is cancelled is disabled, and shows no date', async () => {
  const kms = new TestKms()
  const key = await kms.key()
  const KeyId = key.keyId
  await kms.ok('ScheduleKeyDeletion', { KeyId })
  assert.deepEqual(await kms.ok('CancelKeyDeletion', { KeyId }), { KeyId: arnOf(key) })
  const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
  assert.equal((KeyMetadata as { KeyState: string }).KeyState, 'Disabled')
  assert.ok(!('DeletionDate' in (KeyMetadata as object)))
})
