import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../../base/errors.ts'
import type { StructureSchema } from '../../../wire/schema.ts'
import { validate } from '../../../wire/validate.ts'
import { TestKms } from '../testing/test-kms.ts'
import { kmsOperations } from './table.ts'

const text = Buffer.from('a text')
const absent = '00000000-0000-4000-8000-00000000ffff'

const pairs = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`key ${at}`, `${at}`]))
const tooMany = ['validation', 'An encryption context can have at most 128 pairs.']
const tooLong = ['validation', 'An encryption context can have at most 8192 bytes.']

test('an encryption context is bounded before a key is looked for or a policy asked', async () => {
  const kms = new TestKms()
  const calls: [string, string, object][] = [
    ['Encrypt', 'EncryptionContext', { KeyId: absent, Plaintext: text }],
    ['Decrypt', 'EncryptionContext', { CiphertextBlob: text }],
    ['GenerateDataKey', 'EncryptionContext', { KeyId: absent, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', 'EncryptionContext', { KeyId: absent, NumberOfBytes: 1 }],
    ['GenerateDataKeyPair', 'EncryptionContext', { KeyId: absent, KeyPairSpec: 'RSA_2048' }],
    [
      'GenerateDataKeyPairWithoutPlaintext',
      'EncryptionContext',
      { KeyId: absent, KeyPairSpec: 'RSA_2048' },
    ],
    ['ReEncrypt', 'SourceEncryptionContext', { CiphertextBlob: text, DestinationKeyId: absent }],
    ['ReEncrypt', 'DestinationEncryptionContext', { DestinationKeyId: absent }],
  ]
  for (const [operation, member, input] of calls) {
    const refusal = async (context: object) => {
      const { failure, checks } = await kms.call(operation, { ...input, [member]: context })
      assert.deepEqual(checks, [])
      return [failure?.code, failure?.publicMessage]
    }
    assert.deepEqual(await refusal(pairs(129)), tooMany, operation)
    assert.deepEqual(await refusal({ a: 'b'.repeat(8192) }), tooLong, operation)
    assert.deepEqual(await refusal({ ['b'.repeat(8192)]: 'a' }), tooLong, operation)
    assert.deepEqual(await refusal({ a: '鍵'.repeat(2731) }), tooLong, operation)
    assert.notDeepEqual(await refusal({ a: 'b'.repeat(8191) }), tooLong, operation)
  }
})

test('the largest context is good', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  for (const EncryptionContext of [pairs(128), { a: 'b'.repeat(8191) }, {}]) {
    const { CiphertextBlob } = await kms.ok('Encrypt', {
      KeyId,
      Plaintext: text,
      EncryptionContext,
    })
    const { Plaintext } = await kms.ok('Decrypt', { CiphertextBlob, EncryptionContext })
    assert.deepEqual(Plaintext, text)
  }
})

test('lists of tags are bounded', async () => {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key()
  const tags = (count: number) =>
    Array.from({ length: count }, (_, at) => ({ TagKey: `k${at}`, TagValue: '' }))
  assert.deepEqual(await kms.fails('TagResource', { KeyId, Tags: tags(51) }), [
    'tag',
    'Too many tags',
  ])
  assert.deepEqual(await kms.fails('CreateKey', { Tags: tags(51) }), ['tag', 'Too many tags'])
  await kms.ok('TagResource', { KeyId, Tags: tags(50) })

  const untag = kmsOperations.get('UntagResource')
  assert.ok(untag)
  const input = untag.input as StructureSchema
  const keys = (count: number) => tags(count).map(({ TagKey }) => TagKey)
  validate(input, { KeyId, TagKeys: keys(50) })
  assert.throws(
    () => validate(input, { KeyId, TagKeys: keys(51) }),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.code, 'validation')
      const { publicMessage = '' } = error
      assert.match(
        publicMessage,
        /at 'tagKeys' .*: Member must have length less than or equal to 50$/,
      )
      return true
    },
  )
})

test('a grant token is refused before a key is looked for', async () => {
  const kms = new TestKms()
  const calls: [string, object][] = [
    ['DescribeKey', { KeyId: absent }],
    ['Encrypt', { KeyId: absent, Plaintext: text }],
    ['Decrypt', { KeyId: absent, CiphertextBlob: text }],
    ['ReEncrypt', { SourceKeyId: absent, CiphertextBlob: text, DestinationKeyId: absent }],
    ['GenerateDataKey', { KeyId: absent, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId: absent, KeySpec: 'AES_256' }],
    ['GenerateDataKeyPair', { KeyId: absent, KeyPairSpec: 'RSA_2048' }],
    ['GenerateDataKeyPairWithoutPlaintext', { KeyId: absent, KeyPairSpec: 'RSA_2048' }],
    ['GetPublicKey', { KeyId: absent }],
    ['Sign', { KeyId: absent, Message: text, SigningAlgorithm: 'ECDSA_SHA_256' }],
    [
      'Verify',
      { KeyId: absent, Message: text, SigningAlgorithm: 'ECDSA_SHA_256', Signature: text },
    ],
    ['GenerateMac', { KeyId: absent, Message: text, MacAlgorithm: 'HMAC_SHA_256' }],
    ['VerifyMac', { KeyId: absent, Message: text, MacAlgorithm: 'HMAC_SHA_256', Mac: text }],
    ['DeriveSharedSecret', { KeyId: absent, KeyAgreementAlgorithm: 'ECDH', PublicKey: text }],
    ['Encapsulate', { KeyId: absent, EncapsulationAlgorithm: 'ML_KEM' }],
    [
      'Decapsulate',
      { KeyId: absent, EncapsulationAlgorithm: 'ML_KEM', SharedSecretCiphertextBlob: text },
    ],
  ]
  for (const [operation, input] of calls) {
    const [withToken] = await kms.fails(operation, { ...input, GrantTokens: ['token'] })
    assert.equal(withToken, 'invalid-grant-token', operation)
    const [without] = await kms.fails(operation, { ...input, GrantTokens: [] })
    assert.equal(without, 'not-found', operation)
  }
})

test('what is secret is marked, so that it is wiped after the answer', () => {
  const secret = [
    ['Decrypt', 'output', 'Plaintext'],
    ['DeriveSharedSecret', 'output', 'SharedSecret'],
    ['Decapsulate', 'output', 'SharedSecret'],
    ['Encapsulate', 'output', 'SharedSecret'],
    ['Encrypt', 'input', 'Plaintext'],
    ['GenerateDataKey', 'output', 'Plaintext'],
    ['GenerateDataKeyPair', 'output', 'PrivateKeyPlaintext'],
    ['GenerateMac', 'input', 'Message'],
    ['GenerateRandom', 'output', 'Plaintext'],
    ['Sign', 'input', 'Message'],
    ['Verify', 'input', 'Message'],
    ['VerifyMac', 'input', 'Message'],
  ] as const
  const marked = [...kmsOperations.values()].flatMap(({ name, input, output }) =>
    Object.entries({ input, output }).flatMap(([side, schema]) =>
      Object.entries((schema as StructureSchema | undefined)?.members ?? {})
        .filter(([, member]) => member.type === 'blob' && member.sensitive === true)
        .map(([member]) => [name, side, member].join(' ')),
    ),
  )
  for (const each of secret) assert.ok(marked.includes(each.join(' ')), each.join(' '))
})
