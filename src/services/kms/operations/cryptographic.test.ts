import assert from 'node:assert/strict'
import { test } from 'node:test'
import { arnOf } from '../key.ts'
import { account, otherAccount, rootOf, TestKms } from '../testing/test-kms.ts'

const EncryptionContext = { department: 'finance', Purpose: 'test' }
const incorrectKey = [
  'incorrect-key',
  'The key ID in the request does not identify a CMK that can perform this operation.',
]
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const eitherSizeOrSpec = ['validation', 'Please specify either number of bytes or key spec.']
const text = Buffer.from('a text')

async function encrypted() {
  const kms = new TestKms()
  const key = await kms.key()
  const { CiphertextBlob } = await kms.ok('Encrypt', {
    KeyId: key.keyId,
    Plaintext: Buffer.from(text),
    EncryptionContext,
  })
  return { kms, key, CiphertextBlob: CiphertextBlob as Buffer }
}

test('Encrypt answers the ciphertext, the key ARN and the algorithm', async () => {
  const { kms, key } = await encrypted()
  const { CiphertextBlob, ...rest } = await kms.ok('Encrypt', { KeyId: key.keyId, Plaintext: text })
  assert.ok(Buffer.isBuffer(CiphertextBlob))
  assert.deepEqual(rest, { KeyId: arnOf(key), EncryptionAlgorithm: 'SYMMETRIC_DEFAULT' })
})

test('Decrypt finds the key from the ciphertext, or is told the right one', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  await kms.ok('CreateAlias', { AliasName: 'alias/own', TargetKeyId: key.keyId })
  for (const KeyId of [undefined, key.keyId, arnOf(key), 'alias/own']) {
    assert.deepEqual(await kms.ok('Decrypt', { CiphertextBlob, KeyId, EncryptionContext }), {
      KeyId: arnOf(key),
      Plaintext: text,
      EncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
      KeyMaterialId: key.currentMaterialId,
    })
  }
})

test('Decrypt refuses every other context, without a word', async () => {
  const { kms, CiphertextBlob } = await encrypted()
  const others = [
    undefined,
    {},
    { department: 'finance' },
    { ...EncryptionContext, more: '' },
    { Department: 'finance', Purpose: 'test' },
    { department: 'Finance', Purpose: 'test' },
  ]
  for (const other of others) {
    const request = { CiphertextBlob, EncryptionContext: other }
    assert.deepEqual(await kms.fails('Decrypt', request), ['invalid-ciphertext'])
  }
})

test('Decrypt refuses the wrong key only once the named key is allowed', async () => {
  const { kms, CiphertextBlob } = await encrypted()
  const wrong = await kms.key()
  for (const KeyId of [wrong.keyId, arnOf(wrong)]) {
    const request = { CiphertextBlob, KeyId, EncryptionContext }
    assert.deepEqual(await kms.fails('Decrypt', request), incorrectKey)
    const { failure, checks } = await kms.call('Decrypt', request, { deny: () => true })
    assert.equal(failure?.code, 'access-denied')
    assert.equal(checks[0]?.resource.arn, arnOf(wrong))
  }
})

test('what is no ciphertext has no key: the failure precedes authorization, unless a key is named', async () => {
  const { kms, key } = await encrypted()
  const CiphertextBlob = Buffer.from('not a ciphertext')
  const { failure, checks } = await kms.call('Decrypt', { CiphertextBlob }, { deny: () => true })
  assert.equal(failure?.code, 'invalid-ciphertext')
  assert.equal(failure?.publicMessage, undefined)
  assert.deepEqual(checks, [])
  const named = { CiphertextBlob, KeyId: key.keyId }
  assert.deepEqual(await kms.fails('Decrypt', named), ['invalid-ciphertext'])
  assert.deepEqual(await kms.fails('Decrypt', named, { deny: () => true }), [
    'access-denied',
    'denied',
  ])
})

test('a ciphertext of a key that is gone is answered like one of a key that is not shared', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  await kms.commit([kms.state.removeKey(key)])
  for (const KeyId of [undefined, key.keyId]) {
    assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob, KeyId, EncryptionContext }), [
      'access-denied',
      `User: arn:aws:iam::${account}:root is not authorized to perform: kms:Decrypt on this resource because the ` +
        'resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy ' +
        'explicitly denies access',
    ])
  }
  assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob, KeyId: arnOf(key) }), [
    'not-found',
    `Key '${arnOf(key)}' does not exist`,
  ])
})

test('a ciphertext of material that the key does not have is invalid', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const [material] = kms.state.materialsOf(key)
  assert.ok(material)
  await kms.commit([kms.state.removeMaterial(material)])
  assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob }), ['invalid-ciphertext'])
  const request = { KeyId: key.keyId, Plaintext: text }
  assert.deepEqual(await kms.fails('Encrypt', request), ['key-unavailable'])
})

test('another account decrypts with the key that the ciphertext names, if that key lets it', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const caller = rootOf(otherAccount)
  for (const KeyId of [undefined, key.keyId, arnOf(key)]) {
    const request = { CiphertextBlob, KeyId, EncryptionContext }
    const { output, checks } = await kms.call('Decrypt', request, { caller })
    assert.deepEqual(output?.Plaintext, text)
    assert.deepEqual(
      checks.map(({ resource, conditions }) => [
        resource.type === 'key' && resource.crossAccount,
        resource.account,
        conditions['kms:CallerAccount'],
      ]),
      [[true, account, otherAccount]],
    )
  }
})

test('ReEncrypt asks both keys and moves the ciphertext', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const destination = await kms.key()
  const { output, checks } = await kms.call('ReEncrypt', {
    CiphertextBlob,
    SourceEncryptionContext: EncryptionContext,
    DestinationKeyId: destination.keyId,
    DestinationEncryptionContext: { now: 'other' },
  })
  const { CiphertextBlob: moved, ...rest } = output ?? {}
  assert.deepEqual(rest, {
    SourceKeyId: arnOf(key),
    KeyId: arnOf(destination),
    SourceEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    DestinationEncryptionAlgorithm: 'SYMMETRIC_DEFAULT',
    SourceKeyMaterialId: key.currentMaterialId,
    DestinationKeyMaterialId: destination.currentMaterialId,
  })
  assert.deepEqual(
    checks.map(({ permission, resource }) => [permission, resource.arn]),
    [
      ['kms:ReEncryptFrom', arnOf(key)],
      ['kms:ReEncryptTo', arnOf(destination)],
    ],
  )
  const decrypted = await kms.ok('Decrypt', {
    CiphertextBlob: moved,
    EncryptionContext: { now: 'other' },
  })
  assert.deepEqual(decrypted.Plaintext, text)
})

test('ReEncrypt refuses a wrong source key and a wrong context', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const other = await kms.key()
  const request = { CiphertextBlob, DestinationKeyId: key.keyId }
  assert.deepEqual(
    await kms.fails('ReEncrypt', { ...request, SourceKeyId: other.keyId }),
    incorrectKey,
  )
  assert.deepEqual(await kms.fails('ReEncrypt', request), ['invalid-ciphertext'])
})

test('GenerateDataKey answers a key and its ciphertext', async () => {
  const { kms, key } = await encrypted()
  const sizes = [
    [{ KeySpec: 'AES_256' }, 32],
    [{ KeySpec: 'AES_128' }, 16],
    [{ NumberOfBytes: 1024 }, 1024],
  ] as const
  for (const [size, bytes] of sizes) {
    const request = { KeyId: key.keyId, EncryptionContext, ...size }
    const { CiphertextBlob, Plaintext, ...rest } = await kms.ok('GenerateDataKey', request)
    assert.equal((Plaintext as Buffer).length, bytes)
    assert.deepEqual(rest, { KeyId: arnOf(key), KeyMaterialId: key.currentMaterialId })
    const decrypted = await kms.ok('Decrypt', { CiphertextBlob, EncryptionContext })
    assert.deepEqual(decrypted.Plaintext, Plaintext)
  }
})

test('GenerateDataKeyWithoutPlaintext answers the ciphertext alone', async () => {
  const { kms, key } = await encrypted()
  const { CiphertextBlob, ...rest } = await kms.ok('GenerateDataKeyWithoutPlaintext', {
    KeyId: key.keyId,
    NumberOfBytes: 64,
  })
  assert.deepEqual(rest, { KeyId: arnOf(key), KeyMaterialId: key.currentMaterialId })
  const { Plaintext } = await kms.ok('Decrypt', { CiphertextBlob })
  assert.equal((Plaintext as Buffer).length, 64)
})

test('a data key has a spec or a number of bytes', async () => {
  const { kms, key } = await encrypted()
  for (const operation of ['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext']) {
    for (const sizes of [{}, { KeySpec: 'AES_256', NumberOfBytes: 32 }]) {
      const request = { KeyId: key.keyId, ...sizes }
      assert.deepEqual(await kms.fails(operation, request), eitherSizeOrSpec)
    }
  }
})

test('GenerateRandom needs a number of bytes', async () => {
  const kms = new TestKms()
  const { Plaintext } = await kms.ok('GenerateRandom', { NumberOfBytes: 24 })
  assert.equal((Plaintext as Buffer).length, 24)
  assert.deepEqual(await kms.fails('GenerateRandom', {}), [
    'validation',
    'NumberOfBytes is required.',
  ])
  const stored = { NumberOfBytes: 1, CustomKeyStoreId: 'cks-1' }
  assert.deepEqual(await kms.fails('GenerateRandom', stored), [
    'custom-key-store-not-found',
    'Custom key store cks-1 does not exist.',
  ])
})

test('an algorithm of other keys is refused', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const answer = [
    'invalid-key-usage',
    'Algorithm RSAES_OAEP_SHA_1 is incompatible with key spec SYMMETRIC_DEFAULT.',
  ]
  const EncryptionAlgorithm = 'RSAES_OAEP_SHA_1'
  const { keyId } = key
  const requests: [string, object][] = [
    ['Encrypt', { KeyId: keyId, Plaintext: text, EncryptionAlgorithm }],
    ['Decrypt', { CiphertextBlob, EncryptionContext, EncryptionAlgorithm }],
    [
      'ReEncrypt',
      { CiphertextBlob, DestinationKeyId: keyId, SourceEncryptionAlgorithm: EncryptionAlgorithm },
    ],
    [
      'ReEncrypt',
      {
        CiphertextBlob,
        DestinationKeyId: keyId,
        DestinationEncryptionAlgorithm: EncryptionAlgorithm,
      },
    ],
  ]
  for (const [operation, request] of requests) {
    assert.deepEqual(await kms.fails(operation, request), answer)
  }
})

test('a dry run does everything but answer', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const { keyId: KeyId } = key
  const requests: [string, object][] = [
    ['Encrypt', { KeyId, Plaintext: text }],
    ['Decrypt', { CiphertextBlob, EncryptionContext }],
    [
      'ReEncrypt',
      { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: KeyId },
    ],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
  ]
  for (const [operation, request] of requests) {
    const rehearsal = { ...request, DryRun: true }
    assert.deepEqual(await kms.fails(operation, rehearsal), dryRun)
    assert.deepEqual(await kms.fails(operation, rehearsal, { deny: () => true }), [
      'access-denied',
      'denied',
    ])
    await kms.ok(operation, { ...request, DryRun: false })
  }
  await kms.change(key, { state: 'Disabled' })
  for (const [operation, request] of requests) {
    const [code] = await kms.fails(operation, { ...request, DryRun: true })
    assert.equal(code, 'disabled')
  }
})

test('a dry run of Decrypt opens the ciphertext and keeps nothing of it', async () => {
  const { kms, CiphertextBlob } = await encrypted()
  const request = { CiphertextBlob, DryRun: true }
  assert.deepEqual(await kms.fails('Decrypt', request), ['invalid-ciphertext'])
  assert.deepEqual(await kms.fails('Decrypt', { ...request, EncryptionContext }), dryRun)
  assert.deepEqual(kms.hsm.plaintexts, [Buffer.alloc(text.length)])
})

test('IGNORE_CIPHERTEXT asks for authorization alone', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const { keyId } = key
  const DryRunModifiers = ['IGNORE_CIPHERTEXT']
  const missing = (name: string) => [
    'validation',
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  ]
  const cases: [string, object, readonly string[]][] = [
    ['Decrypt', { DryRun: true, DryRunModifiers, KeyId: keyId }, dryRun],
    ['Decrypt', { DryRun: true, DryRunModifiers, KeyId: keyId, CiphertextBlob }, dryRun],
    ['Decrypt', { DryRun: true, DryRunModifiers, CiphertextBlob }, missing('keyId')],
    ['Decrypt', { DryRun: true, KeyId: keyId }, missing('ciphertextBlob')],
    ['Decrypt', { DryRun: true, DryRunModifiers: [], KeyId: keyId }, missing('ciphertextBlob')],
    ['Decrypt', {}, missing('ciphertextBlob')],
    [
      'ReEncrypt',
      { DryRun: true, DryRunModifiers, SourceKeyId: keyId, DestinationKeyId: keyId },
      dryRun,
    ],
    [
      'ReEncrypt',
      { DryRun: true, DryRunModifiers, DestinationKeyId: keyId },
      missing('sourceKeyId'),
    ],
    ['ReEncrypt', { DestinationKeyId: keyId }, missing('ciphertextBlob')],
  ]
  for (const [operation, request, answer] of cases) {
    assert.deepEqual(await kms.fails(operation, request), answer)
  }
  for (const DryRun of [undefined, false]) {
    const request = { DryRun, DryRunModifiers, KeyId: keyId, CiphertextBlob }
    assert.deepEqual(await kms.fails('Decrypt', request), [
      'validation',
      'DryRunModifiers can be used only when the DryRun option is set.',
    ])
  }
})

test('grant tokens and recipients are refused, never ignored', async () => {
  const { kms, key, CiphertextBlob } = await encrypted()
  const { keyId: KeyId } = key
  const requests: [string, object][] = [
    ['DescribeKey', { KeyId }],
    ['Encrypt', { KeyId, Plaintext: text }],
    ['Decrypt', { CiphertextBlob, EncryptionContext }],
    [
      'ReEncrypt',
      { CiphertextBlob, SourceEncryptionContext: EncryptionContext, DestinationKeyId: KeyId },
    ],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateDataKeyWithoutPlaintext', { KeyId, KeySpec: 'AES_256' }],
  ]
  for (const [operation, request] of requests) {
    assert.deepEqual(await kms.fails(operation, { ...request, GrantTokens: ['token'] }), [
      'invalid-grant-token',
      'The specified grant token is not valid.',
    ])
    await kms.ok(operation, { ...request, GrantTokens: [] })
  }
  const Recipient = { KeyEncryptionAlgorithm: 'RSAES_OAEP_SHA_256' }
  const answering: [string, object][] = [
    ['Decrypt', { CiphertextBlob, EncryptionContext }],
    ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
    ['GenerateRandom', { NumberOfBytes: 1 }],
  ]
  for (const [operation, request] of answering) {
    assert.deepEqual(await kms.fails(operation, { ...request, Recipient }), [
      'unsupported',
      'Recipient is not supported.',
    ])
  }
})
