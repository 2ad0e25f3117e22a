import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Caller } from '../../../base/caller.ts'
import type { Check, PermittingGrant } from '../../operation.ts'
import { arnOf } from '../key.ts'
import {
  account,
  otherAccount,
  otherRegion,
  rootOf,
  type Setting,
  TestKms,
} from '../testing/test-kms.ts'
import { idOfArn } from '../testing/test-principals.ts'

const absentGrant = 'f'.repeat(64)
const absentKey = '00000000-0000-4000-8000-00000000ffff'
const dryRun = ['dry-run', 'The request would have succeeded, but the DryRun option is set.']
const invalidId = ['invalid-grant-id', 'The specified grant ID is not valid.']
const invalidToken = ['invalid-grant-token', 'The specified grant token is not valid.']

const userArn = (owner: string, name: string) => `arn:aws:iam::${owner}:user/${name}`
const roleArn = `arn:aws:iam::${otherAccount}:role/path/worker`

function user(owner: typeof account, name: string): Caller {
  const arn = userArn(owner, name)
  return {
    type: 'user',
    account: owner,
    arn,
    principalId: idOfArn(arn),
    accessKeyId: 'AKIA',
    userName: name,
  }
}

function session(name: string): Caller {
  const arn = `arn:aws:sts::${otherAccount}:assumed-role/worker/${name}`
  return {
    type: 'role-session',
    account: otherAccount,
    arn,
    principalId: idOfArn(arn),
    accessKeyId: 'ASIA',
    roleArn,
    roleId: idOfArn(roleArn),
  }
}

/** Stands for authorization where the grant alone decides. */
const unlessGranted = { deny: (check: Check) => check.grant?.() === undefined }

async function world() {
  const kms = new TestKms()
  const key = await kms.key()
  const create = async (input: object = {}, setting?: Setting) => {
    const request = {
      ...{ KeyId: arnOf(key), GranteePrincipal: userArn(account, 'grantee') },
      ...{ Operations: ['Decrypt'], ...input },
    }
    const { GrantId, GrantToken } = await kms.ok('CreateGrant', request, setting)
    return { grantId: String(GrantId), token: String(GrantToken) }
  }
  return { kms, key, create }
}

test('RevokeGrant refuses what is no grant of the key', async () => {
  const { kms, key, create } = await world()
  const { grantId } = await create()
  const other = await kms.key()
  const cases: [object, string[]][] = [
    [{ KeyId: key.keyId, GrantId: 'nonsense' }, invalidId],
    [{ KeyId: absentKey, GrantId: 'nonsense' }, invalidId],
    [
      { KeyId: key.keyId, GrantId: absentGrant },
      ['not-found', `Grant ID ${absentGrant} not found`],
    ],
    [{ KeyId: other.keyId, GrantId: grantId }, ['not-found', `Grant ID ${grantId} not found`]],
    [
      { KeyId: absentKey, GrantId: grantId },
      ['not-found', `Key '${arnOf(key).replace(key.keyId, absentKey)}' does not exist`],
    ],
    [{ KeyId: key.keyId, GrantId: grantId, DryRun: true }, dryRun],
  ]
  for (const [input, refusal] of cases) {
    assert.deepEqual(await kms.fails('RevokeGrant', input), refusal)
  }
  assert.equal(kms.grants.size, 1)
})

test('RevokeGrant tells of grants to those alone who have the permission', async () => {
  const { kms, key, create } = await world()
  const { grantId } = await create()
  for (const GrantId of [grantId, absentGrant]) {
    const denied = await kms.fails(
      'RevokeGrant',
      { KeyId: key.keyId, GrantId },
      { deny: () => true },
    )
    assert.deepEqual(denied, ['access-denied', 'denied'])
  }
})

test('RevokeGrant deletes a grant, also from another account', async () => {
  const { kms, key, create } = await world()
  const { grantId: GrantId } = await create({ Name: 'named' })
  const { grantId: kept } = await create()
  const request = { KeyId: arnOf(key), GrantId }
  const answer = await kms.call('RevokeGrant', request, { caller: rootOf(otherAccount) })
  assert.equal(answer.failure, undefined)
  assert.equal(answer.output, undefined)
  assert.deepEqual(
    answer.checks.map(({ permission, resource }) => [
      permission,
      resource.type === 'key' && resource.crossAccount,
    ]),
    [['kms:RevokeGrant', true]],
  )
  assert.equal(answer.checks[0]?.conditions['kms:GrantIsForAWSResource'], 'false')
  assert.deepEqual(JSON.parse(JSON.stringify(answer.recorded)), {
    request: { keyId: arnOf(key), grantId: GrantId },
    response: { keyId: arnOf(key) },
    resources: [{ accountId: account, type: 'AWS::KMS::Key', ARN: arnOf(key) }],
  })
  assert.equal(kms.grants.get(GrantId), undefined)
  assert.ok(kms.grants.get(kept))
  assert.equal((await kms.fails('RevokeGrant', request))[0], 'not-found')
})

test('RetireGrant takes a token, or a key and a grant, and nothing between', async () => {
  const { kms, key, create } = await world()
  const { grantId: GrantId, token: GrantToken } = await create()
  const { keyId: KeyId } = key
  const either = ['validation', 'Specify either GrantToken, or KeyId and GrantId.']
  const absent = ['not-found', `Grant ID ${absentGrant} not found`]
  const cases: [object, string[]][] = [
    [{}, either],
    [{ KeyId }, either],
    [{ GrantId }, either],
    [{ GrantToken, KeyId, GrantId }, either],
    [{ GrantToken, GrantId }, either],
    [{ GrantToken: 'nonsense' }, invalidToken],
    [{ KeyId, GrantId: 'nonsense' }, invalidId],
    [{ KeyId, GrantId: absentGrant }, absent],
    [{ KeyId: 'alias/a', GrantId }, ['not-found', "Invalid keyId 'alias/a'"]],
    [{ KeyId: 'arn:aws:s3:::a', GrantId }, ['invalid-arn', 'Invalid arn arn:aws:s3:::a']],
    [{ KeyId, GrantId, DryRun: true }, dryRun],
    [{ GrantToken, DryRun: true }, dryRun],
  ]
  for (const [input, refusal] of cases) {
    assert.deepEqual(await kms.fails('RetireGrant', input), refusal, JSON.stringify(input))
  }
  const elsewhere = await kms.fails('RetireGrant', { GrantToken }, { region: otherRegion })
  assert.deepEqual(elsewhere, invalidToken)
  assert.equal(kms.grants.size, 1)
})

test('a token of a grant that is gone names none', async () => {
  const { kms, create } = await world()
  const { token: GrantToken } = await create()
  await kms.ok('RetireGrant', { GrantToken })
  assert.deepEqual(await kms.fails('RetireGrant', { GrantToken }), invalidToken)
})

/**
 * As whom callers may retire a grant of these terms, which the root user of `account` made on a key of its own. As an
 * account: the root user may, and others by an identity policy.
 */
type Leave = PermittingGrant['grantee'] | undefined

const retirers: readonly [string, object, readonly [Caller, Leave][]][] = [
  [
    'without a retiring principal',
    { Operations: ['Decrypt'] },
    [
      [rootOf(account), 'account'],
      [user(account, 'grantee'), 'account'],
      [user(account, 'somebody'), 'account'],
      [rootOf(otherAccount), undefined],
      [session('one'), undefined],
    ],
  ],
  [
    'with RetireGrant',
    { Operations: ['Decrypt', 'RetireGrant'] },
    [
      [user(account, 'grantee'), 'user'],
      [user(otherAccount, 'grantee'), undefined],
      [user(account, 'grantee2'), 'account'],
      [{ ...user(account, 'grantee'), principalId: 'AIDANEWNAMESAKE' }, 'account'],
    ],
  ],
  [
    'with a retiring user',
    { RetiringPrincipal: userArn(otherAccount, 'retirer') },
    [
      [user(otherAccount, 'retirer'), 'user'],
      [{ ...user(otherAccount, 'retirer'), principalId: 'AIDANEWNAMESAKE' }, undefined],
      [user(account, 'retirer'), 'account'],
      [rootOf(otherAccount), undefined],
      [rootOf(account), 'account'],
    ],
  ],
  [
    'with a retiring account',
    { RetiringPrincipal: rootOf(otherAccount).arn },
    [
      [rootOf(otherAccount), 'account'],
      [user(otherAccount, 'anybody'), 'account'],
    ],
  ],
  [
    'with a retiring role',
    { RetiringPrincipal: roleArn },
    [
      [session('one'), 'role'],
      [session('two'), 'role'],
      [{ ...session('one'), roleId: 'AROANEWNAMESAKE' }, undefined],
      [rootOf(otherAccount), undefined],
    ],
  ],
  [
    'with a retiring session',
    { RetiringPrincipal: session('one').arn },
    [
      [session('one'), 'role-session'],
      [session('two'), undefined],
    ],
  ],
  [
    'with a role that has RetireGrant',
    { GranteePrincipal: roleArn, Operations: ['RetireGrant', 'Decrypt'] },
    [[session('one'), 'role']],
  ],
]

for (const [name, terms, callers] of retirers) {
  test(`the grant says who may retire it: ${name}`, async () => {
    for (const [caller, leave] of callers) {
      for (const by of ['token', 'id']) {
        const { kms, key, create } = await world()
        const { grantId, token } = await create(terms)
        const request =
          by === 'token' ? { GrantToken: token } : { KeyId: arnOf(key), GrantId: grantId }
        const { failure, checks, recorded } = await kms.call('RetireGrant', request, {
          ...{ caller, ...unlessGranted },
        })
        const [check] = checks
        assert.equal(check?.permission, 'kms:RetireGrant')
        const granted = leave && { grantId, grantee: leave }
        assert.deepEqual(check.grant?.(), granted, `${caller.arn} by ${by}`)
        if (leave !== undefined) {
          assert.equal(failure, undefined, `${caller.arn} by ${by}`)
          assert.equal(kms.grants.size, 0)
          assert.deepEqual(recorded.additional, { grantId })
          assert.equal(recorded.request, null)
          assert.equal(recorded.response, null)
          assert.deepEqual(
            recorded.resources?.map(({ ARN }) => ARN),
            [arnOf(key)],
          )
        } else {
          assert.equal(failure?.code, 'access-denied', `${caller.arn} by ${by}`)
          assert.equal(kms.grants.size, 1)
        }
      }
    }
  })
}

test('the account of who made a grant may retire it, and not that of the key', async () => {
  const { kms, create } = await world()
  const { token: GrantToken } = await create({}, { caller: user(otherAccount, 'creator') })
  assert.equal((await kms.fails('RetireGrant', { GrantToken }, unlessGranted))[0], 'access-denied')
  const caller = rootOf(otherAccount)
  await kms.ok('RetireGrant', { GrantToken }, { ...unlessGranted, caller })
})
