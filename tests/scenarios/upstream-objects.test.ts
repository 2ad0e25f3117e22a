import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { TestServer, temporaryFolder } from '../support/server.ts'

/** One server keeps the bytes for the other: the real service with its permissions, over a real S3 engine. */
let upstream: TestServer
let folder: string
const bucket = 'bodies'

before(async () => {
  folder = temporaryFolder()
  upstream = await TestServer.start()
  await clientOf(upstream).send(new CreateBucketCommand({ Bucket: bucket }))
})
after(async () => {
  await upstream?.discard()
  rmSync(folder, { recursive: true, force: true })
})

function clientOf(server: TestServer): S3Client {
  const { endpoint, region, credentials } = server
  return new S3Client({ endpoint, region, credentials, forcePathStyle: true, maxAttempts: 1 })
}

function environment(secret: string): Readonly<Record<string, string>> {
  const secretFile = join(folder, 'secret')
  writeFileSync(secretFile, `${secret}\n`, { mode: 0o600 })
  return {
    KAGIBAN_OBJECTS: 's3',
    KAGIBAN_OBJECTS_ENDPOINT: upstream.endpoint,
    KAGIBAN_OBJECTS_BUCKET: bucket,
    KAGIBAN_OBJECTS_PREFIX: 'of-kagiban/',
    KAGIBAN_OBJECTS_REGION: upstream.region,
    KAGIBAN_OBJECTS_ACCESS_KEY_ID: upstream.credentials.accessKeyId,
    KAGIBAN_OBJECTS_SECRET_FILE: secretFile,
  }
}

test('a service whose engine lets it not in does not start, and shows no secret', async () => {
  const start = TestServer.start({ environment: environment('of another access key') })
  await assert.rejects(start, (error) => {
    const text = String(error)
    assert.match(text, /Kagiban cannot start: The objects of .* in the bucket 'bodies' at http/)
    assert.match(text, /stdout: ;/, 'nothing was founded')
    assert.doesNotMatch(text, /of another access key/)
    return true
  })
})

test('objects are put and got, over a restart, and the engine sees ciphertext alone', async () => {
  const secret = upstream.credentials.secretAccessKey
  const server = await TestServer.start({ environment: environment(secret) })
  try {
    const body = Buffer.alloc(300_000, 'a line that nobody else may read\n')
    const object = { Bucket: 'ledger', Key: 'year/2026' }
    await clientOf(server).send(new CreateBucketCommand({ Bucket: 'ledger' }))
    await clientOf(server).send(new PutObjectCommand({ ...object, Body: body }))
    await server.stop()
    await server.restart()
    const got = await clientOf(server).send(new GetObjectCommand(object))
    assert.ok(body.equals((await got.Body?.transformToByteArray()) ?? Buffer.alloc(0)))
    const engine = clientOf(upstream)
    const { Contents = [] } = await engine.send(new ListObjectsV2Command({ Bucket: bucket }))
    const large = Contents.filter(({ Size = 0 }) => Size >= body.length)
    assert.equal(large.length, 1)
    assert.ok(Contents.every(({ Key }) => Key?.startsWith('of-kagiban/')))
    const kept = await engine.send(new GetObjectCommand({ Bucket: bucket, Key: large[0]?.Key }))
    const bytes = Buffer.from((await kept.Body?.transformToByteArray()) ?? [])
    assert.ok(bytes.length >= body.length)
    assert.equal(bytes.indexOf('nobody else'), -1)
  } finally {
    await server.discard()
  }
})
