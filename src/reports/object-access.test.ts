import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JournalEngine } from '../journal/engine.ts'
import { LookupIndex } from '../journal/lookup/lookup-index.ts'
import { nodeFiles } from '../journal/node-files.ts'
import type { GrantUse, KeyUse } from '../journal/port.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../journal/testing/fixtures.ts'
import { bucketOf, objectAccess, objectNamed } from './object-access.ts'
import { type Event, eventsOf, type Sources } from './sources.ts'

const account = '111122223333'
const region = 'us-east-1'
const object = 'arn:aws:s3:::reports/2026/q1.pdf'
const key = `arn:aws:kms:${region}:${account}:key/one`
const start = Date.UTC(2026, 0, 1)
const bob = {
  type: 'AssumedRole',
  arn: `arn:aws:sts::${account}:assumed-role/app/i-1`,
  accountId: account,
  sessionContext: {
    sourceIdentity: 'bob@example.com',
    sessionIssuer: { type: 'Role', arn: `arn:aws:iam::${account}:role/app` },
  },
}

function eventOf(second: number, members: object) {
  return {
    userIdentity: bob,
    eventTime: new Date(start + second * 1000).toISOString().replace('.000Z', 'Z'),
    awsRegion: region,
    sourceIPAddress: '192.0.2.7',
    eventID: randomUUID(),
    recipientAccountId: account,
    ...members,
  }
}

/** As S3 records an access to an object. */
function data(second: number, eventName: string, requestID: string, more: object = {}) {
  return eventOf(second, {
    ...{ eventSource: 's3.amazonaws.com', eventName, requestID },
    requestParameters: { bucketName: 'reports', key: '2026/q1.pdf' },
    additionalEventData: { bytesTransferredOut: 1234, SSEApplied: 'SSE_KMS' },
    resources: [
      { type: 'AWS::S3::Object', ARN: object },
      { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::reports' },
    ],
    ...{ readOnly: true, managementEvent: false, eventCategory: 'Data' },
    ...more,
  })
}

/** As KMS records a call; one that S3 makes for its caller names the caller's request. */
function call(second: number, context: string, callingRequestID?: string) {
  return eventOf(second, {
    ...{ eventSource: 'kms.amazonaws.com', eventName: 'Decrypt', requestID: randomUUID() },
    requestParameters: { encryptionContext: { 'aws:s3:arn': context } },
    ...(callingRequestID !== undefined && {
      additionalEventData: { callingService: 's3.amazonaws.com', callingRequestID },
    }),
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: key }],
    ...{ readOnly: true, managementEvent: true, eventCategory: 'Management' },
  })
}

function sourcesOf(context: TestContext, events: readonly object[]): Sources {
  const folder = temporaryDirectory(context)
  const engine = new JournalEngine(nodeFiles, {
    directory: join(folder, 'journal', 'main'),
    newOrigin: 'kagiban/main/00000000-0000-4000-8000-000000000000',
    publicKey,
    segmentBytes: 64 * 1024,
  })
  context.after(() => engine.close())
  appendBatch(
    engine,
    events.map((event) => JSON.stringify(event)),
  )
  const index = new LookupIndex({
    ...{ journals: join(folder, 'journal'), file: join(folder, 'index.db'), files: nodeFiles },
    ...{ retentionDays: 366, shownDays: 90, clock: { now: () => start + 200 * 86_400_000 } },
  })
  context.after(() => index.close())
  return {
    lookup: {
      find: async (query) => index.find(query),
      uses: async (query) => index.answer({ kind: 'uses', query }) as readonly KeyUse[],
      grantUses: async (query) => index.answer({ kind: 'grantUses', query }) as readonly GrantUse[],
    },
    progress: () => {},
  }
}

async function accessTo(sources: Sources, arn: string) {
  const where = {
    ...{ accounts: [account, '999999999999'], regions: [region, 'eu-west-1'] },
    period: { since: start, until: start + 100_000 },
  }
  const all = (events: AsyncGenerator<Event>) => Array.fromAsync(events)
  return objectAccess(
    {
      data: await all(eventsOf(sources, where, { key: 'ResourceName', value: arn }, 'Data')),
      object: await all(eventsOf(sources, where, { key: 'ContextArn', value: arn })),
      bucket: await all(eventsOf(sources, where, { key: 'ContextArn', value: bucketOf(arn) })),
    },
    100,
  )
}

test('each access stands with the call of KMS that opened the object', async (context) => {
  const read = data(1, 'GetObject', 'r1')
  const opened = call(1, object, 'r1')
  const covered = data(2, 'GetObject', 'r2')
  const forBucket = call(2, 'arn:aws:s3:::reports', 'r2')
  const bare = data(3, 'HeadObject', 'r3')
  const denied = data(4, 'GetObject', 'r4', { errorCode: 'AccessDenied' })
  const own = call(5, object)
  const others = [
    call(6, 'arn:aws:s3:::reports/other', 'r9'),
    call(6, 'arn:aws:s3:::reports', 'r9'),
    data(6, 'GetObject', 'r9', { resources: [{ ARN: 'arn:aws:s3:::reports/other' }] }),
    data(200_000, 'GetObject', 'late'),
  ]
  const events = [read, opened, covered, forBucket, bare, denied, own, ...others]
  const { rows, summary } = await accessTo(sourcesOf(context, events), object)
  const brief = rows.map((row) =>
    ['operation', 'outcome', 'how', 'key', 'eventId', 'keyEvents'].map((name) => row[name]),
  )
  assert.deepEqual(brief, [
    ['kms:Decrypt', 'allowed', 'by the caller itself', key, own.eventID, own.eventID],
    ['s3:GetObject', 'denied', 'none', undefined, denied.eventID, ''],
    ['s3:HeadObject', 'allowed', 'none', undefined, bare.eventID, ''],
    ['s3:GetObject', 'allowed', 'bucket key', key, covered.eventID, forBucket.eventID],
    ['s3:GetObject', 'allowed', 'object', key, read.eventID, opened.eventID],
  ])
  const [, , , , first] = rows
  assert.equal(first?.['sourceIdentity'], 'bob@example.com')
  assert.equal(first?.['role'], `arn:aws:iam::${account}:role/app`)
  assert.equal(first?.['bytesOut'], 1234)
  assert.deepEqual(summary, { accesses: 5, denied: 1, withoutKeyCall: 2, coveredByBucketKey: 1 })
})

test('data events are no management events, and back', async (context) => {
  const sources = sourcesOf(context, [data(1, 'GetObject', 'r1'), call(1, object, 'r1')])
  const range = { account, region, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 50, older: true }
  const namesOf = async (category?: 'Data' | 'Management') => {
    const { records } = await sources.lookup.find({ ...range, category })
    return records.map((record) => (JSON.parse(record) as Event).eventName)
  }
  assert.deepEqual(await namesOf(), ['Decrypt'])
  assert.deepEqual(await namesOf('Management'), ['Decrypt'])
  assert.deepEqual(await namesOf('Data'), ['GetObject'])
  const shown = { ...range, older: undefined }
  assert.deepEqual((await sources.lookup.find(shown)).records, [], 'LookupEvents shows 90 days')
})

test('an object is named by its ARN or its address', () => {
  assert.equal(objectNamed('s3://reports/2026/q1.pdf'), object)
  assert.equal(objectNamed(object), object)
  for (const text of ['', 's3://', 's3://b', 's3://b/', 'b/k', 'arn:aws:s3:::b', key]) {
    assert.equal(objectNamed(text), undefined, text)
  }
  assert.equal(bucketOf(object), 'arn:aws:s3:::reports')
})
