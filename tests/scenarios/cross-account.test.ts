import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import { auditExport, createAccount } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import { allow, deny, policyOf, rootOf, type Statement } from '../support/policies.ts'
import { TestServer } from '../support/server.ts'

/** A second account, and what a key policy gives it and takes from it, on the very next call. */
describe('another account', () => {
  const other = '444455556666'
  let server: TestServer
  let owner: Clients
  let guest: Clients
  let key: { id: string; arn: string }
  const Plaintext = Buffer.from('shared')

  before(async () => {
    server = await TestServer.start()
    const credentials = await createAccount(server.data, other)
    owner = clientsOf(server)
    guest = clientsOf(server, credentials)
    const { KeyMetadata } = await owner.kms.send(new CreateKeyCommand({}))
    key = { id: present(KeyMetadata?.KeyId), arn: present(KeyMetadata?.Arn) }
  })
  after(async () => {
    owner.destroy()
    guest.destroy()
    await server.discard()
  })

  const put = (...statements: Statement[]) =>
    owner.kms.send(
      new PutKeyPolicyCommand({ KeyId: key.id, Policy: policyOf(server.account, ...statements) }),
    )
  const encrypt = () => guest.kms.send(new EncryptCommand({ KeyId: key.arn, Plaintext }))
  /** The one text for every foreign key that one may not use: it does not tell whether there is such a key. */
  const denial = (action: string) =>
    `User: ${rootOf(other)} is not authorized to perform: ${action} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`

  test('has an identity of its own', async () => {
    const identity = await guest.sts.send(new GetCallerIdentityCommand({}))
    assert.equal(identity.Account, other)
    assert.equal(identity.Arn, rootOf(other))
  })

  test('does not exist twice', async () => {
    await assert.rejects(createAccount(server.data, other), /exists already/)
  })

  test('may nothing until the key policy names it, and nothing more once it does not', async () => {
    await fails(encrypt(), 'AccessDeniedException', denial('kms:Encrypt'))
    for (let round = 0; round < 10; round++) {
      await put(allow(other, 'kms:Encrypt'))
      const { KeyId } = await encrypt()
      assert.equal(KeyId, key.arn)
      await put()
      await fails(encrypt(), 'AccessDeniedException', denial('kms:Encrypt'))
    }
  })

  test('may what is named and nothing else', async () => {
    await put(allow(other, 'kms:Encrypt', 'kms:GenerateDataKey*'))
    const { CiphertextBlob } = await encrypt()
    const size = { KeySpec: 'AES_256' } as const
    await guest.kms.send(new GenerateDataKeyCommand({ KeyId: key.arn, ...size }))
    await fails(
      guest.kms.send(new DecryptCommand({ CiphertextBlob })),
      'AccessDeniedException',
      denial('kms:Decrypt'),
    )
    await fails(
      guest.kms.send(new DescribeKeyCommand({ KeyId: key.arn })),
      'AccessDeniedException',
      denial('kms:DescribeKey'),
    )
  })

  test('is stopped by a Deny whatever else allows', async () => {
    await put(allow(other, 'kms:*'), deny(other, 'kms:Encrypt'))
    await fails(encrypt(), 'AccessDeniedException', denial('kms:Encrypt'))
    await guest.kms.send(new DescribeKeyCommand({ KeyId: key.arn }))
  })

  test('never manages a key that is not its own, whatever the policy says', async () => {
    await put(allow(other, 'kms:*'))
    await assert.rejects(
      guest.kms.send(new DisableKeyCommand({ KeyId: key.arn })),
      (error: Error) => /^(AccessDenied|NotFound|InvalidArn)Exception$/.test(error.name),
    )
    await assert.rejects(
      guest.kms.send(new CreateAliasCommand({ AliasName: 'alias/theirs', TargetKeyId: key.arn })),
      (error: Error) => /^(AccessDenied|NotFound|InvalidArn|Validation)Exception$/.test(error.name),
    )
    const { KeyMetadata } = await owner.kms.send(new DescribeKeyCommand({ KeyId: key.id }))
    assert.equal(KeyMetadata?.KeyState, 'Enabled')
  })

  test('cannot tell a key that it may not use from one that does not exist', async () => {
    await put()
    const absent = key.arn.replace(key.id, randomUUID())
    for (const KeyId of [key.arn, absent]) {
      await fails(
        guest.kms.send(new DescribeKeyCommand({ KeyId })),
        'AccessDeniedException',
        denial('kms:DescribeKey'),
      )
    }
  })

  test('reads a bare key id as one of its own', async () => {
    await put(allow(other, 'kms:*'))
    await fails(
      guest.kms.send(new EncryptCommand({ KeyId: key.id, Plaintext })),
      'NotFoundException',
      `Key 'arn:aws:kms:us-east-1:${other}:key/${key.id}' does not exist`,
    )
  })

  test('is in the record of both accounts when it may, and of its own alone when not', async () => {
    await put(allow(other, 'kms:Encrypt'))
    const allowed = present((await encrypt()).$metadata.requestId)
    await put()
    const denied = await encrypt().then(
      () => assert.fail('the call must be denied'),
      (error: { $metadata: { requestId?: string } }) => present(error.$metadata.requestId),
    )
    const events = await auditExport(server.data)
    const recipients = (requestId: string) =>
      events
        .filter((event) => event.requestID === requestId)
        .map((event) => event.recipientAccountId)
        .sort()
    assert.deepEqual(recipients(allowed), [server.account, other].sort())
    assert.deepEqual(recipients(denied), [other])
    const event = present(events.find(({ requestID }) => requestID === denied))
    assert.equal(event.errorCode, 'AccessDenied')
  })
})
