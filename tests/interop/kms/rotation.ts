import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  DecryptCommand,
  DeleteImportedKeyMaterialCommand,
  DescribeKeyCommand,
  DisableKeyRotationCommand,
  EnableKeyRotationCommand,
  EncryptCommand,
  GetKeyRotationStatusCommand,
  ListKeyRotationsCommand,
  RotateKeyOnDemandCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import type { Key, TwoRegions } from '../../support/two-regions.ts'
import { importedUnder } from './imports.ts'

/** AWS's quota of rotations on demand for one key, for ever. */
const rotationsMax = 25

export function rotation(kms: TwoRegions): void {
  const status = async ({ id }: Key) => {
    const { $metadata, ...answer } = await kms.here.send(
      new GetKeyRotationStatusCommand({ KeyId: id }),
    )
    return answer
  }
  const rotate = (key: Key) => kms.here.send(new RotateKeyOnDemandCommand({ KeyId: key.id }))
  const materials = async ({ id }: Key) => {
    const { Rotations } = await kms.here.send(
      new ListKeyRotationsCommand({ KeyId: id, IncludeKeyMaterial: 'ALL_KEY_MATERIAL' }),
    )
    return present(Rotations)
  }
  const currentOf = async ({ id }: Key) => {
    const { KeyMetadata } = await kms.here.send(new DescribeKeyCommand({ KeyId: id }))
    return present(KeyMetadata?.CurrentKeyMaterialId)
  }
  const encrypt = async ({ id }: Key, text: string) => {
    const { CiphertextBlob } = await kms.here.send(
      new EncryptCommand({ KeyId: id, Plaintext: Buffer.from(text) }),
    )
    return present(CiphertextBlob)
  }
  const open = (CiphertextBlob: Uint8Array) => kms.here.send(new DecryptCommand({ CiphertextBlob }))

  describe('rotation', () => {
    test('EnableKeyRotation, GetKeyRotationStatus and DisableKeyRotation', async () => {
      const key = await kms.newKey()
      assert.deepEqual(await status(key), { KeyId: key.id, KeyRotationEnabled: false })
      await kms.here.send(new EnableKeyRotationCommand({ KeyId: key.id }))
      for (const days of [365, 90, 2560]) {
        if (days !== 365) {
          await kms.here.send(
            new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: days }),
          )
        }
        const { NextRotationDate, ...enabled } = await status(key)
        const expected = { KeyId: key.id, KeyRotationEnabled: true, RotationPeriodInDays: days }
        assert.deepEqual(enabled, expected)
        const ahead = (present(NextRotationDate).getTime() - Date.now()) / 86_400_000
        assert.ok(Math.abs(ahead - days) < 0.01, `${ahead} days`)
      }
      await kms.here.send(new DisableKeyRotationCommand({ KeyId: key.id }))
      assert.deepEqual(await status(key), { KeyId: key.id, KeyRotationEnabled: false })
      await fails(
        kms.here.send(new EnableKeyRotationCommand({ KeyId: key.id, RotationPeriodInDays: 89 })),
        'ValidationException',
        /Value '89' at 'rotationPeriodInDays' failed to satisfy constraint: Member must have value greater than or equal to 90/,
      )
    })

    test('RotateKeyOnDemand, up to its quota, and what was encrypted before still opens', async () => {
      const key = await kms.newKey()
      const sealed = [await encrypt(key, '0')]
      const seen = [await currentOf(key)]
      for (let round = 1; round <= rotationsMax; round++) {
        assert.equal((await rotate(key)).KeyId, key.id)
        sealed.push(await encrypt(key, String(round)))
        seen.push(await currentOf(key))
      }
      assert.equal(new Set(seen).size, rotationsMax + 1)
      for (const [round, ciphertext] of sealed.entries()) {
        const { Plaintext, KeyMaterialId } = await open(ciphertext)
        assert.equal(Buffer.from(present(Plaintext)).toString(), String(round))
        assert.equal(KeyMaterialId, seen[round])
      }
      await fails(
        rotate(key),
        'LimitExceededException',
        `The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be performed for this key: ${key.arn}`,
      )
      const rotations: string[] = []
      let Marker: string | undefined
      do {
        const page = await kms.here.send(
          new ListKeyRotationsCommand({
            KeyId: key.id,
            Limit: 10,
            ...(Marker === undefined ? {} : { Marker }),
          }),
        )
        for (const entry of present(page.Rotations)) {
          assert.equal(entry.RotationType, 'ON_DEMAND')
          assert.ok(entry.RotationDate instanceof Date)
          rotations.push(present(entry.KeyMaterialId))
        }
        Marker = page.NextMarker
      } while (Marker !== undefined)
      assert.deepEqual(rotations.toSorted(), seen.slice(1).toSorted())
      const all = await materials(key)
      assert.deepEqual(all.map((entry) => entry.KeyMaterialId).toSorted(), seen.toSorted())
      assert.deepEqual(
        all.filter((entry) => entry.KeyMaterialState === 'CURRENT').map((e) => e.KeyMaterialId),
        [seen.at(-1)],
      )
    })

    test('is not for keys that have one material for good', async () => {
      const asymmetric = await kms.newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
      await fails(rotate(asymmetric), 'UnsupportedOperationException')
      await fails(
        kms.here.send(new EnableKeyRotationCommand({ KeyId: asymmetric.id })),
        'UnsupportedOperationException',
      )
      const imported = await kms.newKey({ Origin: 'EXTERNAL' })
      await importedUnder(kms, imported, randomBytes(32))
      await fails(
        kms.here.send(new EnableKeyRotationCommand({ KeyId: imported.id })),
        'UnsupportedOperationException',
        `${imported.arn} origin is EXTERNAL which is not valid for this operation.`,
      )
    })

    test('of imported material: to what was imported for it, and without any of it the key waits', async () => {
      const key = await kms.newKey({ Origin: 'EXTERNAL' })
      const [first, second] = [randomBytes(32), randomBytes(32)]
      const one = await importedUnder(kms, key, first, { KeyMaterialDescription: 'the first' })
      const early = await encrypt(key, 'early')
      await fails(
        rotate(key),
        'KMSInvalidStateException',
        `No available key material pending rotation for the key: ${key.arn}.`,
      )
      const two = await importedUnder(kms, key, second, { ImportType: 'NEW_KEY_MATERIAL' })
      assert.notEqual(one.KeyMaterialId, two.KeyMaterialId)
      assert.equal(await currentOf(key), one.KeyMaterialId)
      await fails(
        importedUnder(kms, key, randomBytes(32), { ImportType: 'NEW_KEY_MATERIAL' }),
        'KMSInvalidStateException',
        /cannot be imported into KMS key .*, because another key material \(id: [0-9a-f]{64}\) is pending rotation\.$/,
      )
      assert.deepEqual(await summary(key), [
        [one.KeyMaterialId, 'CURRENT', 'IMPORTED', 'the first'],
        [two.KeyMaterialId, 'PENDING_ROTATION', 'IMPORTED', undefined],
      ])
      await rotate(key)
      assert.equal(await currentOf(key), two.KeyMaterialId)
      const late = await encrypt(key, 'late')
      assert.equal((await open(late)).KeyMaterialId, two.KeyMaterialId)
      assert.equal((await open(early)).KeyMaterialId, one.KeyMaterialId)
      const KeyMaterialId = present(one.KeyMaterialId)
      await kms.here.send(new DeleteImportedKeyMaterialCommand({ KeyId: key.id, KeyMaterialId }))
      for (const ciphertext of [early, late]) {
        await fails(open(ciphertext), 'KMSInvalidStateException', `${key.arn} is pending import.`)
      }
      assert.deepEqual(await summary(key), [
        [one.KeyMaterialId, 'NON_CURRENT', 'PENDING_IMPORT', 'the first'],
        [two.KeyMaterialId, 'CURRENT', 'IMPORTED', undefined],
      ])
      await importedUnder(kms, key, first, { KeyMaterialId })
      assert.equal(Buffer.from(present((await open(early)).Plaintext)).toString(), 'early')
    })
  })

  async function summary(key: Key) {
    return (await materials(key)).map((entry) => [
      entry.KeyMaterialId,
      entry.KeyMaterialState,
      entry.ImportState,
      entry.KeyMaterialDescription,
    ])
  }
}
