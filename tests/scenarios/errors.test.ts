import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, describe, test } from 'node:test'
import {
  CancelKeyDeletionCommand,
  CreateAliasCommand,
  CreateKeyCommand,
  DecryptCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateRandomCommand,
  GetKeyPolicyCommand,
  ListResourceTagsCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import { type Clients, clientsOf } from '../support/clients.ts'
import { fails, present } from '../support/expect.ts'
import { policyOf, rootOf } from '../support/policies.ts'
import { newCredentials, TestServer } from '../support/server.ts'

/** Every refusal in AWS's own class and words, through the JS SDK. */
describe('errors', () => {
  let server: TestServer
  let clients: Clients
  let key: { id: string; arn: string }
  let CiphertextBlob: Uint8Array
  const Plaintext = Buffer.from('x')

  before(async () => {
    server = await TestServer.start({ regions: ['us-east-1', 'eu-central-1'] })
    clients = clientsOf(server)
    key = await newKey()
    const encrypted = await clients.kms.send(new EncryptCommand({ KeyId: key.id, Plaintext }))
    CiphertextBlob = present(encrypted.CiphertextBlob)
  })
  after(async () => {
    clients.destroy()
    await server.discard()
  })

  async function newKey() {
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
    return { id: present(KeyMetadata?.KeyId), arn: present(KeyMetadata?.Arn) }
  }

  const arnOf = (resource: string, region = 'us-east-1') =>
    `arn:aws:kms:${region}:${server.account}:${resource}`

  test('a key that does not exist', async () => {
    const absent = randomUUID()
    const text = `Key '${arnOf(`key/${absent}`)}' does not exist`
    for (const KeyId of [absent, arnOf(`key/${absent}`)]) {
      await fails(clients.kms.send(new DescribeKeyCommand({ KeyId })), 'NotFoundException', text)
      await fails(
        clients.kms.send(new EncryptCommand({ KeyId, Plaintext })),
        'NotFoundException',
        text,
      )
    }
    await fails(
      clients.kms.send(new CreateAliasCommand({ AliasName: 'alias/n', TargetKeyId: absent })),
      'NotFoundException',
      text,
    )
  })

  test('an identifier that is none', async () => {
    for (const KeyId of [
      'fake-key-id',
      'mrk-fake',
      key.id.replaceAll('-', ''),
      key.id.toUpperCase(),
    ]) {
      await fails(
        clients.kms.send(new DescribeKeyCommand({ KeyId })),
        'NotFoundException',
        `Invalid keyId '${KeyId}'`,
      )
    }
  })

  test('an ARN of another Region, and an empty or overlong identifier', async () => {
    await fails(
      clients.kms.send(new DescribeKeyCommand({ KeyId: arnOf(`key/${key.id}`, 'eu-central-1') })),
      'NotFoundException',
      'Invalid arn eu-central-1',
    )
    await fails(
      clients.kms.send(new DescribeKeyCommand({ KeyId: '' })),
      'ValidationException',
      "1 validation error detected: Value '' at 'keyId' failed to satisfy constraint: Member must have length greater than or equal to 1",
    )
    await fails(
      clients.kms.send(new DescribeKeyCommand({ KeyId: 'a'.repeat(2049) })),
      'ValidationException',
      /at 'keyId' failed to satisfy constraint: Member must have length less than or equal to 2048$/,
    )
  })

  test('aliases: absent, taken, misnamed, reserved', async () => {
    const AliasName = 'alias/taken'
    await fails(
      clients.kms.send(new DescribeKeyCommand({ KeyId: AliasName })),
      'NotFoundException',
      `Alias ${arnOf(AliasName)} is not found.`,
    )
    await fails(
      clients.kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId: key.id })),
      'NotFoundException',
      `Alias ${arnOf(AliasName)} is not found.`,
    )
    await fails(
      clients.kms.send(new DeleteAliasCommand({ AliasName })),
      'NotFoundException',
      `Alias ${arnOf(AliasName)} is not found.`,
    )
    await clients.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.id }))
    await fails(
      clients.kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: key.id })),
      'AlreadyExistsException',
      `An alias with the name ${arnOf(AliasName)} already exists`,
    )
    await fails(
      clients.kms.send(new CreateAliasCommand({ AliasName: 'taken', TargetKeyId: key.id })),
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
    await fails(
      clients.kms.send(new CreateAliasCommand({ AliasName: 'alias/aws/s3', TargetKeyId: key.id })),
      'NotAuthorizedException',
    )
    await fails(
      clients.kms.send(new GetKeyPolicyCommand({ KeyId: AliasName })),
      'NotFoundException',
      `Invalid keyId '${AliasName}'`,
    )
  })

  test('sizes and numbers out of range', async () => {
    await fails(
      clients.kms.send(new EncryptCommand({ KeyId: key.id, Plaintext: Buffer.alloc(4097) })),
      'ValidationException',
      "1 validation error detected: Value at 'plaintext' failed to satisfy constraint: Member must have length less than or equal to 4096",
    )
    await fails(
      clients.kms.send(new GenerateRandomCommand({ NumberOfBytes: 1025 })),
      'ValidationException',
      "1 validation error detected: Value '1025' at 'numberOfBytes' failed to satisfy constraint: Member must have value less than or equal to 1024",
    )
    await fails(
      clients.kms.send(new GenerateRandomCommand({})),
      'ValidationException',
      'NumberOfBytes is required.',
    )
    for (const size of [{}, { KeySpec: 'AES_256', NumberOfBytes: 32 } as const]) {
      await fails(
        clients.kms.send(new GenerateDataKeyCommand({ KeyId: key.id, ...size })),
        'ValidationException',
        'Please specify either number of bytes or key spec.',
      )
    }
    await fails(
      clients.kms.send(new ScheduleKeyDeletionCommand({ KeyId: key.id, PendingWindowInDays: 6 })),
      'ValidationException',
    )
    await fails(
      // @ts-expect-error a key spec that AWS does not have
      clients.kms.send(new CreateKeyCommand({ KeySpec: 'ROT_13' })),
      'ValidationException',
      /^1 validation error detected: Value 'ROT_13' at 'keySpec' failed to satisfy constraint: Member must satisfy enum value set: \[/,
    )
  })

  test('what is not offered is refused, never ignored', async () => {
    const CustomKeyStoreId = 'cks-1234567890abcdef0'
    const refused = [
      [{ KeySpec: 'SM2', KeyUsage: 'SIGN_VERIFY' }, 'UnsupportedOperationException'],
      [
        { KeySpec: 'ML_DSA_44', KeyUsage: 'SIGN_VERIFY', Origin: 'EXTERNAL' },
        'UnsupportedOperationException',
      ],
      [{ CustomKeyStoreId }, 'ValidationException'],
      [{ CustomKeyStoreId, Origin: 'AWS_CLOUDHSM' }, 'CustomKeyStoreNotFoundException'],
    ] as const
    for (const [input, name] of refused) {
      await fails(clients.kms.send(new CreateKeyCommand(input)), name)
    }
  })

  test('ciphertexts that do not open say nothing of why', async () => {
    const altered = Buffer.from(CiphertextBlob)
    altered.writeUInt8(altered.readUInt8(altered.length - 1) ^ 1, altered.length - 1)
    const blobs = [
      Buffer.from('garbage'),
      altered,
      CiphertextBlob.subarray(0, -1),
      Buffer.alloc(6144),
    ]
    for (const blob of blobs) {
      await fails(
        clients.kms.send(new DecryptCommand({ CiphertextBlob: blob })),
        'InvalidCiphertextException',
      )
    }
    const other = await newKey()
    await fails(
      clients.kms.send(new DecryptCommand({ CiphertextBlob, KeyId: other.id })),
      'IncorrectKeyException',
      'The key ID in the request does not identify a CMK that can perform this operation.',
    )
  })

  test('tags', async () => {
    const tag = (...Tags: { TagKey: string; TagValue: string }[]) =>
      clients.kms.send(new TagResourceCommand({ KeyId: key.id, Tags }))
    const one = { TagKey: 'a', TagValue: '1' }
    await fails(tag(one, one), 'TagException', 'Duplicate tag keys')
    await fails(
      tag({ TagKey: 'aws:mine', TagValue: '' }),
      'TagException',
      'Tags beginning with aws: are reserved',
    )
    const many = Array.from({ length: 51 }, (_, n) => ({ TagKey: `t${n}`, TagValue: '' }))
    await fails(tag(...many), 'TagException', 'Too many tags')
    await fails(
      tag({ TagKey: 'b', TagValue: 'v'.repeat(257) }),
      'ValidationException',
      /at 'tags\.1\.member\.tagValue' failed to satisfy constraint: Member must have length less than or equal to 256$/,
    )
    const { Tags } = await clients.kms.send(new ListResourceTagsCommand({ KeyId: key.id }))
    assert.deepEqual(Tags, [], 'a refused request changes nothing')
  })

  test('policies: malformed, of nobody, and such that would lock everybody out', async () => {
    const own = await newKey()
    const put = (Policy: string, bypass = false) =>
      clients.kms.send(
        new PutKeyPolicyCommand({
          KeyId: own.id,
          Policy,
          ...(bypass ? { BypassPolicyLockoutSafetyCheck: true } : {}),
        }),
      )
    const statement = {
      Effect: 'Allow',
      Principal: { AWS: rootOf(server.account) },
      Action: 'kms:DescribeKey',
      Resource: '*',
    }
    const locked = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
    await fails(put('{'), 'MalformedPolicyDocumentException')
    await fails(put('[]'), 'MalformedPolicyDocumentException')
    await fails(
      put(locked),
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    )
    const nobody = { ...statement, Principal: { AWS: 'arn:aws:iam::nobody:root' } }
    await fails(
      put(JSON.stringify({ Version: '2012-10-17', Statement: [statement, nobody] })),
      'MalformedPolicyDocumentException',
    )
    await fails(
      clients.kms.send(new CreateKeyCommand({ Policy: locked })),
      'MalformedPolicyDocumentException',
      'The new key policy will not allow you to update the key policy in the future.',
    )
    // Said in words that it is meant, it is done; and it binds the root user too.
    await put(locked, true)
    await fails(
      put(policyOf(server.account)),
      'AccessDeniedException',
      new RegExp(
        `^User: ${rootOf(server.account)} is not authorized to perform: kms:PutKeyPolicy on resource: ${own.arn} because no resource-based policy allows the kms:PutKeyPolicy action$`,
      ),
    )
    const { KeyMetadata } = await clients.kms.send(new DescribeKeyCommand({ KeyId: own.id }))
    assert.equal(KeyMetadata?.KeyId, own.id)
  })

  test('deletion that was not scheduled, and a key that waits for it', async () => {
    const own = await newKey()
    await fails(
      clients.kms.send(new CancelKeyDeletionCommand({ KeyId: own.id })),
      'KMSInvalidStateException',
      `${own.arn} is not pending deletion.`,
    )
    await clients.kms.send(new ScheduleKeyDeletionCommand({ KeyId: own.id }))
    await fails(
      clients.kms.send(new DisableKeyCommand({ KeyId: own.id })),
      'KMSInvalidStateException',
      `${own.arn} is pending deletion.`,
    )
  })

  test('Regions are worlds of their own', async () => {
    const elsewhere = clientsOf(server, server.credentials, 'eu-central-1')
    try {
      await fails(
        elsewhere.kms.send(new DescribeKeyCommand({ KeyId: key.id })),
        'NotFoundException',
        `Key '${arnOf(`key/${key.id}`, 'eu-central-1')}' does not exist`,
      )
      await assert.rejects(
        elsewhere.kms.send(new DecryptCommand({ CiphertextBlob })),
        (error: Error) => /^(InvalidCiphertext|AccessDenied|NotFound)Exception$/.test(error.name),
      )
      const { KeyMetadata } = await elsewhere.kms.send(new CreateKeyCommand({}))
      assert.match(present(KeyMetadata?.Arn), /^arn:aws:kms:eu-central-1:/)
    } finally {
      elsewhere.destroy()
    }
  })

  test('who signs wrongly learns that, and nothing else', async () => {
    const stranger = clientsOf(server, newCredentials())
    const impostor = clientsOf(server, {
      ...newCredentials(),
      accessKeyId: server.credentials.accessKeyId,
    })
    try {
      await fails(
        stranger.kms.send(new DescribeKeyCommand({ KeyId: key.id })),
        'UnrecognizedClientException',
        'The security token included in the request is invalid.',
      )
      await fails(
        impostor.kms.send(new DescribeKeyCommand({ KeyId: randomUUID() })),
        'InvalidSignatureException',
        'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
      )
    } finally {
      stranger.destroy()
      impostor.destroy()
    }
  })
})
