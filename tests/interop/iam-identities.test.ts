import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as sdk from '@aws-sdk/client-iam'
import { GenerateRandomCommand } from '@aws-sdk/client-kms'
import { identityOperations } from '../../src/services/iam/operations/identity-table.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { TestServer } from '../support/server.ts'

const powerUser = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
const random = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' }],
})

/** The JS SDK, unchanged, through every operation on users, groups, access keys and account aliases. */
describe('users, groups and access keys with the AWS SDK for JavaScript', () => {
  let server: TestServer
  let root: Clients
  let iam: sdk.IAMClient
  const answered = new Set<string>()

  before(async () => {
    server = await TestServer.start()
    root = clientsOf(server)
    iam = root.iam
    iam.middlewareStack.add(
      (next, context) => async (args) => {
        answered.add(String(context['commandName']).replace(/Command$/, ''))
        return next(args)
      },
      { step: 'initialize', name: 'answered' },
    )
  })
  after(async () => {
    root?.destroy()
    await server?.discard()
  })

  const arn = (resource: string) => `arn:aws:iam::${server.account}:${resource}`
  const fails = (call: Promise<unknown>, name: string, message: string | RegExp) =>
    assert.rejects(call, (error: Error) => {
      assert.equal(error.name, name)
      if (typeof message === 'string') assert.equal(error.message, message)
      else assert.match(error.message, message)
      return true
    })

  test('users', async () => {
    const { User } = await iam.send(
      new sdk.CreateUserCommand({
        UserName: 'alice',
        Path: '/staff/',
        PermissionsBoundary: powerUser,
        Tags: [{ Key: 'team', Value: 'red' }],
      }),
    )
    assert.equal(User?.Arn, arn('user/staff/alice'))
    assert.ok(Math.abs(Date.now() - present(User?.CreateDate).getTime()) < 60_000)
    const { User: got } = await iam.send(new sdk.GetUserCommand({ UserName: 'alice' }))
    assert.deepEqual(got, User)
    assert.deepEqual(got?.PermissionsBoundary, {
      PermissionsBoundaryType: 'Policy',
      PermissionsBoundaryArn: powerUser,
    })
    const { User: itself } = await iam.send(new sdk.GetUserCommand({}))
    assert.equal(itself?.Arn, arn('root'))
    await iam.send(new sdk.CreateUserCommand({ UserName: 'bob' }))
    const pages: string[][] = []
    for await (const page of sdk.paginateListUsers({ client: iam, pageSize: 1 }, {})) {
      pages.push((page.Users ?? []).map(({ UserName }) => present(UserName)))
    }
    assert.deepEqual(pages, [['alice'], ['bob']])
    await iam.send(new sdk.UpdateUserCommand({ UserName: 'bob', NewUserName: 'rob' }))
    await fails(
      iam.send(new sdk.GetUserCommand({ UserName: 'bob' })),
      'NoSuchEntityException',
      'The user with name bob cannot be found.',
    )
    await fails(
      iam.send(new sdk.CreateUserCommand({ UserName: 'ROB' })),
      'EntityAlreadyExistsException',
      'User with name ROB already exists.',
    )
    await iam.send(new sdk.DeleteUserCommand({ UserName: 'rob' }))
  })

  test('tags and permissions boundaries', async () => {
    const UserName = 'alice'
    await iam.send(new sdk.TagUserCommand({ UserName, Tags: [{ Key: 'cost', Value: '7' }] }))
    const { Tags } = await iam.send(new sdk.ListUserTagsCommand({ UserName }))
    assert.deepEqual(Tags, [
      { Key: 'cost', Value: '7' },
      { Key: 'team', Value: 'red' },
    ])
    await iam.send(new sdk.UntagUserCommand({ UserName, TagKeys: ['cost'] }))
    await iam.send(new sdk.DeleteUserPermissionsBoundaryCommand({ UserName }))
    await iam.send(
      new sdk.PutUserPermissionsBoundaryCommand({ UserName, PermissionsBoundary: powerUser }),
    )
  })

  test('policies of users and groups', async () => {
    const UserName = 'alice'
    const GroupName = 'keepers'
    await iam.send(new sdk.CreateGroupCommand({ GroupName, Path: '/staff/' }))
    const inline = { PolicyName: 'random', PolicyDocument: random }
    await iam.send(new sdk.PutUserPolicyCommand({ UserName, ...inline }))
    await iam.send(new sdk.PutGroupPolicyCommand({ GroupName, ...inline }))
    const ofUser = await iam.send(new sdk.GetUserPolicyCommand({ UserName, PolicyName: 'random' }))
    const ofGroup = await iam.send(
      new sdk.GetGroupPolicyCommand({ GroupName, PolicyName: 'random' }),
    )
    for (const { PolicyDocument } of [ofUser, ofGroup]) {
      assert.equal(decodeURIComponent(present(PolicyDocument)), random)
    }
    await fails(
      iam.send(new sdk.PutUserPolicyCommand({ UserName, ...inline, PolicyDocument: '{}' })),
      'MalformedPolicyDocumentException',
      /./,
    )
    const names = [
      await iam.send(new sdk.ListUserPoliciesCommand({ UserName })),
      await iam.send(new sdk.ListGroupPoliciesCommand({ GroupName })),
    ].map(({ PolicyNames }) => PolicyNames)
    assert.deepEqual(names, [['random'], ['random']])
    const PolicyArn = powerUser
    await iam.send(new sdk.AttachUserPolicyCommand({ UserName, PolicyArn }))
    await iam.send(new sdk.AttachGroupPolicyCommand({ GroupName, PolicyArn }))
    const attached = [
      await iam.send(new sdk.ListAttachedUserPoliciesCommand({ UserName })),
      await iam.send(new sdk.ListAttachedGroupPoliciesCommand({ GroupName })),
    ].map(({ AttachedPolicies }) => AttachedPolicies)
    const expected = [{ PolicyName: 'AWSKeyManagementServicePowerUser', PolicyArn }]
    assert.deepEqual(attached, [expected, expected])
    await fails(
      iam.send(new sdk.DeleteGroupCommand({ GroupName })),
      'DeleteConflictException',
      'Cannot delete entity, must detach all policies first.',
    )
    await iam.send(new sdk.DetachUserPolicyCommand({ UserName, PolicyArn }))
    await iam.send(new sdk.DetachGroupPolicyCommand({ GroupName, PolicyArn }))
    await iam.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: 'random' }))
    await iam.send(new sdk.DeleteGroupPolicyCommand({ GroupName, PolicyName: 'random' }))
  })

  test('an access key works from its answer on, and no longer than it is active', async () => {
    const UserName = 'alice'
    const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName }))
    const AccessKeyId = present(AccessKey?.AccessKeyId)
    const secretAccessKey = present(AccessKey?.SecretAccessKey)
    const alice = clientsOf(server, { accessKeyId: AccessKeyId, secretAccessKey })
    const use = () => alice.kms.send(new GenerateRandomCommand({ NumberOfBytes: 8 }))
    try {
      const neverUsed = await iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }))
      assert.deepEqual(neverUsed.AccessKeyLastUsed, { ServiceName: 'N/A', Region: 'N/A' })
      await fails(use(), 'AccessDeniedException', /no identity-based policy allows/)
      const inline = { PolicyName: 'random', PolicyDocument: random }
      await iam.send(new sdk.PutUserPolicyCommand({ UserName, ...inline }))
      await use()
      const used = await iam.send(new sdk.GetAccessKeyLastUsedCommand({ AccessKeyId }))
      assert.equal(used.UserName, UserName)
      assert.equal(used.AccessKeyLastUsed?.ServiceName, 'kms')
      assert.equal(used.AccessKeyLastUsed?.Region, 'us-east-1')
      const date = present(used.AccessKeyLastUsed?.LastUsedDate)
      assert.ok(Math.abs(Date.now() - date.getTime()) < 60_000)

      const update = { UserName, AccessKeyId }
      await iam.send(new sdk.UpdateAccessKeyCommand({ ...update, Status: 'Inactive' }))
      await fails(use(), 'UnrecognizedClientException', /./)
      const { AccessKeyMetadata } = await iam.send(new sdk.ListAccessKeysCommand({ UserName }))
      assert.deepEqual(
        AccessKeyMetadata?.map(({ Status }) => Status),
        ['Inactive'],
      )
      await iam.send(new sdk.UpdateAccessKeyCommand({ ...update, Status: 'Active' }))
      await use()
      await iam.send(new sdk.DeleteAccessKeyCommand(update))
      await fails(use(), 'UnrecognizedClientException', /./)
      await iam.send(new sdk.DeleteUserPolicyCommand({ UserName, PolicyName: 'random' }))
    } finally {
      alice.destroy()
    }
  })

  test('groups and their members', async () => {
    const GroupName = 'keepers'
    const UserName = 'alice'
    await iam.send(new sdk.AddUserToGroupCommand({ GroupName, UserName }))
    const { Group, Users } = await iam.send(new sdk.GetGroupCommand({ GroupName }))
    assert.equal(Group?.Arn, arn('group/staff/keepers'))
    assert.deepEqual(
      Users?.map((each) => each.UserName),
      [UserName],
    )
    const { Groups } = await iam.send(new sdk.ListGroupsForUserCommand({ UserName }))
    assert.deepEqual(Groups, [Group])
    await iam.send(new sdk.UpdateGroupCommand({ GroupName, NewGroupName: 'holders' }))
    const all = await iam.send(new sdk.ListGroupsCommand({ PathPrefix: '/staff/' }))
    assert.deepEqual(
      all.Groups?.map((each) => each.GroupName),
      ['holders'],
    )
    await fails(
      iam.send(new sdk.DeleteGroupCommand({ GroupName: 'holders' })),
      'DeleteConflictException',
      'Cannot delete entity, must remove users from group first.',
    )
    await iam.send(new sdk.RemoveUserFromGroupCommand({ GroupName: 'holders', UserName }))
    await iam.send(new sdk.DeleteGroupCommand({ GroupName: 'holders' }))
  })

  test('account aliases and the summary', async () => {
    const AccountAlias = 'the-house'
    await iam.send(new sdk.CreateAccountAliasCommand({ AccountAlias }))
    const { AccountAliases } = await iam.send(new sdk.ListAccountAliasesCommand({}))
    assert.deepEqual(AccountAliases, [AccountAlias])
    await iam.send(new sdk.DeleteAccountAliasCommand({ AccountAlias }))
    const { SummaryMap } = await iam.send(new sdk.GetAccountSummaryCommand({}))
    assert.equal(SummaryMap?.['Users'], 1)
    assert.equal(SummaryMap?.['AccessKeysPerUserQuota'], 2)
  })

  test('what tools ask for before they delete a user', async () => {
    const UserName = 'alice'
    const found = [
      (await iam.send(new sdk.ListMFADevicesCommand({ UserName }))).MFADevices,
      (await iam.send(new sdk.ListSSHPublicKeysCommand({ UserName }))).SSHPublicKeys,
      (await iam.send(new sdk.ListServiceSpecificCredentialsCommand({ UserName })))
        .ServiceSpecificCredentials,
      (await iam.send(new sdk.ListSigningCertificatesCommand({ UserName }))).Certificates,
      (await iam.send(new sdk.ListVirtualMFADevicesCommand({}))).VirtualMFADevices,
    ]
    assert.deepEqual(found, [[], [], [], [], []])
    const none = 'Login Profile for User alice cannot be found.'
    for (const command of [
      new sdk.GetLoginProfileCommand({ UserName }),
      new sdk.DeleteLoginProfileCommand({ UserName }),
    ]) {
      await fails(iam.send(command as sdk.GetLoginProfileCommand), 'NoSuchEntityException', none)
    }
    await iam.send(new sdk.DeleteUserCommand({ UserName }))
    assert.deepEqual((await iam.send(new sdk.ListUsersCommand({}))).Users, [])
  })

  test('every operation of the table was answered', () => {
    const operations = identityOperations.map(({ name }) => name)
    assert.deepEqual(
      operations.filter((name) => !answered.has(name)),
      [],
    )
  })
})
