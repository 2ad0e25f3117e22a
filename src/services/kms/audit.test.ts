import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf, type KeyRecord } from './key.ts'
import { account, TestKms } from './testing/test-kms.ts'

const EncryptionContext = { department: 'finance' }
const secret = Buffer.from('a secret that nobody writes down')

async function world() {
  const kms = new TestKms()
  const key = await kms.key()
  const { CiphertextBlob } = await kms.ok('Encrypt', {
    KeyId: key.keyId,
    Plaintext: Buffer.from(secret),
    EncryptionContext,
  })
  const recorded = async (operation: string, input: object) =>
    (await kms.call(operation, input)).recorded
  return { kms, key, CiphertextBlob: CiphertextBlob as Buffer, recorded }
}

const resource = (ARN: string) => ({ accountId: account, type: 'AWS::KMS::Key', ARN })

test('cryptographic operations show their parameters and the material, and nothing else', async () => {
  const { key, CiphertextBlob, recorded } = await world()
  const { keyId: KeyId, currentMaterialId: keyMaterialId } = key
  const resources = [resource(arnOf(key))]
  const rest = { response: null, resources, additional: { keyMaterialId } }
  const request = { KeyId, Plaintext: secret, EncryptionContext }
  assert.deepEqual(plain(await recorded('Encrypt', request)), {
    request: {
      keyId: KeyId,
      encryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      encryptionContext: EncryptionContext,
    },
    ...rest,
  })
  assert.deepEqual(plain(await recorded('Decrypt', { CiphertextBlob, EncryptionContext })), {
    request: { encryptionAlgorithm: 'SYMMETRIC_DEFAULT', encryptionContext: EncryptionContext },
    ...rest,
  })
  const named = { CiphertextBlob, EncryptionContext, KeyId: arnOf(key) }
  const { keyId } = (await recorded('Decrypt', named)).request ?? {}
  assert.equal(keyId, arnOf(key))
  for (const operation of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']) {
    assert.deepEqual(plain(await recorded(operation, { KeyId, KeySpec: 'AES_256' })), {
      request: { keyId: KeyId, keySpec: 'AES_256' },
      ...rest,
    })
    const sized = { KeyId, NumberOfBytes: 17, EncryptionContext }
    assert.deepEqual(plain((await recorded(operation, sized)).request), {
      keyId: KeyId,
      numberOfBytes: 17,
      encryptionContext: EncryptionContext,
    })
  }
  assert.deepEqual(plain(await recorded('GenerateRandom', { NumberOfBytes: 8 })), {
    request: null,
    response: null,
  })
})

test('operations of the other keys show algorithms and types, and no material', async () => {
  const kms = new TestKms()
  const Message = secret
  const signing = { Message, SigningAlgorithm: 'RSASSA_PSS_SHA_256' }
  const signed = { messageType: 'RAW', signingAlgorithm: 'RSASSA_PSS_SHA_256' }
  const mac = { Message, MacAlgorithm: 'HMAC_SHA_384' }
  const maced = { macAlgorithm: 'HMAC_SHA_384' }
  const encapsulation = { EncapsulationAlgorithm: 'ML_KEM' }
  const encapsulated = { encapsulationAlgorithm: 'ML_KEM' }
  const rsa = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' })
  const hmac = await kms.key({ KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' })
  const kem = await kms.key({ KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  const agreement = await kms.key({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' })
  const { Signature } = await kms.ok('Sign', { KeyId: rsa.keyId, ...signing })
  const { Mac } = await kms.ok('GenerateMac', { KeyId: hmac.keyId, ...mac })
  const cases: [string, KeyRecord, object, object][] = [
    ['Sign', rsa, signing, signed],
    ['Verify', rsa, { ...signing, Signature }, signed],
    ['GetPublicKey', rsa, {}, {}],
    ['GenerateMac', hmac, mac, maced],
    ['VerifyMac', hmac, { ...mac, Mac }, maced],
    ['Encapsulate', kem, encapsulation, encapsulated],
    ['Decapsulate', kem, { ...encapsulation, SharedSecretCiphertextBlob: secret }, encapsulated],
    [
      'DeriveSharedSecret',
      agreement,
      { KeyAgreementAlgorithm: 'ECDH', PublicKey: secret },
      { keyAgreementAlgorithm: 'ECDH' },
    ],
  ]
  for (const [operation, key, input, request] of cases) {
    const { recorded, failure } = await kms.call(operation, { KeyId: key.keyId, ...input })
    assert.equal(failure, undefined, operation)
    assert.deepEqual(
      plain(recorded),
      {
        request: { keyId: key.keyId, ...request },
        response: null,
        resources: [resource(arnOf(key))],
      },
      operation,
    )
  }
  const key = await kms.key()
  for (const operation of ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']) {
    const input = { KeyId: key.keyId, KeyPairSpec: 'ECC_NIST_P521', EncryptionContext }
    assert.deepEqual(plain((await kms.call(operation, input)).recorded), {
      request: {
        keyId: key.keyId,
        keyPairSpec: 'ECC_NIST_P521',
        encryptionContext: EncryptionContext,
      },
      response: null,
      resources: [resource(arnOf(key))],
      additional: { keyMaterialId: key.currentMaterialId },
    })
  }
})

test('ReEncrypt shows both sides, the source first', async () => {
  const { kms, key, CiphertextBlob, recorded } = await world()
  const destination = await kms.key()
  const input = {
    CiphertextBlob,
    SourceEncryptionContext: EncryptionContext,
    DestinationKeyId: destination.keyId,
  }
  assert.deepEqual(plain(await recorded('ReEncrypt', input)), {
    request: {
      sourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      sourceEncryptionContext: EncryptionContext,
      destinationKeyId: destination.keyId,
      destinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    },
    response: null,
    resources: [resource(arnOf(key)), resource(arnOf(destination))],
    additional: {
      sourceKeyMaterialId: key.currentMaterialId,
      destinationKeyMaterialId: destination.currentMaterialId,
    },
  })
})

test('CreateKey shows its kind with the defaults, and the new key once there is one', async () => {
  const { kms, recorded } = await world()
  const made = plain(await recorded('CreateKey', { Tags: [{ TagKey: 'a', TagValue: 'b' }] }))
  assert.deepEqual(made.request, {
    bypassPolicyLockoutSafetyCheck: false,
    customerMasterKeySpec: 'SYMMETRIC_DEFAULT',
    description: '',
    keySpec: 'SYMMETRIC_DEFAULT',
    keyUsage: 'ENCRYPT_DECRYPT',
    multiRegion: false,
    origin: 'AWS_KMS',
    tags: [{ tagKey: 'a', tagValue: 'b' }],
  })
  const { keyMetadata } = made.response as { keyMetadata: Record<string, unknown> }
  const { aWSAccountId, arn, creationDate, keyState } = keyMetadata
  assert.deepEqual(
    [aWSAccountId, creationDate, keyState],
    [account, '2026-01-02T03:04:05.678Z', 'Enabled'],
  )
  assert.deepEqual(made.resources, [resource(String(arn))])
  const denied = await kms.call('CreateKey', {}, { deny: () => true })
  assert.deepEqual(denied.recorded.resources, [])
  assert.equal(denied.recorded.response, null)
})

test('changes of a key show the request and, where AWS does, the key', async () => {
  const { kms, key, recorded } = await world()
  const { keyId: KeyId } = key
  const resources = [resource(arnOf(key))]
  const keyId = { keyId: arnOf(key) }
  const cases: [string, object, object, object | null][] = [
    ['DisableKey', {}, {}, keyId],
    ['EnableKey', {}, {}, keyId],
    ['UpdateKeyDescription', { Description: 'text' }, { description: 'text' }, keyId],
    [
      'TagResource',
      { Tags: [{ TagKey: 'a', TagValue: 'b' }] },
      { tags: [{ tagKey: 'a', tagValue: 'b' }] },
      null,
    ],
    ['UntagResource', { TagKeys: ['a'] }, { tagKeys: ['a'] }, null],
    [
      'PutKeyPolicy',
      { Policy: '{"the":"text"}' },
      { policyName: 'default', policy: '{"the":"text"}', bypassPolicyLockoutSafetyCheck: false },
      null,
    ],
    ['GetKeyPolicy', {}, { policyName: 'default' }, null],
    ['DescribeKey', {}, {}, null],
    ['ListKeyPolicies', {}, {}, null],
    ['ListResourceTags', { Limit: 3 }, { limit: 3 }, null],
    [
      'ScheduleKeyDeletion',
      { PendingWindowInDays: 7 },
      { pendingWindowInDays: 7 },
      {
        ...keyId,
        keyState: 'PendingDeletion',
        deletionDate: '2026-01-09T03:04:05.678Z',
        pendingWindowInDays: 7,
      },
    ],
    ['CancelKeyDeletion', {}, {}, keyId],
  ]
  for (const [operation, input, request, response] of cases) {
    assert.deepEqual(
      plain(await recorded(operation, { KeyId, ...input })),
      { request: { keyId: KeyId, ...request }, response, resources },
      operation,
    )
  }
  assert.equal(kms.record(KeyId).state, 'Disabled')
})

test('alias operations show the key, then the alias', async () => {
  const { key, recorded } = await world()
  const arn = `arn:aws:kms:us-east-1:${account}:alias/one`
  const input = { AliasName: 'alias/one', TargetKeyId: key.keyId }
  const resources = [resource(arnOf(key)), resource(arn)]
  for (const operation of ['CreateAlias', 'UpdateAlias']) {
    assert.deepEqual(plain(await recorded(operation, input)), {
      request: { aliasName: 'alias/one', targetKeyId: key.keyId },
      response: null,
      resources,
    })
  }
  assert.deepEqual(plain(await recorded('ListAliases', {})), { request: {}, response: null })
  assert.deepEqual(plain(await recorded('DeleteAlias', { AliasName: 'alias/one' })), {
    request: { aliasName: 'alias/one' },
    response: null,
    resources,
  })
})

test('no record holds a plaintext, a ciphertext, a token or the policy that was read', async () => {
  const { kms, key, CiphertextBlob } = await world()
  const { keyId: KeyId } = key
  const Policy = '{"policy":"that is read"}'
  await kms.change(key, { policy: Policy })
  const outputs: unknown[] = [secret, CiphertextBlob, Policy, 'grant-token']
  const calls: [string, object][] = [
    ['Encrypt', { KeyId, Plaintext: secret, EncryptionContext, GrantTokens: ['grant-token'] }],
    ['Encrypt', { KeyId, Plaintext: secret, EncryptionContext, DryRun: true }],
    ['Encrypt', { KeyId: 'alias/none', Plaintext: secret }],
    ['Decrypt', { CiphertextBlob, EncryptionContext }],
    ['Decrypt', { CiphertextBlob }],
    [
      'ReEncrypt',
      { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: KeyId },
    ],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateRandom', { NumberOfBytes: 32 }],
    ['GetKeyPolicy', { KeyId }],
    ['DescribeKey', { KeyId, GrantTokens: ['grant-token'] }],
    ['GenerateDataKeyPair', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
    ['GenerateDataKeyPairWithoutPlaintext', { KeyId, KeyPairSpec: 'ECC_NIST_P256' }],
    ...(await callsOnOtherKeys(kms)),
  ]
  for (const [operation, input] of calls) {
    const { output } = await kms.call(operation, input)
    for (const value of Object.values(output ?? {})) {
      if (Buffer.isBuffer(value)) outputs.push(value)
    }
  }
  const log = kms.records.join('\n')
  let looked = 0
  for (const value of outputs) {
    const forms = Buffer.isBuffer(value)
      ? [
          value.toString('latin1'),
          value.toString('base64'),
          value.toString('hex'),
          String([...value]),
        ]
      : typeof value === 'string'
        ? [value, JSON.stringify(value).slice(1, -1)]
        : []
    for (const form of forms) {
      assert.ok(!log.includes(form))
      looked++
    }
  }
  assert.ok(looked === 80, `looked for ${looked}`)
})

/** One call of every operation on keys that are not symmetric, all with `secret` in them. */
async function callsOnOtherKeys(kms: TestKms): Promise<[string, object][]> {
  const make = async (KeySpec: string, KeyUsage: string) =>
    (await kms.key({ KeySpec, KeyUsage })).keyId
  const sign = {
    KeyId: await make('RSA_2048', 'SIGN_VERIFY'),
    SigningAlgorithm: pss,
    Message: secret,
  }
  const mac = {
    KeyId: await make('HMAC_256', 'GENERATE_VERIFY_MAC'),
    MacAlgorithm: 'HMAC_SHA_256',
    Message: secret,
  }
  const agree = { KeyId: await make('ECC_NIST_P256', 'KEY_AGREEMENT'), PublicKey: secret }
  const kem = {
    KeyId: await make('ML_KEM_512', 'ENCAPSULATE_DECAPSULATE'),
    EncapsulationAlgorithm: 'ML_KEM',
  }
  return [
    ['Sign', sign],
    ['Verify', { ...sign, Signature: secret }],
    ['GenerateMac', mac],
    ['VerifyMac', { ...mac, Mac: secret }],
    ['DeriveSharedSecret', { ...agree, KeyAgreementAlgorithm: 'ECDH' }],
    ['Encapsulate', kem],
    ['Decapsulate', { ...kem, SharedSecretCiphertextBlob: secret }],
  ]
}

const pss = 'RSASSA_PSS_SHA_256'

/** As JSON text shows it: without the members that are undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
