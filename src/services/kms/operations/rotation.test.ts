import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ErrorCode } from '../../../base/errors.ts'
import { arnOf, type KeyRecord } from '../key.ts'
import { rotateKey } from '../rotation.ts'
import { account, otherAccount, otherRegion, region, rootOf, TestKms } from '../testing/test-kms.ts'

const dayMs = 86_400_000
const Plaintext = Buffer.from('plaintext')
const hmac = { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' }
const ecc = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' }

async function world(input: object = {}) {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key(input)
  const key = (within = region): KeyRecord => kms.record(KeyId, within)
  const status = (within = region) => kms.ok('GetKeyRotationStatus', { KeyId }, { region: within })
  const rotations = async (more: object = {}, within = region) => {
    const { Rotations } = await kms.ok('ListKeyRotations', { KeyId, ...more }, { region: within })
    return plain(Rotations) as Readonly<Record<string, unknown>>[]
  }
  /** As the upkeep does. */
  const rotate = async () => {
    const { changes, events } = await rotateKey(key(), 'AUTOMATIC', kms.now, kms.deps)
    await kms.commit(changes)
    return events
  }
  return { kms, KeyId, key, status, rotations, rotate }
}

describe('automatic rotation', () => {
  test('is off, on for a year, or for another period, and off again', async () => {
    const { kms, KeyId, status } = await world()
    assert.deepEqual(await status(), { KeyId, KeyRotationEnabled: false })
    assert.deepEqual(await kms.ok('EnableKeyRotation', { KeyId }), {})
    const { now } = kms
    assert.deepEqual(await status(), {
      KeyId,
      KeyRotationEnabled: true,
      RotationPeriodInDays: 365,
      NextRotationDate: now + 365 * dayMs,
    })
    kms.now += dayMs
    await kms.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 365 })
    assert.equal((await status())['NextRotationDate'], now + 365 * dayMs)
    await kms.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    assert.equal((await status())['RotationPeriodInDays'], 90)
    assert.equal((await status())['NextRotationDate'], kms.now + 90 * dayMs)
    await kms.ok('EnableKeyRotation', { KeyId })
    assert.equal((await status())['RotationPeriodInDays'], 365)
    await kms.ok('DisableKeyRotation', { KeyId })
    await kms.ok('DisableKeyRotation', { KeyId })
    assert.deepEqual(await status(), { KeyId, KeyRotationEnabled: false })
  })

  test('asks for its permissions, and records what AWS does', async () => {
    const { kms, KeyId, key } = await world()
    const keyId = { keyId: arnOf(key()) }
    const resources = [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key()) }]
    const cases: [string, object, object, object | null][] = [
      ['EnableKeyRotation', { RotationPeriodInDays: 180 }, { rotationPeriodInDays: 180 }, keyId],
      ['DisableKeyRotation', {}, {}, keyId],
      ['GetKeyRotationStatus', {}, {}, null],
      [
        'ListKeyRotations',
        { IncludeKeyMaterial: 'ALL_KEY_MATERIAL' },
        { includeKeyMaterial: 'ALL_KEY_MATERIAL' },
        null,
      ],
      ['RotateKeyOnDemand', {}, {}, { keyId: KeyId }],
    ]
    for (const [name, more, request, response] of cases) {
      const denied = await kms.call(name, { KeyId, ...more }, { deny: () => true })
      assert.equal(denied.failure?.code, 'access-denied', name)
      const { checks, recorded } = await kms.call(name, { KeyId, ...more })
      assert.deepEqual(
        checks.map(({ permission }) => permission),
        [`kms:${name}`],
      )
      const expected = { request: { keyId: KeyId, ...request }, response, resources }
      assert.deepEqual(plain(recorded), expected, name)
    }
    const enable = (more: object) => kms.call('EnableKeyRotation', { KeyId, ...more })
    const { checks } = await enable({ RotationPeriodInDays: 180 })
    assert.equal(checks[0]?.conditions['kms:RotationPeriodInDays'], '180')
    const [bare] = (await enable({})).checks
    assert.equal(bare?.conditions['kms:RotationPeriodInDays'], '365')
  })

  test('is hidden while the key is pending deletion, and comes back', async () => {
    const { kms, KeyId, status } = await world()
    await kms.ok('EnableKeyRotation', { KeyId })
    const before = await status()
    await kms.ok('ScheduleKeyDeletion', { KeyId })
    assert.deepEqual(await status(), { KeyId, KeyRotationEnabled: false })
    await kms.ok('CancelKeyDeletion', { KeyId })
    assert.deepEqual(await status(), before)
  })

  test('is told to other accounts that ask for the key by its ARN', async () => {
    const { kms, KeyId, key } = await world()
    const caller = rootOf(otherAccount)
    const { output, checks } = await kms.call(
      'GetKeyRotationStatus',
      { KeyId: arnOf(key()) },
      { caller },
    )
    assert.deepEqual(output, { KeyId, KeyRotationEnabled: false })
    const [check] = checks
    assert.ok(check?.resource.type === 'key' && check.resource.crossAccount)
    for (const name of ['EnableKeyRotation', 'ListKeyRotations', 'RotateKeyOnDemand']) {
      assert.equal((await kms.fails(name, { KeyId: arnOf(key()) }, { caller }))[0], 'access-denied')
    }
  })

  test('starts the next period when it takes place', async () => {
    const { kms, KeyId, status, rotate } = await world()
    await kms.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 100 })
    kms.now += 103 * dayMs
    await rotate()
    assert.equal((await status())['NextRotationDate'], kms.now + 100 * dayMs)
  })
})

describe('which keys rotate', () => {
  const external = { Origin: 'EXTERNAL' }
  const ofOrigin = 'origin is EXTERNAL which is not valid for this operation.'
  type Refusal = [ErrorCode, string?] | undefined
  const cases: [string, object, Readonly<Record<string, Refusal>>][] = [
    [
      'an asymmetric key',
      ecc,
      {
        EnableKeyRotation: ['unsupported'],
        DisableKeyRotation: ['unsupported'],
        RotateKeyOnDemand: ['unsupported'],
        GetKeyRotationStatus: undefined,
        ListKeyRotations: undefined,
      },
    ],
    [
      'an HMAC key',
      hmac,
      {
        EnableKeyRotation: ['unsupported'],
        DisableKeyRotation: ['unsupported'],
        RotateKeyOnDemand: ['unsupported'],
        GetKeyRotationStatus: undefined,
        ListKeyRotations: undefined,
      },
    ],
    [
      'a key without its imported material',
      external,
      {
        EnableKeyRotation: ['unsupported', ofOrigin],
        DisableKeyRotation: ['unsupported', ofOrigin],
        RotateKeyOnDemand: ['invalid-state', 'is pending import.'],
        GetKeyRotationStatus: ['unsupported', ofOrigin],
        ListKeyRotations: undefined,
      },
    ],
  ]
  for (const [name, input, operations] of cases) {
    test(name, async () => {
      const { kms, KeyId, key } = await world(input)
      for (const [operation, refusal] of Object.entries(operations)) {
        if (refusal === undefined) await kms.ok(operation, { KeyId })
        else {
          const [code, text] = refusal
          const expected = text === undefined ? [code] : [code, `${arnOf(key())} ${text}`]
          assert.deepEqual(await kms.fails(operation, { KeyId }), expected, operation)
        }
      }
    })
  }

  test('a key with imported material rotates by itself never, and answers so', async () => {
    const { kms, KeyId, key, status } = await world(external)
    await kms.change(key(), { state: 'Enabled' })
    const refused = ['unsupported', `${arnOf(key())} ${ofOrigin}`]
    assert.deepEqual(await kms.fails('EnableKeyRotation', { KeyId }), refused)
    assert.deepEqual(await kms.fails('DisableKeyRotation', { KeyId }), refused)
    const materials = [
      {
        materialId: 'a'.repeat(64),
        state: 'CURRENT',
        imported: { state: 'IMPORTED' },
      },
    ] as const
    await kms.change(key(), { materials, currentMaterialId: 'a'.repeat(64) })
    assert.deepEqual(await status(), { KeyId, KeyRotationEnabled: false })
  })

  test('keys that have one material for good have no rotations to list, and none to include', async () => {
    for (const input of [ecc, hmac]) {
      const { kms, KeyId, rotations } = await world(input)
      assert.deepEqual(await rotations(), [])
      for (const IncludeKeyMaterial of ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']) {
        assert.deepEqual(await kms.fails('ListKeyRotations', { KeyId, IncludeKeyMaterial }), [
          'unsupported',
        ])
      }
    }
  })
})

describe('RotateKeyOnDemand', () => {
  test('gives new material, and the old one decrypts for ever', async () => {
    const { kms, KeyId, key, rotations, status } = await world()
    await kms.ok('EnableKeyRotation', { KeyId })
    const schedule = await status()
    const ids: unknown[] = [key().currentMaterialId]
    const blobs: unknown[] = []
    for (let round = 0; round < 3; round++) {
      blobs.push((await kms.ok('Encrypt', { KeyId, Plaintext })).CiphertextBlob)
      kms.now += 1000
      const { output, events } = await kms.call('RotateKeyOnDemand', { KeyId })
      assert.deepEqual(output, { KeyId })
      ids.push(key().currentMaterialId)
      assert.deepEqual(events, [
        {
          eventSource: 'kms.amazonaws.com',
          eventName: 'RotateKey',
          account,
          region,
          resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key()) }],
          details: {
            rotationType: 'ON_DEMAND',
            keyOrigin: 'AWS_KMS',
            previousKeyMaterialId: ids.at(-2),
            currentKeyMaterialId: ids.at(-1),
            keyId: KeyId,
          },
        },
      ])
    }
    assert.equal(new Set(ids).size, 4)
    for (const [index, CiphertextBlob] of blobs.entries()) {
      const opened = await kms.ok('Decrypt', { CiphertextBlob })
      assert.deepEqual([opened.Plaintext, opened['KeyMaterialId']], [Plaintext, ids[index]])
    }
    assert.deepEqual(await status(), schedule)
    const start = kms.now - 3000
    const one = (index: number, state: string) => ({
      KeyId,
      KeyMaterialId: ids[index],
      KeyMaterialState: state,
      ...(index > 0 && { RotationDate: start + index * 1000, RotationType: 'ON_DEMAND' }),
    })
    const all = [
      one(0, 'NON_CURRENT'),
      one(1, 'NON_CURRENT'),
      one(2, 'NON_CURRENT'),
      one(3, 'CURRENT'),
    ]
    assert.deepEqual(await rotations(), all.slice(1))
    assert.deepEqual(await rotations({ IncludeKeyMaterial: 'ROTATIONS_ONLY' }), all.slice(1))
    assert.deepEqual(await rotations({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }), all)
  })

  test('can be asked for 25 times in the life of a key', async () => {
    const { kms, KeyId, key, rotate } = await world()
    for (let count = 0; count < 25; count++) await kms.ok('RotateKeyOnDemand', { KeyId })
    const refused = [
      'limit-exceeded',
      'The on-demand rotations limit has been reached for the given keyId. ' +
        `No more on-demand rotations can be performed for this key: ${arnOf(key())}`,
    ]
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), refused)
    await kms.ok('EnableKeyRotation', { KeyId })
    await rotate()
    assert.equal(key().materials?.length, 27, 'it still rotates by itself')
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), refused)
  })

  test('keeps away from an automatic rotation', async () => {
    const { kms, KeyId, key } = await world()
    await kms.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 90 })
    kms.now += 90 * dayMs - 20 * 60_000 - 1
    await kms.ok('RotateKeyOnDemand', { KeyId })
    kms.now += 1
    const refused = [
      'conflict',
      `An automatic rotation of ${arnOf(key())} is in progress or begins within the next 20 minutes.`,
    ]
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), refused)
    kms.now += dayMs
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), refused)
    await kms.ok('DisableKeyRotation', { KeyId })
    await kms.ok('RotateKeyOnDemand', { KeyId })
  })

  test('of a key with nothing pending', async () => {
    const { kms, KeyId, key } = await world({ Origin: 'EXTERNAL' })
    await kms.change(key(), { state: 'Enabled', currentMaterialId: 'a'.repeat(64) })
    assert.deepEqual(await kms.fails('RotateKeyOnDemand', { KeyId }), [
      'invalid-state',
      `No available key material pending rotation for the key: ${arnOf(key())}.`,
    ])
  })
})

describe('ListKeyRotations', () => {
  test('comes in pages', async () => {
    const { kms, KeyId, rotations } = await world()
    for (let count = 0; count < 11; count++) await kms.ok('RotateKeyOnDemand', { KeyId })
    const all = await rotations({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })
    assert.equal(all.length, 12)
    const seen: unknown[] = []
    let Marker: unknown
    for (let pages = 0; pages < 3; pages++) {
      const input = { KeyId, IncludeKeyMaterial: 'ALL_KEY_MATERIAL', Limit: 5 }
      const page = await kms.ok(
        'ListKeyRotations',
        Marker === undefined ? input : { ...input, Marker },
      )
      seen.push(...(page['Rotations'] as unknown[]))
      Marker = page['NextMarker']
      assert.equal(page['Truncated'], pages < 2)
      // What is added meanwhile comes behind.
      if (pages === 1) await kms.ok('RotateKeyOnDemand', { KeyId })
    }
    assert.equal(Marker, undefined)
    assert.deepEqual(
      seen.map((entry) => (entry as { KeyMaterialId: string }).KeyMaterialId),
      (await rotations({ IncludeKeyMaterial: 'ALL_KEY_MATERIAL' })).map(
        ({ KeyMaterialId }) => KeyMaterialId,
      ),
    )
    const { NextMarker } = await kms.ok('ListKeyRotations', { KeyId, Limit: 1 })
    const elsewhere = { KeyId, Marker: NextMarker, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }
    assert.equal((await kms.fails('ListKeyRotations', elsewhere))[0], 'invalid-marker')
  })
})

describe('a multi-Region key', () => {
  test('rotates with its replicas, and is told so at the primary alone', async () => {
    const { kms, KeyId, key, status, rotations, rotate } = await world({ MultiRegion: true })
    const { CiphertextBlob: oldest } = await kms.ok('Encrypt', { KeyId, Plaintext })
    await kms.ok('RotateKeyOnDemand', { KeyId })
    await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
    const inReplica = { region: otherRegion }
    const notPrimary = [
      'unsupported',
      `${arnOf(key(otherRegion))} is not a multi-region primary key.`,
    ]
    for (const name of ['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand']) {
      assert.deepEqual(await kms.fails(name, { KeyId }, inReplica), notPrimary, name)
    }
    await kms.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays: 200 })
    assert.deepEqual(await status(otherRegion), await status())
    const events = await rotate()
    assert.equal(events.length, 1)
    assert.equal((await kms.call('RotateKeyOnDemand', { KeyId })).events.length, 1)
    assert.deepEqual(await rotations({}, otherRegion), await rotations())
    assert.equal((await rotations()).length, 3)
    assert.equal(key(otherRegion).currentMaterialId, key().currentMaterialId)
    assert.equal(kms.state.materialsOf(key(otherRegion)).length, 4)
    const { CiphertextBlob: newest } = await kms.ok('Encrypt', { KeyId, Plaintext })
    for (const CiphertextBlob of [oldest, newest]) {
      assert.deepEqual(
        (await kms.ok('Decrypt', { CiphertextBlob }, inReplica)).Plaintext,
        Plaintext,
      )
    }
    await kms.ok('DisableKeyRotation', { KeyId })
    assert.equal((await status(otherRegion))['KeyRotationEnabled'], false)
  })

  test('rotates from its new primary, with one count for all', async () => {
    const { kms, KeyId, key } = await world({ MultiRegion: true })
    await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
    await kms.ok('RotateKeyOnDemand', { KeyId })
    await kms.ok('UpdatePrimaryRegion', { KeyId, PrimaryRegion: otherRegion })
    await kms.ok('RotateKeyOnDemand', { KeyId }, { region: otherRegion })
    assert.equal(key().onDemandRotations, 2)
    assert.equal(key().currentMaterialId, key(otherRegion).currentMaterialId)
    assert.equal((await kms.fails('RotateKeyOnDemand', { KeyId }))[0], 'unsupported')
  })
})

/** As JSON text shows it: without the members that are undefined. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}
