import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { LookupEventsCommand } from '@aws-sdk/client-cloudtrail'
import {
  CreateAccessKeyCommand,
  CreateUserCommand,
  PutUserPolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import type { Report } from '../../src/reports/report.ts'
import { auditExport, kagiban, kagibanOk } from '../support/cli.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { TestServer } from '../support/server.ts'
import type { Credentials } from '../support/signer.ts'

const Bucket = 'ledger'
const Key = '2026/q1.pdf'

function s3Of({ endpoint, region }: TestServer, credentials: Credentials): S3Client {
  return new S3Client({ endpoint, region, credentials, maxAttempts: 1, forcePathStyle: true })
}

async function newReader({ iam }: Clients): Promise<Credentials> {
  const UserName = 'reader'
  await iam.send(new CreateUserCommand({ UserName }))
  const Statement = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement })
  await iam.send(new PutUserPolicyCommand({ UserName, PolicyName: 's3', PolicyDocument }))
  const { AccessKey } = await iam.send(new CreateAccessKeyCommand({ UserName }))
  return {
    accessKeyId: AccessKey?.AccessKeyId ?? '',
    secretAccessKey: AccessKey?.SecretAccessKey ?? '',
  }
}

/** Puts, reads, is denied for want of the key, and deletes. */
async function play(server: TestServer): Promise<string> {
  const clients = clientsOf(server)
  const s3 = s3Of(server, server.credentials)
  const other = s3Of(server, await newReader(clients))
  try {
    const { KeyMetadata } = await clients.kms.send(new CreateKeyCommand({}))
    await s3.send(new CreateBucketCommand({ Bucket }))
    const SSEKMSKeyId = KeyMetadata?.KeyId ?? ''
    const Body = Buffer.alloc(100_000, 'x')
    await s3.send(
      new PutObjectCommand({ Bucket, Key, Body, ServerSideEncryption: 'aws:kms', SSEKMSKeyId }),
    )
    const { Body: read } = await s3.send(new GetObjectCommand({ Bucket, Key }))
    assert.equal((await read?.transformToByteArray())?.length, 100_000)
    await assert.rejects(other.send(new GetObjectCommand({ Bucket, Key })), {
      name: 'AccessDenied',
    })
    await s3.send(new DeleteObjectCommand({ Bucket, Key }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'other', Body: 'text' }))
    const { Events = [] } = await clients.cloudtrail.send(new LookupEventsCommand({}))
    const names = new Set(Events.map(({ EventName }) => EventName))
    for (const name of ['GenerateDataKey', 'Decrypt', 'CreateBucket']) assert.ok(names.has(name))
    for (const name of ['PutObject', 'GetObject', 'DeleteObject']) assert.ok(!names.has(name))
    return KeyMetadata?.Arn ?? ''
  } finally {
    s3.destroy()
    other.destroy()
    clients.destroy()
  }
}

describe('who came to an object', () => {
  test('is reported with the calls of KMS that opened it', async () => {
    const server = await TestServer.start()
    try {
      const arn = await play(server)
      const asked = ['report', 'object-access', '--data', server.data]
      const report = async (...args: string[]) =>
        JSON.parse(await kagibanOk(...asked, '--json', ...args)) as Report
      const one = await report(`s3://${Bucket}/${Key}`)
      const root = `arn:aws:iam::${server.account}:root`
      const reader = `arn:aws:iam::${server.account}:user/reader`
      const brief = one.rows.map((row) => [
        ...['operation', 'principal', 'outcome', 'how', 'keyOperation', 'keyError', 'key'].map(
          (name) => row[name],
        ),
      ])
      const none = undefined
      const expected = [
        ['s3:PutObject', root, 'allowed', 'object', 'GenerateDataKey', none, arn],
        ['s3:GetObject', root, 'allowed', 'object', 'Decrypt', none, arn],
        ['s3:GetObject', reader, 'denied', 'object', 'Decrypt', 'AccessDenied', arn],
        ['s3:DeleteObject', root, 'allowed', 'none', none, none, none],
      ]
      // Within one second their order is not the report's.
      const inOrder = (rows: readonly unknown[]) => rows.map((row) => JSON.stringify(row)).sort()
      assert.deepEqual(inOrder(brief), inOrder(expected))
      const of = (name: string) => one.rows.find(({ operation }) => operation === name)
      assert.deepEqual(
        [of('s3:PutObject')?.['bytesIn'], of('s3:PutObject')?.['bytesOut']],
        [...[100_000, 0]],
      )
      assert.equal(of('s3:PutObject')?.['encryption'], 'SSE_KMS')
      assert.equal(of('s3:PutObject')?.['sourceIp'], '127.0.0.1')
      assert.equal(one.summary['denied'], 1)
      const record = await auditExport(server.data)
      for (const row of one.rows) {
        const event = record.find(({ eventID }) => eventID === row['eventId'])
        assert.equal(event?.requestID, row['requestId'])
        for (const id of String(row['keyEvents']).split(' ').filter(Boolean)) {
          const call = record.find(({ eventID }) => eventID === id)
          const { callingRequestID } = (call?.additionalEventData ?? {}) as Record<string, unknown>
          assert.equal(callingRequestID, row['requestId'])
        }
      }

      const all = await report('--object', `s3://${Bucket}/*`)
      assert.deepEqual([all.rows.length, all.summary['objects']], [5, 2])
      assert.deepEqual((await report(`s3://${Bucket}/*`, '--until', '1h')).rows, [])
      const text = await kagibanOk(...asked, `s3://${Bucket}/${Key}`)
      assert.match(text, /^Who came to /)
      assert.match(text, /s3:GetObject +arn:aws:s3:::ledger\/2026\/q1\.pdf .* denied +AccessDenied/)

      for (const args of [[], ['a', 'b'], [`s3://${Bucket}/a`, '--object', 's3://b/c']]) {
        const { code } = await kagiban(...asked, ...args)
        assert.equal(code, args.length === 0 ? 1 : 2, args.join(' '))
      }
      const wrong = await kagiban('report', 'key-use', 's3://b/k', '--data', server.data)
      assert.deepEqual([wrong.code, wrong.stdout], [2, ''])
      const unnamed = await kagiban(...asked, `s3://${Bucket}`)
      assert.equal(unnamed.code, 1)
      assert.match(unnamed.stderr, /An object is s3:\/\/BUCKET\/KEY/)
    } finally {
      await server.discard()
    }
  })
})
