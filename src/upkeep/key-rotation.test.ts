import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { internalError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import { account, House, region } from '../testing/house.ts'
import { rotateDueKeys } from './key-rotation.ts'

const dayMs = 86_400_000
const Plaintext = Buffer.from('plaintext').toString('base64')

async function opened(t: TestContext) {
  const house = await House.open(t)
  const upkeep = (clock: Clock = house.clock) =>
    rotateDueKeys({ ...house, clock, regions: [region], random: systemRandom })
  const rotating = async (RotationPeriodInDays = 90) => {
    const KeyId = await house.newKey()
    await house.ok('EnableKeyRotation', { KeyId, RotationPeriodInDays })
    return KeyId
  }
  const materials = async (KeyId: string) => {
    const { Rotations } = await house.ok('ListKeyRotations', {
      KeyId,
      IncludeKeyMaterial: 'ALL_KEY_MATERIAL',
    })
    return Rotations as { KeyMaterialId: string; RotationType?: string; RotationDate?: number }[]
  }
  const encrypt = async (KeyId: string) =>
    (await house.ok('Encrypt', { KeyId, Plaintext }))['CiphertextBlob'] as string
  const decrypt = async (CiphertextBlob: string) =>
    (await house.ok('Decrypt', { CiphertextBlob }))['Plaintext']
  const rotations = () => house.journal.events.filter(({ eventName }) => eventName === 'RotateKey')
  return { house, upkeep, rotating, materials, encrypt, decrypt, rotations }
}

describe('a key that rotates by itself', () => {
  test('does so on its day, to the millisecond, and then again', async (t) => {
    const { house, upkeep, rotating, materials, encrypt, decrypt } = await opened(t)
    const KeyId = await rotating(90)
    const first = await encrypt(KeyId)
    house.clock.time += 90 * dayMs - 1
    assert.equal(await upkeep(), 0)
    house.clock.time += 1
    const rotatedAt = house.clock.time
    assert.equal(await upkeep(), 1)
    assert.equal(await upkeep(), 0)
    const second = await encrypt(KeyId)
    house.clock.time += 90 * dayMs
    assert.equal(await upkeep(), 1)
    const [made, one, two, ...more] = await materials(KeyId)
    assert.deepEqual(more, [])
    assert.equal(made?.RotationType, undefined)
    assert.deepEqual([one?.RotationType, two?.RotationType], ['AUTOMATIC', 'AUTOMATIC'])
    assert.equal(one?.RotationDate, rotatedAt / 1000)
    for (const blob of [first, second, await encrypt(KeyId)]) {
      assert.equal(await decrypt(blob), Plaintext)
    }
  })

  test('leaves a record of it', async (t) => {
    const { house, upkeep, rotating, materials, rotations } = await opened(t)
    const KeyId = await rotating(90)
    house.clock.time += 90 * dayMs
    await upkeep()
    const [made, one] = await materials(KeyId)
    const [event, ...more] = rotations()
    assert.deepEqual(more, [])
    assert.deepEqual(event, {
      eventVersion: '1.11',
      userIdentity: { accountId: account, invokedBy: 'AWS Internal' },
      eventTime: '2026-08-04T07:08:09Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'RotateKey',
      awsRegion: region,
      sourceIPAddress: 'AWS Internal',
      userAgent: 'AWS Internal',
      requestParameters: null,
      responseElements: null,
      eventID: event?.eventID,
      readOnly: false,
      resources: [
        {
          accountId: account,
          type: 'AWS::KMS::Key',
          ARN: `arn:aws:kms:${region}:${account}:key/${KeyId}`,
        },
      ],
      eventType: 'AwsServiceEvent',
      managementEvent: true,
      recipientAccountId: account,
      serviceEventDetails: {
        rotationType: 'AUTOMATIC',
        keyOrigin: 'AWS_KMS',
        previousKeyMaterialId: made?.KeyMaterialId,
        currentKeyMaterialId: one?.KeyMaterialId,
        keyId: KeyId,
      },
      eventCategory: 'Management',
    })
    assert.deepEqual(await house.store.outbox(), [])
  })

  test('does not while it is disabled or pending deletion, and at once when it is back', async (t) => {
    const { house, upkeep, rotating } = await opened(t)
    const disabled = await rotating()
    const doomed = await rotating()
    await house.ok('DisableKey', { KeyId: disabled })
    house.clock.time += 89 * dayMs
    await house.ok('ScheduleKeyDeletion', { KeyId: doomed })
    house.clock.time += 2 * dayMs
    assert.equal(await upkeep(), 0)
    await house.ok('CancelKeyDeletion', { KeyId: doomed })
    assert.equal(await upkeep(), 0, 'a key comes back disabled')
    await house.ok('EnableKey', { KeyId: disabled })
    await house.ok('EnableKey', { KeyId: doomed })
    assert.equal(await upkeep(), 2)
    const { NextRotationDate } = await house.ok('GetKeyRotationStatus', { KeyId: disabled })
    assert.equal(NextRotationDate, (house.clock.time + 90 * dayMs) / 1000)
  })

  test('does so with all others that are due, however many', async (t) => {
    const { house, upkeep, rotating, rotations } = await opened(t)
    await Promise.all(Array.from({ length: 230 }, () => rotating()))
    house.clock.time += 90 * dayMs
    assert.equal(await upkeep(), 230)
    assert.equal(rotations().length, 230)
    assert.equal(house.state.materials.size, 460)
    assert.equal(await upkeep(), 0)
  })

  test('does not when it was disabled meanwhile', async (t) => {
    const { house, upkeep, rotating, materials, rotations } = await opened(t)
    const KeyId = await rotating()
    house.clock.time += 90 * dayMs
    house.faults.commit = async () => {
      house.faults.commit = () => {}
      await house.ok('DisableKey', { KeyId })
    }
    assert.equal(await upkeep(), 0)
    assert.deepEqual(rotations(), [])
    assert.equal((await materials(KeyId)).length, 1)
    assert.equal(house.state.materials.size, 1)
  })

  test('tries again when it could not', async (t) => {
    const { house, upkeep, rotating } = await opened(t)
    await rotating()
    house.clock.time += 90 * dayMs
    house.faults.commit = () => {
      throw internalError('the store failed')
    }
    await assert.rejects(upkeep(), { code: 'internal' })
    house.faults.commit = () => {}
    assert.equal(await upkeep(), 1)
  })
})

describe('while requests run', () => {
  test('no ciphertext is lost, whichever material it was made with', async (t) => {
    const { house, upkeep, rotating, materials, encrypt, decrypt } = await opened(t)
    const KeyId = await rotating()
    const blobs: string[] = []
    let opens = 0
    let done = false
    const worker = async () => {
      while (!done) {
        blobs.push(await encrypt(KeyId))
        assert.equal(await decrypt(blobs[opens % blobs.length] ?? ''), Plaintext)
        opens++
      }
    }
    const workers = [worker(), worker(), worker()]
    for (let round = 1; round <= 10; round++) {
      // The callers' clock stands still, lest their signatures expire.
      const time = house.clock.time + round * 90 * dayMs
      const [rotated] = await Promise.all([upkeep({ now: () => time }), encrypt(KeyId)])
      assert.equal(rotated, 1)
    }
    done = true
    await Promise.all(workers)
    const used = new Set<unknown>()
    for (const CiphertextBlob of blobs) {
      const opened = await house.ok('Decrypt', { CiphertextBlob })
      assert.equal(opened['Plaintext'], Plaintext)
      used.add(opened['KeyMaterialId'])
    }
    assert.equal((await materials(KeyId)).length, 11)
    assert.ok(used.size > 1, `${blobs.length} ciphertexts under ${used.size} materials`)
  })

  test('rotations that are asked for at once are all done, each with its two records', async (t) => {
    const { house, materials, encrypt, decrypt, rotations } = await opened(t)
    const KeyId = await house.newKey()
    const blob = await encrypt(KeyId)
    const answers = await Promise.all(
      Array.from({ length: 4 }, () => house.call('RotateKeyOnDemand', { KeyId })),
    )
    for (const { status, body } of answers) assert.deepEqual([status, body], [200, { KeyId }])
    const entries = await materials(KeyId)
    assert.equal(entries.length, 5)
    const details = rotations().map(({ serviceEventDetails }) => serviceEventDetails)
    assert.deepEqual(
      details.map((each) => (each as { currentKeyMaterialId: string }).currentKeyMaterialId).sort(),
      entries
        .slice(1)
        .map(({ KeyMaterialId }) => KeyMaterialId)
        .sort(),
    )
    for (const answer of answers) {
      const [call, ...more] = house.recordsOf(answer)
      assert.deepEqual(more, [])
      assert.deepEqual(call?.responseElements, { keyId: KeyId })
    }
    assert.equal(await decrypt(blob), Plaintext)
    assert.deepEqual(await house.store.outbox(), [])
  })
})
