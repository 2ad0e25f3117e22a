import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { withHeader } from './authenticate/testing/signer.ts'
import { newAccessKey } from './operator/accounts.ts'
import type { Service } from './services/operation.ts'
import { type Answer, account, House, otherAccount, type Sending, turns } from './testing/house.ts'
import type { HttpRequest } from './wire/protocol.ts'

const plaintext = Buffer.from('plaintext').toString('base64')
const form = [['Content-Type', 'application/x-www-form-urlencoded; charset=utf-8']] as const

/** What a case expects: the answer's failure, and the record's event name and error code. */
type Outcome = readonly [string, string | undefined, string, string | undefined]
type Sent = { readonly operation: string; readonly input: object; readonly sending?: Sending }

describe('every authenticated call has one record, whatever became of it', () => {
  const cases: readonly (readonly [...Outcome, (keyId: string) => Sent])[] = [
    [
      'a read',
      undefined,
      'DescribeKey',
      undefined,
      (KeyId) => ({ operation: 'DescribeKey', input: { KeyId } }),
    ],
    [
      'a change',
      undefined,
      'DisableKey',
      undefined,
      (KeyId) => ({ operation: 'DisableKey', input: { KeyId } }),
    ],
    [
      'a change that changes nothing',
      undefined,
      'EnableKey',
      undefined,
      (KeyId) => ({ operation: 'EnableKey', input: { KeyId } }),
    ],
    [
      'a key that is not there',
      'NotFoundException',
      'Encrypt',
      'NotFoundException',
      () => ({
        operation: 'Encrypt',
        input: { KeyId: '00000000-0000-4000-8000-000000000000', Plaintext: plaintext },
      }),
    ],
    [
      'an input out of bounds',
      'ValidationException',
      'GenerateRandom',
      'ValidationException',
      () => ({ operation: 'GenerateRandom', input: { NumberOfBytes: 4096 } }),
    ],
    [
      'a body that is no JSON',
      'SerializationException',
      'ListKeys',
      'SerializationException',
      () => ({ operation: 'ListKeys', input: {}, sending: { body: Buffer.from('{"Limit":') } }),
    ],
    [
      'a dry run',
      'DryRunOperationException',
      'Encrypt',
      'DryRunOperationException',
      (KeyId) => ({
        operation: 'Encrypt',
        input: { KeyId, Plaintext: plaintext, DryRun: true },
      }),
    ],
    [
      'an operation that is not there',
      'UnknownOperationException',
      'Sing',
      'UnknownOperationException',
      () => ({ operation: 'Sing', input: {} }),
    ],
    [
      'an operation whose name could not be one',
      'UnknownOperationException',
      'Unknown',
      'UnknownOperationException',
      () => ({
        operation: '',
        input: {},
        sending: { target: 'TrentService.<script>alert(1)</script>' },
      }),
    ],
    [
      'a service that is not there',
      'UnknownOperationException',
      'Encrypt',
      'UnknownOperationException',
      () => ({ operation: '', input: {}, sending: { target: 'TrentServant.Encrypt' } }),
    ],
    [
      'no target',
      'UnknownOperationException',
      'Unknown',
      'UnknownOperationException',
      () => ({
        operation: '',
        input: {},
        sending: { headers: [['Content-Type', 'application/x-amz-json-1.1']] },
      }),
    ],
    [
      'a scope of another service',
      'InvalidSignatureException',
      'ListKeys',
      'InvalidSignatureException',
      () => ({ operation: 'ListKeys', input: {}, sending: { service: 'sts' } }),
    ],
    [
      'a protocol that the service does not speak',
      undefined,
      'ListKeys',
      'InvalidAction',
      () => ({
        operation: '',
        input: {},
        sending: { headers: form, body: Buffer.from('Action=ListKeys&Version=2014-11-01') },
      }),
    ],
    [
      'a media type that is not the service’s',
      'UnknownOperationException',
      'ListKeys',
      'UnknownOperationException',
      () => ({
        operation: '',
        input: {},
        sending: {
          headers: [
            ['Content-Type', 'application/json'],
            ['X-Amz-Target', 'TrentService.ListKeys'],
          ],
        },
      }),
    ],
    [
      'another service',
      undefined,
      'GetCallerIdentity',
      undefined,
      () => ({
        operation: '',
        input: {},
        sending: {
          service: 'sts',
          headers: form,
          body: Buffer.from('Action=GetCallerIdentity&Version=2011-06-15'),
        },
      }),
    ],
  ]
  for (const [name, error, eventName, errorCode, sentOf] of cases) {
    test(name, async (t) => {
      const house = await House.open(t)
      const { operation, input, sending } = sentOf(await house.newKey())
      const before = house.journal.records.length
      const answer = await house.call(operation, input, sending)
      assert.equal(answer.error, error)
      assert.equal(house.journal.records.length, before + 1)
      const [recorded] = house.recordsOf(answer)
      assert.equal(recorded?.eventName, eventName)
      assert.equal(recorded?.errorCode, errorCode)
      assert.match(answer.requestId ?? '', /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
      assert.deepEqual(recorded?.userIdentity, {
        type: 'Root',
        principalId: account,
        arn: `arn:aws:iam::${account}:root`,
        accountId: account,
        accessKeyId: house.key.accessKeyId,
      })
      await house.refusals.flush()
      assert.equal(
        house.journal.records.length,
        before + 1,
        'it was counted as unauthenticated too',
      )
    })
  }

  test('the scope of another service is named in the refusal', async (t) => {
    const house = await House.open(t)
    const { message } = await house.call('ListKeys', {}, { service: 'sts' })
    assert.equal(message, "Credential should be scoped to correct service: 'kms'. ")
  })

  test('an audit that fails is a failure of ours: the result does not leave', async (t) => {
    const house = await House.open(t, { services: withBrokenAudit })
    const answer = await house.call('GenerateRandom', { NumberOfBytes: 8 })
    assert.deepEqual([answer.status, answer.error], [500, 'KMSInternalException'])
    assert.equal(house.journal.size, 0)
    assert.match(house.logged[0] ?? '', /audit is broken/)
  })
})

describe('a call on the key of another account', () => {
  async function shared(t: TestContext) {
    const house = await House.open(t)
    const policy = {
      Version: '2012-10-17',
      Statement: [account, otherAccount].map((id) => ({
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${id}:root` },
        Action: id === account ? 'kms:*' : ['kms:Encrypt', 'kms:ReEncrypt*'],
        Resource: '*',
      })),
    }
    const keyId = await house.newKey({ Policy: JSON.stringify(policy) })
    return { house, arn: `arn:aws:kms:us-east-1:${account}:key/${keyId}` }
  }

  test('that succeeds is in the record of both, tied by a shared id', async (t) => {
    const { house, arn } = await shared(t)
    const answer = await house.call(
      'Encrypt',
      { KeyId: arn, Plaintext: plaintext },
      { key: house.otherKey },
    )
    assert.equal(answer.status, 200)
    const [own, copy, ...more] = house.recordsOf(answer)
    assert.deepEqual(more, [])
    assert.deepEqual([own?.recipientAccountId, copy?.recipientAccountId], [otherAccount, account])
    assert.match(own?.sharedEventID ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(own?.sharedEventID, copy?.sharedEventID)
    assert.notEqual(own?.eventID, copy?.eventID)
    assert.equal(own?.userIdentity['accessKeyId'], house.otherKey.accessKeyId)
    assert.deepEqual(copy?.userIdentity, {
      type: 'AWSAccount',
      principalId: otherAccount,
      accountId: otherAccount,
    })
    assert.deepEqual(copy?.resources, own?.resources)
    assert.deepEqual(copy?.requestParameters, own?.requestParameters)
  })

  test('that is denied is in the record of the caller alone', async (t) => {
    const { house, arn } = await shared(t)
    const answer = await house.call('DescribeKey', { KeyId: arn }, { key: house.otherKey })
    assert.equal(answer.error, 'AccessDeniedException')
    const [own, ...more] = house.recordsOf(answer)
    assert.deepEqual(more, [])
    assert.deepEqual([own?.recipientAccountId, own?.errorCode], [otherAccount, 'AccessDenied'])
    assert.equal(own?.sharedEventID, undefined)
    assert.equal(own?.errorMessage, answer.message)
  })

  test('that moves a ciphertext between accounts is in the record of each', async (t) => {
    const { house, arn } = await shared(t)
    const own = await house.newKey({}, { key: house.otherKey })
    const { CiphertextBlob } = await house.ok(
      'Encrypt',
      { KeyId: own, Plaintext: plaintext },
      { key: house.otherKey },
    )
    const answer = await house.call(
      'ReEncrypt',
      { CiphertextBlob, DestinationKeyId: arn },
      { key: house.otherKey },
    )
    assert.equal(answer.status, 200)
    const recipients = house.recordsOf(answer).map((event) => event.recipientAccountId)
    assert.deepEqual(recipients, [otherAccount, account])
  })
})

describe('a request that nobody signed for', () => {
  const unsigned = (request: HttpRequest) => withHeader(request, 'authorization', () => undefined)
  const forged = (request: HttpRequest) =>
    withHeader(request, 'authorization', (value) => `${value.slice(0, -4)}0000`)

  const send = (house: House, change: (request: HttpRequest) => HttpRequest): Promise<Answer> =>
    house.call('ListKeys', {}, { change })

  test('is counted, and each source and kind becomes one record', async (t) => {
    const house = await House.open(t)
    const elsewhere = (request: HttpRequest) => ({ ...forged(request), remoteAddress: '10.0.0.9' })
    const answers = await Promise.all([
      ...[unsigned, unsigned, unsigned, forged].map((change) => send(house, change)),
      ...[elsewhere, elsewhere].map((change) => send(house, change)),
    ])
    assert.deepEqual(
      answers.map(({ error }) => error),
      [
        ...Array.from({ length: 3 }, () => 'MissingAuthenticationTokenException'),
        ...Array.from({ length: 3 }, () => 'InvalidSignatureException'),
      ],
    )
    assert.equal(house.journal.size, 0)
    await house.refusals.flush()
    const counted = house.journal.events.map((event) => [
      event.eventName,
      event.eventType,
      event.sourceIPAddress,
      event.errorCode,
      event.serviceEventDetails?.['requests'],
      event.requestID,
    ])
    const kind = ['RefusedUnauthenticated', 'AwsServiceEvent']
    assert.deepEqual(counted, [
      [...kind, '127.0.0.1', 'MissingAuthenticationTokenException', 3, undefined],
      [...kind, '127.0.0.1', 'InvalidSignatureException', 1, undefined],
      [...kind, '10.0.0.9', 'InvalidSignatureException', 2, undefined],
    ])
    await house.refusals.flush()
    assert.equal(house.journal.size, 3, 'a count was written twice')
  })

  test('learns nothing of which services there are', async (t) => {
    const house = await House.open(t)
    const answers = await Promise.all(
      ['TrentService.ListKeys', 'NoService.No', 'TrentService.No'].map((target) =>
        house.call('', {}, { target, change: unsigned }),
      ),
    )
    assert.equal(new Set(answers.map(({ reply }) => reply.body.toString())).size, 1)
  })

  test('is refused with an unknown key, too, and has a request id', async (t) => {
    const house = await House.open(t)
    const stranger = newAccessKey({
      bytes: (count) => Buffer.alloc(count, 7),
      uuid: () => '',
    })
    const { error, requestId } = await house.call('ListKeys', {}, { key: stranger })
    assert.equal(error, 'UnrecognizedClientException')
    assert.match(requestId ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(house.journal.size, 0)
  })

  test('gets the internal failure once the journal has failed', async (t) => {
    const house = await House.open(t)
    house.journal.break('EIO')
    const { status, error } = await send(house, unsigned)
    assert.deepEqual([status, error], [500, 'InternalFailure'])
  })

  test('in the Query protocol is refused in that protocol', async (t) => {
    const house = await House.open(t)
    const body = Buffer.from('Action=GetCallerIdentity&Version=2011-06-15')
    const { status, reply } = await house.call(
      '',
      {},
      { service: 'sts', headers: form, body, change: unsigned },
    )
    assert.equal(status, 403)
    assert.match(reply.body.toString(), /<Code>MissingAuthenticationToken<\/Code>/)
  })

  test('is written after a second by itself', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] })
    const house = await House.open(t)
    await send(house, unsigned)
    t.mock.timers.tick(999)
    await turns(3)
    assert.equal(house.journal.size, 0)
    t.mock.timers.tick(1)
    await turns(3)
    assert.equal(house.journal.size, 1)
  })
})

/** GenerateRandom, with an audit that throws. */
function withBrokenAudit(services: readonly Service[]): readonly Service[] {
  return services.map((service) => {
    const random = service.operations.get('GenerateRandom')
    if (random === undefined) return service
    const audit = {
      ...random.audit,
      request: () => {
        throw new Error('the audit is broken')
      },
    }
    const operations = new Map(service.operations).set('GenerateRandom', { ...random, audit })
    return { ...service, operations }
  })
}
