import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import type { AccountId } from './base/ids.ts'
import { DeliveryFailure, type TrailFile } from './delivery/bucket.ts'
import { describeTrailBuckets } from './delivery/testing/conformance.ts'
import type { BucketRecord } from './services/s3/bucket.ts'
import { account, House, otherAccount, region } from './testing/house.ts'
import { s3Call, s3Ok } from './testing/s3-calls.ts'

const service = 'cloudtrail.amazonaws.com'
const trailArn = `arn:aws:cloudtrail:${region}:${account}:trail/main`
const otherArn = `arn:aws:cloudtrail:${region}:${account}:trail/other`

type Statement = Readonly<Record<string, unknown>>
const policyOf = (...Statement: Statement[]) => JSON.stringify({ Version: '2012-10-17', Statement })

/** As CloudTrail's guide has it. */
function trailPolicy(bucket: string, condition: Statement = {}): string {
  return policyOf(
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 's3:GetBucketAcl',
      Resource: `arn:aws:s3:::${bucket}`,
      Condition: { StringEquals: condition },
    },
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 's3:PutObject',
      Resource: `arn:aws:s3:::${bucket}/AWSLogs/${account}/*`,
      Condition: { StringEquals: { 's3:x-amz-acl': 'bucket-owner-full-control', ...condition } },
    },
  )
}

function keyPolicy(condition: Statement): string {
  return policyOf(
    {
      Effect: 'Allow',
      Principal: { AWS: `arn:aws:iam::${account}:root` },
      Action: 'kms:*',
      Resource: '*',
    },
    {
      Effect: 'Allow',
      Principal: { Service: service },
      Action: 'kms:GenerateDataKey*',
      Resource: '*',
      Condition: condition,
    },
  )
}

async function addBucket(
  house: House,
  name: string,
  more: Partial<BucketRecord> = {},
): Promise<void> {
  const storeId = randomUUID()
  await house.objects.createBucket(storeId)
  const createdAt = house.clock.now()
  const bucket = { name, account, region, createdAt, storeId, ...more }
  await house.mirror.commit([house.tables.s3.add(bucket)], [])
}

async function open(t: TestContext) {
  const house = await House.open(t)
  const buckets = house.assembly.trailBuckets
  const destination = { account, arn: trailArn, homeRegion: region, bucket: 'logs' }
  return { house, buckets, destination }
}

function fileIn(bucket: string, more: Partial<TrailFile> = {}): TrailFile {
  return {
    ...{ account, trailArn, homeRegion: region, bucket },
    key: `AWSLogs/${account}/CloudTrail/${region}/2026/05/06/file.json.gz`,
    body: Buffer.from('content'),
    ...{ contentType: 'application/json', contentEncoding: 'gzip', metadata: {} },
    ...more,
  }
}

const fails = (code: string) => (error: unknown) => {
  assert.ok(error instanceof DeliveryFailure, String(error))
  assert.equal(error.code, code)
  return true
}

{
  const dispose: (() => Promise<void>)[] = []
  describeTrailBuckets('of S3', async () => {
    const context = { after: (each: () => Promise<void>) => dispose.push(each) }
    const house = await House.open(context as unknown as TestContext)
    await addBucket(house, 'own', { policy: trailPolicy('own') })
    await addBucket(house, 'open', { account: otherAccount, policy: trailPolicy('open') })
    await addBucket(house, 'closed')
    return {
      ...{ buckets: house.assembly.trailBuckets, own: 'own', open: 'open', closed: 'closed' },
      read: async (bucket, key) => {
        const owner = house.tables.s3.get(bucket)?.account
        const sending = { key: owner === otherAccount ? house.otherKey : house.key }
        const { status, headers, body } = await s3Call(house, 'GET', `/${bucket}/${key}`, sending)
        if (status === 404) return undefined
        assert.equal(status, 200)
        const metadata = [...headers].flatMap(([name, value]) =>
          name.startsWith('x-amz-meta-') ? [[name.slice('x-amz-meta-'.length), value]] : [],
        )
        return { body, metadata: Object.fromEntries(metadata) as Record<string, string> }
      },
      dispose: async () => {
        for (const each of dispose.splice(0)) await each()
      },
    }
  })
}

test('a file is one PutObject in the name of CloudTrail, by leave of the bucket’s policy', async (t) => {
  const { house, buckets } = await open(t)
  await addBucket(house, 'logs', { policy: trailPolicy('logs') })
  await buckets.put(fileIn('logs'))
  const event = JSON.parse(house.journal.records.at(-1) ?? '') as Record<string, unknown>
  assert.equal(event['eventName'], 'PutObject')
  assert.deepEqual(event['userIdentity'], { type: 'AWSService', invokedBy: service })
  assert.deepEqual([event['sourceIPAddress'], event['userAgent']], [service, service])
  assert.deepEqual([event['recipientAccountId'], event['eventCategory']], [account, 'Data'])
  const answer = await s3Ok(house, 'GET', `/logs/${fileIn('logs').key}`)
  assert.equal(answer.text, 'content')
  assert.equal(answer.headers.get('content-encoding'), 'gzip')
  assert.equal(answer.headers.get('x-amz-server-side-encryption'), 'AES256')
})

test('a policy can ask for whom CloudTrail acts: the confused deputy is not let in', async (t) => {
  const { house, buckets, destination } = await open(t)
  const conditions: readonly [Statement, boolean][] = [
    [{ 'aws:SourceArn': trailArn }, true],
    [{ 'aws:SourceArn': otherArn }, false],
    [{ 'aws:SourceAccount': account }, true],
    [{ 'aws:SourceAccount': otherAccount }, false],
    [{ 'aws:PrincipalServiceName': service }, true],
    [{ 'aws:PrincipalAccount': account }, false],
    [{ 'aws:PrincipalArn': `arn:aws:iam::${account}:root` }, false],
  ]
  for (const [index, [condition, allowed]] of conditions.entries()) {
    const bucket = `logs-${index}`
    await addBucket(house, bucket, {
      account: otherAccount as AccountId,
      policy: trailPolicy(bucket, condition),
    })
    const text = JSON.stringify(condition)
    const found = await buckets.check({ ...destination, bucket })
    assert.equal(found, allowed ? undefined : 'no-permission', text)
    if (allowed) await buckets.put(fileIn(bucket))
    else await assert.rejects(buckets.put(fileIn(bucket)), fails('AccessDenied'))
  }
})

test('who may make a trail gets no further than its own folder, and needs the bucket’s ACL', async (t) => {
  const { house, buckets, destination } = await open(t)
  await addBucket(house, 'logs', { policy: trailPolicy('logs') })
  assert.equal(await buckets.check({ ...destination, prefix: 'elsewhere' }), 'no-permission')
  const stranger = { ...destination, account: otherAccount }
  assert.equal(await buckets.check(stranger), 'no-permission')
  const putOnly = policyOf({
    Effect: 'Allow',
    Principal: { Service: service },
    Action: 's3:PutObject',
    Resource: 'arn:aws:s3:::putonly/*',
  })
  await addBucket(house, 'putonly', { policy: putOnly })
  assert.equal(await buckets.check({ ...destination, bucket: 'putonly' }), 'no-permission')
})

test('a KMS key takes its own leave, and its use is recorded', async (t) => {
  const { house, buckets, destination } = await open(t)
  await addBucket(house, 'logs', { policy: trailPolicy('logs') })
  const arnOf = (id: string) => `arn:aws:kms:${region}:${account}:key/${id}`
  const context = { 'kms:EncryptionContext:aws:cloudtrail:arn': trailArn }
  const source = { 'aws:SourceArn': trailArn }
  const Policy = keyPolicy({ StringEquals: { ...context, ...source } })
  const kmsKeyArn = arnOf(await house.newKey({ Policy }))
  assert.equal(await buckets.check({ ...destination, kmsKeyArn }), undefined)
  await buckets.put(fileIn('logs', { kmsKeyArn }))
  const [made, put] = house.journal.events.slice(-2)
  assert.deepEqual([made?.eventName, put?.eventName], ['GenerateDataKey', 'PutObject'])
  assert.deepEqual(made?.userIdentity, { type: 'AWSService', invokedBy: service })
  assert.equal(made?.additionalEventData?.['callingRequestID'], put?.requestID)
  const parameters = made?.requestParameters as { encryptionContext: Record<string, string> }
  assert.deepEqual(parameters.encryptionContext, {
    'aws:cloudtrail:arn': trailArn,
    'aws:s3:arn': `arn:aws:s3:::logs/${fileIn('logs').key}`,
  })
  const answer = await s3Ok(house, 'GET', `/logs/${fileIn('logs').key}`)
  assert.equal(answer.text, 'content')
  assert.equal(answer.headers.get('x-amz-server-side-encryption-aws-kms-key-id'), kmsKeyArn)

  const others = [
    keyPolicy({ StringEquals: { ...context, 'aws:SourceArn': otherArn } }),
    keyPolicy({ StringEquals: { 'kms:CallerAccount': account } }),
    keyPolicy({ Bool: { 'aws:PrincipalIsAWSService': 'false' } }),
    undefined,
  ]
  for (const Policy of others) {
    const keyArn = arnOf(await house.newKey(Policy === undefined ? {} : { Policy }))
    const found = await buckets.check({ ...destination, kmsKeyArn: keyArn })
    assert.equal(found, 'no-key-permission', Policy ?? 'the default policy')
    const refused = buckets.put(fileIn('logs', { kmsKeyArn: keyArn }))
    await assert.rejects(refused, fails('AccessDenied'))
  }
  await house.ok('DisableKey', { KeyId: kmsKeyArn })
  const refused = buckets.put(fileIn('logs', { kmsKeyArn }))
  await assert.rejects(refused, fails('KMS.DisabledException'))
})
