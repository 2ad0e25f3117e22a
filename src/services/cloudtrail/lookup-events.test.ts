import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type ErrorCode, ServiceError } from '../../base/errors.ts'
import { type AccountId, type Region, rootArn } from '../../base/ids.ts'
import type { EventLookup, LookupQuery } from '../../journal/port.ts'
import type { CallContext } from '../operation.ts'
import { lookupEvents } from './operations/lookup-events.ts'

const account = '111122223333' as AccountId

const call: CallContext = {
  caller: {
    type: 'root',
    account,
    arn: rootArn(account),
    principalId: account,
    accessKeyId: 'AKIDEXAMPLE',
  },
  region: 'us-east-1' as Region,
  now: 0,
  requestId: 'request',
  globalConditions: {},
}

const record = JSON.stringify({
  eventVersion: '1.11',
  userIdentity: { type: 'Root', arn: rootArn(account), accessKeyId: 'AKIDEXAMPLE' },
  eventTime: '2026-01-02T03:04:05Z',
  eventSource: 'kms.amazonaws.com',
  eventName: 'Encrypt',
  eventID: 'an-id',
  readOnly: true,
  resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: 'arn:aws:kms:x' }],
})

class FakeLookup implements Pick<EventLookup, 'find'> {
  readonly queries: LookupQuery[] = []
  records: readonly string[] = [record]
  next: number | undefined

  async find(query: LookupQuery) {
    this.queries.push(query)
    return { records: this.records, next: this.next }
  }
}

type Request = Parameters<typeof lookupEvents.resolve>[1]

async function look(request: Request, lookup = new FakeLookup(), context = call) {
  const deps = { lookup }
  const target = lookupEvents.resolve(context, request, deps)
  const { output } = await lookupEvents.handle(context, request, target, deps)
  return { output, queries: lookup.queries }
}

function refuses(request: Request, code: ErrorCode, context = call): void {
  assert.throws(
    () => lookupEvents.resolve(context, request, { lookup: new FakeLookup() }),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.code, code)
      assert.ok(lookupEvents.errors.includes(error.code))
      return true
    },
  )
}

test('an event is answered with its members and as the text that was recorded', async () => {
  const { output, queries } = await look({})
  assert.deepEqual(output, {
    Events: [
      {
        EventId: 'an-id',
        EventName: 'Encrypt',
        ReadOnly: 'true',
        AccessKeyId: 'AKIDEXAMPLE',
        EventTime: Date.UTC(2026, 0, 2, 3, 4, 5),
        EventSource: 'kms.amazonaws.com',
        Username: 'root',
        Resources: [{ ResourceType: 'AWS::KMS::Key', ResourceName: 'arn:aws:kms:x' }],
        CloudTrailEvent: record,
      },
    ],
  })
  assert.deepEqual(queries, [
    {
      account,
      region: 'us-east-1',
      attribute: undefined,
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      limit: 50,
      after: undefined,
    },
  ])
})

test('names of callers', async () => {
  const identities = [
    [{ type: 'IAMUser', userName: 'alice', arn: 'arn:aws:iam::1:user/p/alice' }, 'alice'],
    [{ type: 'AssumedRole', principalId: 'AROAEXAMPLE:session' }, 'session'],
    [{ accountId: account, invokedBy: 'AWS Internal' }, 'AWS Internal'],
    [{ type: 'AWSAccount', accountId: '444455556666', principalId: '444455556666' }, undefined],
  ] as const
  for (const [userIdentity, name] of identities) {
    const lookup = new FakeLookup()
    lookup.records = [JSON.stringify({ userIdentity })]
    const { output } = await look({}, lookup)
    assert.deepEqual(
      output.Events?.map((event) => event.Username),
      [name],
    )
  }
})

test('the request narrows the query', async () => {
  const { queries } = await look({
    LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Decrypt' }],
    StartTime: 1000,
    EndTime: 1000,
    MaxResults: 1,
  })
  const [query] = queries
  assert.deepEqual(query?.attribute, { key: 'EventName', value: 'Decrypt' })
  assert.deepEqual([query?.from, query?.to, query?.limit], [1000, 1000, 1])
})

test('what cannot be looked up is refused with an error of its own', () => {
  const attribute = { AttributeKey: 'EventName', AttributeValue: 'Decrypt' }
  refuses({ MaxResults: 0 }, 'invalid-max-results')
  refuses({ MaxResults: 51 }, 'invalid-max-results')
  refuses({ StartTime: 2, EndTime: 1 }, 'invalid-time-range')
  refuses({ EventCategory: 'management' }, 'invalid-event-category')
  refuses({ LookupAttributes: [attribute, attribute] }, 'invalid-lookup-attributes')
  for (const AttributeKey of ['eventname', 'toString', '']) {
    refuses({ LookupAttributes: [{ ...attribute, AttributeKey }] }, 'invalid-lookup-attributes')
  }
})

test('there are no insight events', async () => {
  const { output, queries } = await look({ EventCategory: 'insight' })
  assert.deepEqual(output, { Events: [] })
  assert.deepEqual(queries, [])
})

test('a token continues the very request that it was given for', async () => {
  const lookup = new FakeLookup()
  lookup.next = 1234
  const request = { MaxResults: 2, StartTime: 5 }
  const { output } = await look(request, lookup)
  const { NextToken } = output
  assert.ok(NextToken !== undefined)
  await look({ ...request, NextToken }, lookup)
  assert.equal(lookup.queries[1]?.after, 1234)
  refuses({ MaxResults: 2, NextToken }, 'invalid-next-token')
  refuses({ ...request, MaxResults: 3, NextToken }, 'invalid-next-token')
  refuses({ ...request, EndTime: 9, NextToken }, 'invalid-next-token')
  const narrowed = [{ AttributeKey: 'EventName', AttributeValue: 'x' }]
  refuses({ ...request, LookupAttributes: narrowed, NextToken }, 'invalid-next-token')
  const elsewhere = { ...call, region: 'eu-west-1' as Region }
  refuses({ ...request, NextToken }, 'invalid-next-token', elsewhere)
  const caller = { ...call.caller, account: '444455556666' as AccountId }
  refuses({ ...request, NextToken }, 'invalid-next-token', { ...call, caller })
  for (const altered of [`${NextToken}x`, `1${NextToken}`, '', 'yb.', `-${NextToken}`]) {
    refuses({ ...request, NextToken: altered }, 'invalid-next-token')
  }
})

test('it asks for one permission of the account', () => {
  assert.deepEqual(lookupEvents.checks(call, {}, undefined, { lookup: new FakeLookup() }), [
    {
      permission: 'cloudtrail:LookupEvents',
      resource: { type: 'identity', arn: '*', account },
      conditions: {},
    },
  ])
})

test('the record shows what was looked for and no token', () => {
  const shown = lookupEvents.audit.request(
    {
      LookupAttributes: [{ AttributeKey: 'EventName', AttributeValue: 'Decrypt' }],
      StartTime: 0,
      EndTime: Number.MAX_SAFE_INTEGER,
      MaxResults: 5,
      NextToken: 'token',
    },
    undefined,
  )
  assert.deepEqual(JSON.parse(JSON.stringify(shown)), {
    lookupAttributes: [{ attributeKey: 'EventName', attributeValue: 'Decrypt' }],
    startTime: '1970-01-01T00:00:00.000Z',
    maxResults: 5,
  })
})
