import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House, otherAccount, region, type Sending } from '../../testing/house.ts'
import { allow, assume, trust } from '../sts/testing/sessions.ts'

const rootOf = (owner: string) => `arn:aws:iam::${owner}:root`
const Plaintext = Buffer.from('text').toString('base64')
const noPrincipal = /^ARN does not refer to a valid principal: arn:aws:iam::/

/** A key that its policy leaves to the account, which lets nobody but its root user near it. */
async function world(t: TestContext) {
  const house = await House.open(t)
  const KeyId = `arn:aws:kms:${region}:${account}:key/${await house.newKey()}`
  const grant = async (terms: object) => {
    const answer = await house.ok('CreateGrant', { KeyId, Operations: ['Encrypt'], ...terms })
    return { GrantId: String(answer['GrantId']), GrantToken: String(answer['GrantToken']) }
  }
  const encrypt = async (key: Sending['key']) => {
    const { status, error } = await house.call(
      'Encrypt',
      { KeyId, Plaintext },
      { ...(key && { key }) },
    )
    return status === 200 ? 'allowed' : error
  }
  const retire = async (input: object, key: Sending['key']) => {
    const { status, error } = await house.call('RetireGrant', input, { ...(key && { key }) })
    return status === 200 ? 'retired' : error
  }
  const listed = async (input: object = {}) =>
    (await house.ok('ListGrants', { KeyId, ...input }))['Grants'] as Record<string, unknown>[]
  const addRole = (name: string, policies: readonly object[] = []) =>
    house.addRole({ name, path: '/team/', policies, trust: trust({ AWS: '*' }) })
  return { house, KeyId, grant, encrypt, retire, listed, addRole }
}

const denied = 'AccessDeniedException'

describe('a grant names', () => {
  test('a user, who needs nothing else, and no namesake', async (t) => {
    const { house, grant, encrypt, listed } = await world(t)
    const alice = await house.addUser({ name: 'alice', path: '/team/' })
    const bob = await house.addUser({ name: 'bob' })
    assert.equal(await encrypt(alice), denied)
    await grant({ GranteePrincipal: alice.arn, RetiringPrincipal: alice.arn })
    assert.equal(await encrypt(alice), 'allowed')
    assert.equal(await encrypt(bob), denied)
    const [shown] = await listed({ GranteePrincipal: alice.arn })
    assert.equal(shown?.['GranteePrincipal'], alice.arn)
    assert.equal(shown['RetiringPrincipal'], alice.arn)
    assert.deepEqual(await listed({ GranteePrincipal: bob.arn }), [])

    await house.removeIdentity(alice.id)
    const [orphan] = await listed()
    assert.equal(orphan?.['GranteePrincipal'], alice.id)
    assert.deepEqual(await listed({ GranteePrincipal: alice.id }), [orphan])
    const namesake = await house.addUser({ name: 'alice', path: '/team/' })
    assert.equal(namesake.arn, alice.arn)
    assert.equal(await encrypt(namesake), denied)
    assert.deepEqual(await listed({ GranteePrincipal: alice.arn }), [])
    const { Grants } = await house.ok('ListRetirableGrants', { RetiringPrincipal: alice.arn })
    assert.deepEqual(Grants, [])
    // A request in the same words is about somebody else now: it makes a grant of its own.
    await grant({ GranteePrincipal: alice.arn })
    assert.equal(await encrypt(namesake), 'allowed')
    assert.equal((await listed()).length, 2)
  })

  test('a user to whom the same named request makes one grant, and another for a namesake', async (t) => {
    const { house, grant } = await world(t)
    const alice = await house.addUser({ name: 'alice' })
    const terms = { GranteePrincipal: alice.arn, Name: 'named' }
    const { GrantId } = await grant(terms)
    assert.equal((await grant(terms)).GrantId, GrantId)
    await house.removeIdentity(alice.id)
    await house.addUser({ name: 'alice' })
    assert.notEqual((await grant(terms)).GrantId, GrantId)
  })

  test('a role and all its sessions, or one session', async (t) => {
    const { house, grant, encrypt, listed, addRole } = await world(t)
    const caller = await house.addUser({ name: 'caller', policies: [allow('sts:AssumeRole')] })
    const role = await addRole('worker')
    const session = async (name: string) =>
      assume(house, role.arn, { RoleSessionName: name }, { key: caller })
    const one = await session('one')
    const two = await session('two')
    const ofOne = `arn:aws:sts::${account}:assumed-role/worker/one`
    await grant({ GranteePrincipal: ofOne })
    assert.deepEqual([await encrypt(one), await encrypt(two)], ['allowed', denied])
    assert.equal((await listed({ GranteePrincipal: ofOne })).length, 1)
    await grant({ GranteePrincipal: role.arn })
    assert.deepEqual([await encrypt(one), await encrypt(two)], ['allowed', 'allowed'])
    await house.removeIdentity(role.id)
    const again = await addRole('worker')
    assert.equal(again.arn, role.arn)
    assert.deepEqual([await encrypt(await session('one'))], [denied])
    const parties = (await listed()).map(({ GranteePrincipal }) => GranteePrincipal)
    assert.deepEqual(parties.sort(), [role.id, `${role.id}:one`].sort())
  })

  test('a role, whose sessions its boundary and session policies still limit', async (t) => {
    const { house, KeyId, grant, encrypt } = await world(t)
    const caller = await house.addUser({ name: 'caller', policies: [allow('sts:AssumeRole')] })
    const role = await house.addRole({
      name: 'worker',
      boundary: allow('kms:Decrypt'),
      trust: trust({ AWS: '*' }),
    })
    await grant({ GranteePrincipal: role.arn })
    const session = await assume(house, role.arn, {}, { key: caller })
    assert.equal(await encrypt(session), denied)
    // Named by its session, it is not limited by what its boundary leaves out.
    await house.ok('CreateGrant', {
      ...{ KeyId, Operations: ['Encrypt'] },
      GranteePrincipal: `arn:aws:sts::${account}:assumed-role/worker/job`,
    })
    assert.equal(await encrypt(session), 'allowed')
  })

  test('an account: its root user, and others by an identity policy', async (t) => {
    const { house, KeyId, grant, encrypt } = await world(t)
    const account = otherAccount
    const user = (name: string, policies: readonly object[]) =>
      house.addUser({ name, account, policies })
    const able = await user('able', [allow('kms:Encrypt', KeyId)])
    const unable = await user('unable', [allow('kms:Encrypt', `${KeyId}x`)])
    const forbidden = await user('forbidden', [
      allow('kms:*'),
      allow('kms:Encrypt', '*', { Effect: 'Deny' }),
    ])
    assert.equal(await encrypt(able), denied)
    await grant({ GranteePrincipal: rootOf(otherAccount) })
    assert.equal(await encrypt(house.otherKey), 'allowed')
    assert.equal(await encrypt(able), 'allowed')
    assert.equal(await encrypt(unable), denied)
    assert.equal(await encrypt(forbidden), denied)
  })

  test('nobody who does not exist', async (t) => {
    const { house, KeyId, listed, addRole } = await world(t)
    const { arn } = await house.addUser({ name: 'alice', path: '/team/' })
    const role = await addRole('worker')
    const wrong = [
      `arn:aws:iam::${account}:user/alice`,
      `arn:aws:iam::${account}:user/team/Alice`,
      `arn:aws:iam::${otherAccount}:user/team/alice`,
      `arn:aws:iam::${account}:role/worker`,
      `arn:aws:iam::999988887777:root`,
    ]
    for (const member of ['GranteePrincipal', 'RetiringPrincipal']) {
      for (const principal of wrong) {
        const input = { KeyId, GranteePrincipal: arn, Operations: ['Decrypt'], [member]: principal }
        const { error, message } = await house.call('CreateGrant', input)
        assert.equal(error, 'InvalidArnException', principal)
        assert.match(String(message), noPrincipal)
      }
    }
    const { error } = await house.call('CreateGrant', {
      ...{ KeyId, Operations: ['Decrypt'] },
      GranteePrincipal: role.id,
    })
    assert.equal(error, 'InvalidArnException')
    assert.deepEqual(await listed(), [])
  })

  test('who may not make or list grants does not hear which principals there are', async (t) => {
    const { house, KeyId } = await world(t)
    const stranger = await house.addUser({ name: 'stranger' })
    await house.addRole({ name: 'secret', account: otherAccount })
    for (const name of ['secret', 'absent']) {
      const arn = `arn:aws:iam::${otherAccount}:role/${name}`
      for (const [operation, input] of [
        ['CreateGrant', { KeyId, GranteePrincipal: arn, Operations: ['Decrypt'] }],
        ['ListRetirableGrants', { RetiringPrincipal: arn }],
      ] as const) {
        const { error } = await house.call(operation, input, { key: stranger })
        assert.equal(error, 'AccessDeniedException', `${operation} ${name}`)
      }
    }
  })

  test('a user whom a denial of any layer still stops', async (t) => {
    const { house, grant, encrypt } = await world(t)
    const alice = await house.addUser({
      name: 'alice',
      policies: [allow('kms:Encrypt', '*', { Effect: 'Deny' })],
    })
    await grant({ GranteePrincipal: alice.arn })
    assert.equal(await encrypt(alice), denied)
  })
})

describe('a grant is retired by', () => {
  test('the retiring user and the grantee, whom kms:RetireGrant can only be denied', async (t) => {
    const { house, grant, retire } = await world(t)
    const deny = allow('kms:RetireGrant', '*', { Effect: 'Deny' })
    const alice = await house.addUser({ name: 'alice' })
    const mallory = await house.addUser({ name: 'mallory', policies: [deny] })
    const other = await house.addUser({ name: 'other' })
    const grantee = { GranteePrincipal: alice.arn, Operations: ['Encrypt', 'RetireGrant'] }
    const { GrantToken: byGrantee } = await grant(grantee)
    assert.equal(await retire({ GrantToken: byGrantee }, other), denied)
    assert.equal(await retire({ GrantToken: byGrantee }, alice), 'retired')
    const { GrantToken: plain } = await grant({ GranteePrincipal: alice.arn })
    assert.equal(await retire({ GrantToken: plain }, alice), denied)
    const terms = { GranteePrincipal: alice.arn, RetiringPrincipal: mallory.arn }
    const { GrantToken } = await grant(terms)
    assert.equal(await retire({ GrantToken }, mallory), denied)
    const retiring = { GranteePrincipal: alice.arn, RetiringPrincipal: other.arn }
    const { GrantToken: last } = await grant(retiring)
    assert.equal(await retire({ GrantToken: last }, other), 'retired')
  })

  test('whom the account of its maker, or a retiring account, lets', async (t) => {
    const { house, KeyId, grant, retire } = await world(t)
    const able = { policies: [allow('kms:RetireGrant', KeyId)] }
    const here = await house.addUser({ name: 'here', ...able })
    const there = await house.addUser({ name: 'there', account: otherAccount, ...able })
    const idle = await house.addUser({ name: 'idle', account: otherAccount })
    const GranteePrincipal = rootOf(otherAccount)
    const made = () => grant({ GranteePrincipal })
    const handed = () => grant({ GranteePrincipal, RetiringPrincipal: rootOf(otherAccount) })
    assert.equal(await retire(await token(made()), there), denied)
    assert.equal(await retire(await token(made()), here), 'retired')
    assert.equal(await retire(await token(made()), house.key), 'retired')
    assert.equal(await retire(await token(handed()), idle), denied)
    assert.equal(await retire(await token(handed()), there), 'retired')
    assert.equal(await retire(await token(handed()), house.otherKey), 'retired')
  })

  test('nobody by a key policy, which can deny it', async (t) => {
    const { house, KeyId, grant, retire } = await world(t)
    const alice = await house.addUser({ name: 'alice' })
    const bob = await house.addUser({ name: 'bob' })
    const put = (...statements: object[]) =>
      house.ok('PutKeyPolicy', {
        KeyId,
        Policy: JSON.stringify({
          Version: '2012-10-17',
          Statement: [
            { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' },
            ...statements,
          ],
        }),
      })
    const statement = { Action: 'kms:RetireGrant', Resource: '*' }
    await put({ Effect: 'Allow', Principal: { AWS: bob.arn }, ...statement })
    const terms = { GranteePrincipal: bob.arn, RetiringPrincipal: alice.arn }
    const { GrantToken } = await grant(terms)
    assert.equal(await retire({ GrantToken }, bob), denied)
    await put({ Effect: 'Deny', Principal: { AWS: alice.arn }, ...statement })
    assert.equal(await retire({ GrantToken }, alice), denied)
    await put()
    assert.equal(await retire({ GrantToken }, alice), 'retired')
  })

  test('no stranger, who learns neither of keys nor of grants', async (t) => {
    const { house, KeyId, grant } = await world(t)
    const { GrantId, GrantToken } = await grant({ GranteePrincipal: rootOf(account) })
    const absent = { KeyId: KeyId.replace(/.{12}$/, 'ffffffffffff'), GrantId: 'f'.repeat(64) }
    const stranger = await house.addUser({
      ...{ name: 'stranger', account: otherAccount },
      policies: [allow('kms:*')],
    })
    for (const key of [house.otherKey, stranger]) {
      const refusals = new Set<string>()
      for (const input of [
        { KeyId, GrantId },
        { KeyId, GrantId: absent.GrantId },
        { KeyId: absent.KeyId, GrantId },
        absent,
        { GrantToken },
        { KeyId, GrantId, DryRun: true },
      ]) {
        const { status, error, message } = await house.call('RetireGrant', input, { key })
        refusals.add(`${status} ${error} ${message}`)
      }
      assert.equal(refusals.size, 1, [...refusals].join('\n'))
      assert.match([...refusals].join(), /because the resource does not exist in this Region/)
    }
  })
})

async function token(made: Promise<{ readonly GrantToken: string }>) {
  const { GrantToken } = await made
  return { GrantToken }
}

test('a grant that another process revoked does not outlast the answer', async (t) => {
  const { house, KeyId } = await world(t)
  const second = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
  const alice = await house.addUser({ name: 'alice' })
  const terms = { KeyId, GranteePrincipal: alice.arn, Operations: ['Encrypt'] }
  const statusIn = async (each: House) =>
    (await each.call('Encrypt', { KeyId, Plaintext }, { key: alice })).status
  for (let round = 0; round < 25; round++) {
    const [here, there] = round % 2 === 0 ? [house, second] : [second, house]
    const { GrantId } = await here.ok('CreateGrant', terms)
    assert.equal(await statusIn(there), 200)
    await here.ok('RevokeGrant', { KeyId, GrantId })
    assert.equal(await statusIn(there), 400)
  }
})

test('a grant on a key that is deleted permits nothing, nor on a key of the same id', async (t) => {
  const { house, KeyId, grant, encrypt } = await world(t)
  const alice = await house.addUser({ name: 'alice' })
  await grant({ GranteePrincipal: alice.arn, Operations: ['Encrypt', 'DescribeKey'] })
  assert.equal(await encrypt(alice), 'allowed')
  const record = house.state.key(region, KeyId.slice(KeyId.lastIndexOf('/') + 1))
  assert.ok(record)
  await house.mirror.commit([house.state.removeKey(record)], [])
  assert.equal(
    (await house.call('DescribeKey', { KeyId }, { key: alice })).error,
    'NotFoundException',
  )
  // As a replica comes back under the id that it had.
  const back = { ...record, createdAt: record.createdAt + 1 }
  await house.mirror.commit([house.state.addKey(back)], [])
  assert.equal(await encrypt(alice), denied)
  const described = await house.call('DescribeKey', { KeyId }, { key: alice })
  assert.equal(described.error, denied)
  assert.deepEqual((await house.ok('ListGrants', { KeyId }))['Grants'], [])
})
