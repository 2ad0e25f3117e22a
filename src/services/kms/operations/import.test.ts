import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { mayWrap, wrappingAlgorithms, wrappingKeySpecs } from '../../../hsm/key-specs.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { fakeToken, wrapForFake } from '../testing/fake-import.ts'
import { account, otherRegion, region, type Setting, TestKms } from '../testing/test-kms.ts'

const dayMs = 86_400_000
const forGood = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
const symmetric = { Origin: 'EXTERNAL' }
const hmac = { Origin: 'EXTERNAL', KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }
const ecc = { Origin: 'EXTERNAL', KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }
const Plaintext = Buffer.from('plaintext')

const bytes = (name: string) => Buffer.alloc(32, name)

/** KMS with one key that waits for material, and ways to give it some. */
async function world(input: object = symmetric) {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key(input)
  const request = (material: Buffer, more: object = forGood, within = region) => ({
    KeyId,
    ImportToken: fakeToken(kms.record(KeyId, within)),
    EncryptedKeyMaterial: wrapForFake(material),
    ...more,
  })
  const send = (name: string, more?: object, setting?: Setting) =>
    kms.ok('ImportKeyMaterial', request(bytes(name), more, setting?.region), setting)
  const refusal = (name: string, more?: object, setting?: Setting) =>
    kms.fails('ImportKeyMaterial', request(bytes(name), more, setting?.region), setting)
  const key = (within = region) => kms.record(KeyId, within)
  const state = async (setting?: Setting) =>
    (await kms.ok('DescribeKey', { KeyId }, setting)).KeyMetadata?.['KeyState']
  const listed = async (setting?: Setting) => {
    const all = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }
    const { Rotations } = await kms.ok('ListKeyRotations', all, setting)
    return plain(Rotations) as Readonly<Record<string, unknown>>[]
  }
  return { kms, KeyId, request, send, refusal, key, state, listed }
}

describe('GetParametersForImport', () => {
  test('gives a wrapping key and a token for a day', async () => {
    const { kms, KeyId, key } = await world()
    const input = {
      KeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_4096',
    }
    const { output, checks, changes, recorded } = await kms.call('GetParametersForImport', input)
    assert.deepEqual(output, {
      KeyId: arnOf(key()),
      ImportToken: fakeToken(key()),
      PublicKey: Buffer.from('the wrapping key'),
      ParametersValidTo: kms.now + dayMs,
    })
    assert.deepEqual(changes, [])
    assert.equal(checks[0]?.permission, 'kms:GetParametersForImport')
    assert.equal(checks[0]?.conditions['kms:WrappingAlgorithm'], 'RSAES_OAEP_SHA_256')
    assert.equal(checks[0]?.conditions['kms:WrappingKeySpec'], 'RSA_4096')
    assert.deepEqual(recorded.request, {
      keyId: KeyId,
      wrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      wrappingKeySpec: 'RSA_4096',
    })
    assert.equal(recorded.response, null)
  })

  test('knows how each kind of material may travel', async () => {
    const rsa = { Origin: 'EXTERNAL', KeySpec: 'RSA_2048', KeyUsage: 'SIGN_VERIFY' }
    const p521 = { ...ecc, KeySpec: 'ECC_NIST_P521' }
    let refused = 0
    for (const input of [symmetric, hmac, ecc, rsa, p521]) {
      const { kms, KeyId, key } = await world(input)
      for (const WrappingAlgorithm of wrappingAlgorithms) {
        for (const WrappingKeySpec of wrappingKeySpecs) {
          const request = { KeyId, WrappingAlgorithm, WrappingKeySpec }
          if (mayWrap(key().keySpec, WrappingAlgorithm, WrappingKeySpec)) {
            await kms.ok('GetParametersForImport', request)
          } else {
            const [code] = await kms.fails('GetParametersForImport', request)
            assert.equal(code, 'unsupported')
            refused++
          }
        }
      }
    }
    assert.equal(refused, 6 + 6 + 0 + 6 + 2)
  })

  for (const [name, more] of [
    ['an algorithm that AWS retired', { WrappingAlgorithm: 'RSAES_PKCS1_V1_5' }],
    ['an algorithm that AWS has in China', { WrappingAlgorithm: 'SM2PKE' }],
    ['a wrapping key that AWS has in China', { WrappingKeySpec: 'SM2' }],
  ] as const) {
    test(`refuses ${name}`, async () => {
      const { kms, KeyId } = await world()
      const rest = { WrappingAlgorithm: 'RSAES_OAEP_SHA_1', WrappingKeySpec: 'RSA_2048', ...more }
      const [code, text] = await kms.fails('GetParametersForImport', { KeyId, ...rest })
      assert.equal(code, 'unsupported')
      assert.match(text ?? '', /^Wrapping\w+ (RSAES_PKCS1_V1_5|SM2PKE|SM2) is not supported\.$/)
    })
  }
})

test('keys whose material was made here take none from outside', async () => {
  const { kms, KeyId, key, refusal } = await world({})
  const refused = [
    'unsupported',
    `${arnOf(key())} origin is AWS_KMS which is not valid for this operation.`,
  ]
  const wrapping = { WrappingAlgorithm: 'RSAES_OAEP_SHA_256', WrappingKeySpec: 'RSA_2048' }
  assert.deepEqual(await kms.fails('GetParametersForImport', { KeyId, ...wrapping }), refused)
  assert.deepEqual(await refusal('a'), refused)
  assert.deepEqual(await kms.fails('DeleteImportedKeyMaterial', { KeyId }), refused)
})

describe('ImportKeyMaterial', () => {
  test('makes a key usable', async () => {
    const { kms, KeyId, send, key, state, listed } = await world()
    assert.equal(await state(), 'PendingImport')
    const { KeyMaterialId, ...rest } = await send('a', {
      ...forGood,
      KeyMaterialDescription: 'from the safe',
    })
    assert.deepEqual(rest, { KeyId: arnOf(key()) })
    assert.equal(await state(), 'Enabled')
    assert.equal(key().currentMaterialId, KeyMaterialId)
    const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
    assert.equal(KeyMetadata?.['ExpirationModel'], 'KEY_MATERIAL_DOES_NOT_EXPIRE')
    assert.deepEqual(await listed(), [
      {
        KeyId,
        KeyMaterialId,
        KeyMaterialDescription: 'from the safe',
        KeyMaterialState: 'CURRENT',
        ImportState: 'IMPORTED',
        ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
      },
    ])
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
    assert.deepEqual((await kms.ok('Decrypt', { CiphertextBlob })).Plaintext, Plaintext)
  })

  test('asks for its permission with its conditions, and records what AWS does', async () => {
    const { kms, KeyId, request, key } = await world()
    const ValidTo = kms.now + dayMs
    const full = request(bytes('a'), {
      ValidTo,
      ExpirationModel: 'KEY_MATERIAL_EXPIRES',
      ImportType: 'NEW_KEY_MATERIAL',
      KeyMaterialDescription: 'from the safe',
    })
    const denied = await kms.call('ImportKeyMaterial', full, { deny: () => true })
    assert.equal(denied.failure?.code, 'access-denied')
    const { checks, recorded, output } = await kms.call('ImportKeyMaterial', full)
    assert.deepEqual(
      checks.map(({ permission }) => permission),
      ['kms:ImportKeyMaterial'],
    )
    assert.equal(checks[0]?.conditions['kms:ValidTo'], '1767409445.678')
    assert.equal(checks[0]?.conditions['kms:ExpirationModel'], 'KEY_MATERIAL_EXPIRES')
    assert.deepEqual(plain(recorded), {
      request: {
        keyId: KeyId,
        validTo: '2026-01-03T03:04:05.678Z',
        expirationModel: 'KEY_MATERIAL_EXPIRES',
        importType: 'NEW_KEY_MATERIAL',
        keyMaterialDescription: 'from the safe',
      },
      response: { keyId: arnOf(key()), keyMaterialId: output?.['KeyMaterialId'] },
      resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key()) }],
    })
    const short = await kms.call('ImportKeyMaterial', request(bytes('a'), { ValidTo }))
    assert.ok(!('kms:ExpirationModel' in (short.checks[0]?.conditions ?? {})))
    const log = kms.records.join()
    for (const secret of [full.ImportToken, full.EncryptedKeyMaterial, bytes('a')]) {
      for (const form of ['latin1', 'hex', 'base64'] as const) {
        assert.ok(!log.includes(secret.toString(form)))
      }
    }
  })

  test('wants a date just when there is to be one', async () => {
    const { kms, refusal, send } = await world()
    const { now } = kms
    const cases: [object, string][] = [
      [{}, 'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES'],
      [
        { ExpirationModel: 'KEY_MATERIAL_EXPIRES' },
        'A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES',
      ],
      [
        { ...forGood, ValidTo: now + dayMs },
        'A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE',
      ],
      [{ ValidTo: now }, 'The validTo date must be in the future, and at most 365 days away'],
      [{ ValidTo: now - 1 }, 'The validTo date must be in the future, and at most 365 days away'],
      [
        { ValidTo: now + 365 * dayMs + 1 },
        'The validTo date must be in the future, and at most 365 days away',
      ],
    ]
    for (const [more, text] of cases)
      assert.deepEqual(await refusal('a', more), ['validation', text])
    await send('a', { ValidTo: now + 1 })
    await send('a', { ValidTo: now + 365 * dayMs })
  })

  test('takes what is wrapped for this key alone, and whole', async () => {
    const { kms, request } = await world()
    const other = await kms.key(symmetric)
    const stranger = { ...request(bytes('a')), ImportToken: fakeToken(other) }
    assert.deepEqual(await kms.fails('ImportKeyMaterial', stranger), ['invalid-import-token'])
    const bare = { ...request(bytes('a')), EncryptedKeyMaterial: bytes('a') }
    assert.deepEqual(await kms.fails('ImportKeyMaterial', bare), ['invalid-ciphertext'])
    const short = request(Buffer.alloc(31))
    assert.deepEqual(await kms.fails('ImportKeyMaterial', short), ['incorrect-key-material'])
  })

  test('takes the same material again, with another date', async () => {
    const { kms, KeyId, send, key } = await world()
    const first = await send('a', { ValidTo: kms.now + dayMs, KeyMaterialDescription: 'one' })
    const again = await send('a', { ValidTo: kms.now + 2 * dayMs })
    assert.equal(again['KeyMaterialId'], first['KeyMaterialId'])
    assert.deepEqual(key().materials, [
      {
        materialId: first['KeyMaterialId'],
        state: 'CURRENT',
        imported: { state: 'IMPORTED', description: 'one', validTo: kms.now + 2 * dayMs },
      },
    ])
    const { KeyMetadata } = await kms.ok('DescribeKey', { KeyId })
    assert.equal(KeyMetadata?.['ValidTo'], kms.now + 2 * dayMs)
    await send('a', { ...forGood, KeyMaterialDescription: 'two' })
    assert.deepEqual(key().materials?.[0]?.imported, { state: 'IMPORTED', description: 'two' })
  })

  test('into a disabled key leaves it disabled', async () => {
    const { kms, KeyId, send, state } = await world()
    await send('a')
    await kms.ok('DisableKey', { KeyId })
    await send('a', { ValidTo: kms.now + dayMs })
    assert.equal(await state(), 'Disabled')
  })

  test('of another material needs the word for it', async () => {
    const { send, refusal, listed } = await world()
    const { KeyMaterialId: a } = await send('a')
    const [code] = await refusal('b')
    assert.equal(code, 'incorrect-key-material')
    assert.deepEqual(await refusal('b', { ...forGood, KeyMaterialId: a }), [
      'incorrect-key-material',
      'The key material is not the one that was imported before.',
    ])
    const { KeyMaterialId: b } = await send('b', { ...forGood, ImportType: 'NEW_KEY_MATERIAL' })
    assert.deepEqual(
      (await listed()).map(({ KeyMaterialId, KeyMaterialState }) => [
        KeyMaterialId,
        KeyMaterialState,
      ]),
      [
        [a, 'CURRENT'],
        [b, 'PENDING_ROTATION'],
      ],
    )
  })

  test('refuses words that do not fit the material', async () => {
    const { key, send, refusal } = await world()
    const isNew = { ...forGood, ImportType: 'NEW_KEY_MATERIAL' }
    const isOld = { ...forGood, ImportType: 'EXISTING_KEY_MATERIAL' }
    const someId = 'a'.repeat(64)
    assert.equal((await refusal('a', isOld))[0], 'incorrect-key-material')
    assert.equal((await refusal('a', { ...forGood, KeyMaterialId: someId }))[0], 'validation')
    const { KeyMaterialId: a } = await send('a', isNew)
    assert.equal((await refusal('a', { ...isNew, KeyMaterialId: a }))[0], 'validation')
    assert.deepEqual(await refusal('a', { ...isOld, KeyMaterialId: someId }), [
      'incorrect-key-material',
      'The key material is not the one that KeyMaterialId identifies.',
    ])
    assert.deepEqual(await refusal('a', isNew), [
      'incorrect-key-material',
      'The key material is associated with the key already.',
    ])
    await send('a', { ...isOld, KeyMaterialId: a })
    const { KeyMaterialId: b } = await send('b', isNew)
    const [code, text] = await refusal('c', isNew)
    assert.equal(code, 'invalid-state')
    assert.match(
      text ?? '',
      /^New key material \(id: [0-9a-f]{64}\) cannot be imported into KMS key /,
    )
    const end = `KMS key ${arnOf(key())}, because another key material (id: ${b}) is pending rotation.`
    assert.ok(text?.endsWith(end), String(text))
    await send('b', isOld)
  })

  for (const [name, input] of [
    ['an HMAC key', hmac],
    ['an asymmetric key', ecc],
  ] as const) {
    test(`gives ${name} one material for good`, async () => {
      const { kms, KeyId, send, refusal, state, key } = await world(input)
      for (const more of [
        { ImportType: 'NEW_KEY_MATERIAL' },
        { KeyMaterialDescription: 'text' },
        { KeyMaterialId: 'a'.repeat(64) },
      ]) {
        const [member] = Object.keys(more)
        assert.deepEqual(await refusal('a', { ...forGood, ...more }), [
          'unsupported',
          `${member} is valid for symmetric encryption keys only.`,
        ])
      }
      const output = await send('a')
      assert.deepEqual(output, { KeyId: arnOf(key()) })
      assert.equal(await state(), 'Enabled')
      assert.equal(key().publicKey !== undefined, input === ecc)
      assert.equal((await refusal('b'))[0], 'incorrect-key-material')
      const deleted = await kms.ok('DeleteImportedKeyMaterial', { KeyId })
      assert.deepEqual(deleted, { KeyId: arnOf(key()) })
      assert.equal(await state(), 'PendingImport')
      assert.equal((await refusal('b'))[0], 'incorrect-key-material')
      await send('a')
      assert.equal(await state(), 'Enabled')
    })
  }
})

describe('DeleteImportedKeyMaterial', () => {
  test('leaves the key without its material, which can come back', async () => {
    const { kms, KeyId, send, key, state, listed } = await world()
    const { KeyMaterialId } = await send('a', { ...forGood, KeyMaterialDescription: 'one' })
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
    const { output, recorded } = await kms.call('DeleteImportedKeyMaterial', { KeyId })
    assert.deepEqual(output, { KeyId: arnOf(key()), KeyMaterialId })
    assert.deepEqual(plain(recorded.request), { keyId: KeyId })
    assert.deepEqual(recorded.response, { keyId: arnOf(key()), keyMaterialId: KeyMaterialId })
    assert.equal(await state(), 'PendingImport')
    assert.deepEqual(kms.state.materialsOf(key()), [])
    assert.deepEqual(await listed(), [
      {
        KeyId,
        KeyMaterialId,
        KeyMaterialDescription: 'one',
        KeyMaterialState: 'CURRENT',
        ImportState: 'PENDING_IMPORT',
      },
    ])
    const pending = ['invalid-state', `${arnOf(key())} is pending import.`]
    assert.deepEqual(await kms.fails('Decrypt', { CiphertextBlob }), pending)
    assert.deepEqual(await kms.fails('Encrypt', { KeyId, Plaintext }), pending)
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    await send('a')
    assert.deepEqual((await kms.ok('Decrypt', { CiphertextBlob })).Plaintext, Plaintext)
  })

  test('of a key that never had any succeeds, of an unknown one fails', async () => {
    const { kms, KeyId, key } = await world()
    assert.deepEqual(await kms.ok('DeleteImportedKeyMaterial', { KeyId }), { KeyId: arnOf(key()) })
    const KeyMaterialId = 'a'.repeat(64)
    assert.deepEqual(await kms.fails('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId }), [
      'not-found',
      `Key material ${KeyMaterialId} is not associated with ${arnOf(key())}.`,
    ])
  })

  test('of a disabled key makes it pending import', async () => {
    const { kms, KeyId, send, state } = await world()
    await send('a')
    await kms.ok('DisableKey', { KeyId })
    await kms.ok('DeleteImportedKeyMaterial', { KeyId })
    assert.equal(await state(), 'PendingImport')
  })

  test('of a key that is being deleted leaves its state, and shows when that is cancelled', async () => {
    const { kms, KeyId, send, state } = await world()
    await send('a')
    await kms.ok('ScheduleKeyDeletion', { KeyId })
    await kms.ok('DeleteImportedKeyMaterial', { KeyId })
    assert.equal(await state(), 'PendingDeletion')
    await kms.ok('CancelKeyDeletion', { KeyId })
    assert.equal(await state(), 'PendingImport')
    await send('a')
    await kms.ok('ScheduleKeyDeletion', { KeyId })
    await kms.ok('CancelKeyDeletion', { KeyId })
    assert.equal(await state(), 'Disabled')
  })

  test('of any older material makes the key pending import until all are back', async () => {
    const { kms, KeyId, send, state } = await world()
    const { KeyMaterialId: a } = await send('a')
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
    const { KeyMaterialId: b } = await send('b', { ...forGood, ImportType: 'NEW_KEY_MATERIAL' })
    await kms.ok('RotateKeyOnDemand', { KeyId })
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: a })
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: b })
    assert.equal(await state(), 'PendingImport')
    await send('b')
    assert.equal(await state(), 'PendingImport')
    await send('a')
    assert.equal(await state(), 'Enabled')
    assert.equal((await kms.ok('Decrypt', { CiphertextBlob }))['KeyMaterialId'], a)
  })

  test('of a pending material does nothing to the key, and makes room for another', async () => {
    const { kms, KeyId, send, state, listed, key } = await world()
    await send('a')
    const isNew = { ...forGood, ImportType: 'NEW_KEY_MATERIAL' }
    const { KeyMaterialId: b } = await send('b', isNew)
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: b })
    assert.equal(await state(), 'Enabled')
    assert.equal((await listed()).length, 1)
    assert.equal(kms.state.materialsOf(key()).length, 1)
    await send('c', isNew)
    assert.equal((await listed()).length, 2)
  })
})

describe('material that expires', () => {
  const until = async (input?: object) => {
    const scene = await world(input)
    const validTo = scene.kms.now + dayMs
    await scene.send('a', { ValidTo: validTo })
    return { ...scene, validTo }
  }

  test('is there to the last millisecond, and not one longer, whether or not it was deleted', async () => {
    const { kms, KeyId, key, state, listed, validTo } = await until()
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
    kms.now = validTo - 1
    assert.equal(await state(), 'Enabled')
    await kms.ok('Decrypt', { CiphertextBlob })
    kms.now = validTo
    assert.equal(await state(), 'PendingImport')
    const pending = ['invalid-state', `${arnOf(key())} is pending import.`]
    for (const [operation, input] of [
      ['Decrypt', { CiphertextBlob }],
      ['Decrypt', { CiphertextBlob, KeyId }],
      ['Encrypt', { KeyId, Plaintext }],
      ['GenerateDataKey', { KeyId, KeySpec: 'AES_256' }],
      ['ReEncrypt', { CiphertextBlob, DestinationKeyId: KeyId }],
      ['RotateKeyOnDemand', { KeyId }],
      ['DisableKey', { KeyId }],
    ] as const) {
      assert.deepEqual(await kms.fails(operation, input), pending, operation)
    }
    const [entry] = await listed()
    assert.equal(entry?.['ImportState'], 'PENDING_IMPORT')
    assert.ok(!('ValidTo' in (entry ?? {})))
    assert.equal(key().state, 'Enabled', 'the store has not noticed yet')
  })

  test('does not keep the key from being changed before it is deleted', async () => {
    const { kms, KeyId, key, send, state, validTo } = await until()
    kms.now = validTo
    await kms.ok('UpdateKeyDescription', { KeyId, Description: 'expired' })
    assert.deepEqual([key().description, key().state], ['expired', 'PendingImport'])
    await kms.ok('CreateAlias', { AliasName: 'alias/expired', TargetKeyId: KeyId })
    await kms.ok('ScheduleKeyDeletion', { KeyId })
    await kms.ok('CancelKeyDeletion', { KeyId })
    assert.equal(await state(), 'PendingImport')
    await send('a', { ValidTo: kms.now + dayMs })
    assert.equal(await state(), 'Enabled')
  })

  test('that is pending cannot be rotated to any more, and gives way to another', async () => {
    const { kms, KeyId, key, send, state, listed } = await world()
    await send('a')
    const isNew = { ImportType: 'NEW_KEY_MATERIAL' }
    const { KeyMaterialId: b } = await send('b', { ...isNew, ValidTo: kms.now + dayMs })
    kms.now += dayMs
    assert.equal(await state(), 'Enabled')
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), [
      'invalid-state',
      `No available key material pending rotation for the key: ${arnOf(key())}.`,
    ])
    await send('a')
    assert.equal((await listed())[1]?.['KeyMaterialState'], 'PENDING_ROTATION')
    const { KeyMaterialId: c } = await send('c', { ...isNew, ...forGood })
    assert.deepEqual((await listed()).map(({ KeyMaterialId }) => KeyMaterialId).slice(1), [c])
    assert.equal(kms.state.material(key(), String(b)), undefined)
    await kms.ok('RotateKeyOnDemand', { KeyId })
    assert.equal(key().currentMaterialId, c)
  })
})

describe('a multi-Region key with imported material', () => {
  const inReplica = { region: otherRegion }
  const isNew = { ...forGood, ImportType: 'NEW_KEY_MATERIAL' }

  /** Primary and replica, both with material `a`. */
  async function related() {
    const scene = await world({ ...symmetric, MultiRegion: true })
    const { kms, KeyId, send } = scene
    const { KeyMaterialId: a } = await send('a')
    await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
    const states = async () =>
      Promise.all(
        [undefined, inReplica].map(async (setting) =>
          (await scene.listed(setting)).map(
            ({ KeyMaterialState, ImportState }) => `${KeyMaterialState} ${ImportState}`,
          ),
        ),
      )
    return { ...scene, a, states }
  }

  test('gets a replica that knows the material and does not have it', async () => {
    const { kms, KeyId, send, refusal, state, states, key, a } = await related()
    assert.equal(await state(inReplica), 'PendingImport')
    assert.deepEqual(await states(), [['CURRENT IMPORTED'], ['CURRENT PENDING_IMPORT']])
    const notPrimary = [
      'unsupported',
      `${arnOf(key(otherRegion))} is not a multi-region primary key.`,
    ]
    assert.deepEqual(await refusal('b', isNew, inReplica), notPrimary)
    assert.equal((await refusal('b', forGood, inReplica))[0], 'incorrect-key-material')
    const described = { ...forGood, KeyMaterialDescription: 'text' }
    assert.deepEqual(await refusal('a', described, inReplica), notPrimary)
    const { KeyMaterialId } = await send('a', { ValidTo: kms.now + dayMs }, inReplica)
    assert.equal(KeyMaterialId, a)
    assert.equal(await state(inReplica), 'Enabled')
    assert.equal(key().materials?.[0]?.imported?.validTo, undefined)
    await kms.ok('DeleteImportedKeyMaterial', { KeyId }, inReplica)
    assert.deepEqual([await state(), await state(inReplica)], ['Enabled', 'PendingImport'])
  })

  test('rotates when every replica has the new material', async () => {
    const { kms, KeyId, send, states, key } = await related()
    await send('a', forGood, inReplica)
    const { KeyMaterialId: b } = await send('b', { ...isNew, KeyMaterialDescription: 'second' })
    const waits = 'PENDING_MULTI_REGION_IMPORT_AND_ROTATION'
    assert.deepEqual(await states(), [
      ['CURRENT IMPORTED', `${waits} IMPORTED`],
      ['CURRENT IMPORTED', `${waits} PENDING_IMPORT`],
    ])
    assert.equal(key(otherRegion).materials?.[1]?.imported?.description, 'second')
    const nothing = [
      'invalid-state',
      `No available key material pending rotation for the key: ${arnOf(key())}.`,
    ]
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), nothing)
    await send('b', forGood, inReplica)
    assert.deepEqual(await states(), [
      ['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED'],
      ['CURRENT IMPORTED', 'PENDING_ROTATION IMPORTED'],
    ])
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId: b }, inReplica)
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), nothing)
    await send('b', forGood, inReplica)
    const [code] = await kms.fails('RotateKeyOnDemand', { KeyId }, inReplica)
    assert.equal(code, 'unsupported')
    await kms.ok('RotateKeyOnDemand', { KeyId })
    assert.deepEqual(await states(), [
      ['NON_CURRENT IMPORTED', 'CURRENT IMPORTED'],
      ['NON_CURRENT IMPORTED', 'CURRENT IMPORTED'],
    ])
    const { CiphertextBlob } = await kms.ok('Encrypt', { KeyId, Plaintext })
    const opened = await kms.ok('Decrypt', { CiphertextBlob }, inReplica)
    assert.deepEqual([opened.Plaintext, opened['KeyMaterialId']], [Plaintext, b])
  })

  test('loses a pending material everywhere when the primary does', async () => {
    const { kms, KeyId, send, states, key } = await related()
    await send('a', forGood, inReplica)
    const { KeyMaterialId } = await send('b', isNew)
    await send('b', forGood, inReplica)
    await kms.ok('DeleteImportedKeyMaterial', { KeyId, KeyMaterialId })
    assert.deepEqual(await states(), [['CURRENT IMPORTED'], ['CURRENT IMPORTED']])
    const left = (record: KeyRecord) => kms.state.materialsOf(record).length
    assert.deepEqual([left(key()), left(key(otherRegion))], [1, 1])
  })
})

/** As JSON text shows it: without the members that are undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
