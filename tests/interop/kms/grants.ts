import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CreateGrantCommand,
  type CreateGrantCommandInput,
  DecryptCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  ListGrantsCommand,
  ListRetirableGrantsCommand,
  RetireGrantCommand,
  RevokeGrantCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import { rootOf } from '../../support/policies.ts'
import type { Key, TwoRegions } from '../../support/two-regions.ts'

export function grants(kms: TwoRegions): void {
  const self = () => rootOf(kms.server.account)
  const create = async ({ id }: Key, input: Partial<CreateGrantCommandInput> = {}) => {
    const { GrantId, GrantToken } = await kms.here.send(
      new CreateGrantCommand({
        KeyId: id,
        GranteePrincipal: self(),
        Operations: ['Encrypt', 'Decrypt'],
        ...input,
      }),
    )
    return { id: present(GrantId), token: present(GrantToken) }
  }
  const listed = async ({ id }: Key, more = {}) => {
    const { Grants } = await kms.here.send(new ListGrantsCommand({ KeyId: id, ...more }))
    return present(Grants)
  }

  describe('grants', () => {
    test('CreateGrant and ListGrants say what was granted, and the same name is the same grant', async () => {
      const key = await kms.newKey()
      const Constraints = { EncryptionContextSubset: { department: 'finance' } }
      const input = { Name: 'nightly', RetiringPrincipal: self(), Constraints }
      const one = await create(key, input)
      const again = await create(key, input)
      assert.equal(again.id, one.id)
      assert.notEqual(again.token, one.token)
      const other = await create(key)
      assert.notEqual(other.id, one.id)
      const found = await listed(key, { GrantId: one.id })
      const CreationDate = present(found[0]?.CreationDate)
      assert.ok(Math.abs(CreationDate.getTime() - Date.now()) < 60_000)
      assert.deepEqual(found, [
        {
          Constraints,
          CreationDate,
          GrantId: one.id,
          GranteePrincipal: self(),
          IssuingAccount: self(),
          KeyId: key.arn,
          Name: 'nightly',
          Operations: ['Decrypt', 'Encrypt'],
          RetiringPrincipal: self(),
        },
      ])
      assert.equal((await listed(key)).length, 2)
      assert.equal((await listed(key, { GranteePrincipal: rootOf('999999999999') })).length, 0)
    })

    test('a token goes with a call, and one that was never given is refused', async () => {
      const key = await kms.newKey()
      const { token } = await create(key, { Operations: ['Encrypt', 'Decrypt', 'GenerateDataKey'] })
      const GrantTokens = [token]
      const { CiphertextBlob } = await kms.here.send(
        new EncryptCommand({ KeyId: key.id, Plaintext: Buffer.of(1), GrantTokens }),
      )
      const opened = await kms.here.send(new DecryptCommand({ CiphertextBlob, GrantTokens }))
      assert.equal(opened.KeyId, key.arn)
      const size = { KeySpec: 'AES_256' } as const
      await kms.here.send(new GenerateDataKeyCommand({ KeyId: key.id, GrantTokens, ...size }))
      const altered = `${token.slice(0, -8)}AAAAAAAA`
      for (const strange of [altered, 'made-up']) {
        await fails(
          kms.here.send(new DecryptCommand({ CiphertextBlob, GrantTokens: [strange] })),
          'InvalidGrantTokenException',
        )
      }
    })

    test('RetireGrant by token and by id, RevokeGrant, ListRetirableGrants', async () => {
      const key = await kms.newKey()
      const RetiringPrincipal = self()
      const [one, two, three] = [
        await create(key, { RetiringPrincipal }),
        await create(key, { RetiringPrincipal }),
        await create(key, { RetiringPrincipal }),
      ]
      const retirable = async () => {
        const { Grants } = await kms.here.send(
          new ListRetirableGrantsCommand({ RetiringPrincipal }),
        )
        return present(Grants)
          .filter(({ KeyId }) => KeyId === key.arn)
          .map(({ GrantId }) => present(GrantId))
          .toSorted()
      }
      assert.deepEqual(await retirable(), [one.id, two.id, three.id].toSorted())
      await fails(
        kms.here.send(new RetireGrantCommand({ GrantToken: one.token, DryRun: true })),
        'DryRunOperationException',
      )
      await kms.here.send(new RetireGrantCommand({ GrantToken: one.token }))
      assert.deepEqual(await retirable(), [two.id, three.id].toSorted())
      await kms.here.send(new RetireGrantCommand({ KeyId: key.arn, GrantId: two.id }))
      await kms.here.send(new RevokeGrantCommand({ KeyId: key.id, GrantId: three.id }))
      assert.deepEqual(await retirable(), [])
      assert.deepEqual(await listed(key), [])
      await fails(
        kms.here.send(new RevokeGrantCommand({ KeyId: key.id, GrantId: three.id })),
        'NotFoundException',
      )
      await fails(
        kms.here.send(
          new EncryptCommand({
            KeyId: key.id,
            Plaintext: Buffer.of(1),
            GrantTokens: [three.token],
          }),
        ),
        'InvalidGrantTokenException',
      )
    })

    test('must suit the key', async () => {
      const signer = await kms.newKey({ KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' })
      await create(signer, { Operations: ['Sign', 'Verify', 'GetPublicKey'] })
      await fails(create(signer, { Operations: ['Encrypt'] }), 'ValidationException')
      await fails(
        create(signer, {
          Operations: ['Sign'],
          Constraints: { EncryptionContextEquals: { a: 'b' } },
        }),
        'ValidationException',
      )
    })
  })
}
