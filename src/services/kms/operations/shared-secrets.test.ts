import assert from 'node:assert/strict'
import {
  createPublicKey,
  diffieHellman,
  encapsulate,
  generateKeyPairSync,
  type KeyObject,
} from 'node:crypto'
import { test } from 'node:test'
import { keySpecs, specRow } from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import { keysOf, kmsOverRealCore } from '../testing/real-core.ts'
import { TestKms } from '../testing/test-kms.ts'

const kms = kmsOverRealCore()
const keyOf = keysOf(kms)
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const KeyAgreementAlgorithm = 'ECDH'
const EncapsulationAlgorithm = 'ML_KEM'

async function publicKeyOf(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.ok('GetPublicKey', { KeyId })
  return createPublicKey({ key: PublicKey as Buffer, format: 'der', type: 'spki' })
}

const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' })
const ecPair = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve })

const curves = [
  ['ECC_NIST_P256', 'prime256v1', 32],
  ['ECC_NIST_P384', 'secp384r1', 48],
  ['ECC_NIST_P521', 'secp521r1', 66],
] as const

test('these are all the keys for agreement and encapsulation', () => {
  const specsFor = (usage: string) => keySpecs.filter((spec) => usage in specRow(spec).usages)
  assert.deepEqual(
    specsFor('KEY_AGREEMENT'),
    curves.map(([spec]) => spec),
  )
  assert.deepEqual(
    specsFor('ENCAPSULATE_DECAPSULATE'),
    encapsulations.map(([spec]) => spec),
  )
})

for (const [keySpec, curve, bytes] of curves) {
  test(`${keySpec} derives the secret that the other side derives`, async () => {
    const key = await keyOf(keySpec, 'KEY_AGREEMENT')
    const other = ecPair(curve)
    const request = { KeyId: key.keyId, KeyAgreementAlgorithm, PublicKey: spki(other.publicKey) }
    const { SharedSecret, ...rest } = await kms.ok('DeriveSharedSecret', request)
    assert.deepEqual(rest, { KeyId: arnOf(key), KeyAgreementAlgorithm, KeyOrigin: 'AWS_KMS' })
    assert.equal(SharedSecret?.length, bytes)
    const theirs = diffieHellman({
      privateKey: other.privateKey,
      publicKey: await publicKeyOf(key.keyId),
    })
    assert.deepEqual(SharedSecret, theirs)
    assert.deepEqual(await kms.fails('DeriveSharedSecret', { ...request, DryRun: true }), dryRun)
  })
}

test('two keys of the service agree with each other', async () => {
  const make = () => kms.key({ KeySpec: 'ECC_NIST_P384', KeyUsage: 'KEY_AGREEMENT' })
  const [one, two] = [await make(), await make()]
  const derive = async (own: string, their: string) => {
    const { PublicKey } = await kms.ok('GetPublicKey', { KeyId: their })
    const request = { KeyId: own, KeyAgreementAlgorithm, PublicKey }
    return (await kms.ok('DeriveSharedSecret', request)).SharedSecret
  }
  assert.deepEqual(await derive(one.keyId, two.keyId), await derive(two.keyId, one.keyId))
})

test('what is no public key of the same curve is refused without a word', async () => {
  const { keyId: KeyId } = await keyOf('ECC_NIST_P256', 'KEY_AGREEMENT')
  const good = spki(ecPair('prime256v1').publicKey)
  const offCurve = Buffer.from(good)
  offCurve[offCurve.length - 1] = (offCurve.at(-1) ?? 0) ^ 1
  const wrong = [
    Buffer.from('no key'),
    good.subarray(0, -1),
    Buffer.concat([good, Buffer.of(0)]),
    offCurve,
    spki(ecPair('secp384r1').publicKey),
    spki(ecPair('secp256k1').publicKey),
    spki(generateKeyPairSync('x25519').publicKey),
    spki(generateKeyPairSync('ed25519').publicKey),
    ecPair('prime256v1').privateKey.export({ type: 'pkcs8', format: 'der' }),
  ]
  for (const PublicKey of wrong) {
    const request = { KeyId, KeyAgreementAlgorithm, PublicKey }
    assert.deepEqual(await kms.fails('DeriveSharedSecret', request), ['validation', ''])
    const rehearsal = { ...request, DryRun: true }
    assert.deepEqual(await kms.fails('DeriveSharedSecret', rehearsal), ['validation', ''])
  }
})

const encapsulations = [
  ['ML_KEM_512', 768],
  ['ML_KEM_768', 1088],
  ['ML_KEM_1024', 1568],
] as const

for (const [keySpec, bytes] of encapsulations) {
  test(`${keySpec} opens what was encapsulated inside and outside`, async () => {
    const key = await keyOf(keySpec, 'ENCAPSULATE_DECAPSULATE')
    const request = { KeyId: key.keyId, EncapsulationAlgorithm }
    const answer = await kms.ok('Encapsulate', request)
    const { SharedSecret, SharedSecretCiphertextBlob, ...rest } = answer
    assert.deepEqual(rest, { KeyId: arnOf(key), EncapsulationAlgorithm })
    assert.equal(SharedSecret?.length, 32)
    assert.equal(SharedSecretCiphertextBlob?.length, bytes)
    const opened = await kms.ok('Decapsulate', { ...request, SharedSecretCiphertextBlob })
    assert.deepEqual(opened, { KeyId: arnOf(key), SharedSecret, EncapsulationAlgorithm })
    assert.notDeepEqual((await kms.ok('Encapsulate', request)).SharedSecret, SharedSecret)

    const outside = encapsulate(await publicKeyOf(key.keyId))
    const inside = await kms.ok('Decapsulate', {
      ...request,
      SharedSecretCiphertextBlob: outside.ciphertext,
    })
    assert.deepEqual(inside.SharedSecret, outside.sharedKey)
  })

  test(`${keySpec} answers some other secret for any other ciphertext of that length`, async () => {
    const { keyId: KeyId } = await keyOf(keySpec, 'ENCAPSULATE_DECAPSULATE')
    const request = { KeyId, EncapsulationAlgorithm }
    const { SharedSecret, SharedSecretCiphertextBlob } = await kms.ok('Encapsulate', request)
    const changed = Buffer.from(SharedSecretCiphertextBlob as Buffer)
    changed[7] = (changed[7] ?? 0) ^ 4
    const decapsulated = async (blob: Buffer) =>
      (await kms.ok('Decapsulate', { ...request, SharedSecretCiphertextBlob: blob })).SharedSecret
    const rejected = await decapsulated(changed)
    assert.equal(rejected?.length, 32)
    assert.notDeepEqual(rejected, SharedSecret)
    assert.deepEqual(await decapsulated(changed), rejected)
    for (const length of [1, bytes - 1, bytes + 1, 6144]) {
      const wrong = { ...request, SharedSecretCiphertextBlob: Buffer.alloc(length) }
      assert.deepEqual(await kms.fails('Decapsulate', wrong), ['invalid-ciphertext'])
      const rehearsal = { ...wrong, DryRun: true }
      assert.deepEqual(await kms.fails('Decapsulate', rehearsal), ['invalid-ciphertext'])
    }
    for (const operation of ['Encapsulate', 'Decapsulate']) {
      const rehearsal = { ...request, SharedSecretCiphertextBlob, DryRun: true }
      assert.deepEqual(await kms.fails(operation, rehearsal), dryRun)
    }
  })
}

test('a dry run keeps nothing of the secret', async () => {
  const fake = new TestKms()
  const agreement = await fake.key({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' })
  const kem = await fake.key({ KeySpec: 'ML_KEM_512', KeyUsage: 'ENCAPSULATE_DECAPSULATE' })
  const blob = Buffer.from('x')
  const agree = { KeyId: agreement.keyId, KeyAgreementAlgorithm, PublicKey: blob }
  const open = { KeyId: kem.keyId, EncapsulationAlgorithm, SharedSecretCiphertextBlob: blob }
  assert.deepEqual(await fake.fails('DeriveSharedSecret', { ...agree, DryRun: true }), dryRun)
  assert.deepEqual(await fake.fails('Decapsulate', { ...open, DryRun: true }), dryRun)
  assert.deepEqual(fake.hsm.plaintexts, [Buffer.alloc(32), Buffer.alloc(32)])
})

test('a key of another usage is refused', async () => {
  const message = Buffer.from('x')
  const agree = { KeyAgreementAlgorithm, PublicKey: message }
  const encapsulated = { EncapsulationAlgorithm, SharedSecretCiphertextBlob: message }
  const cases: [string, object, string, string][] = [
    ['DeriveSharedSecret', agree, 'ECC_NIST_P256', 'SIGN_VERIFY'],
    ['DeriveSharedSecret', agree, 'ML_KEM_512', 'ENCAPSULATE_DECAPSULATE'],
    ['DeriveSharedSecret', agree, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
    ['Encapsulate', { EncapsulationAlgorithm }, 'ECC_NIST_P256', 'KEY_AGREEMENT'],
    ['Encapsulate', { EncapsulationAlgorithm }, 'HMAC_256', 'GENERATE_VERIFY_MAC'],
    ['Decapsulate', encapsulated, 'ECC_NIST_P256', 'KEY_AGREEMENT'],
    ['Decapsulate', encapsulated, 'SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
  ]
  for (const [operation, input, keySpec, keyUsage] of cases) {
    const key = await keyOf(keySpec, keyUsage)
    const request = { KeyId: key.keyId, ...input }
    assert.deepEqual(await kms.fails(operation, request), [
      'invalid-key-usage',
      `${arnOf(key)} key usage is ${keyUsage} which is not valid for ${operation}.`,
    ])
    const denied = await kms.fails(operation, request, { deny: () => true })
    assert.deepEqual(denied, ['access-denied', 'denied'])
  }
})

test('DeriveSharedSecret answers no attested recipient', async () => {
  const key = await keyOf('ECC_NIST_P256', 'KEY_AGREEMENT')
  const request = {
    KeyId: key.keyId,
    KeyAgreementAlgorithm,
    PublicKey: spki(ecPair('prime256v1').publicKey),
    Recipient: {},
  }
  assert.deepEqual(await kms.fails('DeriveSharedSecret', request), [
    'unsupported',
    'Recipient is not supported.',
  ])
})
