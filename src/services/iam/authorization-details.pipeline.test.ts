import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import { iam, type QueryAnswer } from '../../testing/query-calls.ts'

const at = '2026-05-06T07:08:09.123Z'
const arn = (rest: string) => `arn:aws:iam::${account}:${rest}`
const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"${account}"},"Action":"sts:AssumeRole"}}`
const document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"kms:ListKeys","Resource":"*"}}`
const encoded = (text: string) => encodeURIComponent(text).replaceAll('*', '%2A')

async function settledHouse(t: TestContext): Promise<House> {
  const house = await House.open(t)
  const Tags = [{ Key: 'team', Value: 'red' }]
  await iam(house, 'CreatePolicy', { PolicyName: 'keys', PolicyDocument: document })
  const PolicyArn = arn('policy/keys')
  await iam(house, 'CreatePolicyVersion', { PolicyArn, PolicyDocument: document })
  await iam(house, 'CreateUser', { UserName: 'alice', Tags, PermissionsBoundary: PolicyArn })
  await iam(house, 'CreateGroup', { GroupName: 'all', Path: '/g/' })
  await iam(house, 'AddUserToGroup', { GroupName: 'all', UserName: 'alice' })
  await iam(house, 'CreateRole', { RoleName: 'keeper', AssumeRolePolicyDocument: trust, Tags })
  for (const named of [{ UserName: 'alice' }, { GroupName: 'all' }, { RoleName: 'keeper' }]) {
    const what = Object.keys(named)[0]?.replace('Name', '') ?? ''
    const inline = { PolicyName: 'p', PolicyDocument: document }
    await iam(house, `Put${what}Policy`, { ...named, ...inline })
    await iam(house, `Attach${what}Policy`, { ...named, PolicyArn })
  }
  return house
}

function idsOf(house: House) {
  const { users, groups, roles, policies } = house.tables.identities
  return {
    user: users.get(account, 'alice')?.userId,
    group: groups.get(account, 'all')?.groupId,
    role: roles.get(account, 'keeper')?.roleId,
    policy: policies.get(account, 'keys')?.policyId,
  }
}

test('everything that has or is a policy, with its documents', async (t) => {
  const house = await settledHouse(t)
  const ids = idsOf(house)
  const AttachedManagedPolicies = [{ PolicyName: 'keys', PolicyArn: arn('policy/keys') }]
  const inline = [{ PolicyName: 'p', PolicyDocument: encoded(document) }]
  const Tags = [{ Key: 'team', Value: 'red' }]
  const found = await iam(house, 'GetAccountAuthorizationDetails', {})
  assert.deepEqual(found['UserDetailList'], [
    {
      ...{ Path: '/', Arn: arn('user/alice'), CreateDate: at },
      ...{ UserName: 'alice', UserId: ids.user, UserPolicyList: inline, GroupList: ['all'] },
      AttachedManagedPolicies,
      PermissionsBoundary: {
        PermissionsBoundaryType: 'Policy',
        PermissionsBoundaryArn: arn('policy/keys'),
      },
      Tags,
    },
  ])
  assert.deepEqual(found['GroupDetailList'], [
    {
      ...{ Path: '/g/', Arn: arn('group/g/all'), CreateDate: at },
      ...{ GroupName: 'all', GroupId: ids.group, GroupPolicyList: inline },
      AttachedManagedPolicies,
    },
  ])
  assert.deepEqual(found['RoleDetailList'], [
    {
      ...{ Path: '/', Arn: arn('role/keeper'), CreateDate: at },
      ...{ RoleName: 'keeper', RoleId: ids.role },
      AssumeRolePolicyDocument: encoded(trust),
      ...{ InstanceProfileList: '', RolePolicyList: inline },
      AttachedManagedPolicies,
      Tags,
    },
  ])
  const policies = found['Policies'] as readonly Record<string, unknown>[]
  assert.equal(policies.length, 6)
  const own = policies.find(({ Arn }) => Arn === arn('policy/keys'))
  assert.equal(own?.['PolicyId'], ids.policy)
  assert.equal(own?.['AttachmentCount'], '3')
  assert.equal(own?.['PermissionsBoundaryUsageCount'], '1')
  assert.deepEqual(own?.['PolicyVersionList'], [
    {
      Document: encoded(document),
      VersionId: 'v2',
      IsDefaultVersion: 'false',
      CreateDate: at,
    },
    { Document: encoded(document), VersionId: 'v1', IsDefaultVersion: 'true', CreateDate: at },
  ])
})

test('filters choose kinds, and pages go through all of them', async (t) => {
  const house = await settledHouse(t)
  const count = (page: QueryAnswer['result'], list: string) =>
    (page[list] as readonly unknown[] | undefined)?.length ?? 0
  const lists = ['UserDetailList', 'GroupDetailList', 'RoleDetailList', 'Policies']
  for (const [Filter, counts] of [
    [['User'], [1, 0, 0, 0]],
    [
      ['Group', 'Role'],
      [0, 1, 1, 0],
    ],
    [['LocalManagedPolicy'], [0, 0, 0, 1]],
    [['AWSManagedPolicy'], [0, 0, 0, 5]],
  ] as const) {
    const page = await iam(house, 'GetAccountAuthorizationDetails', { Filter })
    assert.deepEqual(
      lists.map((list) => count(page, list)),
      counts,
      String(Filter),
    )
  }
  let pages = 0
  const seen = [0, 0, 0, 0]
  let Marker: unknown
  do {
    const page = await iam(house, 'GetAccountAuthorizationDetails', { MaxItems: 2, Marker })
    for (const [at, list] of lists.entries()) seen[at] = (seen[at] ?? 0) + count(page, list)
    Marker = page['Marker']
    pages++
  } while (Marker !== undefined)
  assert.deepEqual([pages, seen], [5, [1, 1, 1, 6]])
})

test('an account sees its own alone', async (t) => {
  const house = await settledHouse(t)
  const found = await iam(house, 'GetAccountAuthorizationDetails', {}, { key: house.otherKey })
  assert.deepEqual(
    [found['UserDetailList'], found['GroupDetailList'], found['RoleDetailList']],
    ['', '', ''],
  )
  assert.deepEqual(
    (found['Policies'] as readonly { AttachmentCount: string; Arn: string }[]).map((policy) => [
      policy.AttachmentCount,
      policy.Arn.startsWith('arn:aws:iam::aws:'),
    ]),
    Array.from({ length: 5 }, () => ['0', true]),
  )
})

test('a page ends before its answer is too long, and the next one goes on', async (t) => {
  const house = await House.open(t)
  const PolicyDocument = document + ' '.repeat(20_000)
  const names: string[] = []
  for (let number = 10; number < 24; number++) {
    const PolicyArn = arn(`policy/keys-${number}`)
    await iam(house, 'CreatePolicy', { PolicyName: `keys-${number}`, PolicyDocument })
    for (let more = 0; more < 4; more++) {
      await iam(house, 'CreatePolicyVersion', { PolicyArn, PolicyDocument })
    }
    names.push(`keys-${number}`)
  }
  const found: unknown[] = []
  let pages = 0
  let Marker: unknown
  do {
    const request = { Filter: ['LocalManagedPolicy'], MaxItems: 1000, Marker }
    const page = await iam(house, 'GetAccountAuthorizationDetails', request)
    const policies = page['Policies'] as unknown as readonly { PolicyName: string }[]
    assert.ok(JSON.stringify(policies).length < 4 * 1024 ** 2)
    found.push(...policies.map(({ PolicyName }) => PolicyName))
    pages++
    Marker = page['Marker']
  } while (Marker !== undefined)
  assert.deepEqual(found, names)
  assert.ok(pages > 1)
})
