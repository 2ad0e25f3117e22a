import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House, otherAccount, type Sending } from '../../testing/house.ts'
import { query } from '../../testing/query-calls.ts'
import {
  allow,
  assume,
  credentialsOf,
  refusedSts,
  type Session,
  trust,
} from './testing/sessions.ts'

/** A house with a user, a role that trusts it and may use every key, and a key. */
async function people(t: TestContext, sessions: object = {}) {
  const house = await House.open(t)
  const user = await house.addUser({ name: 'mona', policies: [allow('kms:*')] })
  const role = await house.addRole({
    name: 'worker',
    path: '/team/',
    trust: trust({ AWS: user.arn }),
    policies: [allow('kms:*')],
    ...sessions,
  })
  const key = await house.newKey()
  const encrypt = (session: Session, sending: Sending = {}) =>
    house.call('Encrypt', { KeyId: key, Plaintext: 'AAAA' }, { key: session, ...sending })
  return { house, user, role, key, encrypt }
}

const invalid = [
  'UnrecognizedClientException',
  'The security token included in the request is invalid.',
]

describe('a role session', () => {
  test('calls KMS as the role, and its record says who it is', async (t) => {
    const { house, user, role, encrypt } = await people(t)
    const session = await assume(house, role.arn, {}, { key: user })
    assert.match(session.accessKeyId, /^ASIA[A-Z2-7]{16}$/)
    assert.deepEqual(session.answer['AssumedRoleUser'], {
      AssumedRoleId: `${role.id}:job`,
      Arn: `arn:aws:sts::${account}:assumed-role/worker/job`,
    })
    assert.equal(
      (session.answer['Credentials'] as { Expiration: string }).Expiration,
      '2026-05-06T08:08:09Z',
    )
    const answer = await encrypt(session)
    assert.equal(answer.status, 200, String(answer.reply.body))
    assert.deepEqual(house.recordsOf(answer)[0]?.userIdentity, {
      type: 'AssumedRole',
      principalId: `${role.id}:job`,
      arn: `arn:aws:sts::${account}:assumed-role/worker/job`,
      accountId: account,
      accessKeyId: session.accessKeyId,
      sessionContext: {
        sessionIssuer: {
          type: 'Role',
          principalId: role.id,
          arn: role.arn,
          accountId: account,
          userName: 'worker',
        },
        attributes: { creationDate: '2026-05-06T07:08:09Z', mfaAuthenticated: 'false' },
      },
    })
    const identity = await query(house, 'sts', 'GetCallerIdentity', {}, { key: session })
    assert.deepEqual(identity.result, {
      UserId: `${role.id}:job`,
      Account: account,
      Arn: `arn:aws:sts::${account}:assumed-role/worker/job`,
    })
  })

  test('is refused without its token, with another one, and past its time', async (t) => {
    const { house, user, role, encrypt } = await people(t)
    const [session, other] = [
      await assume(house, role.arn, {}, { key: user }),
      await assume(house, role.arn, {}, { key: user }),
    ]
    const refusalOf = async (key: Partial<Session>) => {
      const { error, message, status } = await encrypt(key as Session)
      assert.equal(status, 400)
      return [error, message]
    }
    const { accessKeyId, secretAccessKey, sessionToken } = session
    assert.deepEqual(await refusalOf({ accessKeyId, secretAccessKey }), invalid)
    // Before the right token is known, and after.
    for (const known of [false, true]) {
      assert.equal((await encrypt(other)).status, 200, `known: ${known}`)
      for (const token of ['', 'AAAA', 'no base64!', sessionToken.slice(4), `${sessionToken} `]) {
        const refused = refusalOf({ accessKeyId, secretAccessKey, sessionToken: `x${token}` })
        assert.deepEqual(await refused, invalid, token)
      }
      assert.deepEqual(await refusalOf({ ...session, sessionToken: other.sessionToken }), invalid)
      assert.deepEqual(await refusalOf({ ...user, sessionToken }), invalid)
      assert.equal((await encrypt(session)).status, 200)
    }
    assert.deepEqual(
      (await refusalOf({ ...session, secretAccessKey: 'x'.repeat(40) }))[0],
      'InvalidSignatureException',
    )
    house.clock.time += 3_600_000 - 1000
    assert.equal((await encrypt(session)).status, 200)
    house.clock.time += 1000
    assert.deepEqual(await refusalOf(session), [
      'ExpiredTokenException',
      'The security token included in the request is expired',
    ])
  })

  test('every flipped character of a token is refused', async (t) => {
    const { house, user, role, encrypt } = await people(t)
    const session = await assume(house, role.arn, {}, { key: user })
    const { sessionToken } = session
    for (let at = 0; at < sessionToken.length; at += 7) {
      const other = sessionToken[at] === 'A' ? 'B' : 'A'
      const altered = `${sessionToken.slice(0, at)}${other}${sessionToken.slice(at + 1)}`
      const { error } = await encrypt({ ...session, sessionToken: altered })
      assert.equal(error, 'UnrecognizedClientException', `character ${at}`)
    }
    assert.equal((await encrypt(session)).status, 200)
  })

  test('is worth nothing once its role is gone, also when another is made of that name', async (t) => {
    const { house, user, role, encrypt } = await people(t)
    const session = await assume(house, role.arn, {}, { key: user })
    assert.equal((await encrypt(session)).status, 200)
    await house.removeIdentity(role.id)
    assert.deepEqual((await encrypt(session)).error, 'UnrecognizedClientException')
    await house.addRole({
      name: 'worker',
      path: '/team/',
      trust: trust({ AWS: user.arn }),
      policies: [allow('kms:*')],
    })
    assert.deepEqual((await encrypt(session)).error, 'UnrecognizedClientException')
    assert.equal((await encrypt(await assume(house, role.arn, {}, { key: user }))).status, 200)
  })

  test('outlives a restart, and the caches of one', async (t) => {
    const { house, user, role } = await people(t)
    const session = await assume(house, role.arn, {}, { key: user })
    const again = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
    const { status } = await query(again, 'sts', 'GetCallerIdentity', {}, { key: session })
    assert.equal(status, 200)
  })

  test('older sessions end by a Deny of their time of issue, on the next call', async (t) => {
    const { house, user, role, encrypt } = await people(t)
    const older = await assume(house, role.arn, {}, { key: user })
    house.clock.time += 10_000
    const newer = await assume(house, role.arn, {}, { key: user })
    assert.equal((await encrypt(older)).status, 200)
    const { roles } = house.tables.identities
    const record = roles.byId(role.id)
    assert.ok(record)
    const time = new Date(house.clock.time).toISOString().replace(/\.\d+/, '')
    const revoked = {
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Deny',
          Action: '*',
          Resource: '*',
          Condition: { DateLessThan: { 'aws:TokenIssueTime': time } },
        },
      ],
    }
    const inline = { ...record.inline, AWSRevokeOlderSessions: JSON.stringify(revoked) }
    await house.mirror.commit([roles.replace(record, { ...record, inline })], [])
    assert.equal((await encrypt(older)).error, 'AccessDeniedException')
    assert.equal((await encrypt(newer)).status, 200)
  })

  test('has the tags of the role and its own, and what they are now', async (t) => {
    const { house, user, role, key } = await people(t, {
      tags: { Team: 'blue', Site: 'east' },
      policies: [
        allow('kms:Encrypt', '*', {
          Condition: {
            StringEquals: { 'aws:PrincipalTag/team': 'red', 'aws:PrincipalTag/Site': 'east' },
          },
        }),
      ],
    })
    const encrypt = (session: Session) =>
      house.call('Encrypt', { KeyId: key, Plaintext: 'AAAA' }, { key: session })
    const tagged = { Tags: [{ Key: 'TEAM', Value: 'red' }] }
    const session = await assume(house, role.arn, tagged, { key: user })
    const untagged = await assume(house, role.arn, {}, { key: user })
    assert.equal((await encrypt(session)).status, 200)
    assert.equal((await encrypt(untagged)).error, 'AccessDeniedException')
    const { roles } = house.tables.identities
    const record = roles.byId(role.id)
    assert.ok(record)
    const tags = [
      { Key: 'Team', Value: 'red' },
      { Key: 'Site', Value: 'east' },
    ]
    await house.mirror.commit([roles.replace(record, { ...record, tags })], [])
    assert.equal((await encrypt(untagged)).status, 200)
  })

  test('is limited by the session policies that it was given', async (t) => {
    const { house, user, role, key } = await people(t)
    const managed = await house.addPolicy('only-describe', allow('kms:DescribeKey'))
    const inline = JSON.stringify(allow('kms:Encrypt'))
    const session = await assume(
      house,
      role.arn,
      { Policy: inline, PolicyArns: [{ arn: managed.arn }] },
      { key: user },
    )
    assert.ok(Number(session.answer['PackedPolicySize']) > 0)
    const call = (name: string, input: object) =>
      house.call(name, { KeyId: key, ...input }, { key: session })
    assert.equal((await call('Encrypt', { Plaintext: 'AAAA' })).status, 200)
    assert.equal((await call('DescribeKey', {})).status, 200)
    assert.equal(
      (await call('GenerateDataKey', { KeySpec: 'AES_256' })).error,
      'AccessDeniedException',
    )
  })
})

describe('what GetSessionToken gives', () => {
  async function sessionOf(house: House, key: Sending['key'], parameters = {}): Promise<Session> {
    const sending = key === undefined ? {} : { key }
    return credentialsOf(await query(house, 'sts', 'GetSessionToken', parameters, sending))
  }

  test('acts as the user, and says that it is temporary', async (t) => {
    const { house, user, encrypt } = await people(t)
    const session = await sessionOf(house, user)
    const answer = await encrypt(session)
    assert.equal(answer.status, 200, String(answer.reply.body))
    assert.deepEqual(house.recordsOf(answer)[0]?.userIdentity, {
      type: 'IAMUser',
      principalId: user.id,
      arn: user.arn,
      accountId: account,
      accessKeyId: session.accessKeyId,
      userName: 'mona',
      sessionContext: {
        attributes: { creationDate: '2026-05-06T07:08:09Z', mfaAuthenticated: 'false' },
      },
    })
    house.clock.time += 43_199_000
    assert.equal((await encrypt(session)).status, 200)
    house.clock.time += 1000
    assert.equal((await encrypt(session)).error, 'ExpiredTokenException')
  })

  test('lasts an hour for a root user, whatever was asked', async (t) => {
    const { house, encrypt } = await people(t)
    const session = await sessionOf(house, undefined, { DurationSeconds: 129_600 })
    house.clock.time += 3_599_000
    assert.equal((await encrypt(session)).status, 200)
    house.clock.time += 1000
    assert.equal((await encrypt(session)).error, 'ExpiredTokenException')
  })

  test('ends with the access key that asked for it, and with its user', async (t) => {
    const { house, user, encrypt } = await people(t)
    const { identities } = house.tables
    const session = await sessionOf(house, user)
    const ofRoot = await sessionOf(house, undefined)
    for (const [each, id] of [
      [session, user.accessKeyId],
      [ofRoot, house.key.accessKeyId],
    ] as const) {
      assert.equal((await encrypt(each)).status, 200)
      const turn = async (status: 'Active' | 'Inactive') => {
        const record = identities.accessKey(id)
        assert.ok(record)
        await house.mirror.commit([identities.replaceAccessKey(record, { ...record, status })], [])
      }
      await turn('Inactive')
      assert.equal((await encrypt(each)).error, 'UnrecognizedClientException')
      await turn('Active')
      assert.equal((await encrypt(each)).status, 200)
    }
    await house.removeIdentity(user.id)
    assert.equal((await encrypt(session)).error, 'UnrecognizedClientException')
  })

  test('calls no IAM, and of STS AssumeRole and GetCallerIdentity alone', async (t) => {
    const { house, user, role } = await people(t)
    const session = await sessionOf(house, user)
    const iam = await query(house, 'iam', 'ListUsers', {}, { key: session })
    assert.deepEqual([iam.status, iam.code], [403, 'InvalidClientTokenId'])
    assert.equal(
      await refusedSts(house, 'GetSessionToken', {}, { key: session }),
      '403 AccessDenied: Cannot call GetSessionToken with session credentials',
    )
    const { accessKeyId } = user
    assert.equal(
      await refusedSts(house, 'GetAccessKeyInfo', { AccessKeyId: accessKeyId }, { key: session }),
      '403 AccessDenied: Cannot call GetAccessKeyInfo with session credentials',
    )
    const identity = await query(house, 'sts', 'GetCallerIdentity', {}, { key: session })
    assert.equal(identity.result['Arn'], user.arn)
    await assume(house, role.arn, {}, { key: session })
  })

  test('is given to no role session, and for no code of a device', async (t) => {
    const { house, user, role } = await people(t)
    const session = await assume(house, role.arn, {}, { key: user })
    assert.equal(
      await refusedSts(house, 'GetSessionToken', {}, { key: session }),
      '403 AccessDenied: Cannot call GetSessionToken with session credentials',
    )
    const device = { SerialNumber: `arn:aws:iam::${account}:mfa/mona`, TokenCode: '123456' }
    assert.match(
      await refusedSts(house, 'GetSessionToken', device, { key: user }),
      /^403 AccessDenied: MultiFactorAuthentication failed, unable to validate MFA code\./,
    )
    assert.match(
      await refusedSts(house, 'GetSessionToken', { TokenCode: '123456' }, { key: user }),
      /^403 AccessDenied: MultiFactorAuthentication failed, must provide both/,
    )
    assert.match(
      await refusedSts(house, 'GetSessionToken', { DurationSeconds: 899 }, { key: user }),
      /^400 ValidationError: .*'durationSeconds' .*greater than or equal to 900$/,
    )
  })
})

describe('GetAccessKeyInfo', () => {
  test('says whose a key of this deployment is, to who may ask', async (t) => {
    const house = await House.open(t)
    const asked = { AccessKeyId: house.otherKey.accessKeyId }
    const answer = await query(house, 'sts', 'GetAccessKeyInfo', asked)
    assert.deepEqual(answer.result, { Account: otherAccount })
    assert.equal(
      await refusedSts(house, 'GetAccessKeyInfo', { AccessKeyId: 'AKIAIOSFODNN7EXAMPLE' }),
      '400 ValidationError: The access key is not one of this deployment.',
    )
    const user = await house.addUser({ name: 'mona' })
    assert.match(
      await refusedSts(house, 'GetAccessKeyInfo', asked, { key: user }),
      /^403 AccessDenied: .*because no identity-based policy allows the sts:GetAccessKeyInfo action$/,
    )
  })
})
