import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as wait } from 'node:timers/promises'
import { systemRandom } from '../base/random.ts'
import { wrapForImport } from '../hsm/testing/importing.ts'
import { account, House, region } from '../testing/house.ts'
import { Forgetting } from './forgetting.ts'
import { deleteExpiredMaterial, startMaterialExpiry } from './material-expiry.ts'

const dayMs = 86_400_000
const Plaintext = Buffer.from('plaintext').toString('base64')
const algorithm = 'RSAES_OAEP_SHA_256'

/** A key of imported material, in a house with a real key core. */
async function opened(t: TestContext) {
  const house = await House.open(t)
  const deps = { ...house, regions: [region], random: systemRandom }
  const forgetting = new Forgetting(deps)
  const upkeep = async () => {
    const deleted = await deleteExpiredMaterial(deps)
    await forgetting.flush()
    return deleted
  }
  const KeyId = await house.newKey({ Origin: 'EXTERNAL' })
  const parameters = await house.ok('GetParametersForImport', {
    KeyId,
    WrappingAlgorithm: algorithm,
    WrappingKeySpec: 'RSA_2048',
  })
  const publicKey = Buffer.from(String(parameters['PublicKey']), 'base64')
  const importing = async (bytes: Buffer, more: object) => {
    const { KeyMaterialId } = await house.ok('ImportKeyMaterial', {
      KeyId,
      ImportToken: parameters['ImportToken'],
      EncryptedKeyMaterial: wrapForImport(algorithm, publicKey, bytes).toString('base64'),
      ...more,
    })
    return KeyMaterialId as string
  }
  const state = async () => {
    const { KeyMetadata } = await house.ok('DescribeKey', { KeyId })
    return (KeyMetadata as { KeyState: string }).KeyState
  }
  const expiries = () =>
    house.journal.events.filter(({ eventName }) => eventName === 'DeleteExpiredKeyMaterial')
  return { house, deps, forgetting, upkeep, KeyId, importing, state, expiries }
}

const inSeconds = (ms: number) => ms / 1000

describe('imported material', () => {
  test('is deleted when its time is over, with a record, and comes back by its id', async (t) => {
    const { house, upkeep, KeyId, importing, state, expiries } = await opened(t)
    const bytes = randomBytes(32)
    const validTo = house.clock.time + 3600_000
    const materialId = await importing(bytes, { ValidTo: inSeconds(validTo) })
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext })
    house.clock.time = validTo - 1
    assert.equal(await upkeep(), 0)
    assert.equal((await house.ok('Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
    house.clock.time = validTo
    const refused = await house.call('Decrypt', { CiphertextBlob })
    assert.equal(refused.error, 'KMSInvalidStateException')
    const material = [...house.state.materials.values()][0]
    assert.equal(await upkeep(), 1)
    assert.equal(await upkeep(), 0)
    assert.equal(house.state.materials.size, 0)
    assert.equal(house.state.key(region, KeyId)?.state, 'PendingImport')
    assert.ok(material !== undefined)
    const late = house.hsm.encrypt(material, Buffer.from('text'), {})
    await assert.rejects(late, { code: 'key-unavailable' }, 'the key core has forgotten it')
    const [event, ...more] = expiries()
    assert.deepEqual(more, [])
    assert.deepEqual(
      [event?.eventType, event?.userIdentity, event?.resources, event?.serviceEventDetails],
      [
        'AwsServiceEvent',
        { accountId: account, invokedBy: 'AWS Internal' },
        [
          {
            accountId: account,
            type: 'AWS::KMS::Key',
            ARN: `arn:aws:kms:${region}:${account}:key/${KeyId}`,
          },
        ],
        { keyId: KeyId, keyMaterialId: materialId },
      ],
    )
    assert.deepEqual(await house.store.outbox(), [])
    const again = await importing(bytes, { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' })
    assert.equal(again, materialId)
    assert.equal(await state(), 'Enabled')
    assert.equal((await house.ok('Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
  })

  test('that was imported again in time is not deleted', async (t) => {
    const { house, upkeep, importing, state, expiries } = await opened(t)
    const bytes = randomBytes(32)
    await importing(bytes, { ValidTo: inSeconds(house.clock.time + 1000) })
    const ValidTo = inSeconds(house.clock.time + 2000)
    house.faults.commit = async () => {
      house.faults.commit = () => {}
      await importing(bytes, { ValidTo })
    }
    house.clock.time += 1000
    assert.equal(await upkeep(), 0, 'it was imported again while it was deleted')
    assert.equal(await state(), 'Enabled')
    assert.deepEqual(expiries(), [])
  })

  test('goes, whichever of several it is, and each with a record of its own', async (t) => {
    const { house, upkeep, KeyId, importing, state, expiries } = await opened(t)
    const isNew = { ImportType: 'NEW_KEY_MATERIAL' }
    const soon = { ValidTo: inSeconds(house.clock.time + 1000) }
    await importing(randomBytes(32), soon)
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext })
    await importing(randomBytes(32), { ...isNew, ...soon })
    await house.ok('RotateKeyOnDemand', { KeyId })
    await importing(randomBytes(32), { ...isNew, ValidTo: inSeconds(house.clock.time + dayMs) })
    house.clock.time += 1000
    assert.equal(await upkeep(), 1)
    assert.equal(expiries().length, 2)
    assert.equal(house.state.materials.size, 1)
    assert.equal(await state(), 'PendingImport')
    const refused = await house.call('Decrypt', { CiphertextBlob })
    assert.match(refused.message ?? '', /is pending import\.$/)
  })

  test('of a key that is pending deletion goes as well, and leaves that as it is', async (t) => {
    const { house, upkeep, KeyId, importing, state } = await opened(t)
    await importing(randomBytes(32), { ValidTo: inSeconds(house.clock.time + 1000) })
    await house.ok('ScheduleKeyDeletion', { KeyId })
    house.clock.time += 1000
    assert.equal(await upkeep(), 1)
    assert.equal(await state(), 'PendingDeletion')
    await house.ok('CancelKeyDeletion', { KeyId })
    assert.equal(await state(), 'PendingImport')
  })

  test('is forgotten by the key core when it is deleted by hand, and not longer than that', async (t) => {
    const { house, forgetting, KeyId, importing } = await opened(t)
    const bytes = randomBytes(32)
    const forGood = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
    await importing(bytes, forGood)
    const { CiphertextBlob } = await house.ok('Encrypt', { KeyId, Plaintext })
    const [material] = [...house.state.materials.values()]
    assert.ok(material !== undefined)
    await house.ok('DeleteImportedKeyMaterial', { KeyId })
    await forgetting.flush()
    const late = house.hsm.encrypt(material, Buffer.from('text'), {})
    await assert.rejects(late, { code: 'key-unavailable' })
    await importing(bytes, forGood)
    assert.equal((await house.ok('Decrypt', { CiphertextBlob }))['Plaintext'], Plaintext)
  })
})

test('material goes at the moment of its expiry, not when the next minute is over', async (t) => {
  const { house, deps, KeyId, importing } = await opened(t)
  const upkeep = startMaterialExpiry(deps, (line) => house.logged.push(line))
  t.after(() => upkeep.stop())
  await importing(randomBytes(32), { ValidTo: inSeconds(house.clock.time + 400) })
  const later = { ImportType: 'NEW_KEY_MATERIAL', ValidTo: inSeconds(house.clock.time + 800) }
  await importing(randomBytes(32), later)
  for (const left of [1, 0]) {
    house.clock.time += 400
    for (let turn = 0; turn < 100 && house.state.materials.size > left; turn++) await wait(20)
    assert.equal(house.state.materials.size, left)
  }
  assert.equal(house.state.key(region, KeyId)?.state, 'PendingImport')
  assert.deepEqual(house.logged, [])
})
