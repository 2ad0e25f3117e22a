import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { KeyUse } from '../journal/port.ts'
import { crossAccountUse } from './cross-account-use.ts'
import type { KeyFacts } from './facts.ts'
import { keyUse } from './key-use.ts'
import { logIntegrity } from './log-integrity.ts'
import { outcomeOf } from './outcome.ts'
import { privilegesOf } from './privileged-use.ts'
import { questions } from './questions.ts'
import { framed, reportNames } from './report.ts'
import { rotation } from './rotation.ts'
import type { Event } from './sources.ts'

const account = '111122223333'
const other = '444455556666'
const key = `arn:aws:kms:us-east-1:${account}:key/one`
const now = Date.UTC(2026, 5, 1)

function use(members: Partial<KeyUse>): KeyUse {
  return {
    ...{ key, account, name: 'Decrypt', principal: `arn:aws:iam::${account}:user/ann` },
    ...{ principalAccount: account, error: '', count: 2, inPeriod: 2 },
    ...{ first: now, firstEvent: 'f', last: now, lastEvent: 'l', lastArn: '' },
    ...members,
  }
}

async function* each<T>(values: readonly T[]) {
  yield* values
}

const foreign = { principalAccount: other, principal: `${other}/AIDAX` }
const uses = [
  use({}),
  use({ error: 'AccessDenied', inPeriod: 1 }),
  use(foreign),
  // The caller's copies: of what was allowed, the owner has its own.
  use({ ...foreign, account: other }),
  use({ ...foreign, account: other, error: 'DisabledException' }),
  use({ ...foreign, account: other, error: 'AccessDenied', inPeriod: 5 }),
  use({ name: 'Encrypt', inPeriod: 0 }),
]

describe('key-use', () => {
  test('counts a call across accounts once, and what was denied apart', async () => {
    const body = await keyUse(each(uses), { region: undefined, limit: 10 })
    assert.deepEqual(
      body.rows.map(({ outcome, inPeriod }) => [outcome, inPeriod]),
      [
        ['allowed', 2],
        ['allowed', 2],
        ['denied', 1],
        ['denied', 5],
      ],
    )
    assert.deepEqual(body.summary, { allowed: 4, denied: 6, failed: 0, rows: 4 })
    const cut = await keyUse(each(uses), { region: undefined, limit: 3 })
    assert.deepEqual([cut.rows.length, cut.truncated], [3, true])
    assert.equal((await keyUse(each(uses), { region: 'eu-west-1', limit: 3 })).rows.length, 0)
  })

  test('across accounts, of either side', async () => {
    const rowsOf = async (of: string | undefined) => {
      const options = { account: of, region: undefined, limit: 10 }
      return (await crossAccountUse(each(uses), options)).rows.map(({ inPeriod }) => inPeriod)
    }
    assert.deepEqual(await rowsOf(undefined), [2, 5])
    assert.deepEqual(await rowsOf(other), [2, 5])
    assert.deepEqual(await rowsOf(account), [2, 5])
    assert.deepEqual(await rowsOf('777788889999'), [])
  })
})

test('outcomes', () => {
  const codes = ['', 'AccessDenied', 'AccessDeniedException', 'Client.UnauthorizedOperation', 'X']
  assert.deepEqual(codes.map(outcomeOf), ['allowed', 'denied', 'denied', 'denied', 'failed'])
})

test('what is privileged, and what is not', () => {
  const event = (members: Partial<Event>): Event => ({
    ...{ eventID: 'e', eventName: 'TagResource', eventSource: 'kms.amazonaws.com' },
    ...{ eventTime: '', awsRegion: '', userIdentity: { type: 'IAMUser' }, ...members },
  })
  const session = {
    type: 'AssumedRole',
    sessionContext: { attributes: { mfaAuthenticated: 'false' } },
  }
  const trail = { eventSource: 'cloudtrail.amazonaws.com' }
  const cases: [Partial<Event>, readonly string[] | undefined][] = [
    [{}, undefined],
    [{ userIdentity: session }, undefined],
    [{ userIdentity: { type: 'Root' } }, ['root']],
    [{ eventName: 'PutKeyPolicy' }, ['policy']],
    [{ eventName: 'PutKeyPolicy', userIdentity: session }, ['policy', 'no MFA']],
    [{ eventName: 'AttachRolePolicy', eventSource: 'iam.amazonaws.com' }, ['policy']],
    [{ eventName: 'CreatePolicyVersion', eventSource: 'iam.amazonaws.com' }, ['policy']],
    [{ ...trail, eventName: 'StopLogging' }, ['trail']],
    [{ ...trail, eventName: 'PutEventSelectors' }, ['trail']],
    [{ eventName: 'StopLogging' }, undefined],
    [{ eventName: 'ScheduleKeyDeletion' }, ['end of a key']],
    [
      { eventName: 'CreateKey', requestParameters: { bypassPolicyLockoutSafetyCheck: true } },
      ['lockout bypass'],
    ],
    [{ eventName: 'Backup', eventSource: 'operator.kagiban.internal' }, ['operator']],
  ]
  for (const [members, expected] of cases) {
    assert.deepEqual(privilegesOf(event(members)), expected, JSON.stringify(members))
  }
})

test('ages of material', () => {
  const facts = (days: number, more: Partial<KeyFacts> = {}): KeyFacts => ({
    ...{ arn: key, account, region: 'us-east-1', keyId: 'one', aliases: [], state: 'Enabled' },
    ...{ createdAt: now - days * 86_400_000, keySpec: 'SYMMETRIC_DEFAULT', origin: 'AWS_KMS' },
    ...{ manager: 'CUSTOMER', rotatable: true, rotation: undefined, materials: 1 },
    ...{ lastRotation: undefined, deletionDate: undefined, ...more },
  })
  const rotated = { lastRotation: { at: now - 5 * 86_400_000, type: 'ON_DEMAND' } }
  const keys = [
    facts(10),
    facts(100),
    facts(400),
    facts(400, rotated),
    facts(1, { manager: 'AWS' }),
  ]
  const { summary } = rotation(keys, [], { now, limit: 10 })
  assert.deepEqual(summary, {
    ...{ keys: 4, automatic: 0, rotatableButNotAutomatic: 4 },
    ...{ materialUpTo90Days: 2, materialUpTo180Days: 3, materialUpTo365Days: 3 },
  })
})

test('a record that is not whole is no certificate', () => {
  const whole = { origin: 'o', records: 3, firstRead: 0, segments: 1, checkpoints: 1, signed: 3 }
  const checkpoint = { size: 3, root: 'cm9vdA==', signatures: 1 }
  const good = { name: 'main', whole, finding: undefined, checkpoint }
  const finding = { kind: 'altered-record', place: 'x.seg, byte 7', message: 'a wrong checksum' }
  const bad = { name: 'main', whole: undefined, finding, checkpoint }
  const given = { others: [], publicKey: 'aa', keySource: 'given', held: 1 } as const
  const certified = logIntegrity({ ...given, journals: [good] })
  assert.equal(certified.summary['result'], 'whole')
  assert.equal(certified.blindSpots.length, 3)
  assert.equal(logIntegrity({ ...given, journals: [good, bad] }).summary['result'], 'NOT WHOLE')
  assert.equal(logIntegrity({ ...given, journals: [] }).summary['result'], 'NOT WHOLE')
  const beside = logIntegrity({ ...given, journals: [good], others: [finding] })
  assert.equal(beside.summary['result'], 'NOT WHOLE')
  const unsure = logIntegrity({ ...given, journals: [good], keySource: 'folder', held: 0 })
  assert.equal(unsure.blindSpots.length, 5)
})

test('every report has a question and places where it may serve as evidence', () => {
  for (const report of reportNames) {
    const frame = { report, question: questions[report], now, period: { since: 0, until: now } }
    const body = { columns: [], rows: [], summary: {}, sources: [], blindSpots: ['x'] }
    const { evidence, question } = framed({ ...frame, scope: {} }, body)
    assert.ok(question.endsWith('?'), report)
    assert.ok(Object.keys(evidence.labels).length >= 4, report)
    assert.match(evidence.note, /an aid/)
  }
})
