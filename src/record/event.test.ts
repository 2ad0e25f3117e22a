import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import type { Caller } from '../base/caller.ts'
import type { AccountId, Region } from '../base/ids.ts'
import {
  type ApiCallEvent,
  apiCallRecord,
  callerIdentity,
  elementBytesLimit,
  eventTime,
  foreignIdentity,
  internalIdentity,
  serviceEventRecord,
} from './event.ts'

const account = '111122223333' as AccountId
const region = 'us-east-1' as Region
const root: Caller = {
  type: 'root',
  account,
  arn: `arn:aws:iam::${account}:root`,
  principalId: account,
  accessKeyId: 'AKIAEXAMPLE',
}

function eventOf(members: Partial<ApiCallEvent> = {}): ApiCallEvent {
  return {
    eventId: 'e0000000-0000-4000-8000-000000000001',
    userIdentity: callerIdentity(root),
    time: Date.UTC(2026, 4, 6, 7, 8, 9, 999),
    eventSource: 'kms.amazonaws.com',
    eventName: 'Encrypt',
    region,
    sourceIp: '192.0.2.1',
    userAgent: 'aws-sdk-js/3',
    requestParameters: { keyId: 'alias/a', encryptionContext: { b: '"\n' } },
    responseElements: null,
    requestId: 'a0000000-0000-4000-8000-000000000002',
    readOnly: true,
    recipientAccountId: account,
    ...members,
  }
}

const identityText =
  '{"type":"Root","principalId":"111122223333","arn":"arn:aws:iam::111122223333:root",' +
  '"accountId":"111122223333","accessKeyId":"AKIAEXAMPLE"}'

describe('the text of an event', () => {
  test('of a success with everything in it', () => {
    const record = apiCallRecord(
      eventOf({
        sharedEventId: 'f0000000-0000-4000-8000-000000000003',
        additionalEventData: { keyMaterialId: 'ab' },
        responseElements: { keyId: 'k' },
        resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: 'arn:k' }],
        tlsDetails: { tlsVersion: 'TLSv1.3', cipherSuite: 'C', clientProvidedHostHeader: 'h' },
      }),
      elementBytesLimit,
    )
    const expected =
      `{"eventVersion":"1.11","userIdentity":${identityText},` +
      '"eventTime":"2026-05-06T07:08:09Z","eventSource":"kms.amazonaws.com","eventName":"Encrypt",' +
      '"awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1","userAgent":"aws-sdk-js/3",' +
      '"requestParameters":{"keyId":"alias/a","encryptionContext":{"b":"\\"\\n"}},' +
      '"responseElements":{"keyId":"k"},"additionalEventData":{"keyMaterialId":"ab"},' +
      '"requestID":"a0000000-0000-4000-8000-000000000002",' +
      '"eventID":"e0000000-0000-4000-8000-000000000001","readOnly":true,' +
      '"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:k"}],' +
      '"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",' +
      '"sharedEventID":"f0000000-0000-4000-8000-000000000003","eventCategory":"Management",' +
      '"tlsDetails":{"tlsVersion":"TLSv1.3","cipherSuite":"C","clientProvidedHostHeader":"h"}}'
    assert.equal(record, expected)
  })

  test('of a failure, with nothing that there is not', () => {
    const record = apiCallRecord(
      eventOf({
        userAgent: undefined,
        errorCode: 'NotFoundException',
        errorMessage: "Key 'x' does not exist",
        requestParameters: null,
      }),
      elementBytesLimit,
    )
    const expected =
      `{"eventVersion":"1.11","userIdentity":${identityText},` +
      '"eventTime":"2026-05-06T07:08:09Z","eventSource":"kms.amazonaws.com","eventName":"Encrypt",' +
      '"awsRegion":"us-east-1","sourceIPAddress":"192.0.2.1",' +
      '"errorCode":"NotFoundException","errorMessage":"Key \'x\' does not exist",' +
      '"requestParameters":null,"responseElements":null,' +
      '"requestID":"a0000000-0000-4000-8000-000000000002",' +
      '"eventID":"e0000000-0000-4000-8000-000000000001","readOnly":true,' +
      '"eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"111122223333",' +
      '"eventCategory":"Management"}'
    assert.equal(record, expected)
  })

  test('of what the service does of itself', () => {
    const record = serviceEventRecord({
      eventId: 'e0000000-0000-4000-8000-000000000001',
      userIdentity: internalIdentity(account),
      time: Date.UTC(2026, 4, 6),
      eventSource: 'kms.amazonaws.com',
      eventName: 'DeleteKey',
      region,
      sourceIp: 'AWS Internal',
      resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: 'arn:k' }],
      serviceEventDetails: { keyId: 'k' },
      recipientAccountId: account,
    })
    const expected =
      '{"eventVersion":"1.11",' +
      '"userIdentity":{"accountId":"111122223333","invokedBy":"AWS Internal"},' +
      '"eventTime":"2026-05-06T00:00:00Z","eventSource":"kms.amazonaws.com","eventName":"DeleteKey",' +
      '"awsRegion":"us-east-1","sourceIPAddress":"AWS Internal","userAgent":"AWS Internal",' +
      '"requestParameters":null,"responseElements":null,' +
      '"eventID":"e0000000-0000-4000-8000-000000000001","readOnly":false,' +
      '"resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:k"}],' +
      '"eventType":"AwsServiceEvent","managementEvent":true,"recipientAccountId":"111122223333",' +
      '"serviceEventDetails":{"keyId":"k"},"eventCategory":"Management"}'
    assert.equal(record, expected)
  })
})

describe('the text of any event', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 60 }), fc.string({ maxLength: 60 }))
  const object = fc.dictionary(text, fc.oneof(text, fc.boolean(), fc.double(), fc.constant(null)))
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
  const events = fc.record({
    eventId: text,
    sharedEventId: maybe(text),
    userIdentity: object,
    time: fc.constant(Date.UTC(2026, 4, 6)),
    eventSource: text,
    eventName: text,
    region: text,
    sourceIp: text,
    userAgent: maybe(text),
    errorCode: maybe(text),
    errorMessage: maybe(text),
    requestParameters: fc.option(object),
    responseElements: fc.option(object),
    additionalEventData: maybe(object),
    requestId: text,
    readOnly: fc.boolean(),
    category: maybe(fc.constant('data' as const)),
    resources: maybe(
      fc.array(fc.record({ accountId: fc.constant(account), type: text, ARN: text })),
    ),
    recipientAccountId: fc.constant(account),
    tlsDetails: maybe(object),
  })
  const unusual = /[\u007f-\u009f\u2028\u2029]/g
  const escaped = (character: string) =>
    `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`

  test('is what JSON.stringify makes of it, with what terminals act on escaped', () => {
    fc.assert(
      fc.property(events, (event) => {
        const expected = JSON.stringify({
          eventVersion: '1.11',
          userIdentity: event.userIdentity,
          eventTime: '2026-05-06T00:00:00Z',
          eventSource: event.eventSource,
          eventName: event.eventName,
          awsRegion: event.region,
          sourceIPAddress: event.sourceIp,
          userAgent: event.userAgent,
          errorCode: event.errorCode,
          errorMessage: event.errorMessage,
          requestParameters: event.requestParameters,
          responseElements: event.responseElements,
          additionalEventData: event.additionalEventData,
          requestID: event.requestId,
          eventID: event.eventId,
          readOnly: event.readOnly,
          resources: event.resources,
          eventType: 'AwsApiCall',
          managementEvent: event.category === undefined,
          recipientAccountId: event.recipientAccountId,
          sharedEventID: event.sharedEventId,
          eventCategory: event.category === undefined ? 'Management' : 'Data',
          tlsDetails: event.tlsDetails,
        })
        assert.equal(apiCallRecord(event, elementBytesLimit), expected.replace(unusual, escaped))
      }),
      { numRuns: 500 },
    )
  })

  test('escapes what terminals act on wherever it comes from', () => {
    const control = '\u009b31m\u2028\u007f'
    const record = apiCallRecord(
      eventOf({ userAgent: control, requestParameters: { [control]: control }, sourceIp: control }),
      elementBytesLimit,
    )
    assert.match(record, /^[ -~]*$/)
    assert.equal((JSON.parse(record) as { userAgent: string }).userAgent, control)
    const ofService = serviceEventRecord({
      ...eventOf(),
      region,
      sourceIp: control,
      serviceEventDetails: { control },
    })
    assert.match(ofService, /^[ -~]*$/)
  })
})

describe('who it was', () => {
  test('a user has a name, a role session none', () => {
    const user: Caller = { ...root, type: 'user', principalId: 'AIDA1', userName: 'mona' }
    assert.deepEqual(Object.entries(callerIdentity(user)), [
      ['type', 'IAMUser'],
      ['principalId', 'AIDA1'],
      ['arn', root.arn],
      ['accountId', account],
      ['accessKeyId', 'AKIAEXAMPLE'],
      ['userName', 'mona'],
    ])
    const session: Caller = { ...root, type: 'role-session', principalId: 'AROA1:s' }
    assert.equal(callerIdentity(session)['type'], 'AssumedRole')
    assert.equal('userName' in callerIdentity(session), false)
  })

  test('the owner of a key learns the account and no access key', () => {
    assert.deepEqual(foreignIdentity(root), {
      type: 'AWSAccount',
      principalId: account,
      accountId: account,
    })
  })
})

describe('the time of an event', () => {
  test('is in whole seconds, whatever the milliseconds are', () => {
    const second = Date.UTC(2026, 1, 28, 23, 59, 59)
    assert.equal(eventTime(second), '2026-02-28T23:59:59Z')
    assert.equal(eventTime(second + 999), '2026-02-28T23:59:59Z')
    assert.equal(eventTime(second + 1000), '2026-03-01T00:00:00Z')
    assert.equal(eventTime(second), '2026-02-28T23:59:59Z')
    assert.equal(eventTime(0), '1970-01-01T00:00:00Z')
  })

  test('is what Date says, at any time', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), noInvalidDate: true }), (date) => {
        fc.pre(date.getUTCFullYear() < 10_000)
        assert.equal(eventTime(date.getTime()), `${date.toISOString().slice(0, 19)}Z`)
      }),
    )
  })
})

describe('bounds', () => {
  const parsed = (event: ApiCallEvent, bytesMax = elementBytesLimit) =>
    JSON.parse(apiCallRecord(event, bytesMax)) as Record<string, unknown>

  test('userAgent and errorMessage have at most 1 KB', () => {
    const { userAgent, errorMessage } = parsed(
      eventOf({ userAgent: 'u'.repeat(5000), errorCode: 'E', errorMessage: 'm'.repeat(1025) }),
    )
    assert.equal(userAgent, 'u'.repeat(1024))
    assert.equal(errorMessage, 'm'.repeat(1024))
    const whole = 'u'.repeat(1024)
    assert.equal(parsed(eventOf({ userAgent: whole }))['userAgent'], whole)
  })

  test('… counted in bytes of the record, which escapes make longer', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 3000, size: 'max' }), (userAgent) => {
        const kept = parsed(eventOf({ userAgent }))['userAgent'] as string
        assert.ok(Buffer.byteLength(JSON.stringify(kept)) <= 1026)
        assert.ok(userAgent.startsWith(kept))
      }),
    )
    const control = '\u0001'.repeat(1000)
    assert.equal(parsed(eventOf({ userAgent: control }))['userAgent'], control.slice(0, 170))
  })

  test('an element beyond 100 KB is left out, and says so', () => {
    const fits = { policy: 'p'.repeat(elementBytesLimit - '{"policy":""}'.length) }
    assert.deepEqual(parsed(eventOf({ requestParameters: fits }))['requestParameters'], fits)
    const large = { policy: `${fits.policy}p` }
    const omitted = {
      omitted: true,
      originalSize: elementBytesLimit + 1,
      reason: 'content exceeds 102400 bytes',
    }
    const record = parsed(eventOf({ requestParameters: large, responseElements: large }))
    assert.deepEqual(record['requestParameters'], omitted)
    assert.deepEqual(record['responseElements'], omitted)
  })

  test('no element is longer than its bound, whatever is in it', () => {
    const element = fc.dictionary(
      fc.string({ unit: 'binary' }),
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.double(),
        fc.boolean(),
        fc.constant(null),
        fc.array(fc.dictionary(fc.string(), fc.string())),
      ),
    )
    fc.assert(
      fc.property(element, fc.integer({ min: 80, max: 600 }), (requestParameters, bytesMax) => {
        const kept = parsed(eventOf({ requestParameters }), bytesMax)['requestParameters']
        const escaped = JSON.stringify(requestParameters).replace(
          /[\u007f-\u009f\u2028\u2029]/g,
          '\\u0000',
        )
        const bytes = Buffer.byteLength(escaped)
        assert.ok(Buffer.byteLength(JSON.stringify(kept)) <= bytesMax)
        assert.equal((kept as { omitted?: boolean }).omitted === true, bytes > bytesMax)
      }),
    )
  })

  test('whatever strings come in, a record is one line of valid JSON that says them', () => {
    const text = fc.string({ unit: 'binary', maxLength: 100 })
    const texts = fc.record({
      eventName: text,
      sourceIp: text,
      userAgent: text,
      errorCode: text,
      errorMessage: text,
      requestParameters: fc.dictionary(
        text.filter((name) => name !== '__proto__'),
        text,
      ),
    })
    fc.assert(
      fc.property(texts, (members) => {
        const record = apiCallRecord(eventOf(members), elementBytesLimit)
        assert.doesNotMatch(record, /[\r\n]/)
        const found = JSON.parse(record) as Record<string, unknown>
        assert.equal(found['eventName'], members.eventName)
        assert.equal(found['sourceIPAddress'], members.sourceIp)
        assert.equal(found['errorCode'], members.errorCode)
        assert.deepEqual(found['requestParameters'], { ...members.requestParameters })
        assert.equal(Buffer.from(record).toString('utf8'), record)
      }),
    )
  })
})
