import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import { internalError, ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { AuditResource } from '../services/operation.ts'
import { operation } from '../services/operation.ts'
import type { RecordedEvent } from '../testing/held-journal.ts'
import { awsJson } from '../wire/aws-json.ts'
import type { HttpRequest } from '../wire/protocol.ts'
import { string, structure } from '../wire/schema.ts'
import type { Call } from './call.ts'
import { globalConditions } from './conditions.ts'
import { recordsOf } from './records.ts'
import { headerOf, sourceIp } from './request.ts'

const account = '111122223333' as AccountId
const owners = ['444455556666', '777788889999'] as AccountId[]
const caller: Caller = {
  type: 'root',
  account,
  arn: `arn:aws:iam::${account}:root`,
  principalId: account,
  accessKeyId: 'AKIAEXAMPLE',
}
const identity = {
  caller,
  region: 'us-east-1' as Region,
  service: 'kms',
  accessKeyId: 'AKIAEXAMPLE',
}
const request: HttpRequest = {
  method: 'POST',
  target: '/',
  rawHeaders: ['HOST', 'kms.test:443', 'uSer-Agent', 'first', 'User-Agent', 'second'],
  body: Buffer.alloc(0),
  remoteAddress: '::ffff:192.0.2.7',
}
const resource = (accountId: AccountId): AuditResource => ({
  accountId,
  type: 'AWS::KMS::Key',
  ARN: `arn:${accountId}`,
})

function callOf(members: Partial<Call> = {}): Call {
  const touch = operation({
    name: 'Touch',
    input: structure({ KeyId: string() }),
    output: structure({ Secret: string() }),
    effects: 'write',
    errors: [],
    resolve: () => undefined,
    checks: () => [],
    audit: {
      request: (input) => ({ keyId: input.KeyId }),
      response: () => ({ touched: true }),
      resources: (_target, _input, output) =>
        output === undefined
          ? [resource(account), ...owners.map((owner) => resource(owner))]
          : [...owners, account, ...owners].map((owner) => resource(owner)),
    },
    handle: () => ({ output: {} }),
  })
  return {
    request,
    reply: () => {},
    evidence: [],
    requestId: 'request',
    addressed: { protocol: awsJson, targetPrefix: 'TrentService', operationName: 'Touch' },
    identity,
    operation: touch,
    input: { KeyId: 'k' },
    resolved: true,
    output: { Secret: 'never shown' },
    ...members,
  }
}

function record(call: Call): readonly RecordedEvent[] {
  let uuids = 0
  const random = { bytes: Buffer.alloc, uuid: () => `uuid-${++uuids}` }
  const records = recordsOf(call, 1_000, random, 1000)
  return records.map((found) => {
    const event = JSON.parse(found.record) as RecordedEvent
    assert.equal(found.id, event.eventID)
    assert.doesNotMatch(found.record, /never shown/)
    return event
  })
}

describe('the records of a call', () => {
  test('that succeeded on keys of several accounts: one for the caller, one for each owner', () => {
    const found = record(callOf())
    assert.deepEqual(
      found.map((event) => event.recipientAccountId),
      [account, ...owners],
    )
    assert.equal(new Set(found.map((event) => event.eventID)).size, 3)
    assert.deepEqual(new Set(found.map((event) => event.sharedEventID)).size, 1)
    assert.equal(found[0]?.userIdentity['type'], 'Root')
    assert.equal(found[1]?.userIdentity['type'], 'AWSAccount')
    assert.deepEqual(found[0]?.responseElements, { touched: true })
  })

  test('that failed: one, without what it would have answered', () => {
    const failure = new ServiceError('not-found', 'Key is gone')
    const [own, ...more] = record(callOf({ failure, authorized: true }))
    assert.deepEqual(more, [])
    assert.equal(own?.sharedEventID, undefined)
    assert.deepEqual(own?.resources, [account, ...owners].map(resource))
    const [denied] = record(callOf({ failure }))
    assert.deepEqual(denied?.resources, [resource(account)], 'nothing of what belongs to others')
    assert.deepEqual([own?.errorCode, own?.errorMessage], ['NotFoundException', 'Key is gone'])
    assert.equal(own?.responseElements, null)
    assert.deepEqual(own?.requestParameters, { keyId: 'k' })
  })

  test('that was not resolved, decoded or known shows no more than there is', () => {
    const failure = internalError('secret detail', new Error('secret cause'))
    const [unresolved] = record(callOf({ failure, resolved: false }))
    assert.equal(unresolved?.resources, undefined)
    assert.deepEqual(unresolved?.requestParameters, { keyId: 'k' })
    const [undecoded] = record(callOf({ failure, resolved: false, input: undefined }))
    assert.equal(undecoded?.requestParameters, null)
    assert.equal(undecoded?.errorCode, 'InternalFailure')
    assert.equal(undecoded?.errorMessage, undefined)
    const unknown = callOf({ failure, resolved: false, input: undefined })
    delete unknown.operation
    const [event] = record(unknown)
    assert.equal(event?.eventName, 'Touch')
    assert.equal(event?.eventSource, 'kms.amazonaws.com')
    assert.doesNotMatch(JSON.stringify(event), /secret/)
  })

  test('that nobody signed for do not exist', () => {
    const call = callOf()
    delete call.identity
    assert.throws(() => record(call), /only authenticated calls/)
  })

  test('over TLS shows how, and a host of bounded length', () => {
    const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
    const [found] = record(callOf({ request: { ...request, tls } }))
    const { tlsDetails } = found as { tlsDetails?: Record<string, string> }
    assert.deepEqual(tlsDetails, {
      tlsVersion: 'TLSv1.3',
      cipherSuite: 'TLS_AES_256_GCM_SHA384',
      clientProvidedHostHeader: 'kms.test:443',
    })
    assert.equal('tlsDetails' in (record(callOf())[0] ?? {}), false)
    const long = { ...request, tls, rawHeaders: ['Host', 'h'.repeat(8000)] }
    assert.ok(JSON.stringify(record(callOf({ request: long }))[0]).length < 2000)
  })
})

describe('what a request says', () => {
  test('an IPv4 address in IPv6 form is shown as IPv4', () => {
    assert.equal(sourceIp(request), '192.0.2.7')
    assert.equal(record(callOf())[0]?.sourceIPAddress, '192.0.2.7')
    for (const remoteAddress of ['192.0.2.7', '::1', '2001:db8::ffff:7']) {
      assert.equal(sourceIp({ ...request, remoteAddress }), remoteAddress)
    }
  })

  test('a header is found whatever its spelling, and the first counts', () => {
    assert.equal(headerOf(request, 'user-agent'), 'first')
    assert.equal(headerOf(request, 'host'), 'kms.test:443')
    assert.equal(headerOf(request, 'referer'), undefined)
    assert.equal(headerOf({ ...request, rawHeaders: ['host'] }, 'host'), undefined)
  })
})

describe('global condition keys', () => {
  const now = Date.UTC(2026, 4, 6, 7, 8, 9, 500)
  const organization = { organizationId: 'o-a1b2c3d4e5' }

  test('of a root user over plain HTTP', () => {
    assert.deepEqual(globalConditions(request, identity, now, organization), {
      'aws:CurrentTime': '2026-05-06T07:08:09Z',
      'aws:EpochTime': String(Date.UTC(2026, 4, 6, 7, 8, 9) / 1000),
      'aws:PrincipalAccount': account,
      'aws:PrincipalArn': caller.arn,
      'aws:PrincipalIsAWSService': 'false',
      'aws:PrincipalOrgID': 'o-a1b2c3d4e5',
      'aws:PrincipalOrgPaths': ['o-a1b2c3d4e5/r-a1b2/'],
      'aws:PrincipalType': 'Account',
      'aws:RequestedRegion': 'us-east-1',
      'aws:SecureTransport': 'false',
      'aws:SourceIp': '192.0.2.7',
      'aws:ViaAWSService': 'false',
      'aws:userid': account,
      'aws:UserAgent': 'first',
    })
  })

  test('are refused to a call from no address, which no policy could deny', () => {
    for (const remoteAddress of ['', '::ffff:', 'fe80::1%eth0']) {
      assert.throws(
        () => globalConditions({ ...request, remoteAddress }, identity, now, organization),
        (error) => error instanceof ServiceError && error.code === 'internal',
        remoteAddress,
      )
    }
  })

  test('of users and role sessions over TLS', () => {
    const tls = { version: 'TLSv1.3', cipher: 'C' }
    const rawHeaders = ['Referer', 'https://example.com/']
    const user: Caller = { ...caller, type: 'user', principalId: 'AIDA1', userName: 'mona' }
    const ofUser = globalConditions(
      { ...request, tls, rawHeaders },
      { ...identity, caller: user },
      now,
      organization,
    )
    assert.equal(ofUser['aws:username'], 'mona')
    assert.equal(ofUser['aws:PrincipalType'], 'User')
    assert.equal(ofUser['aws:SecureTransport'], 'true')
    assert.equal(ofUser['aws:Referer'], 'https://example.com/')
    assert.equal('aws:UserAgent' in ofUser, false)
    const roleArn = 'arn:aws:iam::111122223333:role/path/r'
    const session: Caller = { ...caller, type: 'role-session', roleArn }
    const ofSession = globalConditions(request, { ...identity, caller: session }, now, organization)
    assert.equal(ofSession['aws:PrincipalArn'], roleArn)
    assert.equal(ofSession['aws:PrincipalType'], 'AssumedRole')
    for (const key of ['aws:username', 'aws:TokenIssueTime', 'aws:MultiFactorAuthPresent']) {
      assert.equal(key in ofSession, false, key)
    }
  })

  test('of temporary credentials: their tags, when they were given, and who vouched', () => {
    const session: Caller = {
      ...caller,
      type: 'role-session',
      arn: 'arn:aws:sts::111122223333:assumed-role/r/job',
      principalId: 'AROA1:job',
      roleArn: 'arn:aws:iam::111122223333:role/r',
      roleId: 'AROA1',
      tags: { team: 'blue', 'a:b': '' },
      session: {
        issuedAt: Date.UTC(2026, 4, 6, 7),
        expiresAt: Date.UTC(2026, 4, 6, 8),
        sourceIdentity: 'mona',
        webIdentity: { provider: 'arn:p', subject: 's', audience: 'a' },
      },
      providerConditions: { 'idp.example:sub': 's' },
    }
    const conditions = globalConditions(
      request,
      { ...identity, caller: session },
      now,
      organization,
    )
    const expected = {
      'aws:userid': 'AROA1:job',
      'aws:PrincipalTag/team': 'blue',
      'aws:PrincipalTag/a:b': '',
      'aws:TokenIssueTime': '2026-05-06T07:00:00Z',
      'aws:MultiFactorAuthPresent': 'false',
      'aws:SourceIdentity': 'mona',
      'aws:FederatedProvider': 'arn:p',
      'idp.example:sub': 's',
    }
    assert.deepEqual({ ...conditions, ...expected }, conditions)
  })
})
