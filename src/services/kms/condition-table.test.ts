import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ConditionKey, conditionKeyOf, conditionKeys } from '../../authorize/condition-keys.ts'
import { decide } from '../../authorize/evaluate.ts'
import { noLayers } from '../../authorize/layers.ts'
import {
  type ConditionSubject,
  conditionKeysOf,
} from '../../authorize/permission-condition-keys.ts'
import { compilePolicy } from '../../authorize/policy/compile.ts'
import type { Caller } from '../../base/caller.ts'
import type { Check, ConditionValues } from '../operation.ts'
import { arnOf } from './key.ts'
import { kmsOperations } from './operations/table.ts'
import { account, otherRegion, region, TestKms } from './testing/test-kms.ts'
import { idOfArn } from './testing/test-principals.ts'

const arn = `arn:aws:iam::${account}:user/alice`
const caller: Caller = {
  ...{ type: 'user', account, arn, accessKeyId: 'AKIDEXAMPLE', userName: 'alice' },
  principalId: idOfArn(arn),
}
const via = { name: 's3', region }
const Tags = [{ TagKey: 'team', TagValue: 'red' }]
const EncryptionContext = { Department: 'finance' }
const SourceArn = `arn:aws:ec2:${region}:${account}:volume/vol-1`

/** Of every request, whichever Region a key is to be in. */
const ofEveryRequest = ['aws:RequestedRegion']
/** No request gets as far as to bring one: attested recipients are refused. */
const neverBrought = ['kms:RecipientAttestation:*']

/** Requests that together bring all that each operation can bring, by operation. */
async function requests(kms: TestKms): Promise<readonly (readonly [string, object])[]> {
  const key = async (kind: object) => {
    const { keyId } = await kms.key({ MultiRegion: true, Tags, ...kind })
    await kms.ok('CreateAlias', { AliasName: `alias/of-${keyId}`, TargetKeyId: keyId })
    return { KeyId: keyId, alias: `alias/of-${keyId}` }
  }
  const { KeyId, alias } = await key({})
  const other = await key({})
  const signing = await key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })
  const mac = await key({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const kem = await key({ KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  const agreement = await key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  const external = await key({ Origin: 'EXTERNAL' })
  await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion, Tags })
  const replica = { AliasName: 'alias/replica', TargetKeyId: KeyId }
  await kms.ok('CreateAlias', replica, { region: otherRegion })
  const Plaintext = Buffer.from('x')
  const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext, EncryptionContext })
  const grant = { KeyId, GranteePrincipal: arn, Operations: ['Decrypt'] }
  const constraint = { EncryptionContextSubset: EncryptionContext }
  const { GrantToken } = await kms.ok('CreateGrant', { ...grant, Constraints: constraint })
  const Message = Buffer.alloc(32)
  const sign = { KeyId: signing.alias, Message, SigningAlgorithm: 'RSASSA_PSS_SHA_256' }
  const service = {
    GranteeServicePrincipal: 'ec2.amazonaws.com',
    RetiringServicePrincipal: 'rds.amazonaws.com',
    Constraints: { SourceArn },
  }
  return [
    ['CancelKeyDeletion', { KeyId }],
    ['ConnectCustomKeyStore', { CustomKeyStoreId: 'cks-1' }],
    ['CreateAlias', { AliasName: 'alias/new', TargetKeyId: KeyId }],
    [
      'CreateCustomKeyStore',
      {
        CustomKeyStoreName: 'store',
        CloudHsmClusterId: 'cluster-1',
        TrustAnchorCertificate: 'certificate',
        KeyStorePassword: 'password',
      },
    ],
    ['CreateGrant', { ...grant, RetiringPrincipal: arn, Constraints: constraint }],
    ['CreateGrant', { KeyId, Operations: ['Decrypt'], ...service }],
    ['CreateKey', { Tags, MultiRegion: true, BypassPolicyLockoutSafetyCheck: true }],
    ['Decapsulate', { KeyId: kem.alias, EncapsulationAlgorithm: 'ML_KEM' }],
    ['Decrypt', { KeyId: alias, CiphertextBlob, EncryptionContext }],
    ['DeleteAlias', { AliasName: alias }],
    ['DeleteCustomKeyStore', { CustomKeyStoreId: 'cks-1' }],
    ['DeleteImportedKeyMaterial', { KeyId: external.KeyId }],
    ['DeriveSharedSecret', { KeyId: agreement.alias, KeyAgreementAlgorithm: 'ECDH' }],
    ['DescribeCustomKeyStores', {}],
    ['DescribeKey', { KeyId: alias }],
    ['DisableKey', { KeyId }],
    ['DisableKeyRotation', { KeyId }],
    ['DisconnectCustomKeyStore', { CustomKeyStoreId: 'cks-1' }],
    ['EnableKey', { KeyId }],
    ['EnableKeyRotation', { KeyId, RotationPeriodInDays: 180 }],
    ['Encapsulate', { KeyId: kem.alias, EncapsulationAlgorithm: 'ML_KEM' }],
    ['Encrypt', { KeyId: alias, Plaintext, EncryptionContext }],
    ['GenerateDataKey', { KeyId: alias, KeySpec: 'AES_256', EncryptionContext }],
    ['GenerateDataKeyPair', { KeyId: alias, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext }],
    [
      'GenerateDataKeyPairWithoutPlaintext',
      { KeyId: alias, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext },
    ],
    ['GenerateDataKeyWithoutPlaintext', { KeyId: alias, KeySpec: 'AES_256', EncryptionContext }],
    ['GenerateMac', { KeyId: mac.alias, Message, MacAlgorithm: 'HMAC_SHA_256' }],
    ['GenerateRandom', { NumberOfBytes: 1 }],
    ['GetKeyLastUsage', { KeyId }],
    ['GetKeyPolicy', { KeyId }],
    ['GetKeyRotationStatus', { KeyId }],
    [
      'GetParametersForImport',
      {
        KeyId: external.KeyId,
        WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
        WrappingKeySpec: 'RSA_4096',
      },
    ],
    ['GetPublicKey', { KeyId: signing.alias }],
    [
      'ImportKeyMaterial',
      {
        KeyId: external.KeyId,
        ValidTo: kms.now + 86_400_000,
        ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      },
    ],
    ['ListAliases', { KeyId }],
    ['ListGrants', { KeyId }],
    ['ListKeyPolicies', { KeyId }],
    ['ListKeyRotations', { KeyId }],
    ['ListKeys', {}],
    ['ListResourceTags', { KeyId }],
    ['ListRetirableGrants', { RetiringPrincipal: arn }],
    ['PutKeyPolicy', { KeyId, Policy: '{"a":"policy"}', BypassPolicyLockoutSafetyCheck: false }],
    [
      'ReEncrypt',
      {
        CiphertextBlob,
        SourceKeyId: alias,
        SourceEncryptionContext: EncryptionContext,
        DestinationKeyId: other.alias,
        DestinationEncryptionContext: EncryptionContext,
      },
    ],
    [
      'ReplicateKey',
      { KeyId, ReplicaRegion: otherRegion, Tags, BypassPolicyLockoutSafetyCheck: true },
    ],
    ['RetireGrant', { GrantToken }],
    ['RevokeGrant', { KeyId, GrantId: 'f'.repeat(64) }],
    ['RotateKeyOnDemand', { KeyId }],
    ['ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 }],
    ['Sign', sign],
    ['TagResource', { KeyId, Tags }],
    ['UntagResource', { KeyId, TagKeys: ['team'] }],
    ['UpdateAlias', { AliasName: alias, TargetKeyId: other.KeyId }],
    ['UpdateCustomKeyStore', { CustomKeyStoreId: 'cks-1' }],
    ['UpdateKeyDescription', { KeyId, Description: 'new' }],
    ['UpdatePrimaryRegion', { KeyId, PrimaryRegion: otherRegion }],
    ['Verify', { ...sign, MessageType: 'DIGEST', Signature: Message }],
    ['VerifyMac', { KeyId: mac.alias, Message, Mac: Message, MacAlgorithm: 'HMAC_SHA_256' }],
  ]
}

/** Condition values that take time to find are there, as when the policies have asked for them. */
const delayed = { 'kms:TrailingDaysWithoutKeyUsage': '12' }

/** Every check of every operation. */
async function checksOfAll(): Promise<readonly (readonly [string, Check])[]> {
  const kms = new TestKms()
  const all = await requests(kms)
  assert.deepEqual([...new Set(all.map(([name]) => name))], [...kmsOperations.keys()].sort())
  return all.flatMap(([name, input]) => {
    const operation = kmsOperations.get(name)
    assert.ok(operation)
    const call = { ...kms.context({ caller, via }), delayedConditions: delayed }
    const target = operation.resolve(call, input, kms.deps)
    return [...operation.checks(call, input, target, kms.deps)].map(
      (check) => [name, check] as const,
    )
  })
}

function subjectOf(name: string, { permission, resource }: Check): ConditionSubject {
  if (resource.type === 'key') return 'key'
  if (permission === 'kms:CreateKey' || permission === 'kms:TagResource') return 'new key'
  if (resource.arn.includes(':alias/')) return 'alias'
  return name.endsWith('CustomKeyStore') || name.endsWith('CustomKeyStores')
    ? 'custom key store'
    : 'nothing'
}

/** The name in the table of a key as a request brings it. */
function tableName(name: string): string {
  const key = conditionKeyOf(name)
  assert.ok(key, `${name} is in no table`)
  return key.name
}

test('every check carries the condition keys of the table, no more and no fewer', async () => {
  const brought = new Map<
    string,
    { permission: string; subject: ConditionSubject; keys: Set<string> }
  >()
  for (const [name, check] of await checksOfAll()) {
    const { permission, conditions } = check
    const subject = subjectOf(name, check)
    const group = `${permission} on ${subject}`
    const entry = brought.get(group) ?? { permission, subject, keys: new Set() }
    brought.set(group, entry)
    for (const key of Object.keys(conditions)) entry.keys.add(tableName(key))
  }
  assert.ok(brought.size > 60, String(brought.size))
  for (const [group, { permission, subject, keys }] of brought) {
    const expected = conditionKeysOf(permission, subject).filter(
      (key) => !neverBrought.includes(key),
    )
    for (const key of ofEveryRequest) keys.delete(key)
    assert.deepEqual([...keys].sort(), [...new Set(expected)].sort(), group)
  }
})

test('the table has every key that KMS has, and no other', async () => {
  const carried = new Set<string>(neverBrought)
  for (const [name, check] of await checksOfAll()) {
    for (const key of conditionKeysOf(check.permission, subjectOf(name, check))) carried.add(key)
  }
  const kms = conditionKeys.map(({ name }) => name).filter((name) => name.startsWith('kms:'))
  assert.deepEqual([...carried].filter((name) => name.startsWith('kms:')).sort(), kms.sort())
})

/** How each type is compared, and a value that no request of the tests brings. */
const comparisons: Readonly<Record<ConditionKey['type'], readonly [string, string, string]>> = {
  Arn: ['ArnEquals', 'ArnNotEquals', 'arn:aws:ec2:us-east-1:111122223333:volume/other'],
  Bool: ['Bool', '', ''],
  Date: ['DateEquals', 'DateNotEquals', '2001-01-01T00:00:00Z'],
  IpAddress: ['IpAddress', 'NotIpAddress', '192.0.2.77'],
  Numeric: ['NumericEquals', 'NumericNotEquals', '77'],
  String: ['StringEquals', 'StringNotEquals', 'something else'],
}

function allows(check: Check, conditions: ConditionValues, condition: object): boolean {
  const { permission, resource } = check
  const statement = { Effect: 'Allow', Action: permission, Resource: '*', Condition: condition }
  const text = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
  const policy = { name: 'of alice', version: undefined, policy: compilePolicy(text, 'identity') }
  const delegation = compilePolicy(
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [{ Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' }],
    }),
  )
  assert.ok(resource.type !== 'role')
  // Retiring is never a key policy's to give: there the account is named by the grant.
  const byGrant = permission === 'kms:RetireGrant'
  const grant = byGrant ? () => ({ grantId: 'g', grantee: 'account' as const }) : undefined
  return decide({
    ...{ caller, permission, grant, conditions: [conditions] },
    resource: resource.type === 'identity' ? resource : { ...resource, policy: delegation },
    layers: { ...noLayers, identity: [policy] },
  }).allowed
}

test('each key holds, fails, and is missed as its type says', async () => {
  let held = 0
  for (const [name, check] of await checksOfAll()) {
    for (const [key, value] of Object.entries(check.conditions)) {
      const { type, values } = conditionKeyOf(key) ?? assert.fail(key)
      const several = typeof value !== 'string'
      assert.equal(several, values === 'several', key)
      const [equals, notEquals, other] = comparisons[type]
      const set = several ? 'ForAnyValue:' : ''
      const wrong = type === 'Bool' ? String(value !== 'true') : other
      const holds = (operator: string, wanted: unknown, conditions = check.conditions) =>
        allows(check, conditions, { [operator]: { [key.toUpperCase()]: wanted } })
      const without = Object.fromEntries(
        Object.entries(check.conditions).filter(([present]) => present !== key),
      )
      const where = `${name}: ${check.permission} with ${key}`
      assert.equal(holds(`${set}${equals}`, value), true, where)
      assert.equal(holds(`${set}${equals}`, wrong), false, where)
      assert.equal(holds(`${set}${equals}`, value, without), false, where)
      assert.equal(holds(`${set}${equals}IfExists`, value, without), true, where)
      assert.equal(holds('Null', 'false'), true, where)
      assert.equal(holds('Null', 'true', without), true, where)
      if (notEquals !== '' && !several) {
        assert.equal(holds(notEquals, value), false, where)
        assert.equal(holds(notEquals, value, without), true, where)
      }
      if (several) {
        assert.equal(holds(`ForAllValues:${equals}`, value), true, where)
        assert.equal(holds(`ForAllValues:${equals}`, wrong), false, where)
        assert.equal(holds(`ForAllValues:${equals}`, wrong, without), true, where)
      }
      held++
    }
  }
  assert.ok(held > 500, String(held))
})

test('a key policy never sees the aliases of the key, and an identity policy does', async () => {
  const all = await checksOfAll()
  const [, check] = all.find(([name]) => name === 'Encrypt') ?? assert.fail()
  const { permission, resource, conditions } = check
  assert.ok(resource.type === 'key')
  const aliases = conditions['kms:ResourceAliases'] ?? []
  assert.equal(aliases.length, 1)
  const decided = (condition: object) => {
    const statement = { Effect: 'Allow', Action: permission, Resource: '*', Condition: condition }
    const Statement = [{ ...statement, Principal: { AWS: '*' } }]
    const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement }))
    return decide({
      caller,
      permission,
      resource: { ...resource, policy },
      conditions: [conditions],
    }).allowed
  }
  const named = { 'kms:ResourceAliases': aliases }
  assert.equal(decided({ 'ForAnyValue:StringEquals': named }), false)
  assert.equal(decided({ Null: { 'kms:resourcealiases': 'true' } }), true)
  assert.equal(decided({ StringEquals: { 'kms:KeySpec': 'SYMMETRIC_DEFAULT' } }), true)
  assert.equal(allows(check, conditions, { 'ForAnyValue:StringEquals': named }), true)
})

test('a call for a caller is told from one by a caller', async () => {
  const kms = new TestKms()
  const key = await kms.key()
  const seen = async (setting: object) => {
    const { checks } = await kms.call('ListGrants', { KeyId: arnOf(key) }, { caller, ...setting })
    const { 'kms:ViaService': service, 'kms:GrantIsForAWSResource': forService } =
      checks[0]?.conditions ?? {}
    return [service, forService]
  }
  assert.deepEqual(await seen({}), [undefined, 'false'])
  assert.deepEqual(await seen({ via }), [`s3.${region}.amazonaws.com`, 'true'])
  const { globalConditions } = kms.context({ via })
  assert.deepEqual(globalConditions, {
    'aws:SourceIp': '127.0.0.1',
    'aws:CalledVia': ['s3.amazonaws.com'],
    'aws:CalledViaFirst': 's3.amazonaws.com',
    'aws:CalledViaLast': 's3.amazonaws.com',
    'aws:ViaAWSService': 'true',
  })
})
