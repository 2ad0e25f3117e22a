import assert from 'node:assert/strict'
import {
  createPrivateKey,
  createPublicKey,
  decapsulate,
  encapsulate,
  sign,
  verify,
} from 'node:crypto'
import { test } from 'node:test'
import { dataKeyPairSpecs } from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import { keysOf, kmsOverRealCore } from '../testing/real-core.ts'
import { TestKms } from '../testing/test-kms.ts'

const kms = kmsOverRealCore()
const keyOf = keysOf(kms)
const EncryptionContext = { purpose: 'test' }
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const operations = ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']

/** What node:crypto says of the keys of each spec: their type, and their size or curve. */
const expected: Readonly<Record<string, readonly [string, number | string | undefined]>> = {
  RSA_2048: ['rsa', 2048],
  RSA_3072: ['rsa', 3072],
  RSA_4096: ['rsa', 4096],
  ECC_NIST_P256: ['ec', 'prime256v1'],
  ECC_NIST_P384: ['ec', 'secp384r1'],
  ECC_NIST_P521: ['ec', 'secp521r1'],
  ECC_SECG_P256K1: ['ec', 'secp256k1'],
  ECC_NIST_EDWARDS25519: ['ed25519', undefined],
  ML_KEM_512: ['ml-kem-512', undefined],
  ML_KEM_768: ['ml-kem-768', undefined],
  ML_KEM_1024: ['ml-kem-1024', undefined],
}

/** RSA keys of these sizes take seconds, and no other path. */
const slow = ['RSA_3072', 'RSA_4096']

/** Whether the two halves belong together. */
function assertPair(KeyPairSpec: string, publicDer: Buffer, privateDer: Buffer): void {
  const publicKey = createPublicKey({ key: publicDer, format: 'der', type: 'spki' })
  const privateKey = createPrivateKey({ key: privateDer, format: 'der', type: 'pkcs8' })
  const { modulusLength, namedCurve } = publicKey.asymmetricKeyDetails ?? {}
  assert.deepEqual(
    [publicKey.asymmetricKeyType, modulusLength ?? namedCurve],
    expected[KeyPairSpec],
  )
  if (KeyPairSpec.startsWith('ML_KEM')) {
    const { sharedKey, ciphertext } = encapsulate(publicKey)
    assert.deepEqual(decapsulate(privateKey, ciphertext), sharedKey)
    // In seed form they are all of the same length, whatever the spec.
    assert.equal(privateDer.length, 86)
    return
  }
  const hash = KeyPairSpec === 'ECC_NIST_EDWARDS25519' ? null : 'sha256'
  const message = Buffer.from('message')
  assert.ok(verify(hash, message, publicKey, sign(hash, message, privateKey)))
}

test('AWS has no data key pair that is not here', () => {
  assert.deepEqual(Object.keys(expected), [...dataKeyPairSpecs])
})

for (const KeyPairSpec of dataKeyPairSpecs.filter((spec) => !slow.includes(spec))) {
  test(`a data key pair of ${KeyPairSpec} decrypts to its private key`, async () => {
    const key = await keyOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
    const request = { KeyId: key.keyId, KeyPairSpec, EncryptionContext }
    const { output, failure } = await kms.call('GenerateDataKeyPair', request)
    assert.equal(failure, undefined)
    const { PrivateKeyPlaintext, PrivateKeyCiphertextBlob, PublicKey, ...rest } = output ?? {}
    const answer = { KeyId: arnOf(key), KeyPairSpec, KeyMaterialId: key.currentMaterialId }
    assert.deepEqual(rest, answer)
    assert.ok(Buffer.isBuffer(PrivateKeyPlaintext))
    assertPair(KeyPairSpec, PublicKey as Buffer, PrivateKeyPlaintext)
    const opened = await kms.ok('Decrypt', {
      CiphertextBlob: PrivateKeyCiphertextBlob,
      EncryptionContext,
    })
    assert.deepEqual(opened.Plaintext, PrivateKeyPlaintext)

    const without = await kms.ok('GenerateDataKeyPairWithoutPlaintext', request)
    const { PrivateKeyCiphertextBlob: blob, PublicKey: another, ...others } = without
    assert.deepEqual(others, answer)
    const { Plaintext } = await kms.ok('Decrypt', { CiphertextBlob: blob, EncryptionContext })
    assertPair(KeyPairSpec, another as Buffer, Plaintext as Buffer)
    assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob: blob }), ['invalid-ciphertext'])
  })
}

test('SM2 pairs and attested recipients are refused', async () => {
  const fake = new TestKms()
  const { keyId: KeyId } = await fake.key()
  for (const operation of operations) {
    assert.deepEqual(await fake.fails(operation, { KeyId, KeyPairSpec: 'SM2' }), [
      'unsupported',
      'KeyPairSpec SM2 is not supported.',
    ])
  }
  const request = { KeyId, KeyPairSpec: 'ECC_NIST_P256', Recipient: {} }
  assert.deepEqual(await fake.fails('GenerateDataKeyPair', request), [
    'unsupported',
    'Recipient is not supported.',
  ])
})

test('a dry run makes no pair', async () => {
  const fake = new TestKms()
  const { keyId: KeyId } = await fake.key()
  for (const operation of operations) {
    const request = { KeyId, KeyPairSpec: 'RSA_4096', DryRun: true }
    assert.deepEqual(await fake.fails(operation, request), dryRun)
    const denied = await fake.fails(operation, request, { deny: () => true })
    assert.deepEqual(denied, ['access-denied', 'denied'])
  }
  assert.deepEqual(fake.hsm.plaintexts, [])
})
