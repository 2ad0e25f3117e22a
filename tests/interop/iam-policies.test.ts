import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as sdk from '@aws-sdk/client-iam'
import { CreateKeyCommand, DescribeKeyCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import { policyOperations } from '../../src/services/iam/operations/policy-table.ts'
import { type Clients, clientsOf } from '../support/clients.ts'
import { present } from '../support/expect.ts'
import { TestServer } from '../support/server.ts'

const administrator = 'arn:aws:iam::aws:policy/AdministratorAccess'
const policyOf = (...Statement: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement })
const allow = (Action: string) => ({ Effect: 'Allow', Action, Resource: '*' })
const deny = (Action: string) => ({ Effect: 'Deny', Action, Resource: '*' })
const describing = policyOf(allow('kms:DescribeKey'))

/** The JS SDK, unchanged, through every operation on roles and policies, and on their simulation. */
describe('roles and policies with the AWS SDK for JavaScript', () => {
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
        const answer = await next(args)
        answered.add(String(context['commandName']).replace(/Command$/, ''))
        return answer
      },
      { step: 'initialize', name: 'answered' },
    )
  })
  after(async () => {
    root?.destroy()
    await server?.discard()
  })

  const arn = (resource: string) => `arn:aws:iam::${server.account}:${resource}`
  const trustOf = (...principals: readonly string[]) =>
    policyOf({ Effect: 'Allow', Principal: { AWS: principals }, Action: 'sts:AssumeRole' })
  const fails = (call: Promise<unknown>, name: string, status: number, message: string) =>
    assert.rejects(call, (error: Error & { $metadata?: { httpStatusCode?: number } }) => {
      assert.deepEqual(
        [error.name, error.$metadata?.httpStatusCode, error.message],
        [name, status, message],
      )
      return true
    })

  test('roles', async () => {
    const trust = trustOf(arn('root'))
    const RoleName = 'keeper'
    const { Role } = await iam.send(
      new sdk.CreateRoleCommand({
        ...{ RoleName, Path: '/staff/', Description: 'keeps <keys> & more' },
        ...{ AssumeRolePolicyDocument: trust, MaxSessionDuration: 7200 },
        PermissionsBoundary: administrator,
        Tags: [{ Key: 'team', Value: 'red' }],
      }),
    )
    assert.equal(Role?.Arn, arn('role/staff/keeper'))
    assert.ok(Math.abs(Date.now() - present(Role?.CreateDate).getTime()) < 60_000)
    const { Role: got } = await iam.send(new sdk.GetRoleCommand({ RoleName }))
    assert.deepEqual(got, Role)
    assert.equal(decodeURIComponent(present(got?.AssumeRolePolicyDocument)), trust)
    assert.equal(got?.PermissionsBoundary?.PermissionsBoundaryArn, administrator)
    await iam.send(new sdk.UpdateRoleCommand({ RoleName, MaxSessionDuration: 3600 }))
    const described = new sdk.UpdateRoleDescriptionCommand({ RoleName, Description: 'other' })
    const { Role: changed } = await iam.send(described)
    assert.deepEqual([changed?.Description, changed?.MaxSessionDuration], ['other', 3600])
    const PolicyDocument = trustOf('*')
    await iam.send(new sdk.UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }))
    await fails(
      iam.send(
        new sdk.UpdateAssumeRolePolicyCommand({
          RoleName,
          PolicyDocument: trustOf(arn('user/nobody')),
        }),
      ),
      'MalformedPolicyDocumentException',
      400,
      `Invalid principal in policy: "AWS":"${arn('user/nobody')}"`,
    )
    await iam.send(new sdk.TagRoleCommand({ RoleName, Tags: [{ Key: 'a', Value: 'b' }] }))
    await iam.send(new sdk.UntagRoleCommand({ RoleName, TagKeys: ['team'] }))
    const { Tags } = await iam.send(new sdk.ListRoleTagsCommand({ RoleName }))
    assert.deepEqual(Tags, [{ Key: 'a', Value: 'b' }])
    await iam.send(new sdk.DeleteRolePermissionsBoundaryCommand({ RoleName }))
    await iam.send(
      new sdk.PutRolePermissionsBoundaryCommand({ RoleName, PermissionsBoundary: administrator }),
    )
    const profiles = await iam.send(new sdk.ListInstanceProfilesForRoleCommand({ RoleName }))
    assert.deepEqual([profiles.InstanceProfiles, profiles.IsTruncated], [[], false])
    await iam.send(
      new sdk.CreateRoleCommand({ RoleName: 'other', AssumeRolePolicyDocument: trust }),
    )
    const pages: string[][] = []
    for await (const page of sdk.paginateListRoles({ client: iam, pageSize: 1 }, {})) {
      pages.push((page.Roles ?? []).map((role) => present(role.RoleName)))
    }
    assert.deepEqual(pages, [['keeper'], ['other']])
    await iam.send(new sdk.DeleteRoleCommand({ RoleName: 'other' }))
    await fails(
      iam.send(new sdk.GetRoleCommand({ RoleName: 'other' })),
      'NoSuchEntityException',
      404,
      'The role with name other cannot be found.',
    )
  })

  test('the policies of a role', async () => {
    const RoleName = 'keeper'
    const inline = { RoleName, PolicyName: 'inline' }
    await iam.send(new sdk.PutRolePolicyCommand({ ...inline, PolicyDocument: describing }))
    const got = await iam.send(new sdk.GetRolePolicyCommand(inline))
    assert.equal(decodeURIComponent(present(got.PolicyDocument)), describing)
    const { PolicyNames } = await iam.send(new sdk.ListRolePoliciesCommand({ RoleName }))
    assert.deepEqual(PolicyNames, ['inline'])
    await iam.send(new sdk.DeleteRolePolicyCommand(inline))
    const attached = { RoleName, PolicyArn: administrator }
    await iam.send(new sdk.AttachRolePolicyCommand(attached))
    const { AttachedPolicies } = await iam.send(
      new sdk.ListAttachedRolePoliciesCommand({ RoleName }),
    )
    assert.deepEqual(AttachedPolicies, [
      { PolicyName: 'AdministratorAccess', PolicyArn: administrator },
    ])
    await fails(
      iam.send(new sdk.DeleteRoleCommand({ RoleName })),
      'DeleteConflictException',
      409,
      'Cannot delete entity, must detach all policies first.',
    )
    await iam.send(new sdk.DetachRolePolicyCommand(attached))
  })

  test('managed policies and their versions', async () => {
    const { Policy } = await iam.send(
      new sdk.CreatePolicyCommand({
        ...{ PolicyName: 'keys', Path: '/team/', PolicyDocument: describing },
        ...{ Description: 'of keys', Tags: [{ Key: 'team', Value: 'red' }] },
      }),
    )
    const PolicyArn = present(Policy?.Arn)
    assert.equal(PolicyArn, arn('policy/team/keys'))
    await iam.send(new sdk.AttachRolePolicyCommand({ RoleName: 'keeper', PolicyArn }))
    const { Policy: got } = await iam.send(new sdk.GetPolicyCommand({ PolicyArn }))
    assert.deepEqual(
      [got?.Description, got?.AttachmentCount, got?.IsAttachable, got?.DefaultVersionId],
      ['of keys', 1, true, 'v1'],
    )
    const local = await iam.send(new sdk.ListPoliciesCommand({ Scope: 'Local' }))
    assert.deepEqual(
      local.Policies?.map((policy) => policy.Arn),
      [PolicyArn],
    )
    const entities = await iam.send(new sdk.ListEntitiesForPolicyCommand({ PolicyArn }))
    assert.deepEqual(
      [entities.PolicyRoles?.map((role) => role.RoleName), entities.PolicyUsers],
      [['keeper'], []],
    )
    const PolicyDocument = policyOf(allow('kms:*'))
    const { PolicyVersion } = await iam.send(
      new sdk.CreatePolicyVersionCommand({ PolicyArn, PolicyDocument, SetAsDefault: true }),
    )
    assert.deepEqual([PolicyVersion?.VersionId, PolicyVersion?.IsDefaultVersion], ['v2', true])
    await iam.send(new sdk.SetDefaultPolicyVersionCommand({ PolicyArn, VersionId: 'v1' }))
    const version = await iam.send(new sdk.GetPolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
    assert.equal(decodeURIComponent(present(version.PolicyVersion?.Document)), PolicyDocument)
    const { Versions } = await iam.send(new sdk.ListPolicyVersionsCommand({ PolicyArn }))
    assert.deepEqual(
      Versions?.map((each) => each.VersionId),
      ['v2', 'v1'],
    )
    await iam.send(new sdk.TagPolicyCommand({ PolicyArn, Tags: [{ Key: 'a', Value: 'b' }] }))
    await iam.send(new sdk.UntagPolicyCommand({ PolicyArn, TagKeys: ['team'] }))
    const { Tags } = await iam.send(new sdk.ListPolicyTagsCommand({ PolicyArn }))
    assert.deepEqual(Tags, [{ Key: 'a', Value: 'b' }])
    const remove = () => iam.send(new sdk.DeletePolicyCommand({ PolicyArn }))
    const attached = 'Cannot delete a policy attached to entities.'
    await fails(remove(), 'DeleteConflictException', 409, attached)
    await iam.send(new sdk.DetachRolePolicyCommand({ RoleName: 'keeper', PolicyArn }))
    await iam.send(new sdk.DeletePolicyVersionCommand({ PolicyArn, VersionId: 'v2' }))
    await remove()
    await fails(
      iam.send(new sdk.GetPolicyCommand({ PolicyArn })),
      'NoSuchEntityException',
      404,
      `Policy ${PolicyArn} was not found.`,
    )
    await assert.rejects(
      iam.send(new sdk.CreatePolicyCommand({ PolicyName: 'bad', PolicyDocument: '{' })),
      { name: 'MalformedPolicyDocumentException' },
    )
  })

  test('simulations say what calls get', async () => {
    const RoleName = 'worker'
    await iam.send(new sdk.CreateUserCommand({ UserName: 'mona' }))
    const { Role } = await iam.send(
      new sdk.CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: trustOf(arn('user/mona')) }),
    )
    const PolicySourceArn = present(Role?.Arn)
    await iam.send(
      new sdk.PutRolePolicyCommand({
        ...{ RoleName, PolicyName: 'p' },
        PolicyDocument: policyOf(allow('kms:DescribeKey'), {
          ...deny('kms:*'),
          Condition: { Bool: { 'aws:SecureTransport': 'true' } },
        }),
      }),
    )
    const { AccessKey } = await iam.send(new sdk.CreateAccessKeyCommand({ UserName: 'mona' }))
    const mona = clientsOf(server, {
      accessKeyId: present(AccessKey?.AccessKeyId),
      secretAccessKey: present(AccessKey?.SecretAccessKey),
    })
    const { Credentials } = await mona.sts.send(
      new AssumeRoleCommand({ RoleArn: PolicySourceArn, RoleSessionName: 'job' }),
    )
    const session = {
      accessKeyId: present(Credentials?.AccessKeyId),
      secretAccessKey: present(Credentials?.SecretAccessKey),
      sessionToken: present(Credentials?.SessionToken),
    }
    const worker = clientsOf(server, session)
    const { KeyMetadata } = await root.kms.send(new CreateKeyCommand({}))
    const KeyId = present(KeyMetadata?.KeyId)
    const ResourceArns = [present(KeyMetadata?.Arn)]
    const simulated = await iam.send(
      new sdk.SimulatePrincipalPolicyCommand({
        ...{ PolicySourceArn, ResourceArns, ActionNames: ['kms:DescribeKey', 'kms:CreateKey'] },
        ContextEntries: [
          {
            ContextKeyName: 'aws:SecureTransport',
            ContextKeyType: 'boolean',
            ContextKeyValues: ['false'],
          },
        ],
      }),
    )
    const decisions = simulated.EvaluationResults?.map((each) => each.EvalDecision)
    assert.deepEqual(decisions, ['allowed', 'implicitDeny'])
    const [first] = simulated.EvaluationResults ?? []
    assert.deepEqual(first?.MatchedStatements?.[0], {
      ...{ SourcePolicyId: 'role_worker_p', SourcePolicyType: 'IAM Policy' },
      StartPosition: { Line: 1, Column: 38 },
      EndPosition: { Line: 1, Column: 98 },
    })
    await worker.kms.send(new DescribeKeyCommand({ KeyId }))
    await assert.rejects(worker.kms.send(new CreateKeyCommand({})), {
      name: 'AccessDeniedException',
    })
    mona.destroy()
    worker.destroy()
    const custom = await iam.send(
      new sdk.SimulateCustomPolicyCommand({
        ...{ PolicyInputList: [describing], ActionNames: ['kms:DescribeKey', 'kms:Decrypt'] },
      }),
    )
    assert.deepEqual(
      custom.EvaluationResults?.map((each) => each.EvalDecision),
      ['allowed', 'implicitDeny'],
    )
    const keys = await iam.send(
      new sdk.GetContextKeysForPrincipalPolicyCommand({ PolicySourceArn }),
    )
    assert.deepEqual(keys.ContextKeyNames, ['aws:SecureTransport'])
    const none = new sdk.GetContextKeysForCustomPolicyCommand({ PolicyInputList: [describing] })
    assert.deepEqual((await iam.send(none)).ContextKeyNames, [])
    const details = await iam.send(
      new sdk.GetAccountAuthorizationDetailsCommand({ Filter: ['Role'] }),
    )
    assert.deepEqual(
      details.RoleDetailList?.map((role) => role.RoleName),
      ['keeper', 'worker'],
    )
  })

  test('every operation was answered', () => {
    const missing = policyOperations.map(({ name }) => name).filter((name) => !answered.has(name))
    assert.deepEqual(missing, [])
    const unknown = policyOperations.filter(({ name }) => !(`${name}Command` in sdk))
    assert.deepEqual(unknown, [])
  })
})
