import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { internalError, ServiceError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import type { Hsm, WrappedMaterial } from '../hsm/port.ts'
import type { KeyRecord } from '../services/kms/key.ts'
import { KmsState } from '../services/kms/state.ts'
import { createMemoryStore } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import { account, House, region } from '../testing/house.ts'
import { Forgetting } from './forgetting.ts'
import { deleteDueKeys } from './key-deletion.ts'

const dayMs = 86_400_000
const Plaintext = Buffer.from('plaintext').toString('base64')

async function opened(t: TestContext, hsm: (real: Hsm) => Hsm = (real) => real) {
  const house = await House.open(t, { hsm })
  const deps = { ...house, regions: [region], random: systemRandom }
  const forgetting = new Forgetting(deps)
  const upkeep = async () => {
    try {
      return await deleteDueKeys(deps)
    } finally {
      await forgetting.flush()
    }
  }
  /** A key with an alias and a ciphertext, to be deleted in seven days. */
  const scheduled = async (name = 'doomed') => {
    const KeyId = await house.newKey()
    await house.ok('CreateAlias', { AliasName: `alias/${name}`, TargetKeyId: KeyId })
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext })
    await house.ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })
    return { KeyId, CiphertextBlob }
  }
  /** Every row of the store that speaks of the key, tombstones not counted. */
  const rowsOf = (keyId: string) =>
    [...house.shared.rows.values()]
      .filter(({ id, body }) => id.includes(keyId) || body?.includes(keyId))
      .filter(({ body }) => body !== null)
      .map(({ kind }) => kind)
      .sort()
  return { house, upkeep, scheduled, rowsOf }
}

describe('a key that waits for its deletion', () => {
  test('is there until its day, to the millisecond', async (t) => {
    const { house, upkeep, scheduled, rowsOf } = await opened(t)
    const { KeyId } = await scheduled()
    house.clock.time += 7 * dayMs - 1
    assert.equal(await upkeep(), 0)
    assert.deepEqual(rowsOf(KeyId), ['alias', 'key', 'material'])
    const { KeyMetadata } = await house.ok('DescribeKey', { KeyId })
    assert.equal((KeyMetadata as { KeyState: string }).KeyState, 'PendingDeletion')
  })

  test('is gone on its day with its aliases and its material, and nothing opens any more', async (t) => {
    const { house, upkeep, scheduled, rowsOf } = await opened(t)
    const kept = await house.newKey()
    const { KeyId, CiphertextBlob } = await scheduled()
    house.clock.time += 7 * dayMs
    assert.equal(await upkeep(), 1)
    assert.deepEqual(rowsOf(KeyId), [])
    assert.deepEqual(rowsOf(kept), ['key', 'material'])
    const arn = `arn:aws:kms:${region}:${account}:key/${KeyId}`
    const described = await house.call('DescribeKey', { KeyId })
    assert.deepEqual(
      [described.error, described.message],
      ['NotFoundException', `Key '${arn}' does not exist`],
    )
    const byAlias = await house.call('Encrypt', { KeyId: 'alias/doomed', Plaintext })
    assert.equal(byAlias.error, 'NotFoundException')
    const opening = await house.call('Decrypt', { CiphertextBlob })
    assert.equal(opening.error, 'AccessDeniedException')
    assert.match(opening.message ?? '', /because the resource does not exist in this Region/)
    const named = await house.call('Decrypt', { CiphertextBlob, KeyId: kept })
    assert.equal(named.error, 'IncorrectKeyException')
    assert.equal(await upkeep(), 0)
  })

  test('leaves a record of its deletion', async (t) => {
    const { house, upkeep, scheduled } = await opened(t)
    const { KeyId } = await scheduled()
    house.clock.time += 8 * dayMs
    await upkeep()
    const [event, ...more] = house.journal.events.filter(
      ({ eventName }) => eventName === 'DeleteKey',
    )
    assert.deepEqual(more, [])
    assert.deepEqual(event, {
      eventVersion: '1.11',
      userIdentity: { accountId: account, invokedBy: 'AWS Internal' },
      eventTime: '2026-05-14T07:08:09Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'DeleteKey',
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
      eventCategory: 'Management',
    })
    assert.deepEqual(await house.store.outbox(), [])
  })

  test('is kept when its deletion was cancelled', async (t) => {
    const { house, upkeep, scheduled, rowsOf } = await opened(t)
    const { KeyId, CiphertextBlob } = await scheduled()
    house.clock.time += 7 * dayMs
    await house.ok('CancelKeyDeletion', { KeyId })
    assert.equal(await upkeep(), 0)
    assert.deepEqual(rowsOf(KeyId), ['alias', 'key', 'material'])
    await house.ok('EnableKey', { KeyId })
    assert.equal((await house.ok('Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
  })

  test('is kept when its deletion is cancelled while it is destroyed', async (t) => {
    const { house, upkeep, scheduled, rowsOf } = await opened(t)
    const { KeyId } = await scheduled()
    house.clock.time += 7 * dayMs
    house.faults.commit = async () => {
      house.faults.commit = () => {}
      await house.ok('CancelKeyDeletion', { KeyId })
    }
    assert.equal(await upkeep(), 0)
    assert.deepEqual(rowsOf(KeyId), ['alias', 'key', 'material'])
    assert.ok(!house.journal.events.some(({ eventName }) => eventName === 'DeleteKey'))
  })

  /** The key's row as another process writes it, whose commits this one has not looked at. */
  async function elsewhere(house: House, keyId: string, change: Partial<KeyRecord>) {
    const mirror = new Mirror(createMemoryStore(house.shared))
    const { keys } = new KmsState(mirror)
    await mirror.load()
    const row = `${region}/${keyId}`
    const key = keys.get(row)
    assert.ok(key !== undefined)
    await mirror.commit([keys.put(row, { ...key, ...change })], [])
  }

  test('is kept when another process cancelled it, and this one had not seen that', async (t) => {
    const { house, upkeep, scheduled, rowsOf } = await opened(t)
    const { KeyId } = await scheduled()
    await elsewhere(house, KeyId, { state: 'Disabled', deletion: undefined })
    house.clock.time += 7 * dayMs
    assert.equal(await upkeep(), 0)
    assert.deepEqual(rowsOf(KeyId), ['alias', 'key', 'material'])
  })

  test('is gone when another process scheduled it, and this one had not seen that', async (t) => {
    const { house, upkeep, rowsOf } = await opened(t)
    const KeyId = await house.newKey()
    const deletion = { date: house.clock.now(), windowInDays: 7 }
    await elsewhere(house, KeyId, { state: 'PendingDeletion', deletion })
    assert.equal(await upkeep(), 1)
    assert.deepEqual(rowsOf(KeyId), [])
  })

  test('goes with all others that are due, however many', async (t) => {
    const { house, upkeep } = await opened(t)
    const keyIds = await Promise.all(Array.from({ length: 230 }, () => house.newKey()))
    await Promise.all(
      keyIds.map((KeyId) => house.ok('ScheduleKeyDeletion', { KeyId, PendingWindowInDays: 7 })),
    )
    house.clock.time += 7 * dayMs
    assert.equal(await upkeep(), 230)
    assert.equal(house.state.keys.size, 0)
    assert.equal(house.state.materials.size, 0)
  })

  test('that cannot be destroyed ends the upkeep, and is destroyed by the next', async (t) => {
    const { house, upkeep, scheduled } = await opened(t)
    await scheduled()
    house.clock.time += 7 * dayMs
    house.faults.commit = () => {
      throw internalError('the store failed')
    }
    await assert.rejects(upkeep(), { code: 'internal' })
    house.faults.commit = () => {}
    assert.equal(await upkeep(), 1)
  })
})

describe('the key core is told to forget the material', () => {
  /** What it was told, and how often to fail before it listens. */
  function watching() {
    const told: string[][] = []
    let failures = 0
    const hsm = (real: Hsm): Hsm =>
      new Proxy(real, {
        get(target, name) {
          const member: unknown = Reflect.get(target, name)
          if (typeof member !== 'function') return member
          if (name !== 'forget') return member.bind(target)
          return async (materials: readonly WrappedMaterial[]) => {
            if (failures-- > 0) throw new ServiceError('unavailable', 'the key core is away')
            told.push(materials.map(({ materialId }) => materialId))
            return target.forget(materials)
          }
        },
      })
    const fail = (times: number) => {
      failures = times
    }
    return { told, hsm, fail }
  }

  test('once', async (t) => {
    const { told, hsm } = watching()
    const { house, upkeep, scheduled } = await opened(t, hsm)
    const { KeyId } = await scheduled()
    const materialId = house.state.key(region, KeyId)?.currentMaterialId
    house.clock.time += 7 * dayMs
    await upkeep()
    await upkeep()
    assert.deepEqual(told, [[materialId]])
  })

  test('by the next upkeep, if it was away', async (t) => {
    const { told, hsm, fail } = watching()
    const { house, upkeep, scheduled, rowsOf } = await opened(t, hsm)
    const { KeyId } = await scheduled()
    const materialId = house.state.key(region, KeyId)?.currentMaterialId
    house.clock.time += 7 * dayMs
    fail(3)
    await assert.rejects(upkeep(), { code: 'unavailable' })
    assert.deepEqual(rowsOf(KeyId), [], 'the key is destroyed all the same')
    await assert.rejects(upkeep(), { code: 'unavailable' })
    assert.deepEqual(told, [])
    assert.equal(await upkeep(), 0)
    assert.deepEqual(told, [[materialId]])
  })

  test('even if the record of the deletion cannot be written', async (t) => {
    const { told, hsm } = watching()
    const { house, upkeep, scheduled } = await opened(t, hsm)
    const { KeyId } = await scheduled()
    const materialId = house.state.key(region, KeyId)?.currentMaterialId
    house.clock.time += 7 * dayMs
    house.journal.break('EIO')
    await assert.rejects(upkeep())
    assert.deepEqual(told, [[materialId]])
  })

  test('and not while the key is there', async (t) => {
    const { told, hsm } = watching()
    const { house, upkeep, scheduled } = await opened(t, hsm)
    await scheduled()
    house.clock.time += 7 * dayMs
    house.faults.commit = () => {
      throw internalError('the store failed')
    }
    await assert.rejects(upkeep(), { code: 'internal' })
    assert.deepEqual(told, [])
  })

  test('and a call that was on its way does not bring it back', async (t) => {
    const { house, upkeep, scheduled } = await opened(t)
    const { KeyId } = await scheduled()
    const key = house.state.key(region, KeyId)
    const material = key && house.state.material(key, key.currentMaterialId ?? '')
    assert.ok(material !== undefined)
    house.clock.time += 7 * dayMs
    await upkeep()
    const late = house.hsm.encrypt(material, Buffer.from('plaintext'), {})
    await assert.rejects(late, { code: 'key-unavailable' })
  })
})
