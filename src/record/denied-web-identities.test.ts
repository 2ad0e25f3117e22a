import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import { systemRandom } from '../base/random.ts'
import { maxRecordBytes, minSegmentBytes } from '../journal/segment.ts'
import { assumeRoleWithWebIdentity } from '../services/sts/operations/assume-role-with-web-identity.ts'
import { HeldJournal } from '../testing/held-journal.ts'
import { awsQuery } from '../wire/aws-query.ts'
import type { Call } from './call.ts'
import { deniedElementBytes, shortened } from './denied-web-identities.ts'
import { elementBytesFor, elementBytesLimit, jsonText } from './event.ts'
import { recordsOf } from './records.ts'
import { Refusals } from './refusals.ts'

const account = '111122223333' as AccountId
const other = '444455556666' as AccountId
const protocol = awsQuery('https://sts.amazonaws.com/doc/2011-06-15/', '2011-06-15')

function webIdentity(of: AccountId, subject = 'somebody', audience = 'kagiban'): Caller {
  const provider = `arn:aws:iam::${of}:oidc-provider/${'o'.repeat(255)}`
  return {
    type: 'web-identity',
    account: of,
    arn: provider,
    principalId: `${provider}:${audience}:${subject}`,
    accessKeyId: '',
    webIdentity: { provider, subject, audience, tags: [], transitiveTagKeys: [] },
  }
}

function callOf(caller: Caller, more: Partial<Call> = {}): Call {
  return {
    request: {
      method: 'POST',
      target: '/',
      rawHeaders: [],
      body: Buffer.alloc(0),
      remoteAddress: '10.0.0.1',
    },
    reply: () => {},
    requestId: systemRandom.uuid(),
    evidence: [],
    addressed: { protocol, targetPrefix: undefined, operationName: 'AssumeRoleWithWebIdentity' },
    identity: { caller, region: 'us-east-1' as Region, service: 'sts', accessKeyId: '' },
    operation: assumeRoleWithWebIdentity,
    failure: new ServiceError('access-denied', 'Not authorized'),
    authorized: false,
    ...more,
  }
}

function opened(context: TestContext) {
  const clock = { time: Date.UTC(2026, 4, 6), now: () => clock.time }
  const journal = new HeldJournal()
  const region = 'us-east-1' as Region
  const refusals = new Refusals({ journal, account, region, clock, random: systemRandom })
  context.after(() => refusals.flush().catch(() => {}))
  /** How many of so many calls are counted. */
  const counted = (count: number, call: () => Call) =>
    Array.from({ length: count }, call).filter((each) => refusals.take(each)).length
  return { clock, journal, refusals, counted }
}

describe('denied web identities', () => {
  test('of one account are recorded sixty at once and six a minute; the others are counted', async (t) => {
    const { clock, journal, refusals, counted } = opened(t)
    const denied = () => callOf(webIdentity(account))
    assert.equal(counted(60, denied), 0)
    assert.equal(counted(1000, denied), 1000)
    assert.equal(
      counted(60, () => callOf(webIdentity(other))),
      0,
    )
    clock.time += 60_000
    assert.equal(counted(10, denied), 4)
    clock.time += 3_600_000
    assert.equal(counted(100, denied), 40)
    await refusals.flush()
    assert.deepEqual(
      journal.events.map((event) => [
        event.eventName,
        event.sourceIPAddress,
        event.errorCode,
        event.serviceEventDetails?.['requests'],
      ]),
      [['RefusedUnauthenticated', '10.0.0.1', 'AccessDenied', 1044]],
    )
  })

  test('whatever else authenticated callers do has a record of its own, and draws on nothing', (t) => {
    const { counted } = opened(t)
    const caller = webIdentity(account)
    const user: Caller = { ...caller, type: 'user' }
    const { failure: _, ...succeeded } = callOf(caller, { authorized: true })
    const others: readonly Call[] = [
      succeeded,
      callOf(caller, { authorized: true, failure: new ServiceError('malformed-policy') }),
      callOf(user),
    ]
    for (const call of others)
      assert.equal(
        counted(500, () => call),
        0,
      )
    assert.equal(
      counted(60, () => callOf(caller)),
      0,
    )
    assert.equal(
      counted(1, () => callOf(caller)),
      1,
    )
    for (const call of others)
      assert.equal(
        counted(500, () => call),
        0,
      )
  })

  test('what they asked for is left out where it is long, and the role never', () => {
    const roleArn = `arn:aws:iam::${account}:role/${'p'.repeat(510)}/${'n'.repeat(64)}`
    assert.deepEqual(
      shortened({ roleArn, policy: 'é'.repeat(600), policyArns: undefined, durationSeconds: 900 }),
      {
        roleArn,
        policy: { omitted: true, originalSize: 1202 },
        policyArns: undefined,
        durationSeconds: 900,
      },
    )
  })
})

describe('the record of a denied web identity', () => {
  const characters = ['a', '"', '\u0001', '\u007f', '\u0085', '\u2028', '鍵', '😀']
  const arn = `arn:aws:iam::${account}:role/${'"'.repeat(510)}/${'n'.repeat(64)}`
  const smallest = maxRecordBytes(minSegmentBytes)

  /** As much of everything as a request and a token may have, but for members of so many characters. */
  function largest(character: string, length: number): Call {
    const text = (length: number) => character.repeat(length)
    return callOf(webIdentity(account, text(255), text(255)), {
      request: {
        ...callOf(webIdentity(account)).request,
        rawHeaders: ['Host', text(16_000), 'User-Agent', text(16_000)],
        tls: { version: 'TLSv1.3', cipher: 'TLS_AES_128_CCM_8_SHA256' },
      },
      input: {
        RoleArn: arn,
        RoleSessionName: 's'.repeat(64),
        WebIdentityToken: 'secret-token',
        ProviderId: text(length),
        Policy: text(length),
        PolicyArns: Array(length > 1000 ? 10 : 1).fill({ arn: text(length) }),
        DurationSeconds: 43_200,
      },
      target: { arn, account },
      resolved: true,
      failure: new ServiceError('access-denied', text(5000)),
    })
  }

  /** The longest members that are shown, and the longest that there can be. */
  function lengthsOf(character: string): readonly number[] {
    const bytes = Buffer.byteLength(jsonText(character)) - 2
    return [Math.floor(1000 / bytes), 2048]
  }

  // The threat model names 16 KiB.
  for (const [elementBytes, most] of [
    [elementBytesLimit, 16 * 1024],
    [elementBytesFor(smallest), smallest],
  ] as const) {
    test(`is short, whatever the request says, with elements of ${elementBytes} bytes`, () => {
      for (const character of characters) {
        for (const length of lengthsOf(character)) {
          const [own, ...others] = recordsOf(
            largest(character, length),
            ...([0, systemRandom, elementBytes] as const),
          )
          assert.equal(others.length, 0)
          const record = own?.record ?? ''
          // What the denial was decided on stands beside it.
          const decided = Math.min(deniedElementBytes, elementBytes) / 3
          const bytes = Buffer.byteLength(record)
          assert.ok(bytes + decided <= most, `${bytes} of ${most}, ${JSON.stringify(character)}`)
          assert.ok(!record.includes('secret-token'))
          const { requestParameters, resources } = JSON.parse(record)
          const shown = length < 2048 && elementBytes === elementBytesLimit
          assert.equal(requestParameters.policy === character.repeat(length), shown)
          assert.equal(resources[0].ARN, arn)
        }
      }
    })
  }
})
