import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  ConnectCustomKeyStoreCommand,
  CreateAliasCommand,
  CreateCustomKeyStoreCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DecryptCommand,
  DeleteAliasCommand,
  DeleteCustomKeyStoreCommand,
  DescribeCustomKeyStoresCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  DisconnectCustomKeyStoreCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateCustomKeyStoreCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { fails, present } from '../../support/expect.ts'
import { policyOf } from '../../support/policies.ts'
import type { Key, TwoRegions } from '../../support/two-regions.ts'

export function keys(kms: TwoRegions): void {
  const described = async ({ id }: { id: string }) => {
    const { KeyMetadata } = await kms.here.send(new DescribeKeyCommand({ KeyId: id }))
    return present(KeyMetadata)
  }

  describe('keys', () => {
    test('are described, tagged, named, disabled, and deleted or kept', async () => {
      const key = await kms.newKey({ KeySpec: 'ML_DSA_65', KeyUsage: 'SIGN_VERIFY' })
      const KeyId = key.id
      await kms.here.send(new UpdateKeyDescriptionCommand({ KeyId, Description: 'lattices' }))
      const metadata = await described(key)
      assert.equal(metadata.Description, 'lattices')
      assert.deepEqual(metadata.SigningAlgorithms, ['ML_DSA_SHAKE_256'])
      const Tags = [{ TagKey: 'team', TagValue: 'red' }]
      await kms.here.send(new TagResourceCommand({ KeyId, Tags }))
      const tagged = await kms.here.send(new ListResourceTagsCommand({ KeyId }))
      assert.deepEqual(tagged.Tags, Tags)
      await kms.here.send(new UntagResourceCommand({ KeyId, TagKeys: ['team'] }))
      const Policy = policyOf(kms.server.account)
      await kms.here.send(new PutKeyPolicyCommand({ KeyId, Policy }))
      const policy = await kms.here.send(new GetKeyPolicyCommand({ KeyId }))
      assert.deepEqual(JSON.parse(present(policy.Policy)), JSON.parse(Policy))
      const policies = await kms.here.send(new ListKeyPoliciesCommand({ KeyId }))
      assert.deepEqual(policies.PolicyNames, ['default'])
      const { Keys } = await kms.here.send(new ListKeysCommand({ Limit: 1000 }))
      assert.ok(Keys?.some((entry) => entry.KeyArn === key.arn))
      await kms.here.send(new DisableKeyCommand({ KeyId }))
      const sign = () =>
        kms.here.send(
          new SignCommand({ KeyId, Message: Buffer.of(1), SigningAlgorithm: 'ML_DSA_SHAKE_256' }),
        )
      await fails(sign(), 'DisabledException', `${key.arn} is disabled.`)
      await kms.here.send(new EnableKeyCommand({ KeyId }))
      await sign()
      await kms.here.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))
      await fails(sign(), 'KMSInvalidStateException', `${key.arn} is pending deletion.`)
      await kms.here.send(new CancelKeyDeletionCommand({ KeyId }))
      assert.equal((await described(key)).KeyState, 'Disabled')
    })

    test('an alias moves to a key of the same kind, and to no other', async () => {
      const sign = { KeySpec: 'ECC_NIST_P256', KeyUsage: 'SIGN_VERIFY' } as const
      const [one, two] = [await kms.newKey(sign), await kms.newKey(sign)]
      const AliasName = 'alias/kinds'
      await kms.here.send(new CreateAliasCommand({ AliasName, TargetKeyId: one.id }))
      const move = ({ id }: Key) =>
        kms.here.send(new UpdateAliasCommand({ AliasName, TargetKeyId: id }))
      await move(two)
      await kms.here.send(
        new SignCommand({
          KeyId: AliasName,
          Message: Buffer.of(1),
          SigningAlgorithm: 'ECDSA_SHA_256',
        }),
      )
      const arn = two.arn.replace(/key\/.*/, AliasName)
      const from = `Alias ${arn} cannot be changed from a CMK with key usage SIGN_VERIFY to a CMK with key usage`
      for (const other of [
        { KeySpec: 'SYMMETRIC_DEFAULT', KeyUsage: 'ENCRYPT_DECRYPT' },
        { KeySpec: 'HMAC_256', KeyUsage: 'GENERATE_VERIFY_MAC' },
        { KeySpec: 'ECC_NIST_P256', KeyUsage: 'KEY_AGREEMENT' },
      ] as const) {
        await fails(
          move(await kms.newKey(other)),
          'ValidationException',
          `${from} ${other.KeyUsage}`,
        )
      }
      const symmetric = { AliasName: 'alias/symmetric' }
      const TargetKeyId = (await kms.newKey()).id
      await kms.here.send(new CreateAliasCommand({ ...symmetric, TargetKeyId }))
      const rsa = await kms.newKey({ KeySpec: 'RSA_2048', KeyUsage: 'ENCRYPT_DECRYPT' })
      await fails(
        kms.here.send(new UpdateAliasCommand({ ...symmetric, TargetKeyId: rsa.id })),
        'ValidationException',
        /cannot be changed/,
      )
      const { Aliases } = await kms.here.send(new ListAliasesCommand({ KeyId: two.id }))
      assert.deepEqual(
        Aliases?.map((alias) => alias.AliasName),
        [AliasName],
      )
      await kms.here.send(new DeleteAliasCommand({ AliasName }))
    })

    test('make data keys, and random bytes are made without one', async () => {
      const { id } = await kms.newKey()
      const dataKey = await kms.here.send(
        new GenerateDataKeyCommand({ KeyId: id, KeySpec: 'AES_256' }),
      )
      const opened = await kms.here.send(
        new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }),
      )
      assert.deepEqual(opened.Plaintext, dataKey.Plaintext)
      const sealed = await kms.here.send(
        new GenerateDataKeyWithoutPlaintextCommand({ KeyId: id, NumberOfBytes: 48 }),
      )
      assert.equal(sealed.KeyMaterialId, dataKey.KeyMaterialId)
      const random = await kms.here.send(new GenerateRandomCommand({ NumberOfBytes: 1024 }))
      assert.equal(present(random.Plaintext).length, 1024)
    })

    test('GetKeyLastUsage tells the last use, which describing a key is not', async () => {
      const key = await kms.newKey()
      const usage = async () => {
        const answer = await kms.here.send(new GetKeyLastUsageCommand({ KeyId: key.id }))
        assert.equal(answer.KeyId, key.arn)
        return answer.KeyLastUsage
      }
      assert.deepEqual(await usage(), {})
      const Plaintext = Buffer.of(1)
      const used = await kms.here.send(new EncryptCommand({ KeyId: key.id, Plaintext }))
      await described(key)
      const last = await usage()
      assert.equal(last?.Operation, 'Encrypt')
      assert.equal(last.KmsRequestId, used.$metadata.requestId)
      assert.ok(Math.abs(present(last.Timestamp).getTime() - Date.now()) < 60_000)
    })

    test('of AWS are there when their alias is asked for', async () => {
      const made = await described({ id: 'alias/aws/s3' })
      assert.deepEqual([made.KeyManager, made.KeyState], ['AWS', 'Enabled'])
      assert.equal((await described({ id: 'alias/aws/s3' })).KeyId, made.KeyId)
      await fails(
        kms.here.send(new DisableKeyCommand({ KeyId: present(made.KeyId) })),
        'AccessDeniedException',
      )
    })

    test('cannot be made of what does not go together', async () => {
      const create = (input: CreateKeyCommandInput) => kms.here.send(new CreateKeyCommand(input))
      await fails(
        create({ KeySpec: 'RSA_2048' }),
        'ValidationException',
        'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
      )
      await fails(
        create({ KeySpec: 'RSA_2048', KeyUsage: 'KEY_AGREEMENT' }),
        'ValidationException',
        'KeyUsage KEY_AGREEMENT is not compatible with KeySpec RSA_2048',
      )
      await fails(
        create({ KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' }),
        'UnsupportedOperationException',
      )
      await fails(
        create({ Origin: 'AWS_CLOUDHSM', CustomKeyStoreId: 'cks-1234567890abcdef0' }),
        'CustomKeyStoreNotFoundException',
      )
    })
  })

  describe('custom key stores', () => {
    test('none can be made, because neither a cluster nor a proxy is there', async () => {
      await fails(
        kms.here.send(
          new CreateCustomKeyStoreCommand({
            CustomKeyStoreName: 'cluster',
            CloudHsmClusterId: 'cluster-2a23b4cdefg',
            TrustAnchorCertificate: 'certificate',
            KeyStorePassword: 'kmsPswd1',
          }),
        ),
        'CloudHsmClusterNotFoundException',
      )
      await fails(
        kms.here.send(
          new CreateCustomKeyStoreCommand({
            CustomKeyStoreName: 'proxy',
            CustomKeyStoreType: 'EXTERNAL_KEY_STORE',
            XksProxyUriEndpoint: 'https://xks.example.com',
            XksProxyUriPath: '/kms/xks/v1',
            XksProxyConnectivity: 'PUBLIC_ENDPOINT',
            XksProxyAuthenticationCredential: {
              AccessKeyId: 'ABCDE12345670EXAMPLE'.replaceAll(/[01]/g, '2'),
              RawSecretAccessKey: 'D'.repeat(43),
            },
          }),
        ),
        'XksProxyUriUnreachableException',
      )
      const { CustomKeyStores, Truncated } = await kms.here.send(
        new DescribeCustomKeyStoresCommand({}),
      )
      assert.deepEqual([CustomKeyStores, Truncated], [[], false])
    })

    test('one that is not there can be neither connected, changed nor deleted', async () => {
      const store = { CustomKeyStoreId: 'cks-1234567890abcdef0' }
      for (const command of [
        new ConnectCustomKeyStoreCommand(store),
        new DisconnectCustomKeyStoreCommand(store),
        new UpdateCustomKeyStoreCommand({ ...store, NewCustomKeyStoreName: 'renamed' }),
        new DeleteCustomKeyStoreCommand(store),
        new DescribeCustomKeyStoresCommand(store),
      ]) {
        // Each command is a type of its own; the client takes any of them.
        const send = kms.here.send.bind(kms.here) as (command: unknown) => Promise<unknown>
        await fails(send(command), 'CustomKeyStoreNotFoundException', /cks-1234567890abcdef0/)
      }
    })
  })
}
