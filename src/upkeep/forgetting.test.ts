import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { fakeToken, wrapForFake } from '../services/kms/testing/fake-import.ts'
import { otherRegion, region, TestKms } from '../services/kms/testing/test-kms.ts'
import { Forgetting } from './forgetting.ts'

const forGood = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }

/** A multi-Region key with one imported material, which two Regions have, and a key core that can be away. */
async function opened() {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Origin: 'EXTERNAL', MultiRegion: true })
  let away = false
  const forgetting = new Forgetting({
    ...kms.deps,
    hsm: {
      ...kms.deps.hsm,
      forget: async (ids) => {
        if (away) throw new ServiceError('unavailable')
        await kms.hsm.forget(ids)
      },
    },
  })
  const importInto = async (within = region) => {
    const { KeyMaterialId } = await kms.ok(
      'ImportKeyMaterial',
      {
        KeyId,
        ImportToken: fakeToken(kms.record(KeyId, within)),
        EncryptedKeyMaterial: wrapForFake(Buffer.alloc(32)),
        ...forGood,
      },
      { region: within },
    )
    return KeyMaterialId as string
  }
  const deleteFrom = (within = region) =>
    kms.ok('DeleteImportedKeyMaterial', { KeyId }, { region: within })
  const setAway = (isAway: boolean) => {
    away = isAway
  }
  const materialId = await importInto()
  await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
  await importInto(otherRegion)
  return { kms, KeyId, forgetting, importInto, deleteFrom, setAway, materialId }
}

test('the key core keeps material that a related key still has', async () => {
  const { kms, forgetting, deleteFrom, materialId } = await opened()
  await deleteFrom(otherRegion)
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [])
  await deleteFrom()
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [materialId])
})

test('material that is imported again before the key core could be told is kept', async () => {
  const { kms, forgetting, importInto, deleteFrom, setAway } = await opened()
  await deleteFrom(otherRegion)
  setAway(true)
  await deleteFrom()
  await assert.rejects(forgetting.flush(), { code: 'unavailable' })
  await importInto()
  setAway(false)
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [])
})

test('whatever removes material, the key core is told of all that went together', async () => {
  const { kms, KeyId, forgetting } = await opened()
  const one = await kms.key()
  await kms.ok('RotateKeyOnDemand', { KeyId: one.keyId })
  const all = [kms.record(KeyId), kms.record(KeyId, otherRegion), kms.record(one.keyId)].flatMap(
    (key) => kms.state.materialsOf(key),
  )
  await kms.commit(all.map((material) => kms.state.removeMaterial(material)))
  await forgetting.flush()
  assert.equal(all.length, 4)
  assert.deepEqual(
    kms.hsm.forgotten.toSorted(),
    [...new Set(all.map(({ materialId }) => materialId))].toSorted(),
  )
})
