import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { keySpecs, macAlgorithms, specRow } from '../../../hsm/key-specs.ts'
import { arnOf } from '../key.ts'
import { keysOf, kmsOverRealCore } from '../testing/real-core.ts'

const kms = kmsOverRealCore()
const keyOf = keysOf(kms)
const Message = Buffer.from('a message to be authenticated')
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const invalid = ['invalid-mac']

const kinds = [
  ['HMAC_224', 'HMAC_SHA_224', 28],
  ['HMAC_256', 'HMAC_SHA_256', 32],
  ['HMAC_384', 'HMAC_SHA_384', 48],
  ['HMAC_512', 'HMAC_SHA_512', 64],
] as const

test('these are all the keys that authenticate', () => {
  const all = keySpecs.filter((spec) => 'GENERATE_VERIFY_MAC' in specRow(spec).usages)
  assert.deepEqual(
    kinds.map(([spec]) => spec),
    all,
  )
})

for (const [keySpec, MacAlgorithm, bytes] of kinds) {
  test(`${keySpec} makes MACs with ${MacAlgorithm} and no other algorithm`, async () => {
    const key = await keyOf(keySpec, 'GENERATE_VERIFY_MAC')
    const request = { KeyId: key.keyId, MacAlgorithm, Message }
    const { Mac, ...rest } = await kms.ok('GenerateMac', request)
    assert.deepEqual(rest, { KeyId: arnOf(key), MacAlgorithm })
    assert.equal(Mac?.length, bytes)
    assert.deepEqual((await kms.ok('GenerateMac', request)).Mac, Mac)
    assert.deepEqual(await kms.ok('VerifyMac', { ...request, Mac }), {
      KeyId: arnOf(key),
      MacValid: true,
      MacAlgorithm,
    })
    for (const operation of ['GenerateMac', 'VerifyMac']) {
      assert.deepEqual(await kms.fails(operation, { ...request, Mac, DryRun: true }), dryRun)
      for (const other of macAlgorithms.filter((algorithm) => algorithm !== MacAlgorithm)) {
        assert.deepEqual(await kms.fails(operation, { ...request, Mac, MacAlgorithm: other }), [
          'invalid-key-usage',
          `Algorithm ${other} is incompatible with key spec ${keySpec}.`,
        ])
      }
    }
    for (const wrong of [Mac?.subarray(1), Buffer.of(0), Buffer.alloc(6144)]) {
      assert.deepEqual(await kms.fails('VerifyMac', { ...request, Mac: wrong }), invalid)
    }
    const rehearsal = { ...request, Mac: Buffer.alloc(bytes), DryRun: true }
    assert.deepEqual(await kms.fails('VerifyMac', rehearsal), invalid)
  })
}

test('any flipped bit of message or MAC is refused', async () => {
  for (const [keySpec, MacAlgorithm] of kinds) {
    const { keyId: KeyId } = await keyOf(keySpec, 'GENERATE_VERIFY_MAC')
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ minLength: 1, maxLength: 200 }),
        fc.boolean(),
        fc.nat(),
        async (bytes, inMessage, at) => {
          const request = { KeyId, MacAlgorithm, Message: Buffer.from(bytes) }
          const { Mac = Buffer.of() } = await kms.ok('GenerateMac', request)
          await kms.ok('VerifyMac', { ...request, Mac })
          const bad = Buffer.from(inMessage ? bytes : Mac)
          const index = Math.floor(at / 8) % bad.length
          bad[index] = (bad[index] ?? 0) ^ (1 << (at % 8))
          const forged = inMessage ? { Message: bad, Mac } : { Mac: bad }
          assert.deepEqual(await kms.fails('VerifyMac', { ...request, ...forged }), invalid)
        },
      ),
      { numRuns: 15 },
    )
  }
})

test('a key that does not authenticate is refused', async () => {
  for (const [keySpec, keyUsage] of [
    ['SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT'],
    ['ECC_NIST_P256', 'SIGN_VERIFY'],
    ['ML_KEM_512', 'ENCAPSULATE_DECAPSULATE'],
  ] as const) {
    const key = await keyOf(keySpec, keyUsage)
    for (const operation of ['GenerateMac', 'VerifyMac']) {
      const request = { KeyId: key.keyId, MacAlgorithm: 'HMAC_SHA_256', Message, Mac: Message }
      assert.deepEqual(await kms.fails(operation, request), [
        'invalid-key-usage',
        `${arnOf(key)} key usage is ${keyUsage} which is not valid for ${operation}.`,
      ])
      const denied = await kms.fails(operation, request, { deny: () => true })
      assert.deepEqual(denied, ['access-denied', 'denied'])
    }
  }
})

test('an HMAC key encrypts nothing', async () => {
  const key = await keyOf('HMAC_256', 'GENERATE_VERIFY_MAC')
  const KeyId = key.keyId
  const cases: [string, object][] = [
    ['Encrypt', { Plaintext: Message }],
    ['Decrypt', { CiphertextBlob: Message }],
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyPair', { KeyPairSpec: 'ECC_NIST_P256' }],
    ['GenerateDataKeyPairWithoutPlaintext', { KeyPairSpec: 'ECC_NIST_P256' }],
  ]
  for (const [operation, input] of cases) {
    assert.deepEqual(await kms.fails(operation, { KeyId, ...input }), [
      'invalid-key-usage',
      `${arnOf(key)} key usage is GENERATE_VERIFY_MAC which is not valid for ${operation}.`,
    ])
  }
})
