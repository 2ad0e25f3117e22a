import type { TestContext } from 'node:test'
import { account } from '../../src/testing/house.ts'
import type { Parameters } from '../../src/testing/query-calls.ts'
import { rootArn, Stage } from './stage.ts'

const powerUser = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
const PolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:ListKeys', Resource: '*' },
})
const trust = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Principal: { AWS: rootArn }, Action: 'sts:AssumeRole' },
})
const PolicyName = 'p'
const Tags = [{ Key: 'team', Value: 'red' }]
const TagKeys = ['team']
const NoSuchEntity = 'NoSuchEntity'

type Call = readonly [action: string, parameters: Parameters, error?: string]

/** Every operation of IAM: denied, then done, in an order in which each has something to do. */
export async function iamRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 'iam')
  for (const [action, parameters, error] of [...users, ...groups, ...roles, ...policies]) {
    await stage.query(action, parameters, error === undefined ? {} : { error })
  }
  const UserName = 'clerk'
  const { AccessKey } = await stage.query('CreateAccessKey', { UserName })
  const { AccessKeyId } = AccessKey as { AccessKeyId: string }
  await stage.query('ListAccessKeys', { UserName })
  await stage.query('GetAccessKeyLastUsed', { AccessKeyId })
  await stage.query('UpdateAccessKey', { UserName, AccessKeyId, Status: 'Inactive' })
  await stage.query('DeleteAccessKey', { UserName, AccessKeyId })
  await providers(stage)
  return stage
}

const UserName = 'alice'
const users: readonly Call[] = [
  ['CreateUser', { UserName, Path: '/staff/', PermissionsBoundary: powerUser, Tags }],
  ['GetUser', { UserName }],
  ['ListUsers', { PathPrefix: '/staff/' }],
  ['UpdateUser', { UserName, NewPath: '/others/' }],
  ['TagUser', { UserName, Tags }],
  ['ListUserTags', { UserName }],
  ['UntagUser', { UserName, TagKeys }],
  ['PutUserPolicy', { UserName, PolicyName, PolicyDocument }],
  ['GetUserPolicy', { UserName, PolicyName }],
  ['ListUserPolicies', { UserName }],
  ['DeleteUserPolicy', { UserName, PolicyName }],
  ['AttachUserPolicy', { UserName, PolicyArn: powerUser }],
  ['ListAttachedUserPolicies', { UserName }],
  ['DetachUserPolicy', { UserName, PolicyArn: powerUser }],
  ['PutUserPermissionsBoundary', { UserName, PermissionsBoundary: powerUser }],
  ['DeleteUserPermissionsBoundary', { UserName }],
  ['ListMFADevices', { UserName }],
  ['ListSSHPublicKeys', { UserName }],
  ['ListServiceSpecificCredentials', { UserName }],
  ['ListSigningCertificates', { UserName }],
  ['GetLoginProfile', { UserName }, NoSuchEntity],
  ['DeleteLoginProfile', { UserName }, NoSuchEntity],
  ['ListVirtualMFADevices', {}],
]

const GroupName = 'keepers'
const groups: readonly Call[] = [
  ['CreateGroup', { GroupName, Path: '/staff/' }],
  ['ListGroups', {}],
  ['AddUserToGroup', { GroupName, UserName }],
  ['GetGroup', { GroupName }],
  ['ListGroupsForUser', { UserName }],
  ['RemoveUserFromGroup', { GroupName, UserName }],
  ['UpdateGroup', { GroupName, NewPath: '/others/' }],
  ['PutGroupPolicy', { GroupName, PolicyName, PolicyDocument }],
  ['GetGroupPolicy', { GroupName, PolicyName }],
  ['ListGroupPolicies', { GroupName }],
  ['DeleteGroupPolicy', { GroupName, PolicyName }],
  ['AttachGroupPolicy', { GroupName, PolicyArn: powerUser }],
  ['ListAttachedGroupPolicies', { GroupName }],
  ['DetachGroupPolicy', { GroupName, PolicyArn: powerUser }],
  ['DeleteGroup', { GroupName }],
  ['DeleteUser', { UserName }],
  ['CreateAccountAlias', { AccountAlias: 'keepers' }],
  ['ListAccountAliases', {}],
  ['DeleteAccountAlias', { AccountAlias: 'keepers' }],
  ['GetAccountSummary', {}],
  ['GetAccountAuthorizationDetails', { Filter: ['User'] }],
]

const RoleName = 'keeper'
const roles: readonly Call[] = [
  ['CreateRole', { RoleName, Path: '/ops/', AssumeRolePolicyDocument: trust, Tags }],
  ['GetRole', { RoleName }],
  ['ListRoles', {}],
  ['UpdateRole', { RoleName, Description: 'keeps', MaxSessionDuration: 7200 }],
  ['UpdateRoleDescription', { RoleName, Description: 'keeps keys' }],
  ['UpdateAssumeRolePolicy', { RoleName, PolicyDocument: trust }],
  ['ListInstanceProfilesForRole', { RoleName }],
  ['TagRole', { RoleName, Tags }],
  ['ListRoleTags', { RoleName }],
  ['UntagRole', { RoleName, TagKeys }],
  ['PutRolePolicy', { RoleName, PolicyName, PolicyDocument }],
  ['GetRolePolicy', { RoleName, PolicyName }],
  ['ListRolePolicies', { RoleName }],
  ['DeleteRolePolicy', { RoleName, PolicyName }],
  ['AttachRolePolicy', { RoleName, PolicyArn: powerUser }],
  ['ListAttachedRolePolicies', { RoleName }],
  ['DetachRolePolicy', { RoleName, PolicyArn: powerUser }],
  ['PutRolePermissionsBoundary', { RoleName, PermissionsBoundary: powerUser }],
  ['DeleteRolePermissionsBoundary', { RoleName }],
  ['GetContextKeysForCustomPolicy', { PolicyInputList: [PolicyDocument] }],
  ['GetContextKeysForPrincipalPolicy', { PolicySourceArn: role() }],
  ['SimulateCustomPolicy', { ActionNames: ['kms:ListKeys'], PolicyInputList: [PolicyDocument] }],
  ['SimulatePrincipalPolicy', { ActionNames: ['kms:ListKeys'], PolicySourceArn: role() }],
  ['DeleteRole', { RoleName }],
]

const PolicyArn = `arn:aws:iam::${account}:policy/staff/keys`
const policies: readonly Call[] = [
  [
    'CreatePolicy',
    { PolicyName: 'keys', Path: '/staff/', Description: 'of keys', PolicyDocument, Tags },
  ],
  ['GetPolicy', { PolicyArn }],
  ['ListPolicies', { Scope: 'Local' }],
  ['ListEntitiesForPolicy', { PolicyArn }],
  ['CreatePolicyVersion', { PolicyArn, PolicyDocument, SetAsDefault: true }],
  ['GetPolicyVersion', { PolicyArn, VersionId: 'v1' }],
  ['ListPolicyVersions', { PolicyArn }],
  ['SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v1' }],
  ['DeletePolicyVersion', { PolicyArn, VersionId: 'v2' }],
  ['TagPolicy', { PolicyArn, Tags }],
  ['ListPolicyTags', { PolicyArn }],
  ['UntagPolicy', { PolicyArn, TagKeys }],
  ['DeletePolicy', { PolicyArn }],
]

async function providers(stage: Stage): Promise<void> {
  const made = await stage.query('CreateOpenIDConnectProvider', {
    Url: 'https://tokens.example/issuer',
    ClientIDList: ['kagiban'],
    ThumbprintList: ['0'.repeat(40)],
    Tags,
  })
  const OpenIDConnectProviderArn = String(made['OpenIDConnectProviderArn'])
  const provider = { OpenIDConnectProviderArn }
  await stage.query('GetOpenIDConnectProvider', provider)
  await stage.query('ListOpenIDConnectProviders', {})
  await stage.query('AddClientIDToOpenIDConnectProvider', { ...provider, ClientID: 'another' })
  await stage.query('RemoveClientIDFromOpenIDConnectProvider', { ...provider, ClientID: 'another' })
  const ThumbprintList = ['1'.repeat(40)]
  await stage.query('UpdateOpenIDConnectProviderThumbprint', { ...provider, ThumbprintList })
  await stage.query('TagOpenIDConnectProvider', { ...provider, Tags })
  await stage.query('ListOpenIDConnectProviderTags', provider)
  await stage.query('UntagOpenIDConnectProvider', { ...provider, TagKeys })
  await stage.query('DeleteOpenIDConnectProvider', provider)
}

function role(): string {
  return `arn:aws:iam::${account}:role/ops/keeper`
}
