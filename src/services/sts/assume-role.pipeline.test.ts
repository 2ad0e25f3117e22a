import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House, otherAccount, type Sending } from '../../testing/house.ts'
import type { NewRole } from '../../testing/people.ts'
import { type Parameters, query } from '../../testing/query-calls.ts'
import { allow, assume, refusedSts, trust } from './testing/sessions.ts'

const denied = '403 AccessDenied: User: '

async function open(t: TestContext) {
  const house = await House.open(t)
  const user = await house.addUser({ name: 'mona', tags: { desk: '7' } })
  const addRole = (name: string, role: Partial<NewRole> = {}) =>
    house.addRole({ name, trust: trust({ AWS: user.arn }), ...role })
  const refused = (roleArn: string, parameters = {}, sending: Sending = { key: user }) =>
    refusedSts(
      house,
      'AssumeRole',
      { RoleArn: roleArn, RoleSessionName: 'job', ...parameters },
      sending,
    )
  return { house, user, addRole, refused }
}

describe('AssumeRole', () => {
  test('takes the trust of the role, and of the account besides its own policy', async (t) => {
    const { house, user, addRole, refused } = await open(t)
    const trusting = await addRole('named')
    await assume(house, trusting.arn, {}, { key: user })
    const delegating = await addRole('delegated', { trust: trust({ AWS: account }) })
    assert.ok(
      (await refused(delegating.arn)).startsWith(
        `${denied}${user.arn} is not authorized to perform: sts:AssumeRole on resource: ${delegating.arn}`,
      ),
    )
    const allowed = await house.addUser({
      name: 'allowed',
      policies: [allow('sts:AssumeRole', delegating.arn)],
    })
    await assume(house, delegating.arn, {}, { key: allowed })
    const nobody = await addRole('closed', { trust: trust({ AWS: otherAccount }) })
    assert.ok((await refused(nobody.arn, {}, { key: allowed })).startsWith(denied))
  })

  test('says the same of a role that is not there as of one that trusts others', async (t) => {
    const { house, addRole, refused } = await open(t)
    const closed = await addRole('closed', { trust: trust({ AWS: otherAccount }) })
    const missing = closed.arn.replace('closed', 'clothed')
    const text = await refused(closed.arn)
    assert.equal(await refused(missing), text.replaceAll('closed', 'clothed'))
    const strange = await house.addUser({
      name: 'zoe',
      account: otherAccount,
      policies: [allow('sts:*')],
    })
    const shut = await addRole('shut', { trust: trust({ AWS: account }) })
    const other = await refused(shut.arn, {}, { key: strange })
    assert.equal(await refused(missing, {}, { key: strange }), other.replaceAll('shut', 'clothed'))
  })

  test('asks both accounts, and tells both records', async (t) => {
    const { house, addRole, refused } = await open(t)
    const role = await addRole('shared', { trust: trust({ AWS: otherAccount }) })
    const unable = await house.addUser({ name: 'zoe', account: otherAccount })
    assert.ok((await refused(role.arn, {}, { key: unable })).startsWith(denied))
    const able = await house.addUser({
      name: 'yan',
      account: otherAccount,
      policies: [allow('sts:AssumeRole')],
    })
    const parameters = { RoleArn: role.arn, RoleSessionName: 'job' }
    const answer = await query(house, 'sts', 'AssumeRole', parameters, { key: able })
    assert.equal(answer.status, 200, String(answer.reply.body))
    const records = house.recordsOf(answer)
    assert.deepEqual(
      records.map(({ recipientAccountId, userIdentity }) => [
        recipientAccountId,
        userIdentity['type'],
      ]),
      [
        [otherAccount, 'IAMUser'],
        [account, 'AWSAccount'],
      ],
    )
    const text = JSON.stringify(records)
    const { Credentials } = answer.result as { Credentials: Record<string, string> }
    assert.ok(text.includes(Credentials['AccessKeyId'] ?? '?'))
    for (const name of ['SecretAccessKey', 'SessionToken']) {
      assert.equal(text.includes(Credentials[name] ?? ''), false, name)
    }
    assert.deepEqual(records[0]?.resources, [
      { accountId: account, type: 'AWS::IAM::Role', ARN: role.arn },
    ])
  })

  test('is not for root users, nor for what is no role', async (t) => {
    const { addRole, refused } = await open(t)
    const role = await addRole('named', { trust: trust({ AWS: account }) })
    assert.equal(
      await refused(role.arn, {}, {}),
      '403 AccessDenied: Roles may not be assumed by root accounts.',
    )
    for (const arn of [
      `arn:aws:iam::${account}:user/mona`,
      `arn:aws:iam:us-east-1:${account}:role/named`,
      `arn:aws-cn:iam::${account}:role/named`,
      'arn:aws:iam::12345:role/somebody',
      'not-an-arn-at-all-but-long',
    ]) {
      assert.equal(await refused(arn), '400 ValidationError: Request ARN is invalid', arn)
    }
  })

  test('bounds its members, in the words of AWS', async (t) => {
    const { addRole, refused } = await open(t)
    const { arn } = await addRole('named')
    const cases: readonly [object, RegExp][] = [
      [{ RoleSessionName: 'a b' }, /'roleSessionName' .*pattern: \[\\w\+=,\.@-\]\*$/],
      [{ RoleSessionName: 'a' }, /'roleSessionName' .*greater than or equal to 2$/],
      [{ DurationSeconds: 899 }, /'durationSeconds' .*greater than or equal to 900$/],
      [{ DurationSeconds: 43_201 }, /'durationSeconds' .*less than or equal to 43200$/],
      [{ ExternalId: 'x' }, /'externalId' .*greater than or equal to 2$/],
      [{ Policy: 'x'.repeat(2049) }, /'policy' .*less than or equal to 2048$/],
      [{ PolicyArns: Array(11).fill({ arn }) }, /'policyArns' .*less than or equal to 10$/],
      [{ SourceIdentity: 'aws:me' }, /'sourceIdentity' .*pattern/],
      [{ ProvidedContexts: [{ ProviderArn: arn }] }, /^400 ValidationError: ProvidedContexts/],
    ]
    for (const [parameters, expected] of cases) {
      const text = await refused(arn, parameters)
      assert.match(text, /^400 ValidationError: /)
      assert.match(text, expected)
    }
    assert.match(await refused(arn, { Policy: '{' }), /^400 MalformedPolicyDocument: /)
    assert.match(
      await refused(arn, { PolicyArns: [{ arn: `arn:aws:iam::${account}:policy/none` }] }),
      /^400 ValidationError: Policy .* does not exist or is not attachable\.$/,
    )
    const big = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}`, Value: 'v'.repeat(256) }))
    assert.match(
      await refused(arn, { Tags: big }),
      /^400 PackedPolicyTooLarge: Packed policy consumes \d{3}% of allotted space, please use smaller policy\.$/,
    )
  })

  test('lasts as long as the role lets it, and an hour along a chain', async (t) => {
    const { house, user, addRole, refused } = await open(t)
    const usual = await addRole('usual')
    const exceeds = (what: string) =>
      `400 ValidationError: The requested DurationSeconds exceeds the ${what}`
    assert.equal(
      await refused(usual.arn, { DurationSeconds: 3601 }),
      exceeds('MaxSessionDuration set for this role.'),
    )
    const long = await addRole('long', { maxSessionSeconds: 43_200 })
    const session = await assume(house, long.arn, { DurationSeconds: 43_200 }, { key: user })
    const expiration = (session.answer['Credentials'] as Record<string, string>)['Expiration']
    assert.equal(expiration, '2026-05-06T19:08:09Z')
    const next = await addRole('next', {
      trust: trust({ AWS: long.arn }),
      maxSessionSeconds: 43_200,
    })
    assert.equal(
      await refused(next.arn, { DurationSeconds: 3601 }, { key: session }),
      exceeds('1 hour session limit for roles assumed by role chaining'),
    )
    await assume(house, next.arn, { DurationSeconds: 3600 }, { key: session })
  })

  test('needs a role to name itself before it assumes itself', async (t) => {
    const { house, user, addRole, refused } = await open(t)
    const role = await addRole('named', { policies: [allow('sts:AssumeRole')] })
    const session = await assume(house, role.arn, {}, { key: user })
    assert.ok((await refused(role.arn, {}, { key: session })).startsWith(denied))
  })

  const conditioned: readonly (readonly [string, object, Parameters, readonly Parameters[]])[] = [
    [
      'an external id',
      { StringEquals: { 'sts:ExternalId': 'e-1' } },
      { ExternalId: 'e-1' },
      [{}, { ExternalId: 'e-2' }],
    ],
    [
      'a session name',
      { StringLike: { 'sts:RoleSessionName': `\${aws:username}*` } },
      { RoleSessionName: 'mona.1' },
      [{ RoleSessionName: 'zoe' }],
    ],
    [
      'a source identity',
      { StringEquals: { 'sts:SourceIdentity': 'mona' } },
      { SourceIdentity: 'mona' },
      [{}, { SourceIdentity: 'zoe' }],
    ],
    [
      'a tag',
      { StringEquals: { 'aws:RequestTag/team': 'blue' } },
      { Tags: [{ Key: 'Team', Value: 'blue' }] },
      [{}, { Tags: [{ Key: 'team', Value: 'red' }] }],
    ],
    [
      'some tags',
      { 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } },
      { Tags: [{ Key: 'a', Value: '' }] },
      [{ Tags: [{ Key: 'b', Value: '' }] }],
    ],
    [
      'some transitive tags',
      { 'ForAllValues:StringEquals': { 'sts:TransitiveTagKeys': ['a'] } },
      { Tags: [{ Key: 'a', Value: '1' }], TransitiveTagKeys: ['a'] },
      [{ Tags: [{ Key: 'b', Value: '1' }], TransitiveTagKeys: ['b'] }],
    ],
    ['a tag of the caller', { StringEquals: { 'aws:PrincipalTag/desk': '7' } }, {}, []],
    [
      'a tag of the role',
      { StringEquals: { 'aws:ResourceTag/level': '1', 'iam:ResourceTag/level': '1' } },
      {},
      [],
    ],
    ['no temporary credentials', { Null: { 'aws:TokenIssueTime': 'true' } }, {}, []],
  ]
  for (const [what, Condition, good, bad] of conditioned) {
    test(`asks for ${what}`, async (t) => {
      const { house, user, addRole, refused } = await open(t)
      const role = await addRole('named', {
        trust: trust({ AWS: user.arn }, { Condition }),
        tags: { level: '1' },
      })
      await assume(house, role.arn, good, { key: user })
      for (const parameters of bad) {
        assert.ok(
          (await refused(role.arn, parameters)).startsWith(denied),
          JSON.stringify(parameters),
        )
      }
      const opposite = await addRole('opposite', {
        trust: {
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:*' },
            { Effect: 'Deny', Principal: { AWS: user.arn }, Action: 'sts:*', Condition },
          ],
        },
        tags: { level: '1' },
      })
      assert.ok((await refused(opposite.arn, good)).startsWith(denied))
    })
  }
})

describe('session tags and the source identity', () => {
  const tags = [
    { Key: 'Team', Value: 'blue' },
    { Key: 'Job', Value: '1' },
  ]

  test('each need a permission of their own on the role', async (t) => {
    const { house, user, addRole, refused } = await open(t)
    const role = await addRole('bare', {
      trust: trust({ AWS: user.arn }, { Action: 'sts:AssumeRole' }),
    })
    await assume(house, role.arn, {}, { key: user })
    assert.match(await refused(role.arn, { Tags: tags }), /^403 AccessDenied: .*sts:TagSession/)
    assert.match(
      await refused(role.arn, { SourceIdentity: 'mona' }),
      /^403 AccessDenied: .*sts:SetSourceIdentity/,
    )
  })

  test('have names that differ by more than their case, and transitive ones are passed', async (t) => {
    const { addRole, refused } = await open(t)
    const { arn } = await addRole('named')
    const invalid = (text: string) => `400 InvalidParameterValue: ${text}`
    assert.equal(
      await refused(arn, { Tags: [...tags, { Key: 'TEAM', Value: 'red' }] }),
      invalid('Duplicate tag keys found. Please note that Tag keys are case insensitive.'),
    )
    assert.equal(
      await refused(arn, { Tags: tags, TransitiveTagKeys: ['Other'] }),
      invalid('The specified transitive tag key must be included in the requested tags.'),
    )
    assert.match(
      await refused(arn, { Tags: [{ Key: 'AWS:x', Value: '' }] }),
      /^400 InvalidParameterValue/,
    )
  })

  test('transitive tags and the source identity go along the chain and stay as they are', async (t) => {
    const { house, user, addRole, refused } = await open(t)
    const first = await addRole('first')
    const next = await addRole('next', { trust: trust({ AWS: first.arn }) })
    const last = await addRole('last', {
      trust: trust(
        { AWS: next.arn },
        {
          Condition: {
            StringEquals: { 'aws:PrincipalTag/team': 'blue', 'aws:SourceIdentity': 'mona' },
            Null: { 'aws:PrincipalTag/Job': 'true' },
          },
        },
      ),
    })
    const given = { Tags: tags, TransitiveTagKeys: ['team'], SourceIdentity: 'mona' }
    const begun = await assume(house, first.arn, given, { key: user })
    assert.equal(begun.answer['SourceIdentity'], 'mona')
    assert.equal(
      await refused(next.arn, { Tags: [{ Key: 'TEAM', Value: 'red' }] }, { key: begun }),
      "400 InvalidParameterValue: One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
    assert.equal(
      await refused(next.arn, { SourceIdentity: 'zoe' }, { key: begun }),
      '400 ValidationError: The source identity of a session cannot be changed.',
    )
    const chained = await query(
      house,
      'sts',
      'AssumeRole',
      { RoleArn: next.arn, RoleSessionName: 'job' },
      { key: begun },
    )
    assert.equal(chained.status, 200, String(chained.reply.body))
    assert.equal(chained.result['SourceIdentity'], 'mona')
    const [record] = house.recordsOf(chained)
    assert.deepEqual(record?.requestParameters?.['incomingTransitiveTags'], { Team: 'blue' })
    const context = record?.userIdentity['sessionContext'] as { sourceIdentity?: string }
    assert.equal(context.sourceIdentity, 'mona')
    const { Credentials } = chained.result as { Credentials: Record<string, string> }
    const key = {
      accessKeyId: Credentials['AccessKeyId'] ?? '',
      secretAccessKey: Credentials['SecretAccessKey'] ?? '',
      sessionToken: Credentials['SessionToken'] ?? '',
    }
    await assume(house, last.arn, { SourceIdentity: 'mona' }, { key })
    const bare = await addRole('bare', {
      trust: trust({ AWS: next.arn }, { Action: 'sts:AssumeRole' }),
    })
    assert.match(await refused(bare.arn, {}, { key }), /^403 AccessDenied: .*sts:TagSession/)
  })

  test('a token is as long as was asked', async (t) => {
    const { house, user, addRole } = await open(t)
    const role = await addRole('named')
    const session = await assume(house, role.arn, { MinimumSessionTokenSize: 4096 }, { key: user })
    assert.ok(session.sessionToken.length >= 4096 && session.sessionToken.length < 4110)
    assert.equal(session.answer['SessionTokenSize'], String(session.sessionToken.length))
    assert.equal(session.answer['SessionTokenUtilization'], '50')
    assert.equal(session.answer['PackedPolicySize'], undefined)
    const { status } = await query(house, 'sts', 'GetCallerIdentity', {}, { key: session })
    assert.equal(status, 200)
  })
})
