import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { WrappedMaterial } from '../hsm/port.ts'
import { fakeToken, wrapForFake } from '../services/kms/testing/fake-import.ts'
import { otherRegion, region, TestKms } from '../services/kms/testing/test-kms.ts'
import { Forgetting } from './forgetting.ts'

const forGood = { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }

function formIn({ materialId, wrapped }: WrappedMaterial): WrappedMaterial {
  return { materialId, wrapped }
}

/** A multi-Region key with one imported material, which two Regions have, and a key core that can be away. */
async function opened() {
  const kms = new TestKms()
  const { keyId: KeyId } = await kms.key({ Origin: 'EXTERNAL', MultiRegion: true })
  let away = false
  const forgetting = new Forgetting({
    ...kms.deps,
    hsm: {
      ...kms.deps.hsm,
      forget: async (materials) => {
        if (away) throw new ServiceError('unavailable')
        await kms.hsm.forget(materials)
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
  await importInto()
  await kms.ok('ReplicateKey', { KeyId, ReplicaRegion: otherRegion })
  await importInto(otherRegion)
  const rowsOf = (within = region) => kms.state.materialsOf(kms.record(KeyId, within)).map(formIn)
  return { kms, KeyId, forgetting, importInto, deleteFrom, setAway, rowsOf }
}

test('the key core forgets what stood in the row that went, not what a related key has', async () => {
  const { kms, forgetting, deleteFrom, rowsOf } = await opened()
  const [[primary], [replica]] = [rowsOf(), rowsOf(otherRegion)]
  assert.notEqual(primary?.wrapped, replica?.wrapped)
  await deleteFrom(otherRegion)
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [replica])
  await deleteFrom()
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [replica, primary])
})

test('material that is imported again is kept, whenever the key core hears of what went', async () => {
  const { kms, forgetting, importInto, deleteFrom, setAway, rowsOf } = await opened()
  const [before] = rowsOf()
  setAway(true)
  await deleteFrom()
  await assert.rejects(forgetting.flush(), { code: 'unavailable' })
  await importInto()
  const [after] = rowsOf()
  assert.equal(after?.materialId, before?.materialId)
  setAway(false)
  await forgetting.flush()
  assert.deepEqual(kms.hsm.forgotten, [before])
  assert.notEqual(after?.wrapped, before?.wrapped)
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
  assert.deepEqual(kms.hsm.forgotten, all.map(formIn))
})
