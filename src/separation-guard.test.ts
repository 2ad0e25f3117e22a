import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { mixedSteps } from './authorize/analyse/mixed.ts'
import { systemRandom } from './base/random.ts'
import { guardrailCommands } from './operator/guardrail-commands.ts'
import { account, House, type HouseOptions, otherAccount } from './testing/house.ts'
import { type Parameters as Query, query } from './testing/query-calls.ts'

const tag = { TagKey: 'kagiban:separation-of-duties', TagValue: 'enforced' }
const admin = ['kms:PutKeyPolicy', 'kms:CreateGrant', 'kms:DisableKey']
const document = (...Statement: object[]) => JSON.stringify({ Version: '2012-10-17', Statement })
const statement = (Action: string | readonly string[], Effect = 'Allow', more: object = {}) => ({
  ...{ Effect, Action, Resource: '*' },
  ...more,
})
const use = document(statement('kms:Decrypt'))
const noUse = document(statement('kms:Decrypt', 'Deny'))
const harmless = document(statement('s3:GetObject'))
const trusting = (arn: string) =>
  document({ Effect: 'Allow', Principal: { AWS: arn }, Action: 'sts:AssumeRole' })
const policyArn = (name: string) => `arn:aws:iam::${account}:policy/${name}`
const teamOfUse = statement('kms:Decrypt', 'Allow', {
  Condition: { StringEquals: { 'aws:PrincipalTag/team': 'use' } },
})

/**
 * A key that its key policy lets some administer; use of it is left to the policies of the account's identities. The
 * root user, who is trusted not to, writes them.
 */
async function open(t: TestContext, options: HouseOptions = {}) {
  const asked = { times: 0 }
  const house = await House.open(t, {
    ...options,
    mixedDuties: (world, limits) => {
      asked.times++
      return mixedSteps(world, limits)
    },
  })
  await house.addPolicy('use', use)
  await house.addPolicy('denies', noUse)
  await house.addPolicy('mild', harmless)
  await house.addPolicy('wide', document(statement('*')))
  const users = await house.addGroup({ name: 'users', policies: [use] })
  const barred = await house.addGroup({ name: 'barred', policies: [noUse] })
  const staff = await house.addGroup({ name: 'staff' })
  const ada = await house.addUser({
    name: 'ada',
    groups: [staff.id],
    attached: [policyArn('mild')],
  })
  const admins = [
    ada,
    await house.addUser({ name: 'bounded', policies: [use], boundary: harmless }),
    await house.addUser({ name: 'denied', policies: [use, noUse] }),
    await house.addUser({ name: 'detached', policies: [use], attached: [policyArn('denies')] }),
    await house.addUser({ name: 'member', policies: [use], groups: [barred.id] }),
    await house.addUser({ name: 'tagged', policies: [document(teamOfUse)] }),
  ]
  const bob = await house.addUser({ name: 'bob', groups: [users.id] })
  const worker = await house.addRole({ name: 'worker', policies: [use], trust: trusting(bob.arn) })
  await house.addRole({ name: 'keeper', trust: trusting(ada.arn) })
  const Policy = document(
    ...admins.map(({ arn }) => ({ ...statement(admin), Principal: { AWS: arn } })),
    { ...statement('kms:Decrypt'), Principal: { AWS: account } },
  )
  const making = { Policy, BypassPolicyLockoutSafetyCheck: true }
  const make = (more: object = { Tags: [tag] }) => house.newKey({ ...making, ...more })
  return { house, asked, ada, bob, worker, make }
}

type Opened = Awaited<ReturnType<typeof open>>

async function answer(house: House, [action, parameters]: Write, key = house.key) {
  const { code, text } = await query(house, 'iam', action, parameters, { key })
  return code === undefined ? undefined : `${code}: ${text}`
}

type Write = readonly [action: string, parameters: Query]

const suffix =
  'keeps administration and use apart, and after this change they could not be proven to be.'
const refusal = (keyId: string) =>
  `AccessDenied: The key arn:aws:kms:us-east-1:${account}:key/${keyId} ${suffix}`

const put = (PolicyDocument: string) => ({ PolicyName: 'new', PolicyDocument })
const version = (name: string, PolicyDocument: string, SetAsDefault: boolean): Write => [
  'CreatePolicyVersion',
  { PolicyArn: policyArn(name), PolicyDocument, SetAsDefault },
]

/** What breaks the separation of that key, and what is as like it as can be and does not. */
const writes: readonly { name: string; breaks: Write; does: Write; first?: Write }[] = [
  {
    name: 'PutUserPolicy',
    breaks: ['PutUserPolicy', { UserName: 'ada', ...put(use) }],
    does: ['PutUserPolicy', { UserName: 'bob', ...put(use) }],
  },
  {
    name: 'AttachUserPolicy',
    breaks: ['AttachUserPolicy', { UserName: 'ada', PolicyArn: policyArn('use') }],
    does: ['AttachUserPolicy', { UserName: 'bob', PolicyArn: policyArn('use') }],
  },
  {
    name: 'PutGroupPolicy',
    breaks: ['PutGroupPolicy', { GroupName: 'staff', ...put(use) }],
    does: ['PutGroupPolicy', { GroupName: 'staff', ...put(harmless) }],
  },
  {
    name: 'AttachGroupPolicy',
    breaks: ['AttachGroupPolicy', { GroupName: 'staff', PolicyArn: policyArn('wide') }],
    does: ['AttachGroupPolicy', { GroupName: 'users', PolicyArn: policyArn('use') }],
  },
  {
    name: 'AddUserToGroup',
    breaks: ['AddUserToGroup', { GroupName: 'users', UserName: 'ada' }],
    does: ['AddUserToGroup', { GroupName: 'staff', UserName: 'bob' }],
  },
  {
    name: 'RemoveUserFromGroup',
    breaks: ['RemoveUserFromGroup', { GroupName: 'barred', UserName: 'member' }],
    does: ['RemoveUserFromGroup', { GroupName: 'users', UserName: 'bob' }],
  },
  {
    name: 'CreatePolicyVersion',
    breaks: version('mild', use, true),
    does: version('mild', use, false),
  },
  {
    name: 'SetDefaultPolicyVersion',
    first: version('mild', use, false),
    breaks: ['SetDefaultPolicyVersion', { PolicyArn: policyArn('mild'), VersionId: 'v2' }],
    does: ['SetDefaultPolicyVersion', { PolicyArn: policyArn('mild'), VersionId: 'v1' }],
  },
  {
    name: 'PutRolePolicy',
    breaks: ['PutRolePolicy', { RoleName: 'keeper', ...put(use) }],
    does: ['PutRolePolicy', { RoleName: 'worker', ...put(use) }],
  },
  {
    name: 'AttachRolePolicy',
    breaks: ['AttachRolePolicy', { RoleName: 'keeper', PolicyArn: policyArn('use') }],
    does: ['AttachRolePolicy', { RoleName: 'keeper', PolicyArn: policyArn('mild') }],
  },
  {
    name: 'UpdateAssumeRolePolicy',
    breaks: [
      'UpdateAssumeRolePolicy',
      { RoleName: 'worker', PolicyDocument: trusting(`arn:aws:iam::${account}:user/ada`) },
    ],
    does: [
      'UpdateAssumeRolePolicy',
      { RoleName: 'keeper', PolicyDocument: trusting(`arn:aws:iam::${account}:user/bob`) },
    ],
  },
  {
    name: 'DeleteUserPermissionsBoundary',
    breaks: ['DeleteUserPermissionsBoundary', { UserName: 'bounded' }],
    first: [
      'PutUserPermissionsBoundary',
      { UserName: 'bob', PermissionsBoundary: policyArn('mild') },
    ],
    does: ['DeleteUserPermissionsBoundary', { UserName: 'bob' }],
  },
  {
    name: 'PutUserPermissionsBoundary',
    breaks: [
      'PutUserPermissionsBoundary',
      { UserName: 'bounded', PermissionsBoundary: policyArn('wide') },
    ],
    does: [
      'PutUserPermissionsBoundary',
      { UserName: 'bounded', PermissionsBoundary: policyArn('mild') },
    ],
  },
  {
    name: 'DeleteUserPolicy',
    breaks: ['DeleteUserPolicy', { UserName: 'denied', PolicyName: 'policy-1' }],
    does: ['DeleteUserPolicy', { UserName: 'tagged', PolicyName: 'policy-0' }],
  },
  {
    name: 'DetachUserPolicy',
    breaks: ['DetachUserPolicy', { UserName: 'detached', PolicyArn: policyArn('denies') }],
    does: ['DetachUserPolicy', { UserName: 'ada', PolicyArn: policyArn('mild') }],
  },
  {
    name: 'TagUser',
    breaks: ['TagUser', { UserName: 'tagged', Tags: [{ Key: 'team', Value: 'use' }] }],
    does: ['TagUser', { UserName: 'tagged', Tags: [{ Key: 'team', Value: 'other' }] }],
  },
]

describe('a key that keeps its duties separate binds changes of identities', () => {
  for (const { name, breaks, does, first } of writes) {
    test(`${name} is refused when it would mix them, and done when not`, async (t) => {
      const { house, make } = await open(t)
      const keyId = await make()
      if (first !== undefined) assert.equal(await answer(house, first), undefined)
      assert.equal(await answer(house, breaks), refusal(keyId))
      assert.equal(await answer(house, does), undefined)
      // Nothing is left of what was refused: it is refused again, and done where no key minds.
      assert.equal(await answer(house, breaks), refusal(keyId))
    })
  }

  test('of the same writes all are done where no key minds, and nobody is asked', async (t) => {
    for (const { breaks, first } of writes) {
      const { house, make, asked } = await open(t)
      await make({ Tags: [{ TagKey: 'kagiban:separation-of-duties', TagValue: 'off' }] })
      if (first !== undefined) assert.equal(await answer(house, first), undefined)
      assert.equal(await answer(house, breaks), undefined)
      assert.equal(asked.times, 0)
    }
  })

  test('access keys, descriptions and what changes nothing take no proof', async (t) => {
    const { house, make, asked } = await open(t)
    await make()
    const { times } = asked
    assert.equal(await answer(house, ['CreateAccessKey', { UserName: 'ada' }]), undefined)
    assert.equal(await answer(house, ['CreateAccountAlias', { AccountAlias: 'mine' }]), undefined)
    const again: Write = ['AddUserToGroup', { GroupName: 'staff', UserName: 'ada' }]
    assert.equal(await answer(house, again), undefined)
    assert.equal(asked.times, times)
    assert.equal(await answer(house, ['CreateUser', { UserName: 'new' }]), undefined)
    assert.equal(asked.times, times + 1)
  })

  test('a refusal is recorded; who and why stands in the log alone', async (t) => {
    const { house, make, ada } = await open(t)
    const keyId = await make()
    const [action, parameters]: Write = ['PutUserPolicy', { UserName: 'ada', ...put(use) }]
    const refused = await query(house, 'iam', action, parameters)
    const [record] = house.recordsOf(refused)
    assert.equal(record?.['errorCode'], 'AccessDenied')
    assert.equal(record?.['errorMessage'], refused.text)
    assert.deepEqual(house.logged, [
      `refused PutUserPolicy of arn:aws:iam::${account}:root: arn:aws:kms:us-east-1:${account}:key/${keyId} ` +
        'keeps administration and use apart, and could not be proven to afterwards: ' +
        `${ada.arn}: kms:CreateGrant and kms:Decrypt`,
    ])
  })

  test('another account learns of no key', async (t) => {
    const { house, bob } = await open(t)
    const key = house.otherKey
    const eve = await house.addUser({ name: 'eve', account: otherAccount })
    const Policy = document(
      { ...statement(admin), Principal: { AWS: eve.arn } },
      { ...statement('kms:Decrypt'), Principal: { AWS: [bob.arn, otherAccount] } },
    )
    const made = { Policy, BypassPolicyLockoutSafetyCheck: true, Tags: [tag] }
    const keyId = await house.newKey(made)
    const breaks: Write = ['PutUserPolicy', { UserName: 'eve', ...put(document(statement('*'))) }]
    assert.equal(
      await answer(house, breaks, key),
      `AccessDenied: A key that this change affects ${suffix}`,
    )
    assert.match(house.logged[0] ?? '', new RegExp(`:key/${keyId} .*user/eve`))
  })

  test('a deleted key minds nothing', async (t) => {
    const { house, make } = await open(t)
    const keyId = await make()
    await house.mirror.commit([house.state.keys.remove(`us-east-1/${keyId}`)], [])
    const breaks: Write = ['PutUserPolicy', { UserName: 'ada', ...put(use) }]
    assert.equal(await answer(house, breaks), undefined)
  })
})

describe('where the proof does not hold anyway', () => {
  /** As after an upgrade: with nobody asked, ada came to both sides. */
  async function broken(t: TestContext): Promise<Opened & { readonly keyId: string }> {
    const opened = await open(t)
    const { house, make } = opened
    const keyId = await make({})
    const mixes: Write = ['PutUserPolicy', { UserName: 'ada', ...put(use) }]
    assert.equal(await answer(house, mixes), undefined)
    const row = `us-east-1/${keyId}`
    const key = house.state.keys.get(row) ?? assert.fail()
    const { kind, id, body, expected } = house.state.keys.put(row, { ...key, tags: [tag] })
    await house.store.commit({ puts: [{ kind, id, body, expected }], events: [] })
    // What the process itself commits it does not read again.
    await house.mirror.load()
    assert.equal(house.state.enforced.size, 1)
    return { ...opened, keyId }
  }

  test('nobody else comes to both sides, and what ends it is done', async (t) => {
    const { house, keyId } = await broken(t)
    const another: Write = ['DeleteUserPermissionsBoundary', { UserName: 'bounded' }]
    assert.equal(await answer(house, another), refusal(keyId))
    assert.equal(await answer(house, ['CreateUser', { UserName: 'new' }]), undefined)
    const ends: Write = ['DeleteUserPolicy', { UserName: 'ada', PolicyName: 'new' }]
    assert.equal(await answer(house, ends), undefined)
    const mixes: Write = ['PutUserPolicy', { UserName: 'ada', ...put(use) }]
    assert.equal(await answer(house, mixes), refusal(keyId))
  })

  test('a change of the key itself takes the proof', async (t) => {
    const { house, keyId, ada, bob } = await broken(t)
    const grant = { KeyId: keyId, GranteePrincipal: bob.arn, Operations: ['Decrypt'] }
    const sending = { key: ada }
    const { error } = await house.call('CreateGrant', grant, sending)
    assert.equal(error, 'KMSInvalidStateException')
    // The key works, and goes out of use at once.
    assert.equal((await house.call('DisableKey', { KeyId: keyId }, sending)).error, undefined)
  })
})

describe('changes that mix duties together, and none of them alone', () => {
  const join: Write = ['AddUserToGroup', { GroupName: 'team', UserName: 'ada' }]
  const allow: Write = ['PutGroupPolicy', { GroupName: 'team', ...put(use) }]

  test('at once, in one process: one is refused', async (t) => {
    const { house, make } = await open(t)
    await house.addGroup({ name: 'team' })
    const keyId = await make()
    const answers = await Promise.all([answer(house, join), answer(house, allow)])
    assert.deepEqual(
      answers.filter((each) => each !== undefined),
      [refusal(keyId)],
    )
  })

  test('at once, in two processes: one is refused', async (t) => {
    const { house, make } = await open(t)
    await house.addGroup({ name: 'team' })
    const keyId = await make()
    const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
    const answers = await Promise.all([answer(house, join), answer(other, allow)])
    assert.deepEqual(
      answers.filter((each) => each !== undefined),
      [refusal(keyId)],
    )
  })

  test('one by a process that has not heard yet of the tag of a key', async (t) => {
    const { house, make, ada } = await open(t)
    const keyId = await make({})
    const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
    const row = `us-east-1/${keyId}`
    const tagging = async () => {
      const key = house.state.keys.get(row) ?? assert.fail()
      await house.mirror.commit([house.state.keys.put(row, { ...key, tags: [tag] })], [])
    }
    const { users } = other.tables.identities
    const record = users.byId(ada.id) ?? assert.fail()
    const writing = () =>
      other.mirror.commit([users.replace(record, { ...record, inline: { use } })], [])
    await house.mirror.refresh()
    await tagging()
    await assert.rejects(writing(), { name: 'StoreConflict' })
    // Now it has.
    await assert.rejects(writing(), { name: 'DutiesMixed', keyArn: new RegExp(keyId) })
  })

  test('one while the tag of a key is put, by a process that has not heard of the other', async (t) => {
    const { house, make, ada } = await open(t)
    const keyId = await make({})
    const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
    const { users } = other.tables.identities
    const record = users.byId(ada.id) ?? assert.fail()
    await other.mirror.commit([users.replace(record, { ...record, inline: { use } })], [])
    const row = `us-east-1/${keyId}`
    const key = house.state.keys.get(row) ?? assert.fail()
    const tagging = () =>
      house.mirror.commit([house.state.keys.put(row, { ...key, tags: [tag] })], [])
    await assert.rejects(tagging(), { name: 'StoreConflict' })
    await assert.rejects(tagging(), { name: 'DutiesMixed' })
  })

  test('one of the key, of which the process that changes identities has not heard', async (t) => {
    const { house, make, ada, bob } = await open(t)
    const KeyId = await make()
    const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
    const { users } = other.tables.identities
    const record = users.byId(bob.id) ?? assert.fail()
    const renaming = () =>
      other.mirror.commit([users.replace(record, { ...record, path: '/team/' })], [])
    const grant = { KeyId, GranteePrincipal: bob.arn, Operations: ['Decrypt'] }
    await house.ok('CreateGrant', grant, { key: ada })
    // It was proven without the grant.
    await assert.rejects(renaming(), { name: 'StoreConflict' })
    await renaming()
  })
})

test('of hundreds of identities it is proven, of more than can be it is refused', async (t) => {
  const { house, make, ada } = await open(t)
  const keyId = await make()
  const { users } = house.tables.identities
  const some = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) =>
      users.add({
        ...{ account, path: '/', createdAt: 0, tags: [], groups: [], inline: {}, attached: [] },
        ...{ userId: `AIDA${from + at}`, userName: `user-${from + at}` },
      }),
    )
  await house.mirror.commit(some(0, 300), [])
  const grant = { KeyId: keyId, GranteePrincipal: `arn:aws:iam::${account}:user/user-7` }
  await house.ok('CreateGrant', { ...grant, Operations: ['Decrypt'] }, { key: ada })
  await assert.rejects(house.mirror.commit(some(300, 300), []), {
    name: 'DutiesMixed',
    why: 'there are too many identities for a proof',
  })
})

test('guardrails that would mix duties are refused to the operator', async (t) => {
  const { house, make } = await open(t)
  const commands = guardrailCommands({
    ...house,
    ...house.tables,
    random: systemRandom,
  } as unknown as Deps)
  const run = async (name: string, input: object) => {
    const command = commands[name] ?? assert.fail()
    return command({ operator: 'mona', kind: 'service-control', ...input }, () => {})
  }
  await run('guardrail-put', { name: 'NoUse', text: noUse })
  await run('guardrail-attach', { name: 'NoUse', target: account })
  assert.equal(await answer(house, ['PutUserPolicy', { UserName: 'ada', ...put(use) }]), undefined)
  const keyId = await make()
  const refused = {
    name: 'OperatorError',
    message: new RegExp(`^Refused: arn:\\S+${keyId} keeps .*user/ada: .* kms:Decrypt\\.$`),
  }
  await assert.rejects(run('guardrail-detach', { name: 'NoUse', target: account }), refused)
  await assert.rejects(run('guardrail-put', { name: 'NoUse', text: harmless }), refused)
  await run('guardrail-put', { name: 'Other', text: harmless })
  await run('guardrail-attach', { name: 'Other', target: account })
})

type Deps = Parameters<typeof guardrailCommands>[0]
