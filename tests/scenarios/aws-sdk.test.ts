import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListAliasesCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ReEncryptCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateAliasCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import { policyOf } from '../support/policies.ts'
import { TestServer } from '../support/server.ts'

/** The JS SDK, unchanged, through every operation. */
describe('the AWS SDK for JavaScript', () => {
  let server: TestServer
  let clients: Clients

  before(async () => {
    server = await TestServer.start()
    clients = clientsOf(server)
  })
  after(async () => {
    clients.destroy()
    await server.discard()
  })

  async function newKey(input: ConstructorParameters<typeof CreateKeyCommand>[0] = {}) {
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand(input))
    const { KeyId, Arn } = present(KeyMetadata)
    return { id: present(KeyId), arn: present(Arn) }
  }

  test('CreateKey and DescribeKey answer the metadata of AWS, member for member', async () => {
    const created = await clients.kms.send(new CreateKeyCommand({ Description: 'payments' }))
    const metadata = present(created.KeyMetadata)
    const keyId = present(metadata.KeyId)
    assert.match(keyId, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    assert.match(present(metadata.CurrentKeyMaterialId), /^[0-9a-f]{64}$/)
    const age = Date.now() - present(metadata.CreationDate).getTime()
    assert.ok(age > -1000 && age < 60_000, `a CreationDate ${age} ms ago`)
    assert.deepEqual(metadata, {
      AWSAccountId: server.account,
      Arn: `arn:aws:kms:us-east-1:${server.account}:key/${keyId}`,
      CreationDate: metadata.CreationDate,
      CurrentKeyMaterialId: metadata.CurrentKeyMaterialId,
      CustomerMasterKeySpec: 'SYMMETRIC_DEFAULT',
      Description: 'payments',
      Enabled: true,
      EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
      KeyId: keyId,
      KeyManager: 'CUSTOMER',
      KeySpec: 'SYMMETRIC_DEFAULT',
      KeyState: 'Enabled',
      KeyUsage: 'ENCRYPT_DECRYPT',
      MultiRegion: false,
      Origin: 'AWS_KMS',
    })
    const described = await clients.kms.send(new DescribeKeyCommand({ KeyId: keyId }))
    assert.deepEqual(described.KeyMetadata, metadata)
  })

  test('CreateKey takes a policy and tags', async () => {
    const Policy = policyOf(server.account)
    const key = await newKey({ Policy, Tags: [{ TagKey: 'team', TagValue: 'red' }] })
    const policy = await clients.kms.send(new GetKeyPolicyCommand({ KeyId: key.id }))
    assert.deepEqual(JSON.parse(present(policy.Policy)), JSON.parse(Policy))
    const tags = await clients.kms.send(new ListResourceTagsCommand({ KeyId: key.arn }))
    assert.deepEqual(tags.Tags, [{ TagKey: 'team', TagValue: 'red' }])
  })

  test('Encrypt and Decrypt give the plaintext back, bound to its encryption context', async () => {
    const key = await newKey()
    const Plaintext = Buffer.from('a small secret')
    const EncryptionContext = { department: 'finance', 'schlüssel 鍵': '値' }
    const encrypted = await clients.kms.send(
      new EncryptCommand({ KeyId: key.id, Plaintext, EncryptionContext }),
    )
    assert.equal(encrypted.KeyId, key.arn)
    assert.equal(encrypted.EncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    const { CiphertextBlob } = encrypted
    assert.ok(!Buffer.from(present(CiphertextBlob)).includes(Plaintext))
    const reordered = { 'schlüssel 鍵': '値', department: 'finance' }
    const decrypted = await clients.kms.send(
      new DecryptCommand({ CiphertextBlob, EncryptionContext: reordered }),
    )
    assert.deepEqual(Buffer.from(present(decrypted.Plaintext)), Plaintext)
    assert.equal(decrypted.KeyId, key.arn)
    assert.equal(decrypted.EncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    assert.match(present(decrypted.KeyMaterialId), /^[0-9a-f]{64}$/)
    for (const other of [undefined, { department: 'Finance', 'schlüssel 鍵': '値' }]) {
      await fails(
        clients.kms.send(
          new DecryptCommand({
            CiphertextBlob,
            ...(other === undefined ? {} : { EncryptionContext: other }),
          }),
        ),
        'InvalidCiphertextException',
      )
    }
  })

  test('Encrypt and Decrypt take 1 byte and 4096 bytes', async () => {
    const key = await newKey()
    for (const size of [1, 4096]) {
      const Plaintext = Buffer.alloc(size, 0xa5)
      const { CiphertextBlob } = await clients.kms.send(
        new EncryptCommand({ KeyId: key.id, Plaintext }),
      )
      const { Plaintext: back } = await clients.kms.send(new DecryptCommand({ CiphertextBlob }))
      assert.deepEqual(Buffer.from(present(back)), Plaintext)
    }
  })

  test('Decrypt and DescribeKey take every form of a key id', async () => {
    const key = await newKey()
    await clients.kms.send(
      new CreateAliasCommand({ AliasName: 'alias/forms', TargetKeyId: key.id }),
    )
    const aliasArn = `arn:aws:kms:us-east-1:${server.account}:alias/forms`
    for (const KeyId of [key.id, key.arn, 'alias/forms', aliasArn]) {
      const { CiphertextBlob } = await clients.kms.send(
        new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
      )
      const decrypted = await clients.kms.send(new DecryptCommand({ CiphertextBlob, KeyId }))
      assert.equal(decrypted.KeyId, key.arn)
      const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId }))
      assert.equal(KeyMetadata?.Arn, key.arn)
      const dataKey = await clients.kms.send(
        new GenerateDataKeyCommand({ KeyId, KeySpec: 'AES_256' }),
      )
      assert.equal(dataKey.KeyId, key.arn)
    }
    for (const KeyId of [key.id, key.arn]) {
      const { PolicyNames } = await clients.kms.send(new ListKeyPoliciesCommand({ KeyId }))
      assert.deepEqual(PolicyNames, ['default'])
    }
  })

  test('ReEncrypt moves a ciphertext to another key and another context', async () => {
    const [from, to] = [await newKey(), await newKey()]
    const Plaintext = Buffer.from('moving')
    const { CiphertextBlob } = await clients.kms.send(
      new EncryptCommand({ KeyId: from.id, Plaintext, EncryptionContext: { place: 'old' } }),
    )
    const moved = await clients.kms.send(
      new ReEncryptCommand({
        CiphertextBlob,
        SourceKeyId: from.id,
        SourceEncryptionContext: { place: 'old' },
        DestinationKeyId: to.arn,
        DestinationEncryptionContext: { place: 'new' },
      }),
    )
    assert.equal(moved.SourceKeyId, from.arn)
    assert.equal(moved.KeyId, to.arn)
    assert.equal(moved.SourceEncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    assert.equal(moved.DestinationEncryptionAlgorithm, 'SYMMETRIC_DEFAULT')
    assert.match(present(moved.SourceKeyMaterialId), /^[0-9a-f]{64}$/)
    assert.match(present(moved.DestinationKeyMaterialId), /^[0-9a-f]{64}$/)
    assert.notEqual(moved.SourceKeyMaterialId, moved.DestinationKeyMaterialId)
    const decrypted = await clients.kms.send(
      new DecryptCommand({
        CiphertextBlob: moved.CiphertextBlob,
        EncryptionContext: { place: 'new' },
      }),
    )
    assert.deepEqual(Buffer.from(present(decrypted.Plaintext)), Plaintext)
    assert.equal(decrypted.KeyId, to.arn)
    await fails(
      clients.kms.send(
        new ReEncryptCommand({ CiphertextBlob, SourceKeyId: to.id, DestinationKeyId: to.id }),
      ),
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  })

  test('GenerateDataKey answers a key of the asked size that its ciphertext decrypts to', async () => {
    const key = await newKey()
    const EncryptionContext = { table: 'orders' }
    const sizes = [
      [{ KeySpec: 'AES_256' }, 32],
      [{ KeySpec: 'AES_128' }, 16],
      [{ NumberOfBytes: 1 }, 1],
      [{ NumberOfBytes: 1024 }, 1024],
    ] as const
    for (const [size, bytes] of sizes) {
      const dataKey = await clients.kms.send(
        new GenerateDataKeyCommand({ KeyId: key.id, EncryptionContext, ...size }),
      )
      assert.equal(present(dataKey.Plaintext).length, bytes)
      assert.match(present(dataKey.KeyMaterialId), /^[0-9a-f]{64}$/)
      const { CiphertextBlob } = dataKey
      const decrypted = await clients.kms.send(
        new DecryptCommand({ CiphertextBlob, EncryptionContext }),
      )
      assert.deepEqual(decrypted.Plaintext, dataKey.Plaintext)
    }
  })

  test('GenerateDataKeyWithoutPlaintext answers the ciphertext alone', async () => {
    const key = await newKey()
    const dataKey = await clients.kms.send(
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId: key.id, KeySpec: 'AES_256' }),
    )
    assert.ok(!('Plaintext' in dataKey))
    assert.equal(dataKey.KeyId, key.arn)
    const { Plaintext } = await clients.kms.send(
      new DecryptCommand({ CiphertextBlob: dataKey.CiphertextBlob }),
    )
    assert.equal(present(Plaintext).length, 32)
  })

  test('GenerateRandom answers as many bytes as asked, and never the same', async () => {
    const seen = new Set<string>()
    for (const NumberOfBytes of [16, 16, 32, 1024]) {
      const { Plaintext } = await clients.kms.send(new GenerateRandomCommand({ NumberOfBytes }))
      assert.equal(present(Plaintext).length, NumberOfBytes)
      seen.add(Buffer.from(present(Plaintext)).toString('hex'))
    }
    assert.equal(seen.size, 4)
  })

  test('a key is disabled, enabled, scheduled for deletion, and kept after all', async () => {
    const key = await newKey()
    const state = async () => {
      const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: key.id }))
      const { KeyState, Enabled, DeletionDate } = present(KeyMetadata)
      return { KeyState, Enabled, dated: DeletionDate !== undefined }
    }
    await clients.kms.send(new DisableKeyCommand({ KeyId: key.id }))
    assert.deepEqual(await state(), { KeyState: 'Disabled', Enabled: false, dated: false })
    await clients.kms.send(new EnableKeyCommand({ KeyId: key.arn }))
    assert.deepEqual(await state(), { KeyState: 'Enabled', Enabled: true, dated: false })
    const scheduled = await clients.kms.send(
      new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 7 }),
    )
    assert.equal(scheduled.KeyId, key.arn)
    assert.equal(scheduled.KeyState, 'PendingDeletion')
    assert.equal(scheduled.PendingWindowInDays, 7)
    const days = (present(scheduled.DeletionDate).getTime() - Date.now()) / 86_400_000
    assert.ok(days > 6.99 && days < 7.01, `${days} days`)
    assert.deepEqual(await state(), { KeyState: 'PendingDeletion', Enabled: false, dated: true })
    const cancelled = await clients.kms.send(new CancelKeyDeletionCommand({ KeyId: key.id }))
    assert.equal(cancelled.KeyId, key.arn)
    assert.deepEqual(await state(), { KeyState: 'Disabled', Enabled: false, dated: false })
    const later = await clients.kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.id }))
    assert.equal(later.PendingWindowInDays, 30)
  })

  test('UpdateKeyDescription, TagResource, UntagResource and ListResourceTags', async () => {
    const key = await newKey({ Description: 'first' })
    await clients.kms.send(
      new UpdateKeyDescriptionCommand({ KeyId: key.id, Description: 'second' }),
    )
    const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: key.id }))
    assert.equal(KeyMetadata?.Description, 'second')
    const Tags = [
      { TagKey: 'a', TagValue: '1' },
      { TagKey: 'b', TagValue: '' },
    ]
    await clients.kms.send(new TagResourceCommand({ KeyId: key.id, Tags }))
    await clients.kms.send(
      new TagResourceCommand({ KeyId: key.id, Tags: [{ TagKey: 'a', TagValue: '2' }] }),
    )
    const tagged = await clients.kms.send(new ListResourceTagsCommand({ KeyId: key.id }))
    assert.deepEqual(byKey(present(tagged.Tags)), { a: '2', b: '' })
    assert.equal(tagged.Truncated, false)
    await clients.kms.send(new UntagResourceCommand({ KeyId: key.id, TagKeys: ['a', 'absent'] }))
    const untagged = await clients.kms.send(new ListResourceTagsCommand({ KeyId: key.id }))
    assert.deepEqual(byKey(present(untagged.Tags)), { b: '' })
  })

  test('CreateAlias, UpdateAlias, ListAliases and DeleteAlias', async () => {
    const [first, second] = [await newKey(), await newKey()]
    const AliasName = 'alias/orders/2026'
    await clients.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: first.arn }))
    const listed = await clients.kms.send(new ListAliasesCommand({ KeyId: first.id }))
    const [alias] = present(listed.Aliases)
    assert.equal(listed.Aliases?.length, 1)
    assert.equal(alias?.AliasName, AliasName)
    assert.equal(alias?.AliasArn, `arn:aws:kms:us-east-1:${server.account}:${AliasName}`)
    assert.equal(alias?.TargetKeyId, first.id, 'an alias keeps the bare id, even of an ARN')
    assert.ok(alias?.CreationDate instanceof Date && alias.LastUpdatedDate instanceof Date)
    await clients.kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: second.id }))
    const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: AliasName }))
    assert.equal(KeyMetadata?.KeyId, second.id)
    assert.deepEqual(
      (await clients.kms.send(new ListAliasesCommand({ KeyId: first.id }))).Aliases,
      [],
    )
    await clients.kms.send(new DeleteAliasCommand({ AliasName }))
    const everything = await clients.kms.send(new ListAliasesCommand({}))
    assert.ok(!everything.Aliases?.some((entry) => entry.AliasName === AliasName))
  })

  test('GetKeyPolicy shows the default policy, PutKeyPolicy replaces it', async () => {
    const key = await newKey()
    const first = await clients.kms.send(
      new GetKeyPolicyCommand({ KeyId: key.id, PolicyName: 'default' }),
    )
    assert.equal(first.PolicyName, 'default')
    assert.deepEqual(JSON.parse(present(first.Policy)), {
      Version: '2012-10-17',
      Id: 'key-default-1',
      Statement: [
        {
          Sid: 'Enable IAM User Permissions',
          Effect: 'Allow',
          Principal: { AWS: `arn:aws:iam::${server.account}:root` },
          Action: 'kms:*',
          Resource: '*',
        },
      ],
    })
    const Policy = policyOf(server.account)
    await clients.kms.send(new PutKeyPolicyCommand({ KeyId: key.id, Policy }))
    const second = await clients.kms.send(new GetKeyPolicyCommand({ KeyId: key.id }))
    assert.deepEqual(JSON.parse(present(second.Policy)), JSON.parse(Policy))
  })

  test('DryRun tells that a call would succeed, and does nothing', async () => {
    const key = await newKey()
    const text = 'The request would have succeeded, but the DryRun option is set.'
    const KeyId = key.id
    const { CiphertextBlob } = await clients.kms.send(
      new EncryptCommand({ KeyId, Plaintext: Buffer.from('x') }),
    )
    const size = { KeySpec: 'AES_256' } as const
    const dry = { DryRun: true }
    const calls = [
      new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), ...dry }),
      new DecryptCommand({ CiphertextBlob, ...dry }),
      new ReEncryptCommand({ CiphertextBlob, DestinationKeyId: KeyId, ...dry }),
      new GenerateDataKeyCommand({ KeyId, ...size, ...dry }),
      new GenerateDataKeyWithoutPlaintextCommand({ KeyId, ...size, ...dry }),
    ]
    for (const call of calls) {
      // Each command is a type of its own; the client takes any of them.
      const send = clients.kms.send.bind(clients.kms) as (command: unknown) => Promise<unknown>
      await fails(send(call), 'DryRunOperationException', text)
    }
    await clients.kms.send(new DisableKeyCommand({ KeyId }))
    await fails(
      clients.kms.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('x'), ...dry })),
      'DisabledException',
      `${key.arn} is disabled.`,
    )
  })

  test('ListKeys pages through every key exactly once', async () => {
    for (let i = 0; i < 5; i++) await newKey()
    const whole = await clients.kms.send(new ListKeysCommand({ Limit: 1000 }))
    assert.equal(whole.Truncated, false)
    assert.ok(!('NextMarker' in whole) || whole.NextMarker === undefined)
    const all = present(whole.Keys)
    for (const { KeyId, KeyArn } of all) {
      assert.equal(KeyArn, `arn:aws:kms:us-east-1:${server.account}:key/${KeyId}`)
    }
    const paged: string[] = []
    let Marker: string | undefined
    do {
      const page = await clients.kms.send(
        new ListKeysCommand({ Limit: 2, ...(Marker === undefined ? {} : { Marker }) }),
      )
      assert.ok(present(page.Keys).length <= 2)
      assert.equal(page.Truncated, page.NextMarker !== undefined)
      paged.push(...present(page.Keys).map(({ KeyId }) => present(KeyId)))
      Marker = page.NextMarker
    } while (Marker !== undefined)
    assert.equal(new Set(paged).size, paged.length)
    assert.deepEqual(paged.sort(), all.map(({ KeyId }) => present(KeyId)).sort())
  })

  test('ListAliases and ListResourceTags page too, and refuse a marker of their own making', async () => {
    const key = await newKey({
      Tags: [1, 2, 3].map((n) => ({ TagKey: `tag${n}`, TagValue: String(n) })),
    })
    for (const name of ['alias/page-a', 'alias/page-b', 'alias/page-c']) {
      await clients.kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: key.id }))
    }
    const first = await clients.kms.send(new ListAliasesCommand({ KeyId: key.id, Limit: 2 }))
    assert.equal(first.Truncated, true)
    const rest = await clients.kms.send(
      new ListAliasesCommand({ KeyId: key.id, Limit: 2, Marker: present(first.NextMarker) }),
    )
    assert.equal(rest.Truncated, false)
    const names = [...present(first.Aliases), ...present(rest.Aliases)].map((a) => a.AliasName)
    assert.deepEqual(names.sort(), ['alias/page-a', 'alias/page-b', 'alias/page-c'])
    const tags = await clients.kms.send(new ListResourceTagsCommand({ KeyId: key.id, Limit: 2 }))
    assert.equal(tags.Truncated, true)
    const more = await clients.kms.send(
      new ListResourceTagsCommand({ KeyId: key.id, Limit: 2, Marker: present(tags.NextMarker) }),
    )
    assert.equal(present(tags.Tags).length + present(more.Tags).length, 3)
    await fails(
      clients.kms.send(new ListKeysCommand({ Marker: 'made-up' })),
      'InvalidMarkerException',
    )
  })

  test('STS GetCallerIdentity', async () => {
    const identity = await clients.sts.send(new GetCallerIdentityCommand({}))
    assert.equal(identity.Account, server.account)
    assert.equal(identity.Arn, `arn:aws:iam::${server.account}:root`)
    assert.equal(identity.UserId, server.account)
    assert.match(present(identity.$metadata.requestId), /^[0-9a-f-]{36}$/)
  })
})

function byKey(tags: readonly { TagKey: string | undefined; TagValue: string | undefined }[]) {
  return Object.fromEntries(tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]))
}
