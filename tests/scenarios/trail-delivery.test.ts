import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import {
  CreateTrailCommand,
  GetTrailStatusCommand,
  StartLoggingCommand,
} from '@aws-sdk/client-cloudtrail'
import { CreateKeyCommand, GenerateRandomCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketPolicyCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { kagibanOk } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { TestServer } from '../support/server.ts'

const bucket = 'trail-files'
const environment = { KAGIBAN_TRAIL_DELIVERY_SECONDS: '1', KAGIBAN_TRAIL_DIGEST_SECONDS: '2' }

describe('delivery to trails, in the real service', () => {
  let server: TestServer

  before(async () => {
    server = await TestServer.start({ environment })
    // The lock is taken a second after the start.
    await sleep(1500)
  })
  after(async () => {
    await server.discard()
  })

  async function status(): Promise<Readonly<Record<string, unknown>>> {
    const text = await kagibanOk('status', '--json', '--data', server.data)
    return JSON.parse(text) as Readonly<Record<string, unknown>>
  }

  test('its thread runs and holds the lock, and nothing fails', async () => {
    const { trails, objectsHealthy } = await status()
    assert.deepEqual(trails, { delivers: true, trails: 0, lagMs: 0, failures: [] })
    assert.equal(objectsHealthy, true)
  })

  test('it ends and begins again with the service', async () => {
    assert.deepEqual(await server.stop(), { code: 0, signal: null })
    await server.restart()
    await sleep(1500)
    assert.equal(((await status())['trails'] as { delivers: boolean }).delivers, true)
  })

  test('every event once, whenever the service is killed', async () => {
    let clients = await opened()
    const asked: (string | undefined)[] = []
    for (let kills = 0; kills < 3; kills++) {
      const until = performance.now() + 1500 + kills * 300
      while (performance.now() < until) {
        const { $metadata } = await clients.kms.send(
          new GenerateRandomCommand({ NumberOfBytes: 1 }),
        )
        asked.push($metadata.requestId)
        await sleep(20)
      }
      clients.destroy()
      await server.kill9()
      await server.restart()
      clients = clientsOf(server)
    }
    const end = performance.now() + 30_000
    for (;;) {
      const found = await delivered()
      const missing = asked.filter((id) => !found.includes(id ?? ''))
      if (missing.length === 0) {
        assert.equal(new Set(found).size, found.length, 'none twice')
        break
      }
      assert.ok(performance.now() < end, `${missing.length} of ${asked.length} are missing`)
      await sleep(500)
    }
    const shown = await clients.cloudtrail.send(new GetTrailStatusCommand({ Name: 'main' }))
    assert.equal(shown.LatestDeliveryError, undefined)
    clients.destroy()
  })

  /** A bucket, and a trail that logs to it. */
  async function opened(): Promise<Clients> {
    const clients = clientsOf(server)
    const s3 = s3Client()
    await clients.kms.send(new CreateKeyCommand({}))
    await s3.send(new CreateBucketCommand({ Bucket: bucket }))
    const allow = (Action: string, Resource: string) => ({
      ...{ Effect: 'Allow', Principal: { Service: 'cloudtrail.amazonaws.com' } },
      ...{ Action, Resource },
    })
    const Policy = JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        allow('s3:GetBucketAcl', `arn:aws:s3:::${bucket}`),
        allow('s3:PutObject', `arn:aws:s3:::${bucket}/AWSLogs/${server.account}/*`),
      ],
    })
    await s3.send(new PutBucketPolicyCommand({ Bucket: bucket, Policy }))
    s3.destroy()
    await clients.cloudtrail.send(
      new CreateTrailCommand({
        ...{ Name: 'main', S3BucketName: bucket, EnableLogFileValidation: true },
      }),
    )
    await clients.cloudtrail.send(new StartLoggingCommand({ Name: 'main' }))
    return clients
  }

  const s3Client = () =>
    new S3Client({
      ...{ endpoint: server.endpoint, region: server.region, credentials: server.credentials },
      forcePathStyle: true,
    })

  /** The request ids of all GenerateRandom in the bucket. */
  async function delivered(): Promise<readonly string[]> {
    const s3 = s3Client()
    const found: string[] = []
    const listed = await s3.send(new ListObjectsV2Command({ Bucket: bucket }))
    assert.equal(listed.IsTruncated, false)
    for (const { Key = '' } of listed.Contents ?? []) {
      if (Key.includes('/CloudTrail-Digest/')) continue
      const { Body } = await s3.send(new GetObjectCommand({ Bucket: bucket, Key }))
      const text = gunzipSync((await Body?.transformToByteArray()) ?? assert.fail(Key)).toString()
      const { Records } = JSON.parse(text) as {
        Records: { eventName: string; requestID?: string }[]
      }
      for (const { eventName, requestID = '' } of Records) {
        if (eventName === 'GenerateRandom') found.push(requestID)
      }
    }
    s3.destroy()
    return found
  }
})
