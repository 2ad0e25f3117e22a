import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../testing/house.ts'
import {
  allow,
  assertDenied,
  assertPermissions,
  mayOnly,
  type PermissionCase,
} from '../../testing/permission-cases.ts'
import { iam, query } from '../../testing/query-calls.ts'
import { policyOperations } from './operations/policy-table.ts'

const role = `arn:aws:iam::${account}:role/staff/keeper`
const policy = `arn:aws:iam::${account}:policy/staff/keys`
const powerUser = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
const RoleName = 'keeper'
const PolicyArn = policy
const PolicyName = 'p'
const PolicyDocument = allow('kms:ListKeys', '*', {})
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { AWS: account }, Action: 'sts:AssumeRole' },
})
const tagged = { 'aws:ResourceTag/team': 'red', 'iam:ResourceTag/team': 'red' }
const bounded = { 'iam:PermissionsBoundary': powerUser }
const attaching = { 'iam:PolicyARN': powerUser }
const change = { ...tagged, ...bounded }
const Tags = [{ Key: 'a', Value: 'b' }]
const simulated = { ActionNames: ['kms:ListKeys'] }
const user = `arn:aws:iam::${account}:user/clerk`

const cases: readonly PermissionCase[] = [
  [
    'CreateRole',
    {
      ...{ RoleName: 'new', Path: '/a/', AssumeRolePolicyDocument: trust },
      PermissionsBoundary: powerUser,
    },
    `arn:aws:iam::${account}:role/a/new`,
    bounded,
  ],
  ['GetRole', { RoleName }, role, tagged],
  ['ListRoles', {}, '*'],
  ['UpdateRole', { RoleName }, role, tagged],
  ['UpdateRoleDescription', { RoleName, Description: 'd' }, role, tagged],
  ['UpdateAssumeRolePolicy', { RoleName, PolicyDocument: trust }, role, tagged],
  ['ListInstanceProfilesForRole', { RoleName }, role, tagged],
  ['TagRole', { RoleName, Tags }, role, { ...tagged, 'aws:RequestTag/a': 'b' }],
  ['UntagRole', { RoleName, TagKeys: ['a'] }, role, tagged],
  ['ListRoleTags', { RoleName }, role, tagged],
  ['PutRolePolicy', { RoleName, PolicyName, PolicyDocument }, role, change],
  ['GetRolePolicy', { RoleName, PolicyName }, role, tagged],
  ['ListRolePolicies', { RoleName }, role, tagged],
  ['DeleteRolePolicy', { RoleName, PolicyName }, role, change],
  ['AttachRolePolicy', { RoleName, PolicyArn: powerUser }, role, { ...change, ...attaching }],
  ['ListAttachedRolePolicies', { RoleName }, role, tagged],
  ['DetachRolePolicy', { RoleName, PolicyArn: powerUser }, role, { ...change, ...attaching }],
  [
    'PutRolePermissionsBoundary',
    { RoleName, PermissionsBoundary: powerUser },
    role,
    { ...tagged, ...bounded },
  ],
  ['DeleteRole', { RoleName: 'nobody' }, `arn:aws:iam::${account}:role/nobody`],
  [
    'CreatePolicy',
    { PolicyName: 'new', Path: '/a/', PolicyDocument },
    `arn:aws:iam::${account}:policy/a/new`,
  ],
  ['GetPolicy', { PolicyArn }, policy, tagged],
  ['ListPolicies', {}, '*'],
  ['ListEntitiesForPolicy', { PolicyArn }, policy, tagged],
  ['CreatePolicyVersion', { PolicyArn, PolicyDocument }, policy, tagged],
  ['GetPolicyVersion', { PolicyArn, VersionId: 'v1' }, policy, tagged],
  ['ListPolicyVersions', { PolicyArn }, policy, tagged],
  ['SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' }, policy, tagged],
  ['DeletePolicyVersion', { PolicyArn, VersionId: 'v2' }, policy, tagged],
  ['TagPolicy', { PolicyArn, Tags }, policy, { ...tagged, 'aws:RequestTag/a': 'b' }],
  ['UntagPolicy', { PolicyArn, TagKeys: ['a'] }, policy, tagged],
  ['ListPolicyTags', { PolicyArn }, policy, tagged],
  [
    'DeletePolicy',
    { PolicyArn: `arn:aws:iam::${account}:policy/none` },
    `arn:aws:iam::${account}:policy/none`,
  ],
  ['GetAccountAuthorizationDetails', {}, '*'],
  ['GetContextKeysForCustomPolicy', { PolicyInputList: [PolicyDocument] }, '*'],
  ['GetContextKeysForPrincipalPolicy', { PolicySourceArn: role }, role, tagged],
  ['SimulateCustomPolicy', { ...simulated, PolicyInputList: [PolicyDocument] }, '*'],
  ['SimulatePrincipalPolicy', { ...simulated, PolicySourceArn: role }, role, tagged],
  ['SimulatePrincipalPolicy', { ...simulated, PolicySourceArn: user }, user],
  ['DeleteRolePermissionsBoundary', { RoleName }, role, change],
]

async function houseWithKeeper(t: Parameters<typeof House.open>[0]): Promise<House> {
  const house = await House.open(t)
  const Path = '/staff/'
  const team = { Path, Tags: [{ Key: 'team', Value: 'red' }] }
  await iam(house, 'CreateRole', {
    ...{ ...team, RoleName, AssumeRolePolicyDocument: trust },
    PermissionsBoundary: powerUser,
  })
  await iam(house, 'CreatePolicy', { ...team, PolicyName: 'keys', PolicyDocument })
  return house
}

test('every operation needs its own permission, on what it is about, under its conditions', async (t) => {
  await assertPermissions(await houseWithKeeper(t), cases)
  const tried = new Set(cases.map(([action]) => action))
  const operations = policyOperations.map(({ name }) => name)
  assert.deepEqual(
    operations.filter((name) => !tried.has(name)),
    [],
  )
})

test('whether something exists is told to those alone who may ask', async (t) => {
  const house = await houseWithKeeper(t)
  const key = await house.addUser({ name: 'clerk' })
  for (const name of ['keeper', 'nobody']) {
    const resource = name === 'keeper' ? role : `arn:aws:iam::${account}:role/nobody`
    await assertDenied(house, key, 'GetRole', { RoleName: name }, resource)
  }
  for (const arn of [policy, `${policy}2`]) {
    await assertDenied(house, key, 'GetPolicy', { PolicyArn: arn }, arn)
    await assertDenied(house, key, 'DeletePolicy', { PolicyArn: arn }, arn)
  }
  for (const arn of [role, `${role}2`]) {
    const parameters = { ...simulated, PolicySourceArn: arn }
    await assertDenied(house, key, 'SimulatePrincipalPolicy', parameters, arn)
  }
})

test('what is made with tags takes two permissions', async (t) => {
  const house = await houseWithKeeper(t)
  const key = await house.addUser({ name: 'clerk' })
  const makings = [
    ['Role', { RoleName: 'new', AssumeRolePolicyDocument: trust, Tags }, 'role/new'],
    ['Policy', { PolicyName: 'new', PolicyDocument, Tags }, 'policy/new'],
  ] as const
  for (const [what, parameters, name] of makings) {
    const resource = `arn:aws:iam::${account}:${name}`
    await mayOnly(house, allow(`iam:Create${what}`, '*', { 'aws:RequestTag/a': 'b' }))
    await assertDenied(house, key, `Create${what}`, parameters, resource, `Tag${what}`)
    await mayOnly(house, allow('iam:*', '*', { 'aws:RequestTag/a': 'c' }))
    await assertDenied(house, key, `Create${what}`, parameters, resource)
    await mayOnly(house, allow('iam:*', '*', { 'aws:RequestTag/a': 'b' }))
    await iam(house, `Create${what}`, parameters, { key })
  }
})

test('nobody may change a policy of AWS, and all may look at it', async (t) => {
  const house = await houseWithKeeper(t)
  const changes = [
    ['DeletePolicy', {}],
    ['CreatePolicyVersion', { PolicyDocument }],
    ['DeletePolicyVersion', { VersionId: 'v1' }],
    ['SetDefaultPolicyVersion', { VersionId: 'v1' }],
    ['TagPolicy', { Tags }],
    ['UntagPolicy', { TagKeys: ['a'] }],
  ] as const
  for (const [action, parameters] of changes) {
    const { status, code } = await query(house, 'iam', action, {
      ...parameters,
      PolicyArn: powerUser,
    })
    assert.deepEqual([status, code], [403, 'AccessDenied'], action)
  }
  for (const action of ['GetPolicy', 'ListPolicyVersions', 'ListEntitiesForPolicy']) {
    await iam(house, action, { PolicyArn: powerUser })
  }
})

test('the roles and policies of another account are not there', async (t) => {
  const house = await houseWithKeeper(t)
  const key = house.otherKey
  const none = [
    ['GetRole', { RoleName }],
    ['GetPolicy', { PolicyArn }],
    ['DeletePolicy', { PolicyArn }],
    ['CreatePolicyVersion', { PolicyArn, PolicyDocument }],
    ['SimulatePrincipalPolicy', { ...simulated, PolicySourceArn: role }],
  ] as const
  for (const [action, parameters] of none) {
    const { status, code } = await query(house, 'iam', action, parameters, { key })
    assert.deepEqual([status, code], [404, 'NoSuchEntity'], action)
  }
  await iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument: trust }, { key })
  const attach = await query(house, 'iam', 'AttachRolePolicy', { RoleName, PolicyArn }, { key })
  assert.equal(attach.text, `Policy ${PolicyArn} does not exist or is not attachable.`)
  const bound = { RoleName, PermissionsBoundary: PolicyArn }
  const put = await query(house, 'iam', 'PutRolePermissionsBoundary', bound, { key })
  assert.equal(put.text, `Scope ARN: ${PolicyArn} does not exist or is not attachable.`)
  const { Roles } = await iam(house, 'ListRoles', {}, { key })
  assert.deepEqual(
    (Roles as readonly { Arn: string }[]).map(({ Arn }) => Arn),
    [`arn:aws:iam::${otherAccount}:role/keeper`],
  )
})
