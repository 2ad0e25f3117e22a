import assert from 'node:assert/strict'
import { createHmac, createPublicKey, randomBytes, verify } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import type { KeySpec, WrappingAlgorithm } from '../../../hsm/key-specs.ts'
import { newCore } from '../../../hsm/testing/fixtures.ts'
import { pkcs8, samplePrivateKey, wrapForImport } from '../../../hsm/testing/importing.ts'
import { otherRegion, type Setting, TestKms } from '../testing/test-kms.ts'

const forGood = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
const message = Buffer.from('message')

/** A key of imported material, with a real key core that has the same time. */
async function opened(t: TestContext, input: object) {
  const clock = { now: () => kms.now }
  const kms: TestKms = new TestKms({}, { hsm: newCore(t, { clock }) })
  const { keyId: KeyId } = await kms.key({ Origin: 'EXTERNAL', ...input })
  const parameters = async (WrappingAlgorithm: WrappingAlgorithm, setting?: Setting) => {
    const wrapping = { WrappingAlgorithm, WrappingKeySpec: 'RSA_2048' }
    const given = await kms.ok('GetParametersForImport', { KeyId, ...wrapping }, setting)
    return (material: Buffer, more: object = forGood) => ({
      KeyId,
      ImportToken: given['ImportToken'],
      EncryptedKeyMaterial: wrapForImport(WrappingAlgorithm, given.PublicKey as Buffer, material),
      ...more,
    })
  }
  return { kms, KeyId, parameters }
}

describe('with a real key core', () => {
  for (const [spec, algorithm] of [
    ['ECC_NIST_P256', 'RSAES_OAEP_SHA_1'],
    ['RSA_2048', 'RSA_AES_KEY_WRAP_SHA_256'],
  ] as const satisfies readonly [KeySpec, WrappingAlgorithm][]) {
    test(`an imported ${spec} key signs what its owner can verify`, async (t) => {
      const { kms, KeyId, parameters } = await opened(t, { KeySpec: spec, KeyUsage: 'SIGN_VERIFY' })
      const importing = await parameters(algorithm)
      const own = samplePrivateKey(spec)
      await kms.ok('ImportKeyMaterial', importing(pkcs8(own)))
      const { PublicKey } = await kms.ok('GetPublicKey', { KeyId })
      const exported = createPublicKey(own).export({ format: 'der', type: 'spki' })
      assert.deepEqual(PublicKey, exported)
      const SigningAlgorithm = spec === 'RSA_2048' ? 'RSASSA_PKCS1_V1_5_SHA_256' : 'ECDSA_SHA_256'
      const { Signature } = await kms.ok('Sign', { KeyId, Message: message, SigningAlgorithm })
      assert.ok(verify('sha256', message, createPublicKey(own), Signature as Buffer))
      await kms.ok('DeleteImportedKeyMaterial', { KeyId })
      assert.deepEqual((await kms.ok('GetPublicKey', { KeyId })).PublicKey, exported)
      const another = importing(pkcs8(samplePrivateKey(spec)))
      assert.equal((await kms.fails('ImportKeyMaterial', another))[0], 'incorrect-key-material')
      await kms.ok('ImportKeyMaterial', importing(pkcs8(own)))
      await kms.ok('Sign', { KeyId, Message: message, SigningAlgorithm })
    })
  }

  test('an imported HMAC key makes the MACs of its owner', async (t) => {
    const kind = { KeySpec: 'HMAC_384', KeyUsage: 'GENERATE_VERIFY_MAC' }
    const { kms, KeyId, parameters } = await opened(t, kind)
    const own = randomBytes(64)
    await kms.ok('ImportKeyMaterial', (await parameters('RSAES_OAEP_SHA_256'))(own))
    const { Mac } = await kms.ok('GenerateMac', {
      KeyId,
      Message: message,
      MacAlgorithm: 'HMAC_SHA_384',
    })
    assert.deepEqual(Mac, createHmac('sha384', own).update(message).digest())
  })

  test('a token is good for a day, and for its own key and wrapping', async (t) => {
    const { kms, parameters } = await opened(t, {})
    const importing = await parameters('RSAES_OAEP_SHA_256')
    const request = importing(randomBytes(32))
    const refusal = async (more: object) =>
      (await kms.fails('ImportKeyMaterial', { ...request, ...more }))[0]
    const other = await kms.key({ Origin: 'EXTERNAL' })
    assert.equal(await refusal({ KeyId: other.keyId }), 'invalid-import-token')
    assert.equal(await refusal({ ImportToken: randomBytes(100) }), 'invalid-import-token')
    assert.equal(await refusal({ EncryptedKeyMaterial: randomBytes(256) }), 'invalid-ciphertext')
    const { EncryptedKeyMaterial } = (await parameters('RSAES_OAEP_SHA_1'))(randomBytes(32))
    assert.equal(await refusal({ EncryptedKeyMaterial }), 'invalid-ciphertext')
    const short = importing(randomBytes(16))
    assert.equal((await kms.fails('ImportKeyMaterial', short))[0], 'incorrect-key-material')
    kms.now += 24 * 3_600_000
    await kms.ok('ImportKeyMaterial', request)
    kms.now += 1
    assert.equal(await refusal({}), 'expired-import-token')
  })

  test('the same material has one id in every Region, and opens what was encrypted in any', async (t) => {
    const { kms, KeyId, parameters } = await opened(t, { MultiRegion: true })
    const own = randomBytes(32)
    const { KeyMaterialId } = await kms.ok(
      'ImportKeyMaterial',
      (await parameters('RSAES_OAEP_SHA_256'))(own),
    )
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext: message })
    await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
    const inReplica = { region: otherRegion }
    const importing = await parameters('RSAES_OAEP_SHA_1', inReplica)
    const [code] = await kms.fails('ImportKeyMaterial', importing(randomBytes(32)), inReplica)
    assert.equal(code, 'incorrect-key-material')
    const imported = await kms.ok('ImportKeyMaterial', importing(own), inReplica)
    assert.equal(imported['KeyMaterialId'], KeyMaterialId)
    const decrypted = await kms.ok('Decrypt', { CiphertextBlob }, inReplica)
    assert.deepEqual(decrypted.Plaintext, message)
  })

  test('a multi-Region key rotates everywhere at once', async (t) => {
    const { kms, KeyId } = await opened(t, { Origin: 'AWS_KMS', MultiRegion: true })
    await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
    await kms.ok('RotateKeyOnDemand', { KeyId })
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext: message })
    const { Plaintext } = await kms.ok('Decrypt', { CiphertextBlob }, { region: otherRegion })
    assert.deepEqual(Plaintext, message)
  })
})
