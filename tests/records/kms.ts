import { generateKeyPairSync, randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import { wrapForImport } from '../../src/hsm/testing/importing.ts'
import { account, otherAccount } from '../../src/testing/house.ts'
import { elsewhere, rootArn, Stage } from './stage.ts'

const Plaintext = randomBytes(48).toString('base64')
const Message = randomBytes(48).toString('base64')
const EncryptionContext = { department: 'finance' }
const nobody = `arn:aws:iam::${account}:user/nobody`

/** Every operation of KMS: denied, then done. */
export async function kmsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'kms')
  await keys(stage)
  await encryption(stage)
  await otherKinds(stage)
  await grants(stage)
  await aliases(stage)
  await rotation(stage)
  await imports(stage)
  await replication(stage)
  await stores(stage)
  await acrossAccounts(stage)
  await deletion(stage)
  return stage
}

async function keys(stage: Stage): Promise<void> {
  const Tags = [{ TagKey: 'team', TagValue: 'red' }]
  await stage.call('CreateKey', { Description: 'a key', Tags })
  const KeyId = await stage.house.newKey()
  await stage.call('DescribeKey', { KeyId })
  await stage.call('ListKeys', { Limit: 5 })
  await stage.call('DisableKey', { KeyId })
  await stage.call('EnableKey', { KeyId })
  await stage.call('UpdateKeyDescription', { KeyId, Description: 'another text' })
  await stage.call('TagResource', { KeyId, Tags })
  await stage.call('ListResourceTags', { KeyId })
  await stage.call('UntagResource', { KeyId, TagKeys: ['team'] })
  await stage.call('ListKeyPolicies', { KeyId })
  await stage.call('GetKeyPolicy', { KeyId })
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'kms:*', Resource: '*' }],
  })
  await stage.call('PutKeyPolicy', { KeyId, Policy, BypassPolicyLockoutSafetyCheck: true })
  await stage.call('GetKeyLastUsage', { KeyId })
}

async function encryption(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey()
  const DestinationKeyId = await stage.house.newKey()
  const { CiphertextBlob } = await stage.call('Encrypt', { KeyId, Plaintext, EncryptionContext })
  await stage.call('Decrypt', { CiphertextBlob, EncryptionContext })
  await stage.call(
    'Decrypt',
    { CiphertextBlob, EncryptionContext, KeyId: DestinationKeyId },
    { note: 'another key', error: 'IncorrectKeyException', denied: false },
  )
  await stage.call(
    'Decrypt',
    { CiphertextBlob },
    { note: 'no context', error: 'InvalidCiphertextException', denied: false },
  )
  await stage.call('ReEncrypt', {
    CiphertextBlob,
    SourceEncryptionContext: EncryptionContext,
    DestinationKeyId,
    DestinationEncryptionContext: { department: 'law' },
  })
  const dataKey = { KeyId, KeySpec: 'AES_256', EncryptionContext }
  await stage.call('GenerateDataKey', dataKey)
  await stage.call('GenerateDataKey', { KeyId, NumberOfBytes: 24 }, { note: 'of bytes' })
  await stage.call('GenerateDataKeyWithoutPlaintext', dataKey)
  const pair = { KeyId, KeyPairSpec: 'ECC_NIST_P256', EncryptionContext }
  await stage.call('GenerateDataKeyPair', pair)
  await stage.call('GenerateDataKeyPairWithoutPlaintext', pair)
  await stage.call('GenerateRandom', { NumberOfBytes: 16 })
  const refused = { denied: false } as const
  const dry = { KeyId, Plaintext, DryRun: true }
  await stage.call('Encrypt', dry, {
    ...refused,
    note: 'dry run',
    error: 'DryRunOperationException',
  })
  const absent = { KeyId: '11111111-2222-4333-8444-555555555555', Plaintext }
  await stage.call('Encrypt', absent, { ...refused, note: 'no key', error: 'NotFoundException' })
  const invalid = { KeyId, Plaintext, EncryptionAlgorithm: 'ROT13' }
  await stage.call('Encrypt', invalid, {
    ...refused,
    note: 'invalid',
    error: 'ValidationException',
  })
  const unread = { KeyId: 5, Plaintext }
  await stage.call('Encrypt', unread, {
    ...refused,
    note: 'unread',
    error: 'SerializationException',
  })
  const unknown = 'UnknownOperationException'
  await stage.call('Encipher', {}, { ...refused, error: unknown })
  await stage.house.ok('DisableKey', { KeyId })
  const disabled = { ...refused, note: 'disabled', error: 'DisabledException' }
  await stage.call('Encrypt', { KeyId, Plaintext }, disabled)
}

async function otherKinds(stage: Stage): Promise<void> {
  const { house } = stage
  const newKey = (KeySpec: string, KeyUsage: string) => house.newKey({ KeySpec, KeyUsage })
  const signer = await newKey('ECC_NIST_P256', 'SIGN_VERIFY')
  const signing = { KeyId: signer, Message, SigningAlgorithm: 'ECDSA_SHA_256' }
  const { Signature } = await stage.call('Sign', signing)
  await stage.call('Verify', { ...signing, Signature })
  await stage.call('GetPublicKey', { KeyId: signer })
  const mac = {
    KeyId: await newKey('HMAC_256', 'GENERATE_VERIFY_MAC'),
    Message,
    MacAlgorithm: 'HMAC_SHA_256',
  }
  const { Mac } = await stage.call('GenerateMac', mac)
  await stage.call('VerifyMac', { ...mac, Mac })
  const peer = generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).publicKey
  await stage.call('DeriveSharedSecret', {
    KeyId: await newKey('ECC_NIST_P256', 'KEY_AGREEMENT'),
    KeyAgreementAlgorithm: 'ECDH',
    PublicKey: peer.export({ format: 'der', type: 'spki' }).toString('base64'),
  })
  const kem = {
    KeyId: await newKey('ML_KEM_768', 'ENCAPSULATE_DECAPSULATE'),
    EncapsulationAlgorithm: 'ML_KEM',
  }
  const { SharedSecretCiphertextBlob } = await stage.call('Encapsulate', kem)
  await stage.call('Decapsulate', { ...kem, SharedSecretCiphertextBlob })
}

async function grants(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey()
  const { GrantId, GrantToken } = await stage.call('CreateGrant', {
    KeyId,
    Name: 'a-grant',
    GranteePrincipal: rootArn,
    RetiringPrincipal: rootArn,
    Operations: ['Encrypt', 'Decrypt'],
    Constraints: { EncryptionContextSubset: EncryptionContext },
  })
  stage.secrets.push({ member: 'a grant token', bytes: Buffer.from(String(GrantToken)) })
  await stage.call('ListGrants', { KeyId, GranteePrincipal: rootArn })
  await stage.call('ListRetirableGrants', { RetiringPrincipal: rootArn })
  await stage.call('RetireGrant', { KeyId, GrantId })
  const grant = { KeyId, GranteePrincipal: rootArn, Operations: ['Encrypt'] }
  const { GrantId: another } = await stage.house.ok('CreateGrant', grant)
  await stage.call('RevokeGrant', { KeyId, GrantId: another })
  const gone = { note: 'nobody', error: 'InvalidArnException', denied: false }
  await stage.call('CreateGrant', { ...grant, GranteePrincipal: nobody }, gone)
}

async function aliases(stage: Stage): Promise<void> {
  const TargetKeyId = await stage.house.newKey()
  const AliasName = 'alias/one'
  await stage.call('CreateAlias', { AliasName, TargetKeyId })
  await stage.call('ListAliases', { KeyId: TargetKeyId })
  const { house } = stage
  await stage.call('UpdateAlias', { AliasName, TargetKeyId: await house.newKey() })
  await stage.call('Encrypt', { KeyId: AliasName, Plaintext }, { note: 'by alias' })
  await stage.call('DeleteAlias', { AliasName })
}

async function rotation(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey()
  await stage.call('EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
  await stage.call('GetKeyRotationStatus', { KeyId })
  await stage.call('RotateKeyOnDemand', { KeyId })
  await stage.call('ListKeyRotations', { KeyId })
  await stage.call('DisableKeyRotation', { KeyId })
}

async function imports(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey({ Origin: 'EXTERNAL' })
  const WrappingAlgorithm = 'RSAES_OAEP_SHA_256'
  const wrapping = { KeyId, WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }
  const { PublicKey, ImportToken } = await stage.call('GetParametersForImport', wrapping)
  const publicKey = Buffer.from(String(PublicKey), 'base64')
  const material = randomBytes(32)
  stage.secrets.push({ member: 'imported key material', bytes: material })
  const encrypted = wrapForImport(WrappingAlgorithm, publicKey, Buffer.from(material))
  await stage.call('ImportKeyMaterial', {
    ...{ KeyId, ImportToken, EncryptedKeyMaterial: encrypted.toString('base64') },
    ExpirationModel: 'KEY_MATERIAL_EXPIRES',
    ValidTo: stage.house.clock.now() / 1000 + 3600,
    KeyMaterialDescription: 'from outside',
  })
  await stage.call('DeleteImportedKeyMaterial', { KeyId })
}

async function replication(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey({ MultiRegion: true })
  await stage.call('ReplicateKey', { KeyId, ReplicaRegion: elsewhere, Description: 'replica' })
  await stage.call('UpdatePrimaryRegion', { KeyId, PrimaryRegion: elsewhere })
  await stage.call(
    'ScheduleKeyDeletion',
    { KeyId, PendingWindowInDays: 7 },
    { note: 'of a replica', denied: false },
  )
}

/** There are none, and what would make one is refused. */
async function stores(stage: Stage): Promise<void> {
  const CustomKeyStoreId = 'cks-1234567890abcdef0'
  const error = 'CustomKeyStoreNotFoundException'
  const KeyStorePassword = randomBytes(16).toString('hex')
  await stage.call('DescribeCustomKeyStores', {})
  const made = {
    CustomKeyStoreName: 'store',
    CloudHsmClusterId: 'cluster-2a23b4cdefg',
    TrustAnchorCertificate: 'certificate',
    KeyStorePassword,
  }
  const unreachable = { error: 'CloudHsmClusterNotFoundException' }
  await stage.call('CreateCustomKeyStore', made, unreachable)
  for (const operation of ['Connect', 'Disconnect', 'Delete']) {
    await stage.call(`${operation}CustomKeyStore`, { CustomKeyStoreId }, { error })
  }
  const XksProxyAuthenticationCredential = {
    AccessKeyId: 'ABCDEFGHIJKLMNOPQRST',
    RawSecretAccessKey: randomBytes(36).toString('base64'),
  }
  const proxy = {
    ...{ CustomKeyStoreName: 'proxy', CustomKeyStoreType: 'EXTERNAL_KEY_STORE' },
    ...{ XksProxyUriEndpoint: 'https://proxy.example.com', XksProxyUriPath: '/kms/xks/v1' },
    ...{ XksProxyConnectivity: 'PUBLIC_ENDPOINT', XksProxyAuthenticationCredential },
  }
  const away = { note: 'external', error: 'XksProxyUriUnreachableException' }
  await stage.call('CreateCustomKeyStore', proxy, away)
  const update = { CustomKeyStoreId, KeyStorePassword, XksProxyAuthenticationCredential }
  await stage.call('UpdateCustomKeyStore', update, { error })
}

async function acrossAccounts(stage: Stage): Promise<void> {
  const { house } = stage
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [rootArn, `arn:aws:iam::${otherAccount}:root`].map((AWS) => {
      return { Effect: 'Allow', Principal: { AWS }, Action: 'kms:*', Resource: '*' }
    }),
  })
  const KeyId = `arn:aws:kms:us-east-1:${account}:key/${await house.newKey({ Policy })}`
  const foreign = { key: house.otherKey, denied: false, note: 'another account' }
  const { CiphertextBlob } = await stage.call(
    'Encrypt',
    { KeyId, Plaintext, EncryptionContext },
    foreign,
  )
  const DestinationKeyId = await house.newKey({}, { key: house.otherKey })
  const moved = { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId }
  await stage.call('ReEncrypt', moved, foreign)
  const unshared = `arn:aws:kms:us-east-1:${account}:key/${await house.newKey()}`
  const denied = { ...foreign, note: 'another account, denied', error: 'AccessDeniedException' }
  await stage.call('Encrypt', { KeyId: unshared, Plaintext }, denied)
}

async function deletion(stage: Stage): Promise<void> {
  const KeyId = await stage.house.newKey()
  await stage.call('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
  await stage.call('CancelKeyDeletion', { KeyId })
}
