import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import { systemRandom } from '../base/random.ts'
import type { Hsm } from '../hsm/port.ts'
import { House } from '../testing/house.ts'
import { issueSession } from './issue-session.ts'
import { SessionCache } from './session-cache.ts'
import { decodeSession, encodeSession, type SessionSays } from './session-token.ts'
import { Sessions } from './sessions.ts'

const times = { issuedAt: 1000, expiresAt: 2000 }

async function open(t: TestContext, characters?: number) {
  const house = await House.open(t)
  const role = await house.addRole({ name: 'worker', tags: { Team: 'blue' } })
  const holder = { type: 'role', roleId: role.id, sessionName: 'job' } as const
  const issue = (more = {}) =>
    issueSession({ hsm: house.hsm, random: systemRandom }, { holder, ...times, ...more })
  const asked: string[] = []
  const hsm: Pick<Hsm, 'open'> = {
    open: (purpose, owner, sealed) => {
      asked.push(owner)
      return house.hsm.open(purpose, owner, sealed)
    },
  }
  const sessions = new Sessions(hsm, house.tables.identities, characters)
  return { house, role, issue, sessions, asked }
}

describe('a session is found by its key and its token', () => {
  test('at once when it is known, as the same object until its role changes', async (t) => {
    const { house, role, issue, sessions, asked } = await open(t)
    const { accessKeyId, sessionToken } = await issue()
    const first = await sessions.find(accessKeyId, sessionToken)
    assert.ok(first)
    assert.equal(first.expiresAt, 2000)
    assert.equal(sessions.find(accessKeyId, sessionToken), first)
    assert.deepEqual(asked, [accessKeyId])
    const { roles } = house.tables.identities
    const record = roles.byId(role.id)
    assert.ok(record)
    const tags = [{ Key: 'team', Value: 'red' }]
    await house.mirror.commit([roles.replace(record, { ...record, tags })], [])
    const second = sessions.find(accessKeyId, sessionToken)
    assert.ok(second !== undefined && !(second instanceof Promise))
    assert.notEqual(second.caller, first.caller)
    assert.deepEqual([first.caller.tags, second.caller.tags], [{ Team: 'blue' }, { team: 'red' }])
    assert.equal(sessions.find(accessKeyId, sessionToken), second)
  })

  test('with all that was given to it', async (t) => {
    const { role, issue, sessions } = await open(t)
    const given = {
      tags: { TEAM: 'red', äö: 'ü', ['__proto__']: 'x' },
      transitive: ['Team'],
      sourceIdentity: 'mona',
      policies: ['{"a":"b"}'],
      policyArns: ['arn:p'],
      providerConditions: { 'idp:sub': 's' },
      webIdentity: { provider: 'p', subject: 's', audience: 'a' },
    }
    const { accessKeyId, sessionToken } = await issue(given)
    const found = await sessions.find(accessKeyId, sessionToken)
    const { sourceIdentity, policies, policyArns, webIdentity } = given
    assert.deepEqual(found?.caller, {
      type: 'role-session',
      account: '111122223333',
      arn: 'arn:aws:sts::111122223333:assumed-role/worker/job',
      principalId: `${role.id}:job`,
      accessKeyId,
      roleArn: role.arn,
      roleId: role.id,
      tags: given.tags,
      session: {
        ...times,
        ...{ sourceIdentity, policies, policyArns, webIdentity },
        transitiveTags: { TEAM: 'red' },
      },
      providerConditions: given.providerConditions,
    })
  })

  test('and by nothing else; what cannot be one does not trouble the key core', async (t) => {
    const { issue, sessions, asked } = await open(t)
    const { accessKeyId, sessionToken } = await issue()
    const other = await issue()
    for (const [id, token] of [
      ['AKIAIOSFODNN7EXAMPLE', sessionToken],
      ['ASIA', sessionToken],
      [`${accessKeyId}A`, sessionToken],
      [accessKeyId, 'A'.repeat(8193)],
      [accessKeyId, `${sessionToken}\n`],
      [accessKeyId, sessionToken.replace(/^./, '-')],
    ] as const) {
      assert.equal(await sessions.find(id, token), undefined, `${id} ${token.slice(0, 20)}`)
    }
    assert.deepEqual(asked, [])
    assert.equal(await sessions.find(accessKeyId, other.sessionToken), undefined)
    assert.ok(await sessions.find(accessKeyId, sessionToken))
    assert.equal(asked.length, 2)
    assert.equal(sessions.find(accessKeyId, other.sessionToken), undefined)
    assert.equal(asked.length, 2)
  })

  test('by many at once with one question', async (t) => {
    const { issue, sessions, asked } = await open(t)
    const { accessKeyId, sessionToken } = await issue()
    const found = await Promise.all([1, 2, 3].map(() => sessions.find(accessKeyId, sessionToken)))
    assert.equal(new Set(found).size, 1)
    assert.equal(asked.length, 1)
  })

  test('again after it was forgotten', async (t) => {
    const { issue, sessions, asked } = await open(t, 8000)
    const issued = await Promise.all([1, 2, 3, 4, 5].map(() => issue()))
    for (const { accessKeyId, sessionToken } of [...issued, ...issued]) {
      assert.ok(await sessions.find(accessKeyId, sessionToken))
    }
    assert.ok(asked.length > 5, `${asked.length}`)
  })

  test('unless the key core cannot be asked, which is another failure', async (t) => {
    const { house, issue } = await open(t)
    const { accessKeyId, sessionToken } = await issue()
    const failing = { open: () => Promise.reject(new ServiceError('unavailable')) }
    const sessions = new Sessions(failing, house.tables.identities)
    const found = Promise.resolve(sessions.find(accessKeyId, sessionToken))
    await assert.rejects(found, { code: 'unavailable' })
  })
})

test('a token of another version is none', () => {
  const holder = { type: 'user', userId: 'AIDA1', accessKeyId: 'AKIA1' } as const
  const says: SessionSays = { holder, ...times, sealedSecret: 'sealed' }
  const text = encodeSession(says)
  assert.equal(decodeSession(text)?.sealedSecret, 'sealed')
  const other = text.toString().replace('"version":1', '"version":2')
  assert.equal(decodeSession(Buffer.from(other)), undefined)
})

test('the cache is bounded, and keeps what is in use', () => {
  const cache = new SessionCache(100_000)
  const says = {} as SessionSays
  const entry = (index: number) => ({ accessKeyId: `ASIA${index}`, token: 'x'.repeat(1000), says })
  const used = entry(0)
  cache.add(used)
  for (let index = 1; index < 500; index++) {
    cache.add(entry(index))
    assert.equal(cache.get('ASIA0'), used, `${index}`)
  }
  assert.ok(cache.size <= 34, `${cache.size}`)
  assert.equal(cache.get('ASIA1'), undefined)
})
