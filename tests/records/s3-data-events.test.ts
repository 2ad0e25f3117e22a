import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { presigned } from '../../src/authenticate/testing/s3-signer.ts'
import { JournalEngine } from '../../src/journal/engine.ts'
import { LookupIndex } from '../../src/journal/lookup/lookup-index.ts'
import { nodeFiles } from '../../src/journal/node-files.ts'
import { appendBatch, publicKey, temporaryDirectory } from '../../src/journal/testing/fixtures.ts'
import { type SelectableEvent, selects } from '../../src/services/cloudtrail/selection.ts'
import type { BasicSelector, FieldSelector } from '../../src/services/cloudtrail/trails.ts'
import type { Service } from '../../src/services/operation.ts'
import { account, House, otherAccount, region } from '../../src/testing/house.ts'
import {
  type S3Answer,
  type S3Sending,
  s3Call,
  s3Ok,
  s3Request,
} from '../../src/testing/s3-calls.ts'
import type { Reply } from '../../src/wire/protocol.ts'
import { overTls } from './stage.ts'

type Recorded = SelectableEvent & {
  readonly eventID: string
  readonly requestID: string
  readonly sharedEventID?: string
  readonly managementEvent: boolean
  readonly requestParameters: Readonly<Record<string, unknown>> | null
  readonly additionalEventData: Readonly<Record<string, unknown>>
}

const bucketResource = { accountId: account, type: 'AWS::S3::Bucket', ARN: 'arn:aws:s3:::ledger' }
const objectResource = (key: string) => ({
  ...{ type: 'AWS::S3::Object', ARN: `arn:aws:s3:::ledger/${key}` },
})
const kmsHeaders = (key: string) => ({
  'x-amz-server-side-encryption': 'aws:kms',
  'x-amz-server-side-encryption-aws-kms-key-id': key,
})

async function ledger(t: TestContext): Promise<House> {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/ledger')
  return house
}

const eventsOf = (house: House) => house.journal.events as unknown as readonly Recorded[]
const recordsOf = (house: House, { requestId }: Pick<S3Answer, 'requestId'>) =>
  eventsOf(house).filter(({ requestID }) => requestID === requestId)

/** The one record of a call. */
function recordOf(house: House, answer: S3Answer): Recorded {
  const [record, ...more] = recordsOf(house, answer)
  assert.ok(record !== undefined)
  assert.deepEqual(more, [])
  return record
}

const transferred = ({ additionalEventData }: Recorded) => [
  additionalEventData['bytesTransferredIn'],
  additionalEventData['bytesTransferredOut'],
]

/** As AWS has it. */
const dataEvents: ReadonlySet<string> = new Set([
  ...['AbortMultipartUpload', 'CompleteMultipartUpload', 'CopyObject', 'CreateMultipartUpload'],
  ...['DeleteObject', 'DeleteObjects', 'DeleteObjectTagging', 'GetObject', 'GetObjectAcl'],
  ...['GetObjectAttributes', 'GetObjectLegalHold', 'GetObjectRetention', 'GetObjectTagging'],
  ...['HeadBucket', 'HeadObject', 'ListMultipartUploads', 'ListObjects', 'ListObjectsV2'],
  ...['ListObjectVersions', 'ListParts', 'PutObject', 'PutObjectAcl', 'PutObjectTagging'],
  ...['UploadPart', 'UploadPartCopy'],
])

test('calls on objects, listings and HeadBucket are data events, and no others', async (t) => {
  let services: readonly Service[] = []
  await House.open(t, {
    services: (known) => {
      services = known
      return known
    },
  })
  const operations = [...(services.find((each) => each.signingName === 's3')?.operations ?? [])]
  assert.ok(operations.length > 20, `${operations.length} operations`)
  for (const [name, { category }] of operations) {
    assert.equal(category, dataEvents.has(name) ? 'data' : undefined, name)
  }
})

describe('a data event', () => {
  test('has what CloudTrail has, whatever became of the call', async (t) => {
    const house = await ledger(t)
    const clerk = await house.addUser({ name: 'clerk' })
    const call = (method: string, path: string, sending: S3Sending = {}) =>
      s3Call(house, method, path, { ...sending, change: overTls })
    const body = 'x'.repeat(1000)
    const put = recordOf(house, await call('PUT', '/ledger/in/1', { body }))
    const get = recordOf(house, await call('GET', '/ledger/in/1'))
    const part = recordOf(
      house,
      await call('GET', '/ledger/in/1', { headers: { range: 'bytes=0-9' } }),
    )
    const head = recordOf(house, await call('HEAD', '/ledger/in/1'))
    const deniedAnswer = await call('PUT', '/ledger/in/1', { body, key: clerk })
    const denied = recordOf(house, deniedAnswer)
    const missingAnswer = await call('GET', '/ledger/in/2')
    const missing = recordOf(house, missingAnswer)
    const unread = recordOf(
      house,
      await call('PUT', '/ledger/in/1', { body, headers: { 'x-amz-nothing': '1' } }),
    )
    assert.deepEqual([put, get, part, head].map(transferred), [
      ...[
        [1000, 0],
        [0, 1000],
        [0, 10],
        [0, 0],
      ],
    ])
    assert.deepEqual(transferred(denied), [0, deniedAnswer.body.length])
    assert.deepEqual(transferred(missing), [0, missingAnswer.body.length])
    assert.equal(put.additionalEventData['SSEApplied'], 'Default_SSE_S3')
    assert.equal(get.additionalEventData['SSEApplied'], 'Default_SSE_S3')
    assert.deepEqual([denied.errorCode, missing.errorCode], ['AccessDenied', 'NoSuchKey'])
    assert.equal(unread.errorCode, 'NotImplemented')
    for (const record of [put, get, part, head, denied, missing, unread]) {
      const key = record === missing ? 'in/2' : 'in/1'
      assert.equal(record.eventCategory, 'Data')
      assert.equal(record.managementEvent, false)
      assert.equal(record.readOnly, record.eventName !== 'PutObject')
      const { bucketName, key: named, Host } = record.requestParameters ?? {}
      assert.deepEqual([bucketName, named, Host], ['ledger', key, 's3.test'])
      const { additionalEventData: data } = record
      assert.deepEqual(
        ['SignatureVersion', 'AuthenticationMethod', 'CipherSuite'].map((name) => data[name]),
        ['SigV4', 'AuthHeader', 'TLS_AES_256_GCM_SHA384'],
      )
      const id = Buffer.from(String(data['x-amz-id-2']), 'base64').toString()
      assert.equal(id, record.requestID)
      const { accountId: _owner, ...bucket } = bucketResource
      const isFound = record !== unread
      const expected = [objectResource(key), isFound ? bucketResource : bucket]
      assert.deepEqual(record.resources, expected)
    }
  })

  test('says how the request was signed', async (t) => {
    const house = await ledger(t)
    await s3Ok(house, 'PUT', '/ledger/a', { body: 'text' })
    const { accessKeyId, secretAccessKey: secret } = house.key
    const timestamp = new Date(house.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const target = presigned(
      { method: 'GET', path: '/ledger/a', headers: { host: 's3.test' } },
      { accessKeyId, secret, region, service: 's3', timestamp },
      60,
    )
    const request = s3Request(house, 'GET', '/ledger/a', {})
    const reply = await new Promise<Reply>((resolve) => {
      house.pipeline.accept({ ...request, target, rawHeaders: ['Host', 's3.test'] }, resolve)
    })
    assert.equal(reply.status, 200)
    const record = eventsOf(house).at(-1)
    assert.ok(record !== undefined)
    assert.equal(record.additionalEventData['AuthenticationMethod'], 'QueryString')
    assert.equal(record.additionalEventData['CipherSuite'], undefined)
    assert.doesNotMatch(JSON.stringify(record), /Signature=|X-Amz-Credential/)
  })

  test('of a listing names the beginning of what was listed', async (t) => {
    const house = await ledger(t)
    const listed = async (query: Record<string, string>) =>
      recordOf(house, await s3Ok(house, 'GET', '/ledger', { query }))
    const objects = (prefix: string) => ({
      ...{ type: 'AWS::S3::Object', ARNPrefix: `arn:aws:s3:::ledger/${prefix}` },
    })
    const first = await listed({ 'list-type': '2', prefix: 'in/' })
    assert.equal(first.eventName, 'ListObjects')
    assert.deepEqual(first.resources, [objects('in/'), bucketResource])
    assert.deepEqual((await listed({ versions: '' })).resources, [objects(''), bucketResource])
    const head = recordOf(house, await s3Ok(house, 'HEAD', '/ledger'))
    assert.deepEqual(head.resources, [objects(''), bucketResource])
    const wrong = await s3Call(house, 'GET', '/ledger', { query: { 'max-keys': 'x' } })
    const { accountId: _owner, ...bucket } = bucketResource
    assert.deepEqual(recordOf(house, wrong).resources, [objects(''), bucket])
  })

  test('is there for the owner of the bucket, too, when somebody else succeeded', async (t) => {
    const house = await ledger(t)
    const policy = {
      Version: '2012-10-17',
      Statement: {
        ...{ Effect: 'Allow', Principal: { AWS: otherAccount } },
        ...{ Action: ['s3:GetObject', 's3:PutObject'], Resource: 'arn:aws:s3:::ledger/shared/*' },
      },
    }
    const md5 = createHash('md5').update(JSON.stringify(policy)).digest('base64')
    await s3Ok(house, 'PUT', '/ledger', {
      query: { policy: '' },
      body: JSON.stringify(policy),
      headers: { 'content-md5': md5 },
    })
    const key = house.otherKey
    const put = await s3Ok(house, 'PUT', '/ledger/shared/1', { key, body: 'text' })
    const [own, copy, ...more] = recordsOf(house, put)
    assert.ok(own !== undefined && copy !== undefined)
    assert.deepEqual(more, [])
    assert.deepEqual([own.recipientAccountId, copy.recipientAccountId], [otherAccount, account])
    assert.ok(own.sharedEventID !== undefined && own.sharedEventID === copy.sharedEventID)
    assert.notEqual(own.eventID, copy.eventID)
    assert.deepEqual(own.resources, [objectResource('shared/1'), bucketResource])
    assert.deepEqual(copy.resources, own.resources)
    assert.deepEqual(transferred(copy), [4, 0])
    assert.deepEqual(copy.userIdentity, {
      ...{ type: 'AWSAccount', principalId: otherAccount, accountId: otherAccount },
    })
    const denied = await s3Call(house, 'GET', '/ledger/secret', { key })
    assert.equal(denied.error, 'AccessDenied')
    const record = recordOf(house, denied)
    assert.equal(record.recipientAccountId, otherAccount)
    const { accountId: _owner, ...bucket } = bucketResource
    assert.deepEqual(record.resources, [objectResource('secret'), bucket], 'not whose it is')
  })

  test('of many deletions stands beside one for each', async (t) => {
    const house = await ledger(t)
    for (const key of ['a', 'b']) await s3Ok(house, 'PUT', `/ledger/${key}`, { body: 'text' })
    const statement = (Effect: string, key: string) => ({
      ...{ Effect, Action: 's3:DeleteObject', Resource: `arn:aws:s3:::ledger/${key}` },
    })
    const Statement = [statement('Allow', '*'), statement('Deny', 'b')]
    const policies = [{ Version: '2012-10-17', Statement }]
    const key = await house.addUser({ name: 'cleaner', policies })
    const objects = ['a', 'b'].map((each) => `<Object><Key>${each}</Key></Object>`).join('')
    const body = `<Delete>${objects}</Delete>`
    const answer = await s3Ok(house, 'POST', '/ledger', {
      ...{ key, query: { delete: '' }, body },
      headers: { 'content-md5': createHash('md5').update(body).digest('base64') },
    })
    const [whole, ...each] = recordsOf(house, answer)
    assert.ok(whole !== undefined)
    assert.deepEqual([whole.eventName, whole.errorCode], ['DeleteObjects', undefined])
    assert.deepEqual(transferred(whole), [body.length, answer.body.length])
    assert.equal(whole.additionalEventData['authorization'], undefined)
    assert.deepEqual(
      each.map(({ eventName, errorCode, resources }) => [eventName, errorCode, resources]),
      [
        ['DeleteObject', undefined, [objectResource('a'), bucketResource]],
        ['DeleteObject', 'AccessDenied', [objectResource('b'), bucketResource]],
      ],
    )
    for (const [at, record] of each.entries()) {
      assert.deepEqual(transferred(record), [0, 0])
      const decided = record.additionalEventData['authorization'] as readonly object[]
      assert.equal(decided.length, 1)
      assert.deepEqual(
        decided.map((one) => (one as { allowed: boolean }).allowed),
        [at === 0],
      )
    }
  })
})

describe('the calls of KMS that a call of S3 leads to', () => {
  test('name its request, so that the two are joined', async (t) => {
    const house = await ledger(t)
    const key = await house.newKey()
    const arn = `arn:aws:kms:${region}:${account}:key/${key}`
    const byS3 = (requestId: string) =>
      eventsOf(house).filter(
        ({ additionalEventData: data }) => data?.['callingRequestID'] === requestId,
      )
    const answers = [
      await s3Ok(house, 'PUT', '/ledger/a', { body: 'text', headers: kmsHeaders(key) }),
      await s3Ok(house, 'PUT', '/ledger/b', { body: 'text', headers: kmsHeaders(key) }),
      await s3Ok(house, 'GET', '/ledger/b'),
      await s3Ok(house, 'GET', '/ledger/a'),
    ]
    const joined = answers.map(({ requestId }) =>
      byS3(requestId).map(({ eventName, resources, requestParameters }) => {
        const context = requestParameters?.['encryptionContext']
        return [eventName, resources?.[0]?.ARN, context]
      }),
    )
    const of = (object: string) => ({ 'aws:s3:arn': `arn:aws:s3:::ledger/${object}` })
    assert.deepEqual(joined, [
      [['GenerateDataKey', arn, of('a')]],
      [['GenerateDataKey', arn, of('b')]],
      [['Decrypt', arn, of('b')]],
      [['Decrypt', arn, of('a')]],
    ])
    const applied = answers.map((answer) => recordOf(house, answer).additionalEventData)
    assert.deepEqual(
      applied.map((data) => data['SSEApplied']),
      Array(4).fill('SSE_KMS'),
    )
    const reader = await house.addUser({
      name: 'reader',
      policies: [
        {
          Version: '2012-10-17',
          Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' },
        },
      ],
    })
    const denied = await s3Call(house, 'GET', '/ledger/a', { key: reader })
    assert.deepEqual([denied.status, denied.error], [403, 'AccessDenied'])
    assert.equal(recordOf(house, denied).errorCode, 'AccessDenied')
    assert.deepEqual(
      byS3(denied.requestId).map(({ eventName, errorCode }) => [eventName, errorCode]),
      [['Decrypt', 'AccessDenied']],
    )
  })
})

describe('trails and LookupEvents', () => {
  async function written(t: TestContext) {
    const house = await ledger(t)
    const clerk = await house.addUser({ name: 'clerk' })
    const named: Record<string, S3Answer> = {
      put: await s3Ok(house, 'PUT', '/ledger/in/1', { body: 'text' }),
      get: await s3Ok(house, 'GET', '/ledger/in/1'),
      denied: await s3Call(house, 'GET', '/ledger/in/1', { key: clerk }),
      unread: await s3Call(house, 'PUT', '/ledger/in/1', { headers: { 'x-amz-nothing': '1' } }),
      list: await s3Ok(house, 'GET', '/ledger', { query: { prefix: 'in/' } }),
      head: await s3Ok(house, 'HEAD', '/ledger'),
      out: await s3Ok(house, 'PUT', '/ledger/out/1', { body: 'text' }),
      setting: await s3Ok(house, 'GET', '/ledger', { query: { versioning: '' } }),
    }
    const selected = (selectors: Parameters<typeof selects>[0]['selectors']) => {
      const trail = {
        ...{ account, homeRegion: region, multiRegion: true, globalServiceEvents: true },
        ...(selectors !== undefined && { selectors }),
      }
      return Object.keys(named).filter((name) => {
        const answer = named[name]
        return answer !== undefined && selects(trail, recordOf(house, answer))
      })
    }
    return { house, selected }
  }

  test('trails select real events by basic selectors', async (t) => {
    const { selected } = await written(t)
    const basic = (values: readonly string[], more: Partial<BasicSelector> = {}) =>
      selected({
        kind: 'basic',
        selectors: [
          {
            ...{ readWriteType: 'All', includeManagementEvents: false },
            ...{ excludeManagementEventSources: [] },
            dataResources: [{ type: 'AWS::S3::Object', values }],
            ...more,
          },
        ],
      })
    const all = ['put', 'get', 'denied', 'unread', 'list', 'head', 'out']
    assert.deepEqual(selected(undefined), ['setting'])
    assert.deepEqual(basic(['arn:aws:s3']), all)
    assert.deepEqual(basic(['arn:aws:s3:::ledger/']), all)
    assert.deepEqual(basic(['arn:aws:s3:::ledge/']), [])
    assert.deepEqual(basic(['arn:aws:s3:::ledger/in/']), [...all.slice(0, 5)])
    const ledger = ['arn:aws:s3:::ledger/']
    assert.deepEqual(basic(ledger, { readWriteType: 'WriteOnly' }), ['put', 'unread', 'out'])
    const reads = { readWriteType: 'ReadOnly', includeManagementEvents: true } as const
    assert.deepEqual(basic(ledger, reads), ['get', 'denied', 'list', 'head', 'setting'])
  })

  test('and by advanced ones', async (t) => {
    const { selected } = await written(t)
    const advanced = (...more: readonly FieldSelector[]) =>
      selected({
        kind: 'advanced',
        selectors: [
          {
            fieldSelectors: [
              { field: 'eventCategory', equals: ['Data'] },
              { field: 'resources.type', equals: ['AWS::S3::Object'] },
              ...more,
            ],
          },
        ],
      })
    const arn = 'resources.ARN'
    assert.deepEqual(advanced({ field: 'eventName', equals: ['PutObject'] }), [
      ...['put', 'unread', 'out'],
    ])
    assert.deepEqual(advanced({ field: 'readOnly', equals: ['true'] }), [
      ...['get', 'denied', 'list', 'head'],
    ])
    const within: FieldSelector = { field: arn, startsWith: ['arn:aws:s3:::ledger/in/'] }
    assert.deepEqual(advanced(within, { field: 'readOnly', equals: ['false'] }), ['put', 'unread'])
    assert.deepEqual(advanced({ field: arn, notStartsWith: ['arn:aws:s3:::ledger/in/'] }), [
      ...['head', 'out'],
    ])
    assert.deepEqual(advanced({ field: arn, equals: ['arn:aws:s3:::ledger/out/1'] }), ['out'])
    assert.deepEqual(advanced(within, { field: 'errorCode', equals: ['AccessDenied'] }), ['denied'])
    assert.deepEqual(advanced({ field: 'eventName', equals: ['ListObjects'] }), ['list'])
  })

  test('LookupEvents has none of them', async (t) => {
    const { house } = await written(t)
    const folder = temporaryDirectory(t)
    const engine = new JournalEngine(nodeFiles, {
      directory: join(folder, 'journal', 'main'),
      newOrigin: 'kagiban/main/00000000-0000-4000-8000-000000000000',
      publicKey,
      segmentBytes: 256 * 1024,
    })
    t.after(() => engine.close())
    appendBatch(engine, house.journal.records)
    const index = new LookupIndex({
      ...{ journals: join(folder, 'journal'), file: join(folder, 'index.db'), files: nodeFiles },
      ...{ retentionDays: 366, shownDays: 90, clock: house.clock },
    })
    t.after(() => index.close())
    const range = { account, region, from: 0, to: Number.MAX_SAFE_INTEGER, limit: 50 }
    const namesOf = (query: Partial<Parameters<LookupIndex['find']>[0]>) =>
      index
        .find({ ...range, ...query })
        .records.map((record) => (JSON.parse(record) as Recorded).eventName)
    assert.deepEqual(namesOf({}), ['GetBucketVersioning', 'CreateBucket'])
    for (const [key, value] of [
      ['ResourceName', 'arn:aws:s3:::ledger/in/1'],
      ['ResourceType', 'AWS::S3::Object'],
      ['EventName', 'GetObject'],
      ['EventSource', 's3.amazonaws.com'],
      ['Username', 'clerk'],
    ] as const) {
      const found = namesOf({ attribute: { key, value } })
      const expected = key === 'EventSource' ? ['GetBucketVersioning', 'CreateBucket'] : []
      assert.deepEqual(found, expected, key)
    }
    const attribute = { key: 'ResourceName', value: 'arn:aws:s3:::ledger/in/1' } as const
    const data = namesOf({ category: 'Data', attribute })
    assert.deepEqual(data, ['PutObject', 'GetObject', 'GetObject', 'PutObject'])
  })
})
