import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { JournalEngine } from '../journal/engine.ts'
import { LookupIndex } from '../journal/lookup/lookup-index.ts'
import { nodeFiles } from '../journal/node-files.ts'
import type { GrantUse, KeyUse } from '../journal/port.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../journal/testing/fixtures.ts'
import { objectAccess } from './object-access.ts'
import { objectEvents } from './object-events.ts'
import { type ObjectName, objectNamed } from './object-name.ts'
import type { Event, Sources } from './sources.ts'

const account = '111122223333'
const owner = '999999999999'
const region = 'us-east-1'
const object = 'arn:aws:s3:::reports/2026/q1.pdf'
const key = `arn:aws:kms:${region}:${account}:key/one`
const start = Date.UTC(2026, 0, 1)
const bob = {
  type: 'AssumedRole',
  principalId: 'AROAAPP:i-1',
  arn: `arn:aws:sts::${account}:assumed-role/app/i-1`,
  accountId: account,
  accessKeyId: 'ASIABOB',
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
    additionalEventData: {
      ...{ bytesTransferredIn: 0, bytesTransferredOut: 1234, SSEApplied: 'SSE_KMS' },
    },
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

async function accessTo(sources: Sources, text: string, limit = 100) {
  const period = { since: start, until: start + 100_000 }
  const where = {
    ...{ accounts: [account, owner], regions: [region, 'eu-west-1'], period },
  }
  const name = objectNamed(text)
  assert.ok(name !== undefined)
  const found = await objectEvents(sources, where, name, limit)
  return objectAccess(found, name, { period, limit })
}

const brief = ({ rows }: Awaited<ReturnType<typeof accessTo>>, ...names: readonly string[]) =>
  rows.map((row) => names.map((name) => row[name]))

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
  const report = await accessTo(sourcesOf(context, events), object)
  const { rows, summary } = report
  const names = ['operation', 'outcome', 'how', 'key', 'eventId', 'keyEvents']
  assert.deepEqual(brief(report, ...names), [
    ['kms:Decrypt', 'allowed', 'by the caller itself', key, own.eventID, own.eventID],
    ['s3:GetObject', 'denied', 'none', undefined, denied.eventID, ''],
    ['s3:HeadObject', 'allowed', 'none', undefined, bare.eventID, ''],
    ['s3:GetObject', 'allowed', 'bucket key', key, covered.eventID, forBucket.eventID],
    ['s3:GetObject', 'allowed', 'object', key, read.eventID, opened.eventID],
  ])
  const [, , , , first] = rows
  assert.equal(first?.['sourceIdentity'], 'bob@example.com')
  assert.equal(first?.['role'], `arn:aws:iam::${account}:role/app`)
  assert.deepEqual([first?.['bytesIn'], first?.['bytesOut']], [0, 1234])
  assert.deepEqual([first?.['encryption'], first?.['keyOperation']], ['SSE_KMS', 'Decrypt'])
  assert.deepEqual([first?.['object'], first?.['requestId']], [object, 'r1'])
  assert.deepEqual(summary, {
    ...{ accesses: 5, objects: 1, denied: 1, failed: 0 },
    ...{ withoutKeyCall: 2, coveredByBucketKey: 1 },
  })
})

test('a refusal of KMS stands with the access that it refused', async (context) => {
  const denied = { errorCode: 'AccessDenied' }
  const read = data(1, 'GetObject', 'r1', denied)
  const refused = { ...call(1, object, 'r1'), ...denied }
  const disabled = data(2, 'GetObject', 'r2', { errorCode: 'KMS.DisabledException' })
  const off = { ...call(2, object, 'r2'), errorCode: 'DisabledException' }
  const report = await accessTo(sourcesOf(context, [read, refused, disabled, off]), object)
  assert.deepEqual(brief(report, 'outcome', 'error', 'how', 'keyError', 'keyEvents'), [
    ['failed', 'KMS.DisabledException', 'object', 'DisabledException', off.eventID],
    ['denied', 'AccessDenied', 'object', 'AccessDenied', refused.eventID],
  ])
})

test('a bucket key that is kept stands with whoever may have used it', async (context) => {
  const alice = { ...bob, principalId: 'AROAAPP:i-2', accessKeyId: 'ASIAALICE' }
  const bucket = 'arn:aws:s3:::reports'
  const before = call(-60, bucket, 'r0')
  const made = call(1, bucket, 'r1')
  const events = [
    ...[before, made, { ...call(2, bucket, 'r2'), errorCode: 'AccessDenied' }],
    call(2, bucket),
    { ...call(2, bucket, 'r3'), userIdentity: alice },
    { ...call(2, bucket, 'r4'), eventName: 'GenerateDataKey' },
    data(3, 'GetObject', 'r5'),
    data(4, 'GetObject', 'r6', { additionalEventData: { SSEApplied: 'SSE_S3' } }),
    data(5, 'GetObject', 'r7', { errorCode: 'AccessDenied' }),
    data(6, 'HeadObject', 'r8', { additionalEventData: {} }),
    data(99, 'GetObject', 'r9', { eventTime: eventOf(303, {}).eventTime }),
  ]
  const where = sourcesOf(context, events)
  const report = await accessTo(where, object)
  assert.deepEqual(brief(report, 'requestId', 'how', 'key', 'keyEvents'), [
    ['r8', 'none', undefined, ''],
    ['r7', 'none', undefined, ''],
    ['r6', 'none', undefined, ''],
    ['r5', 'bucket key, kept', key, `${made.eventID} ${before.eventID}`],
  ])
  assert.equal(report.summary['coveredByBucketKey'], 1)
})

test('of two copies of one event the one of the caller counts', async (context) => {
  const shared = { sharedEventID: randomUUID() }
  const own = data(1, 'GetObject', 'r1', shared)
  const copy = data(1, 'GetObject', 'r1', {
    ...{ ...shared, recipientAccountId: owner },
    userIdentity: { type: 'AWSAccount', accountId: account, principalId: 'AROAAPP:i-1' },
  })
  const report = await accessTo(sourcesOf(context, [copy, own]), object)
  assert.deepEqual(brief(report, 'eventId', 'principal'), [[own.eventID, bob.arn]])
  const alone = await accessTo(sourcesOf(context, [copy]), object)
  const nameless = `${account}/AROAAPP:i-1`
  assert.deepEqual(brief(alone, 'eventId', 'principal'), [[copy.eventID, nameless]])
})

test('all objects with one beginning', async (context) => {
  const other = 'arn:aws:s3:::reports/2026/q2.pdf'
  const resources = (arn: string) => ({
    resources: [
      { type: 'AWS::S3::Object', ARN: arn },
      { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::reports' },
    ],
  })
  const events = [
    ...[data(1, 'GetObject', 'r1'), call(1, object, 'r1')],
    ...[data(2, 'DeleteObject', 'r2', resources(other)), call(3, other)],
    ...[data(4, 'GetObject', 'r4', resources('arn:aws:s3:::reports/2025')), call(4, `${object}x`)],
    data(5, 'ListObjects', 'r5', {
      resources: [{ type: 'AWS::S3::Object', ARNPrefix: 'arn:aws:s3:::reports/2026/' }],
    }),
    data(6, 'GetObject', 'r6', resources('arn:aws:s3:::reports/20260')),
    call(7, 'arn:aws:s3:::other/2026/q1.pdf', 'r7'),
    call(8, object, 'lost'),
  ]
  const sources = sourcesOf(context, events)
  const names = ['operation', 'object', 'how']
  const report = await accessTo(sources, 's3://reports/2026/*')
  assert.deepEqual(brief(report, ...names), [
    ['kms:Decrypt', object, 'object, without its event of S3'],
    ['kms:Decrypt', `${object}x`, 'by the caller itself'],
    ['kms:Decrypt', other, 'by the caller itself'],
    ['s3:DeleteObject', other, 'none'],
    ['s3:GetObject', object, 'object'],
  ])
  assert.equal(report.summary['objects'], 3)
  assert.equal((await accessTo(sources, 's3://reports/*')).rows.length, 7)
  const few = await accessTo(sources, 's3://reports/*', 2)
  assert.deepEqual([few.rows.length, few.truncated], [2, true])
  assert.equal(report.truncated, false)
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

test('objects are named by an ARN, an address or the beginning of one', () => {
  const bucket = 'arn:aws:s3:::reports'
  const one: ObjectName = { object, isPrefix: false, bucket }
  assert.deepEqual(objectNamed('s3://reports/2026/q1.pdf'), one)
  assert.deepEqual(objectNamed(object), one)
  const all: ObjectName = { object: `${bucket}/2026/`, isPrefix: true, bucket }
  assert.deepEqual(objectNamed('s3://reports/2026/*'), all)
  assert.deepEqual(objectNamed('s3://reports/*'), { ...all, object: `${bucket}/` })
  const starred = `${bucket}/a*`
  assert.deepEqual(objectNamed(starred), { object: starred, isPrefix: false, bucket })
  for (const text of ['', 's3://', 's3://b', 's3://b/', 's3://b*', 'b/k', bucket, key]) {
    assert.equal(objectNamed(text), undefined, text)
  }
})
