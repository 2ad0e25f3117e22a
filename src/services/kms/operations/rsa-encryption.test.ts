import assert from 'node:assert/strict'
import { constants, createPublicKey, type KeyObject, publicEncrypt } from 'node:crypto'
import { test } from 'node:test'
import { arnOf } from '../key.ts'
import { keysOf, kmsOverRealCore } from '../testing/real-core.ts'

const kms = kmsOverRealCore()
const keyOf = keysOf(kms)
const rsaKey = () => keyOf('RSA_2048', 'ENCRYPT_DECRYPT')
const text = Buffer.from('a text')
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const algorithms = [
  ['RSAES_OAEP_SHA_1', 'sha1', 214],
  ['RSAES_OAEP_SHA_256', 'sha256', 190],
] as const

async function publicKeyOf(KeyId: string): Promise<KeyObject> {
  const { PublicKey } = await kms.ok('GetPublicKey', { KeyId })
  return createPublicKey({ key: PublicKey as Buffer, format: 'der', type: 'spki' })
}

/** RSAES-OAEP, made without the service. */
function sealed(key: KeyObject, oaepHash: string, plaintext: Buffer): Buffer {
  return publicEncrypt({ key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash }, plaintext)
}

for (const [EncryptionAlgorithm, hash, max] of algorithms) {
  test(`${EncryptionAlgorithm} encrypts and decrypts, inside and from outside`, async () => {
    const key = await rsaKey()
    const request = { KeyId: key.keyId, EncryptionAlgorithm }
    const { CiphertextBlob, ...rest } = await kms.ok('Encrypt', { ...request, Plaintext: text })
    assert.deepEqual(rest, { KeyId: arnOf(key), EncryptionAlgorithm })
    assert.equal(CiphertextBlob?.length, 256)
    const outside = sealed(await publicKeyOf(key.keyId), hash, text)
    for (const blob of [CiphertextBlob, outside]) {
      assert.deepEqual(await kms.ok('Decrypt', { ...request, CiphertextBlob: blob }), {
        KeyId: arnOf(key),
        Plaintext: text,
        EncryptionAlgorithm,
      })
    }
    const cases: [string, object][] = [
      ['Encrypt', { ...request, Plaintext: text }],
      ['Decrypt', { ...request, CiphertextBlob }],
    ]
    for (const [operation, input] of cases) {
      assert.deepEqual(await kms.fails(operation, { ...input, DryRun: true }), dryRun)
    }
  })

  test(`${EncryptionAlgorithm} takes ${max} bytes with a key of 2048 bits, and no more`, async () => {
    const { keyId: KeyId } = await rsaKey()
    const longest = Buffer.alloc(max, 7)
    const { CiphertextBlob } = await kms.ok('Encrypt', {
      ...{ KeyId, EncryptionAlgorithm },
      Plaintext: longest,
    })
    const opened = await kms.ok('Decrypt', { KeyId, EncryptionAlgorithm, CiphertextBlob })
    assert.deepEqual(opened.Plaintext, longest)
    for (const bytes of [max + 1, 4096]) {
      const request = { KeyId, EncryptionAlgorithm, Plaintext: Buffer.alloc(bytes) }
      const refusal = [
        'validation',
        `Algorithm ${EncryptionAlgorithm} and key spec RSA_2048 cannot encrypt data larger than ${max} bytes.`,
      ]
      assert.deepEqual(await kms.fails('Encrypt', request), refusal)
      assert.deepEqual(await kms.fails('Encrypt', { ...request, DryRun: true }), refusal)
    }
  })
}

test('the record of an RSA ciphertext names no material', async () => {
  const key = await rsaKey()
  const request = { KeyId: key.keyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  const { output, recorded } = await kms.call('Encrypt', { ...request, Plaintext: text })
  assert.equal(recorded.additional, undefined)
  const { CiphertextBlob } = output ?? {}
  const decrypted = await kms.call('Decrypt', { ...request, CiphertextBlob })
  assert.equal(decrypted.failure, undefined)
  assert.equal(decrypted.recorded.additional, undefined)
})

test('what was not encrypted so is refused without a word', async () => {
  const key = await rsaKey()
  const KeyId = key.keyId
  const publicKey = await publicKeyOf(KeyId)
  const good = sealed(publicKey, 'sha256', text)
  const flipped = Buffer.from(good)
  flipped[9] = (flipped[9] ?? 0) ^ 1
  const pkcs1 = publicEncrypt({ key: publicKey, padding: constants.RSA_PKCS1_PADDING }, text)
  const other = await kms.key({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
  const ofOther = sealed(await publicKeyOf(other.keyId), 'sha256', text)
  const wrong = [
    sealed(publicKey, 'sha1', text),
    ...[flipped, pkcs1, ofOther, good.subarray(1), Buffer.of(1), Buffer.alloc(256, 0xff)],
    Buffer.concat([Buffer.of(0), good]),
  ]
  for (const CiphertextBlob of wrong) {
    const request = { KeyId, EncryptionAlgorithm: 'RSAES_OAEP_SHA_256', CiphertextBlob }
    assert.deepEqual(await kms.fails('Decrypt', request), ['invalid-ciphertext'])
    assert.deepEqual(await kms.fails('Decrypt', { ...request, DryRun: true }), [
      'invalid-ciphertext',
    ])
  }
})

test('key id and algorithm have to be said: an RSA ciphertext names neither', async () => {
  const { keyId: KeyId } = await rsaKey()
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_1'
  const CiphertextBlob = sealed(await publicKeyOf(KeyId), 'sha1', text)
  const missing = (name: string) => [
    'validation',
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  ]
  const nameless = { CiphertextBlob, EncryptionAlgorithm }
  assert.deepEqual(await kms.fails('Decrypt', nameless), missing('keyId'))
  assert.deepEqual(
    await kms.fails('ReEncrypt', {
      ...{ CiphertextBlob, DestinationKeyId: KeyId },
      SourceEncryptionAlgorithm: EncryptionAlgorithm,
    }),
    missing('sourceKeyId'),
  )
  const symmetric = [
    'invalid-key-usage',
    'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
  ]
  assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob, KeyId }), symmetric)
  assert.deepEqual(await kms.fails('Encrypt', { KeyId, Plaintext: text }), symmetric)
  assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob }), ['invalid-ciphertext'])
})

test('an asymmetric key has no encryption context', async () => {
  const { keyId: KeyId } = await rsaKey()
  const symmetric = await keyOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const CiphertextBlob = sealed(await publicKeyOf(KeyId), 'sha256', text)
  const context = { a: 'b' }
  const ofSource = {
    SourceKeyId: KeyId,
    SourceEncryptionAlgorithm: EncryptionAlgorithm,
    CiphertextBlob,
  }
  const cases: [string, string, object][] = [
    ['Encrypt', 'EncryptionContext', { KeyId, Plaintext: text, EncryptionAlgorithm }],
    ['Decrypt', 'EncryptionContext', { KeyId, CiphertextBlob, EncryptionAlgorithm }],
    ['ReEncrypt', 'SourceEncryptionContext', { ...ofSource, DestinationKeyId: symmetric.keyId }],
    [
      'ReEncrypt',
      'DestinationEncryptionContext',
      {
        ...ofSource,
        DestinationKeyId: KeyId,
        DestinationEncryptionAlgorithm: EncryptionAlgorithm,
      },
    ],
  ]
  for (const [operation, member, input] of cases) {
    assert.deepEqual(await kms.fails(operation, { ...input, [member]: context }), [
      'validation',
      'EncryptionContext is not valid for key spec RSA_2048.',
    ])
    await kms.ok(operation, { ...input, [member]: {} })
  }
})

test('ReEncrypt moves between keys of every kind, and names the material of symmetric ones', async () => {
  const rsa = await rsaKey()
  const symmetric = await keyOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  const sides = [
    { key: rsa, algorithm: 'RSAES_OAEP_SHA_1', context: undefined },
    { key: rsa, algorithm: 'RSAES_OAEP_SHA_256', context: undefined },
    { key: symmetric, algorithm: 'SYMMETRIC_DEFAULT', context: { a: 'b' } },
  ] as const
  for (const from of sides) {
    const { CiphertextBlob } = await kms.ok('Encrypt', {
      KeyId: from.key.keyId,
      EncryptionAlgorithm: from.algorithm,
      EncryptionContext: from.context,
      Plaintext: text,
    })
    for (const to of sides) {
      const request = {
        CiphertextBlob,
        SourceKeyId: from.key.keyId,
        SourceEncryptionAlgorithm: from.algorithm,
        SourceEncryptionContext: from.context,
        DestinationKeyId: to.key.keyId,
        DestinationEncryptionAlgorithm: to.algorithm,
        DestinationEncryptionContext: to.context,
      }
      const { CiphertextBlob: moved, ...rest } = await kms.ok('ReEncrypt', request)
      const material = symmetric.currentMaterialId
      assert.deepEqual(rest, {
        SourceKeyId: arnOf(from.key),
        KeyId: arnOf(to.key),
        SourceEncryptionAlgorithm: from.algorithm,
        DestinationEncryptionAlgorithm: to.algorithm,
        ...(from.key === symmetric && { SourceKeyMaterialId: material }),
        ...(to.key === symmetric && { DestinationKeyMaterialId: material }),
      })
      const opened = await kms.ok('Decrypt', {
        CiphertextBlob: moved,
        KeyId: to.key.keyId,
        EncryptionAlgorithm: to.algorithm,
        EncryptionContext: to.context,
      })
      assert.deepEqual(opened.Plaintext, text)
      assert.deepEqual(await kms.fails('ReEncrypt', { ...request, DryRun: true }), dryRun)
    }
  }
})

test('ReEncrypt refuses what does not fit into the key that it goes to', async () => {
  const rsa = await rsaKey()
  const { keyId: KeyId } = await keyOf('SYMMETRIC_DEFAULT', 'ENCRYPT_DECRYPT')
  for (const [algorithm, , max] of algorithms) {
    const reEncrypt = async (bytes: number) => {
      const Plaintext = Buffer.alloc(bytes, 1)
      const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
      return kms.call('ReEncrypt', {
        CiphertextBlob,
        DestinationKeyId: rsa.keyId,
        DestinationEncryptionAlgorithm: algorithm,
      })
    }
    assert.equal((await reEncrypt(max)).failure, undefined)
    const { failure } = await reEncrypt(max + 1)
    assert.deepEqual(
      [failure?.code, failure?.publicMessage],
      [
        'validation',
        `Algorithm ${algorithm} and key spec RSA_2048 cannot encrypt data larger than ${max} bytes.`,
      ],
    )
  }
})

test('an RSA key that signs does not encrypt, and one that encrypts makes no data keys', async () => {
  const signing = await keyOf('RSA_2048', 'SIGN_VERIFY')
  const blob = Buffer.alloc(256)
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_256'
  const uses: [string, object][] = [
    ['Encrypt', { Plaintext: text, EncryptionAlgorithm }],
    ['Decrypt', { CiphertextBlob: blob, EncryptionAlgorithm }],
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
  ]
  for (const [operation, input] of uses) {
    assert.deepEqual(await kms.fails(operation, { KeyId: signing.keyId, ...input }), [
      'invalid-key-usage',
      `${arnOf(signing)} key usage is SIGN_VERIFY which is not valid for ${operation}.`,
    ])
  }
  const { keyId: KeyId } = await rsaKey()
  const dataKeys: [string, object][] = [
    ['GenerateDataKey', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeySpec: 'AES_256' }],
    ['GenerateDataKeyPair', { KeyPairSpec: 'ECC_NIST_P256' }],
    ['GenerateDataKeyPairWithoutPlaintext', { KeyPairSpec: 'ECC_NIST_P256' }],
  ]
  for (const [operation, input] of dataKeys) {
    assert.deepEqual(await kms.fails(operation, { KeyId, ...input }), [
      'invalid-key-usage',
      'Algorithm SYMMETRIC_DEFAULT is incompatible with key spec RSA_2048.',
    ])
  }
  const sm2 = { KeyId, Plaintext: text, EncryptionAlgorithm: 'SM2PKE' }
  assert.deepEqual(await kms.fails('Encrypt', sm2), [
    'invalid-key-usage',
    'Algorithm SM2PKE is incompatible with key spec RSA_2048.',
  ])
})

test('a dry run that ignores the ciphertext asks for nothing but the key', async () => {
  const { keyId: KeyId } = await rsaKey()
  const request = {
    KeyId,
    EncryptionAlgorithm: 'RSAES_OAEP_SHA_256',
    DryRun: true,
    DryRunModifiers: ['IGNORE_CIPHERTEXT'],
  }
  assert.deepEqual(await kms.fails('Decrypt', request), dryRun)
})
