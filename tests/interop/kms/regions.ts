import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import {
  CreateAliasCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DescribeKeyCommand,
  EncryptCommand,
  GenerateMacCommand,
  GetPublicKeyCommand,
  ListKeysCommand,
  ReplicateKeyCommand,
  RotateKeyOnDemandCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  UpdatePrimaryRegionCommand,
  VerifyCommand,
  VerifyMacCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import { hereRegion, type Key, type TwoRegions, thereRegion } from '../../support/two-regions.ts'
import { importedUnder } from './imports.ts'

export function regions(kms: TwoRegions): void {
  const arnThere = ({ arn }: Key) => arn.replace(hereRegion, thereRegion)
  const replicate = (key: Key, more = {}) =>
    kms.here.send(new ReplicateKeyCommand({ KeyId: key.id, ReplicaRegion: thereRegion, ...more }))
  const describedBy = async (client: TwoRegions['here'], key: Key) => {
    const { KeyMetadata } = await client.send(new DescribeKeyCommand({ KeyId: key.id }))
    return present(KeyMetadata)
  }

  async function related(input: CreateKeyCommandInput = {}): Promise<Key> {
    const key = await kms.newKey({ ...input, MultiRegion: true })
    assert.match(key.id, /^mrk-[0-9a-f]{32}$/)
    await replicate(key)
    return key
  }

  describe('multi-Region keys', () => {
    test('ReplicateKey makes a key with the same id and what was asked of it', async () => {
      const key = await kms.newKey({ MultiRegion: true, Description: 'primary' })
      const Tags = [{ TagKey: 'replica', TagValue: 'yes' }]
      const answer = await replicate(key, { Description: 'replica', Tags })
      const metadata = present(answer.ReplicaKeyMetadata)
      assert.deepEqual([metadata.KeyId, metadata.Arn], [key.id, arnThere(key)])
      assert.equal(metadata.Description, 'replica')
      assert.deepEqual(answer.ReplicaTags, Tags)
      assert.equal(JSON.parse(present(answer.ReplicaPolicy)).Id, 'key-default-1')
      const configuration = {
        PrimaryKey: { Arn: key.arn, Region: hereRegion },
        ReplicaKeys: [{ Arn: arnThere(key), Region: thereRegion }],
      }
      assert.deepEqual((await describedBy(kms.here, key)).MultiRegionConfiguration, {
        MultiRegionKeyType: 'PRIMARY',
        ...configuration,
      })
      const there = await describedBy(kms.there, key)
      assert.deepEqual(there.MultiRegionConfiguration, {
        MultiRegionKeyType: 'REPLICA',
        ...configuration,
      })
      assert.equal(there.KeyState, 'Enabled')
      await fails(replicate(key), 'AlreadyExistsException')
      await fails(
        kms.there.send(new ReplicateKeyCommand({ KeyId: key.id, ReplicaRegion: hereRegion })),
        'UnsupportedOperationException',
        `${arnThere(key)} is not a multi-region primary key.`,
      )
      const single = await kms.newKey()
      await fails(replicate(single), 'UnsupportedOperationException')
    })

    test('what one of them encrypts, the other decrypts, before and after a rotation', async () => {
      const key = await related()
      const roundTrip = async (from: TwoRegions['here'], to: TwoRegions['here']) => {
        const EncryptionContext = { region: 'any' }
        const Plaintext = randomBytes(100)
        const { CiphertextBlob } = await from.send(
          new EncryptCommand({ KeyId: key.id, Plaintext, EncryptionContext }),
        )
        const opened = await to.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
        assert.deepEqual(Buffer.from(present(opened.Plaintext)), Plaintext)
        return { ...opened, CiphertextBlob: present(CiphertextBlob), EncryptionContext }
      }
      const first = await roundTrip(kms.here, kms.there)
      assert.equal(first.KeyId, arnThere(key))
      assert.equal((await roundTrip(kms.there, kms.here)).KeyId, key.arn)
      await fails(
        kms.there.send(new RotateKeyOnDemandCommand({ KeyId: key.id })),
        'UnsupportedOperationException',
      )
      await kms.here.send(new RotateKeyOnDemandCommand({ KeyId: key.id }))
      const second = await roundTrip(kms.here, kms.there)
      assert.notEqual(second.KeyMaterialId, first.KeyMaterialId)
      const third = await roundTrip(kms.there, kms.here)
      assert.equal(third.KeyMaterialId, second.KeyMaterialId)
      const { CiphertextBlob, EncryptionContext } = first
      const old = await kms.there.send(new DecryptCommand({ CiphertextBlob, EncryptionContext }))
      assert.equal(old.KeyMaterialId, first.KeyMaterialId)
    })

    test('what one of them signs or authenticates, the other verifies', async () => {
      const signer = await related({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
      const Message = Buffer.from('far away')
      const signing = { KeyId: signer.id, Message, SigningAlgorithm: 'ECDSA_SHA_256' } as const
      const { Signature } = await kms.there.send(new SignCommand(signing))
      const verified = await kms.here.send(new VerifyCommand({ ...signing, Signature }))
      assert.equal(verified.SignatureValid, true)
      const [here, there] = [
        await kms.here.send(new GetPublicKeyCommand({ KeyId: signer.id })),
        await kms.there.send(new GetPublicKeyCommand({ KeyId: signer.id })),
      ]
      assert.deepEqual(there.PublicKey, here.PublicKey)
      const hmac = await related({ KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' })
      const request = { KeyId: hmac.id, Message, MacAlgorithm: 'HMAC_SHA_256' } as const
      const { Mac } = await kms.here.send(new GenerateMacCommand(request))
      const answer = await kms.there.send(new VerifyMacCommand({ ...request, Mac }))
      assert.equal(answer.MacValid, true)
    })

    test('imported material goes into each of them', async () => {
      const key = await kms.newKey({ MultiRegion: true, Origin: 'EXTERNAL' })
      const material = randomBytes(32)
      const one = await importedUnder(kms, key, material)
      await replicate(key)
      assert.equal((await describedBy(kms.there, key)).KeyState, 'PendingImport')
      const two = await importedUnder(
        kms,
        key,
        material,
        {},
        'RSAES_OAEP_SHA_256',
        'RSA_2048',
        kms.there,
      )
      assert.deepEqual([two.KeyId, two.KeyMaterialId], [arnThere(key), one.KeyMaterialId])
      const { CiphertextBlob } = await kms.here.send(
        new EncryptCommand({ KeyId: key.id, Plaintext: Buffer.from('imported') }),
      )
      const opened = await kms.there.send(new DecryptCommand({ CiphertextBlob }))
      assert.equal(Buffer.from(present(opened.Plaintext)).toString(), 'imported')
    })

    test('UpdatePrimaryRegion lets the replica and the primary change places', async () => {
      const key = await related()
      const move = (client: TwoRegions['here'], PrimaryRegion: string) =>
        client.send(new UpdatePrimaryRegionCommand({ KeyId: key.id, PrimaryRegion }))
      await move(kms.here, thereRegion)
      const types = async () =>
        [await describedBy(kms.here, key), await describedBy(kms.there, key)].map(
          ({ MultiRegionConfiguration }) => MultiRegionConfiguration?.MultiRegionKeyType,
        )
      assert.deepEqual(await types(), ['REPLICA', 'PRIMARY'])
      await fails(move(kms.here, thereRegion), 'UnsupportedOperationException')
      await move(kms.there, hereRegion)
      assert.deepEqual(await types(), ['PRIMARY', 'REPLICA'])
    })

    test('a primary waits for its replicas to be deleted', async () => {
      const key = await related()
      const scheduled = await kms.here.send(
        new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 7 }),
      )
      assert.equal(scheduled.KeyState, 'PendingReplicaDeletion')
      assert.equal(scheduled.DeletionDate, undefined)
      const there = await kms.there.send(
        new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 7 }),
      )
      assert.equal(there.KeyState, 'PendingDeletion')
      assert.ok(there.DeletionDate instanceof Date)
    })

    test('other keys stay in their Region', async () => {
      const key = await kms.newKey()
      await fails(
        kms.there.send(new DescribeKeyCommand({ KeyId: key.arn })),
        'NotFoundException',
        `Invalid arn ${hereRegion}`,
      )
      await fails(
        kms.there.send(new DescribeKeyCommand({ KeyId: key.id })),
        'NotFoundException',
        `Key '${arnThere(key)}' does not exist`,
      )
      const { CiphertextBlob } = await kms.here.send(
        new EncryptCommand({ KeyId: key.id, Plaintext: Buffer.of(1) }),
      )
      await fails(
        kms.there.send(new DecryptCommand({ CiphertextBlob })),
        'AccessDeniedException',
        /the resource does not exist in this Region/,
      )
      const { Keys } = await kms.there.send(new ListKeysCommand({ Limit: 1000 }))
      assert.ok(!Keys?.some(({ KeyId }) => KeyId === key.id))
      await fails(
        kms.there.send(
          new CreateAliasCommand({ AliasName: 'alias/elsewhere', TargetKeyId: key.id }),
        ),
        'NotFoundException',
      )
    })
  })
}
