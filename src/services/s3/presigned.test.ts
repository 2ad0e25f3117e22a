import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  CreateBucketCommand,
  GetObjectCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import { presigned } from '../../authenticate/testing/s3-signer.ts'
import { listening } from '../../listener/testing/bench.ts'
import { House } from '../../testing/house.ts'

const at = { Bucket: 'urls', Key: 'k' }

test('a URL that an SDK presigned says what its headers would have said', async (t) => {
  const house = await House.open(t)
  // SDKs sign by the time of the machine.
  house.clock.time = Date.now()
  const { port } = await listening(
    t,
    {},
    {
      onRequest: (request, reply) => house.pipeline.accept(request, reply),
      streams: (head) => house.assembly.directory.streams(head),
      clock: house.clock,
    },
  )
  const { accessKeyId, secretAccessKey } = house.key
  const endpoint = `http://127.0.0.1:${port}`
  const s3 = new S3Client({
    ...{ endpoint, region: 'us-east-1', forcePathStyle: true, maxAttempts: 1 },
    credentials: { accessKeyId, secretAccessKey },
  })
  t.after(() => s3.destroy())
  await s3.send(new CreateBucketCommand({ Bucket: at.Bucket }))

  // The SDK says the CRC-32 of no body in the URL, as it has none yet.
  const Metadata = { colour: 'blue' }
  const url = await getSignedUrl(s3, new PutObjectCommand({ ...at, Metadata, Tagging: 'a=b' }))
  assert.match(url, /x-amz-checksum-crc32=AAAAAA/)
  const put = await fetch(url, { method: 'PUT', body: 'hello' })
  assert.equal(put.status, 200, await put.text())
  const head = await s3.send(new HeadObjectCommand(at))
  assert.deepEqual([head.Metadata, head.ContentLength], [Metadata, 5])

  const read = await getSignedUrl(s3, new GetObjectCommand({ ...at, ChecksumMode: 'ENABLED' }))
  assert.equal(await (await fetch(read)).text(), 'hello')
  const unknown = new URL(url)
  unknown.searchParams.set('x-amz-meta-colour', 'red')
  assert.equal((await fetch(unknown, { method: 'PUT', body: 'x' })).status, 403)
  const twice = await fetch(url, {
    ...{ method: 'PUT', body: 'x', headers: { 'x-amz-meta-colour': 'red' } },
  })
  assert.equal(twice.status, 403)

  const timestamp = new Date(house.clock.time).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const key = {
    accessKeyId,
    secret: secretAccessKey,
    region: 'us-east-1',
    service: 's3',
    timestamp,
  }
  const asked = async (query: Readonly<Record<string, string>>) => {
    const headers = { host: `127.0.0.1:${port}` }
    const target = presigned({ method: 'GET', path: '/urls/k', query, headers }, key, 60)
    const answer = await fetch(`${endpoint}${target}`)
    return [answer.status, /<Code>(\w+)</.exec(await answer.text())?.[1]]
  }
  assert.deepEqual(await asked({ 'x-amz-nothing': '1' }), [501, 'NotImplemented'])
  assert.deepEqual(await asked({ nothing: '1' }), [501, 'NotImplemented'])
  assert.deepEqual(await asked({ 'X-Amz-Checksum-Mode': 'ENABLED' }), [200, undefined])
  const both = { 'X-Amz-Checksum-Mode': 'ENABLED', 'x-amz-checksum-mode': 'ENABLED' }
  assert.deepEqual(await asked(both), [400, 'InvalidArgument'])
})
