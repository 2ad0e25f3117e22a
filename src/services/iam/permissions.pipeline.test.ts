import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import {
  allow,
  assertDenied,
  assertPermissions,
  mayOnly,
  type PermissionCase,
} from '../../testing/permission-cases.ts'
import { iam } from '../../testing/query-calls.ts'
import { identityOperations } from './operations/identity-table.ts'

const user = `arn:aws:iam::${account}:user/staff/alice`
const group = `arn:aws:iam::${account}:group/staff/keepers`
const powerUser = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
const PolicyDocument = allow('kms:ListKeys', '*', {})
const UserName = 'alice'
const GroupName = 'keepers'
const tagged = { 'aws:ResourceTag/team': 'red', 'iam:ResourceTag/team': 'red' }
const bounded = { 'iam:PermissionsBoundary': powerUser }
const attaching = { 'iam:PolicyARN': powerUser }

const cases: readonly PermissionCase[] = [
  ['CreateUser', { UserName: 'new', Path: '/a/' }, `arn:aws:iam::${account}:user/a/new`],
  [
    'CreateUser',
    { UserName: 'bounded', PermissionsBoundary: powerUser },
    `arn:aws:iam::${account}:user/bounded`,
    bounded,
  ],
  ['GetUser', { UserName }, user, tagged],
  ['ListUsers', {}, '*'],
  ['UpdateUser', { UserName, NewUserName: 'alice' }, user, tagged],
  ['DeleteUser', { UserName: 'nobody' }, `arn:aws:iam::${account}:user/nobody`],
  [
    'TagUser',
    { UserName, Tags: [{ Key: 'a', Value: 'b' }] },
    user,
    { ...tagged, 'aws:RequestTag/a': 'b' },
  ],
  ['UntagUser', { UserName, TagKeys: ['a'] }, user, tagged],
  ['ListUserTags', { UserName }, user, tagged],
  ['PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument }, user, { ...tagged, ...bounded }],
  ['GetUserPolicy', { UserName, PolicyName: 'p' }, user, tagged],
  ['ListUserPolicies', { UserName }, user, tagged],
  ['DeleteUserPolicy', { UserName, PolicyName: 'p' }, user, { ...tagged, ...bounded }],
  [
    'AttachUserPolicy',
    { UserName, PolicyArn: powerUser },
    user,
    { ...tagged, ...bounded, ...attaching },
  ],
  ['ListAttachedUserPolicies', { UserName }, user, tagged],
  [
    'DetachUserPolicy',
    { UserName, PolicyArn: powerUser },
    user,
    { ...tagged, ...bounded, ...attaching },
  ],
  [
    'PutUserPermissionsBoundary',
    { UserName, PermissionsBoundary: powerUser },
    user,
    { ...tagged, ...bounded },
  ],
  ['CreateAccessKey', { UserName }, user, tagged],
  ['ListAccessKeys', { UserName }, user, tagged],
  [
    'UpdateAccessKey',
    { UserName, AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA', Status: 'Active' },
    user,
    tagged,
  ],
  ['DeleteAccessKey', { UserName, AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }, user, tagged],
  ['GetAccessKeyLastUsed', { AccessKeyId: 'AKIAAAAAAAAAAAAAAAAA' }, '*'],
  ['ListMFADevices', { UserName }, user, tagged],
  ['ListSSHPublicKeys', { UserName }, user, tagged],
  ['ListServiceSpecificCredentials', { UserName }, user, tagged],
  ['ListSigningCertificates', { UserName }, user, tagged],
  ['GetLoginProfile', { UserName }, user, tagged],
  ['DeleteLoginProfile', { UserName }, user, tagged],
  ['ListVirtualMFADevices', {}, '*'],
  ['CreateGroup', { GroupName: 'new', Path: '/a/' }, `arn:aws:iam::${account}:group/a/new`],
  ['GetGroup', { GroupName }, group],
  ['ListGroups', {}, '*'],
  ['UpdateGroup', { GroupName, NewPath: '/staff/' }, group],
  ['AddUserToGroup', { GroupName, UserName }, group],
  ['ListGroupsForUser', { UserName }, user, tagged],
  ['RemoveUserFromGroup', { GroupName, UserName }, group],
  ['PutGroupPolicy', { GroupName, PolicyName: 'p', PolicyDocument }, group],
  ['GetGroupPolicy', { GroupName, PolicyName: 'p' }, group],
  ['ListGroupPolicies', { GroupName }, group],
  ['DeleteGroupPolicy', { GroupName, PolicyName: 'p' }, group],
  ['AttachGroupPolicy', { GroupName, PolicyArn: powerUser }, group, attaching],
  ['ListAttachedGroupPolicies', { GroupName }, group],
  ['DetachGroupPolicy', { GroupName, PolicyArn: powerUser }, group, attaching],
  ['DeleteGroup', { GroupName: 'nobody' }, `arn:aws:iam::${account}:group/nobody`],
  ['CreateAccountAlias', { AccountAlias: 'alias' }, '*'],
  ['ListAccountAliases', {}, '*'],
  ['DeleteAccountAlias', { AccountAlias: 'alias' }, '*'],
  ['GetAccountSummary', {}, '*'],
  ['DeleteUserPermissionsBoundary', { UserName }, user, { ...tagged, ...bounded }],
]

test('every operation needs its own permission, on what it is about, under its conditions', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', {
    UserName,
    Path: '/staff/',
    PermissionsBoundary: powerUser,
    Tags: [{ Key: 'team', Value: 'red' }],
  })
  await iam(house, 'CreateGroup', { GroupName, Path: '/staff/' })
  await assertPermissions(house, cases)
  const tried = new Set(cases.map(([action]) => action))
  const operations = identityOperations.map(({ name }) => name)
  assert.deepEqual(
    operations.filter((name) => !tried.has(name)),
    [],
  )
})

test('a user who is made with tags takes two permissions', async (t) => {
  const house = await House.open(t)
  const key = await house.addUser({ name: 'clerk' })
  const parameters = { UserName: 'new', Tags: [{ Key: 'a', Value: 'b' }] }
  const resource = `arn:aws:iam::${account}:user/new`
  await mayOnly(house, allow('iam:CreateUser', '*', { 'aws:RequestTag/a': 'b' }))
  await assertDenied(house, key, 'CreateUser', parameters, resource, 'TagUser')
  await mayOnly(house, allow('iam:TagUser', '*', {}))
  await assertDenied(house, key, 'CreateUser', parameters, resource)
  await mayOnly(house, allow('iam:*', '*', { 'aws:RequestTag/a': 'c' }))
  await assertDenied(house, key, 'CreateUser', parameters, resource)
  await mayOnly(house, allow('iam:*', '*', { 'aws:RequestTag/a': 'b' }))
  await iam(house, 'CreateUser', parameters, { key })
})
