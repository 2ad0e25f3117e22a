import assert from 'node:assert/strict'
import { test } from 'node:test'
import { algorithmsOf, isAsymmetric, keySpecs, keyUsages } from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import { customerMasterKeySpecs } from '../key-spec.ts'
import { account, otherAccount, rootOf, TestKms } from '../testing/test-kms.ts'

const members = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
} as const

test('GetPublicKey answers the public half and what it is good for', async () => {
  const kms = new TestKms()
  for (const KeySpec of keySpecs) {
    for (const KeyUsage of keyUsages) {
      const algorithms = algorithmsOf(KeySpec, KeyUsage)
      if (algorithms.length === 0) continue
      const key = await kms.key({ KeySpec, KeyUsage })
      const request = { KeyId: key.keyId }
      if (!isAsymmetric(KeySpec)) {
        assert.deepEqual(await kms.fails('GetPublicKey', request), ['unsupported'])
        continue
      }
      assert.deepEqual(await kms.ok('GetPublicKey', request), {
        KeyId: arnOf(key),
        PublicKey: Buffer.from(`public ${key.currentMaterialId}`),
        KeySpec,
        KeyUsage,
        ...(customerMasterKeySpecs.some((old) => old === KeySpec) && {
          CustomerMasterKeySpec: KeySpec,
        }),
        [members[KeyUsage]]: algorithms,
      })
    }
  }
})

test('a key that has no material yet has no public half, and one whose material is gone has it still', async () => {
  const kms = new TestKms()
  const KeyUsage = 'SIGN_VERIFY'
  const key = await kms.key({ KeySpec: 'RSA_2048', KeyUsage, Origin: 'EXTERNAL' })
  const KeyId = key.keyId
  assert.deepEqual(await kms.fails('GetPublicKey', { KeyId }), [
    'invalid-state',
    `${arnOf(key)} is pending import.`,
  ])
  await kms.change(key, { publicKey: Buffer.from('spki').toString('base64') })
  const { PublicKey } = await kms.ok('GetPublicKey', { KeyId })
  assert.deepEqual(PublicKey, Buffer.from('spki'))
})

test('a key can be named by its alias, and by another account that is allowed', async () => {
  const kms = new TestKms()
  const key = await kms.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  const expected = await kms.ok('GetPublicKey', { KeyId: key.keyId })
  assert.deepEqual(await kms.ok('GetPublicKey', { KeyId: 'alias/own' }), expected)
  const caller = rootOf(otherAccount)
  const named = { KeyId: `arn:aws:kms:us-east-1:${account}:alias/own` }
  assert.deepEqual(await kms.ok('GetPublicKey', named, { caller }), expected)
  assert.deepEqual(await kms.fails('GetPublicKey', { KeyId: 'arn:aws:s3:::bucket' }), [
    'invalid-arn',
    'Invalid arn arn:aws:s3:::bucket',
  ])
})

test('whether a key has a public half is not told to a caller who is denied', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  const denied = await kms.fails('GetPublicKey', { KeyId }, { deny: () => true })
  assert.deepEqual(denied, ['access-denied', 'denied'])
})
