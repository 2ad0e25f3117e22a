import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { judge } from '../authorize/evaluate.ts'
import type { Evidence } from '../authorize/evidence.ts'
import { compilePolicy } from '../authorize/policy/compile.ts'
import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { maxRecordBytes, maxSegmentBytes, minSegmentBytes } from '../journal/segment.ts'
import { operation } from '../services/operation.ts'
import { SharedRows } from '../storage/memory/store.ts'
import { Mirror } from '../storage/mirror.ts'
import type { OutboxEvent } from '../storage/port.ts'
import { faultyStore } from '../testing/faulty-store.ts'
import { HeldJournal } from '../testing/held-journal.ts'
import { House } from '../testing/house.ts'
import { awsJson } from '../wire/aws-json.ts'
import { structure } from '../wire/schema.ts'
import type { Call } from './call.ts'
import { commitRecorded, replayOutbox } from './commit.ts'
import { elementBytesFor, elementBytesLimit, jsonText } from './event.ts'
import { recordsOf } from './records.ts'

const account = '111122223333' as AccountId
const owners = ['444455556666', '777788889999'] as AccountId[]

/** More than that stands in no record about its caller. */
const largestSession: Caller = {
  type: 'role-session',
  account,
  arn: `arn:aws:sts::${account}:assumed-role/${'n'.repeat(64)}/${'s'.repeat(64)}`,
  principalId: `${'P'.repeat(128)}:${'s'.repeat(64)}`,
  accessKeyId: 'K'.repeat(128),
  roleId: 'P'.repeat(128),
  roleArn: `arn:aws:iam::${account}:role${'p'.repeat(512)}${'n'.repeat(64)}`,
  session: {
    issuedAt: 0,
    expiresAt: 1,
    sourceIdentity: 's'.repeat(64),
    webIdentity: {
      provider: `arn:aws:iam::${account}:oidc-provider/${'o'.repeat(255)}`,
      subject: 's'.repeat(255),
      audience: 'a'.repeat(255),
    },
  },
}

const everyone = { Effect: 'Allow', Principal: '*', Action: '*', Resource: '*' }
const policy = compilePolicy(JSON.stringify({ Version: '2012-10-17', Statement: everyone }))
const askedKey = 'kms:encryptioncontext:a'

/** A decision for which so long a value was asked of the request. */
function askingEvidence(value: string): Evidence {
  const arn = `arn:aws:kms:us-east-1:${account}:key/${'k'.repeat(36)}`
  const evidence = judge({
    ...{ caller: largestSession, permission: 'kms:Touch', conditions: [] },
    resource: { type: 'key', arn, account, policy, crossAccount: true },
  })
  return { ...evidence, context: { work: 0, asked: () => new Map([[askedKey, value]]) } }
}

/** A call whose record has as much of everything as there can be, of a character that takes the most bytes. */
function largestCall(
  character: string,
  elementCharacters: number,
  askedCharacters: number,
  failure?: ServiceError,
): Call {
  const text = (length: number) => character.repeat(length)
  const alias = `arn:aws:kms:us-east-1:${account}:alias/${'a'.repeat(250)}`
  const touch = operation({
    name: 'A'.repeat(64),
    input: structure({}),
    output: structure({}),
    effects: 'write',
    errors: [],
    resolve: () => undefined,
    checks: () => [],
    audit: {
      request: () => ({ a: text(elementCharacters) }),
      response: () => ({ b: text(elementCharacters) }),
      resources: () =>
        [account, account, ...owners].map((accountId) => ({
          accountId,
          type: 'AWS::KMS::Key',
          ARN: alias,
        })),
      additional: () => ({
        sourceKeyMaterialId: 'f'.repeat(64),
        destinationKeyMaterialId: 'f'.repeat(64),
      }),
    },
    handle: () => ({ output: {} }),
  })
  return {
    request: {
      method: 'POST',
      target: '/',
      rawHeaders: ['Host', text(16_000), 'User-Agent', text(16_000)],
      body: Buffer.alloc(0),
      remoteAddress: 'ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255',
      tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_CCM_8_SHA256' },
    },
    reply: () => {},
    evidence: [askingEvidence(text(askedCharacters))],
    requestId: systemRandom.uuid(),
    addressed: { protocol: awsJson, targetPrefix: 'TrentService', operationName: 'Touch' },
    identity: {
      caller: largestSession,
      region: 'r'.repeat(32) as Region,
      service: 'kms',
      accessKeyId: 'K'.repeat(128),
    },
    operation: touch,
    input: {},
    resolved: true,
    authorized: true,
    output: {},
    ...(failure === undefined ? {} : { failure }),
  }
}

const bucketArn = `arn:aws:s3:::${'b'.repeat(63)}`
const whole: ReadonlySet<string> = new Set([bucketArn])
const keyOf = (character: string) => character.repeat(1024 / Buffer.byteLength(character))

/** The same, of a copy of one object to another. */
function largestCallOfS3(call: Call, character: string): Call {
  const key = keyOf(character)
  const object = { accountId: account, type: 'AWS::S3::Object', ARN: `${bucketArn}/${key}` }
  const bucket = { accountId: account, type: 'AWS::S3::Bucket', ARN: bucketArn }
  const { operation: touch, addressed, failure } = call
  assert.ok(touch !== undefined && addressed !== undefined)
  const audit = {
    ...touch.audit,
    request: () => ({ key }),
    resources: () => [object, bucket, object, bucket],
  }
  return {
    ...call,
    addressed: { ...addressed, isRest: true, resource: { bucket: 'b'.repeat(63), key } },
    operation: { ...touch, category: 'data', audit },
    resolved: failure === undefined,
  }
}

describe('no record is longer than the journal takes', () => {
  const characters = ['a', '"', '\u0001', '\u007f', '\u0085', '\u2028', '鍵', '\ud800', '😀']
  const segments = [minSegmentBytes, minSegmentBytes + 4096, 64 * 1024, 256 * 1024, maxSegmentBytes]

  test('whatever a segment holds, and whatever callers write', () => {
    const whole = new Set<string>()
    for (const segmentBytes of segments) {
      const most = maxRecordBytes(segmentBytes)
      const elementBytes = elementBytesFor(most)
      assert.ok(elementBytes >= 2500)
      for (const character of characters) {
        const each = JSON.stringify(character).length - 2
        const failure = new ServiceError('validation', character.repeat(5000))
        const cost = Buffer.byteLength(jsonText(character)) - 2
        const additionalBytes = Math.min(28 * 1024, elementBytes / 3)
        const asked = [Math.floor((additionalBytes - 650) / cost), 40_000]
        const calls = [
          Math.floor((elementBytes - 8) / 6),
          Math.floor(elementBytes / each) - 8,
          150_000,
        ]
          .flatMap((length) => asked.map((many) => largestCall(character, length, many)))
          .concat(largestCall(character, 150_000, 150_000, failure))
        for (const call of calls) {
          for (const { record } of recordsOf(call, Date.now(), systemRandom, elementBytes)) {
            const bytes = Buffer.byteLength(record)
            assert.ok(bytes <= most, `${bytes} of ${most} bytes, ${JSON.stringify(character)}`)
            const { additionalEventData } = JSON.parse(record)
            const additional = Buffer.byteLength(JSON.stringify(additionalEventData))
            assert.ok(additional <= 28 * 1024, `${additional} bytes of additionalEventData`)
            if (Array.isArray(additionalEventData.authorization)) whole.add(character)
          }
        }
      }
    }
    assert.deepEqual([...whole], characters, 'what was decided on is there where it fits')
  })

  test('nor one of S3, with keys as long as there can be', () => {
    for (const segmentBytes of segments) {
      const most = maxRecordBytes(segmentBytes)
      const elementBytes = elementBytesFor(most)
      for (const character of characters) {
        const failure = new ServiceError('validation', character.repeat(5000))
        for (const each of [undefined, failure]) {
          const call = largestCallOfS3(largestCall(character, 0, 150_000, each), character)
          for (const { record } of recordsOf(call, Date.now(), systemRandom, elementBytes)) {
            const bytes = Buffer.byteLength(record)
            assert.ok(bytes <= most, `${bytes} of ${most} bytes, ${JSON.stringify(character)}`)
            const { resources } = JSON.parse(record) as { resources: readonly { ARN: string }[] }
            assert.ok(resources.length >= 2)
            if (segmentBytes < 256 * 1024) continue
            assert.ok(
              resources.every(({ ARN }) => whole.has(ARN) || ARN.endsWith(`/${keyOf(character)}`)),
            )
          }
        }
      }
    }
  })

  test('and the usual size of a segment leaves the elements what CloudTrail does', () => {
    assert.equal(elementBytesFor(maxRecordBytes(64 * 1024 * 1024)), elementBytesLimit)
  })
})

describe('a change whose record cannot be journalled', () => {
  test('of a caller is refused and not made', async (t) => {
    const house = await House.open(t)
    const keyId = await house.newKey()
    const { journal } = house
    journal.maxRecordBytes = 2000
    const answer = await house.call('UpdateKeyDescription', {
      KeyId: keyId,
      Description: 'd'.repeat(2000),
    })
    assert.deepEqual([answer.status, answer.error], [500, 'KMSInternalException'])
    assert.match(house.logged.join('\n'), /is longer than the journal's 2000/)
    const { KeyMetadata } = await house.ok('DescribeKey', { KeyId: keyId })
    assert.equal((KeyMetadata as { Description: string }).Description, '')
    assert.deepEqual(await house.store.outbox(), [])
    await house.ok('UpdateKeyDescription', { KeyId: keyId, Description: 'short' })
  })

  test('of the service is not made either', async () => {
    const { store } = faultyStore(new SharedRows())
    const mirror = new Mirror(store)
    await mirror.load()
    const journal = new HeldJournal()
    journal.maxRecordBytes = 100
    const event = { id: 'one', record: JSON.stringify({ eventID: 'one', note: '鍵'.repeat(30) }) }
    assert.ok(event.record.length < 100)
    await assert.rejects(commitRecorded({ mirror, store, journal }, [], [event]), {
      code: 'internal',
    })
    assert.deepEqual(await store.outbox(), [])
    assert.equal(journal.size, 0)
  })
})

describe('a replay of a record that is too long', () => {
  const recordOf = (id: string, note: string) =>
    JSON.stringify({
      eventVersion: '1.11',
      userIdentity: { type: 'Root', accountId: account, arn: note },
      eventTime: '2026-05-06T07:08:09Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'PutKeyPolicy',
      awsRegion: 'us-east-1',
      requestParameters: { policy: note },
      eventID: id,
      readOnly: false,
      eventType: 'AwsApiCall',
      recipientAccountId: account,
      eventCategory: 'Management',
    })

  async function replay(events: readonly OutboxEvent[]) {
    const { store } = faultyStore(new SharedRows())
    await store.commit({ puts: [], events })
    const journal = new HeldJournal()
    journal.maxRecordBytes = maxRecordBytes(minSegmentBytes)
    const logged: string[] = []
    const count = await replayOutbox(
      store,
      journal,
      () => [],
      (line) => logged.push(line),
    )
    assert.equal(count, events.length)
    assert.deepEqual(await store.outbox(), [])
    for (const record of journal.records) {
      assert.ok(Buffer.byteLength(record) <= journal.maxRecordBytes)
    }
    return { store, journal, logged }
  }

  test('journals a stub that says so, and the others as they are', async () => {
    const whole = { id: 'two', record: recordOf('two', 'short') }
    const long = { id: 'one', record: recordOf('one', 'x'.repeat(50_000)) }
    const { journal, logged, store } = await replay([long, whole])
    assert.equal(journal.records[1], whole.record)
    const { requestParameters, ...stub } = JSON.parse(journal.records[0] ?? '') as object & {
      requestParameters: unknown
    }
    assert.equal(requestParameters, null)
    assert.deepEqual(stub, {
      eventVersion: '1.11',
      userIdentity: { type: 'Root', accountId: account },
      eventTime: '2026-05-06T07:08:09Z',
      eventSource: 'kms.amazonaws.com',
      eventName: 'PutKeyPolicy',
      awsRegion: 'us-east-1',
      responseElements: null,
      eventID: 'one',
      readOnly: false,
      eventType: 'AwsApiCall',
      managementEvent: true,
      recipientAccountId: account,
      eventCategory: 'Management',
      omitted: true,
      originalSize: long.record.length,
      reason: 'the record is longer than a segment of the journal takes',
    })
    assert.deepEqual(logged.length, 1)
    assert.match(logged[0] ?? '', /the record one .* has 100\d\d\d bytes/)
    // The stub stands for the event: it is not journalled again.
    await store.commit({ puts: [], events: [long] })
    assert.equal(await replayOutbox(store, journal, (from) => journal.records.slice(from)), 0)
  })

  test('is bounded whatever the record is', async () => {
    const long = (members: object) => JSON.stringify({ eventID: 'one', ...members })
    const control = '\u0001'.repeat(20_000)
    await replay([
      { id: 'a', record: 'no JSON'.repeat(5000) },
      { id: 'b', record: JSON.stringify(control) },
      { id: 'c', record: long({ userIdentity: control, eventTime: control, eventName: control }) },
      { id: 'd', record: long({ userIdentity: { type: control, accountId: { a: control } } }) },
      { id: 'e', record: long({ requestID: control, awsRegion: control, eventType: control }) },
    ])
  })
})
