import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount, region } from '../../testing/house.ts'

const root = `arn:aws:iam::${account}:root`
const otherRoot = `arn:aws:iam::${otherAccount}:root`
const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`
const Plaintext = Buffer.from('text').toString('base64')
const finance = { department: 'finance' }
const SourceArn = `arn:aws:ec2:us-east-1:${account}:volume/vol-1`

/** A key of `account` whose policy mentions nobody else, and calls of the other account on it. */
async function world(...[t, members = {}]: [Parameters<typeof House.open>[0], object?]) {
  const house = await House.open(t)
  const KeyId = arnOf(await house.newKey(members))
  const stranger = { key: house.otherKey }
  const grant = async (terms: object) =>
    String(
      (await house.ok('CreateGrant', { KeyId, GranteePrincipal: otherRoot, ...terms }))['GrantId'],
    )
  const call = (operation: string, input: object) =>
    house.call(operation, { KeyId, ...input }, stranger)
  const denied = async (operation: string, input: object) => {
    const answer = await call(operation, input)
    assert.equal(answer.error, 'AccessDeniedException', `${operation} ${answer.reply.body}`)
    return answer
  }
  const allowed = async (operation: string, input: object) => {
    const answer = await call(operation, input)
    assert.equal(answer.status, 200, `${operation} ${answer.reply.body}`)
    return answer
  }
  const sealed = async (EncryptionContext: object) => {
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext, EncryptionContext })
    return { CiphertextBlob, EncryptionContext }
  }
  return { house, KeyId, grant, call, denied, allowed, sealed }
}

test('a grant alone lets another account decrypt within its constraint, until it is revoked', async (t) => {
  const { house, KeyId, grant, denied, allowed, sealed } = await world(t)
  const inside = await sealed({ ...finance, extra: 'x' })
  await denied('Decrypt', inside)
  const GrantId = await grant({
    Operations: ['Decrypt'],
    Constraints: { EncryptionContextSubset: finance },
  })
  const answer = await allowed('Decrypt', inside)
  assert.equal(answer.body['Plaintext'], Plaintext)
  assert.deepEqual(
    house.recordsOf(answer).map((record) => [record.recipientAccountId, record.errorCode]),
    [
      [otherAccount, undefined],
      [account, undefined],
    ],
  )
  for (const context of [{}, { department: 'Finance' }, { Department: 'finance' }, { a: 'b' }]) {
    await denied('Decrypt', await sealed(context))
  }
  await denied('Encrypt', { Plaintext, EncryptionContext: finance })
  await denied('DescribeKey', {})
  await house.ok('RevokeGrant', { KeyId, GrantId })
  const [record] = house.recordsOf(await denied('Decrypt', inside))
  assert.equal(record?.errorCode, 'AccessDenied')
})

test('EncryptionContextEquals takes the very same pairs', async (t) => {
  const { grant, denied, allowed, sealed } = await world(t)
  await grant({ Operations: ['Decrypt'], Constraints: { EncryptionContextEquals: finance } })
  await allowed('Decrypt', await sealed(finance))
  for (const context of [{}, { ...finance, extra: 'x' }]) {
    await denied('Decrypt', await sealed(context))
  }
})

test('constraints do not bind DescribeKey, and a grant for calls by services is none for callers', async (t) => {
  const { grant, denied, allowed } = await world(t)
  const Operations = ['DescribeKey', 'GenerateDataKey']
  await grant({ Operations, Constraints: { SourceArn } })
  await denied('DescribeKey', {})
  await grant({ Operations, Constraints: { EncryptionContextEquals: finance } })
  await allowed('DescribeKey', {})
  await denied('GenerateDataKey', { KeySpec: 'AES_256' })
  await allowed('GenerateDataKey', { KeySpec: 'AES_256', EncryptionContext: finance })
})

test('an explicit deny in the key policy beats a grant', async (t) => {
  const Statement = [
    { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
    {
      ...{ Effect: 'Deny', Principal: { AWS: otherRoot }, Action: 'kms:Decrypt', Resource: '*' },
      Condition: { StringEquals: { 'kms:EncryptionContext:department': 'finance' } },
    },
  ]
  const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
  const { grant, denied, allowed, sealed } = await world(t, { Policy })
  await grant({ Operations: ['Decrypt'] })
  await denied('Decrypt', await sealed(finance))
  await allowed('Decrypt', await sealed({}))
})

test('each side of ReEncrypt needs its own grant', async (t) => {
  const { KeyId, grant, call, sealed } = await world(t)
  const { CiphertextBlob } = await sealed({})
  const move = { CiphertextBlob, DestinationKeyId: KeyId, KeyId: undefined }
  await grant({ Operations: ['ReEncryptFrom'] })
  assert.equal((await call('ReEncrypt', move)).error, 'AccessDeniedException')
  await grant({ Operations: ['ReEncryptTo'] })
  assert.equal((await call('ReEncrypt', move)).status, 200)
})

test('a grant on one key says nothing of another, and operations that none can permit stay closed', async (t) => {
  const { house, KeyId, grant, denied } = await world(t)
  await grant({ Operations: ['Decrypt', 'DescribeKey', 'CreateGrant', 'RetireGrant'] })
  await denied('ListGrants', {})
  await denied('GetKeyRotationStatus', {})
  await denied('RevokeGrant', { GrantId: 'f'.repeat(64) })
  await denied('DescribeKey', { KeyId: arnOf(await house.newKey()) })
  await house.ok('DescribeKey', { KeyId }, { key: house.otherKey })
})

test('each operation that a grant can permit asks for a grant', async (t) => {
  const data = { KeySpec: 'AES_256' }
  const pair = { KeyPairSpec: 'ECC_NIST_P256' }
  const Message = Plaintext
  const Signature = Plaintext
  const mac = { MacAlgorithm: 'HMAC_SHA_256', Message }
  const signing = { SigningAlgorithm: 'ECDSA_SHA_256', Message }
  const symmetric = {}
  const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }
  const signer = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }
  const agreeing = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' }
  const kem = { KeySpec: 'ML_KEM_768', KeyUsage: 'ENCAPSULATE_DECAPSULATE' }
  const kinds: [object, [string, object][]][] = [
    [
      symmetric,
      [
        ['Encrypt', { Plaintext }],
        ['GenerateDataKey', data],
        ['GenerateDataKeyWithoutPlaintext', data],
        ['GenerateDataKeyPair', pair],
        ['GenerateDataKeyPairWithoutPlaintext', pair],
        ['DescribeKey', {}],
      ],
    ],
    [
      hmac,
      [
        ['GenerateMac', mac],
        ['VerifyMac', { ...mac, Mac: Buffer.alloc(32).toString('base64') }],
      ],
    ],
    [
      signer,
      [
        ['Sign', signing],
        ['Verify', { ...signing, Signature }],
        ['GetPublicKey', {}],
      ],
    ],
    [agreeing, [['DeriveSharedSecret', { KeyAgreementAlgorithm: 'ECDH', PublicKey: Plaintext }]]],
    [
      kem,
      [
        ['Encapsulate', { EncapsulationAlgorithm: 'ML_KEM' }],
        [
          'Decapsulate',
          { EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: Plaintext },
        ],
      ],
    ],
  ]
  for (const [kind, operations] of kinds) {
    const { grant, call, denied } = await world(t, kind)
    for (const [operation, input] of operations) {
      await denied(operation, input)
      await grant({ Operations: [operation] })
      const { error } = await call(operation, input)
      assert.notEqual(error, 'AccessDeniedException', operation)
    }
  }
})

test('a grant that was made by leave of a grant permits no more than that one', async (t) => {
  const { grant, denied, allowed } = await world(t)
  const child = (Operations: readonly string[], Constraints?: object) => ({
    ...{ GranteePrincipal: root, Operations, Constraints },
  })
  await denied('CreateGrant', child(['Decrypt']))
  await grant({ Operations: ['Decrypt'], Constraints: { EncryptionContextSubset: { a: '1' } } })
  await denied('CreateGrant', child(['Decrypt'], { EncryptionContextSubset: { a: '1' } }))
  await grant({
    Operations: ['Decrypt', 'CreateGrant'],
    Constraints: { EncryptionContextSubset: finance },
  })
  const narrower = { ...finance, extra: 'x' }
  for (const constraints of [
    { EncryptionContextSubset: finance },
    { EncryptionContextSubset: narrower },
    { EncryptionContextEquals: narrower },
    { EncryptionContextEquals: finance, SourceArn },
  ]) {
    await allowed('CreateGrant', child(['Decrypt'], constraints))
    await denied('CreateGrant', child(['Decrypt', 'Encrypt'], constraints))
  }
  await allowed(
    'CreateGrant',
    child(['CreateGrant', 'Decrypt'], { EncryptionContextSubset: finance }),
  )
  for (const constraints of [
    undefined,
    { SourceArn },
    { EncryptionContextSubset: { extra: 'x' } },
    { EncryptionContextEquals: { department: 'Finance' } },
  ]) {
    await denied('CreateGrant', child(['Decrypt'], constraints))
  }
})

test('Equals never becomes Subset on the way down', async (t) => {
  const { grant, denied, allowed } = await world(t)
  await grant({
    Operations: ['Decrypt', 'CreateGrant'],
    Constraints: { EncryptionContextEquals: finance },
  })
  const child = (Constraints: object) => ({
    ...{ GranteePrincipal: root, Operations: ['Decrypt'], Constraints },
  })
  await denied('CreateGrant', child({ EncryptionContextSubset: finance }))
  await denied('CreateGrant', child({ EncryptionContextEquals: { ...finance, extra: 'x' } }))
  await allowed('CreateGrant', child({ EncryptionContextEquals: finance }))
})
