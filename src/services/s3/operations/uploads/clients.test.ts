import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import {
  type ChecksumAlgorithm,
  CopyObjectCommand,
  GetObjectAttributesCommand,
  GetObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3'
import { Upload } from '@aws-sdk/lib-storage'
import { listening } from '../../../../listener/testing/bench.ts'
import { region } from '../../../../testing/house.ts'
import { openWithBucket } from '../../testing/objects.ts'

/** AWS's own client, before a listener as they are. */
async function open(t: TestContext, config: S3ClientConfig = {}) {
  const house = await openWithBucket(t)
  house.clock.time = Date.now()
  const { port } = await listening(
    t,
    {},
    {
      // The client takes the time of its requests from the answers.
      clock: house.clock,
      onRequest: (request, reply) => house.pipeline.accept(request, reply),
      streams: (head) => house.assembly.directory.streams(head),
    },
  )
  const client = new S3Client({
    ...{ region, endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true, maxAttempts: 1 },
    credentials: house.key,
    ...config,
  })
  t.after(() => client.destroy())
  return { house, client, port }
}

async function bytesOf(client: S3Client, Key: string): Promise<Buffer> {
  const { Body } = await client.send(new GetObjectCommand({ Bucket: 'bucket', Key }))
  assert.ok(Body !== undefined)
  return Buffer.from(await Body.transformToByteArray())
}

const bytes = randomBytes(12 * 1024 ** 2 + 345)

function* pieces() {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000)
}

test('uploads in parts as AWS’s client sends them, of a stream and of bytes', async (t) => {
  const { house, client, port } = await open(t)
  const KeyId = await house.newKey()
  for (const [Key, more] of [
    ['plain file', { Body: Readable.from(pieces()) }],
    ['kms', { ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId } as const],
    ['sha256', { ChecksumAlgorithm: 'SHA256' as ChecksumAlgorithm }],
    ['crc64', { ChecksumAlgorithm: 'CRC64NVME' as ChecksumAlgorithm }],
  ] as const) {
    const params = { Bucket: 'bucket', Key, Body: bytes, ContentType: 'text/x', ...more }
    const done = await new Upload({ client, params, queueSize: 3 }).done()
    assert.match(done.ETag ?? '', /^"[0-9a-f]{32}-3"$/)
    assert.equal(done.Location, `http://127.0.0.1:${port}/bucket/${encodeURIComponent(Key)}`)
    assert.ok((await bytesOf(client, Key)).equals(bytes), Key)
  }
  const attributes = await client.send(
    new GetObjectAttributesCommand({
      ...{ Bucket: 'bucket', Key: 'sha256' },
      ObjectAttributes: ['Checksum', 'ObjectParts', 'ObjectSize'],
    }),
  )
  assert.equal(attributes.ObjectSize, bytes.length)
  assert.match(attributes.Checksum?.ChecksumSHA256 ?? '', /-3$/)
  assert.equal(attributes.ObjectParts?.Parts?.length, 3)
})

test('an upload under a customer’s key', async (t) => {
  const { client } = await open(t)
  const SSECustomerKey = randomBytes(32).toString('base64')
  const customer = { SSECustomerAlgorithm: 'AES256', SSECustomerKey }
  const params = { Bucket: 'bucket', Key: 'mine', Body: bytes, ...customer }
  await new Upload({ client, params }).done()
  const { Body } = await client.send(
    new GetObjectCommand({ Bucket: 'bucket', Key: 'mine', ...customer }),
  )
  assert.ok(Buffer.from((await Body?.transformToByteArray()) ?? []).equals(bytes))
  await client.send(
    new CopyObjectCommand({
      ...{ Bucket: 'bucket', Key: 'open', CopySource: 'bucket/mine' },
      ...{ CopySourceSSECustomerAlgorithm: 'AES256', CopySourceSSECustomerKey: SSECustomerKey },
    }),
  )
  assert.ok((await bytesOf(client, 'open')).equals(bytes))
})

test('an upload of which a part fails is aborted by the client, and leaves nothing', async (t) => {
  const { house, client } = await open(t)
  const KeyId = await house.newKey()
  const params = {
    ...{ Bucket: 'bucket', Key: 'k', Body: bytes },
    ...({ ServerSideEncryption: 'aws:kms', SSEKMSKeyId: KeyId } as const),
  }
  const upload = new Upload({ client, params, queueSize: 1 })
  upload.once('httpUploadProgress', () => void house.ok('DisableKey', { KeyId }))
  await assert.rejects(upload.done(), { name: 'KMS.DisabledException' })
  const events = house.journal.events.map(({ eventName }) => eventName)
  assert.equal(events.at(-1), 'AbortMultipartUpload')
  const bucket = house.tables.s3.get('bucket')
  const { uploads } = await house.objects.listUploads(bucket?.storeId ?? '', { prefix: '', max: 9 })
  assert.deepEqual(uploads, [])
})
