import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../../testing/house.ts'
import { iam, type Parameters, refused } from '../../../testing/query-calls.ts'

const policy = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements })
const allow = (Action: string, Resource = '*', more = {}) => ({
  ...{ Effect: 'Allow', Action, Resource },
  ...more,
})
const deny = (Action: string, Resource = '*', more = {}) => ({
  ...allow(Action, Resource, more),
  Effect: 'Deny',
})
const variable = (inside: string) => `$\{${inside}}`
const key = `arn:aws:kms:us-east-1:${account}:key/1111aaaa-2222-3333-4444-555566667777`
const foreignKey = key.replace(account, otherAccount)
const alice = `arn:aws:iam::${account}:user/alice`

type Result = {
  readonly EvalActionName: string
  readonly EvalResourceName: string
  readonly EvalDecision: string
  readonly MatchedStatements: readonly Record<string, unknown>[]
  readonly MissingContextValues: readonly string[]
  readonly EvalDecisionDetails?: unknown
  readonly PermissionsBoundaryDecisionDetail?: unknown
  readonly OrganizationsDecisionDetail?: unknown
  readonly ResourceSpecificResults?: readonly Record<string, unknown>[]
}

async function results(house: House, parameters: Parameters): Promise<readonly Result[]> {
  const action =
    'PolicySourceArn' in parameters ? 'SimulatePrincipalPolicy' : 'SimulateCustomPolicy'
  const { EvaluationResults } = await iam(house, action, parameters)
  return EvaluationResults as unknown as readonly Result[]
}

async function decisions(house: House, parameters: Parameters): Promise<readonly string[]> {
  return (await results(house, parameters)).map(({ EvalDecision }) => EvalDecision)
}

test('a decision for each action on each resource, with the statements that made it', async (t) => {
  const house = await House.open(t)
  const found = await results(house, {
    PolicyInputList: [policy(allow('kms:D*'), allow('kms:*', key)), policy(deny('kms:Decrypt'))],
    ActionNames: ['kms:DescribeKey', 'kms:Decrypt', 'kms:Encrypt'],
    ResourceArns: [key, '*'],
  })
  assert.deepEqual(
    found.map((each) => [each.EvalActionName, each.EvalResourceName, each.EvalDecision]),
    [
      ['kms:DescribeKey', key, 'allowed'],
      ['kms:DescribeKey', '*', 'allowed'],
      ['kms:Decrypt', key, 'explicitDeny'],
      ['kms:Decrypt', '*', 'explicitDeny'],
      ['kms:Encrypt', key, 'allowed'],
      ['kms:Encrypt', '*', 'implicitDeny'],
    ],
  )
  const source = { SourcePolicyId: 'PolicyInputList.1', SourcePolicyType: 'IAM Policy' }
  const first = {
    ...source,
    StartPosition: { Line: '1', Column: '38' },
    EndPosition: { Line: '1', Column: '89' },
  }
  assert.deepEqual(found[1]?.MatchedStatements, [first])
  assert.deepEqual(found[0]?.MatchedStatements.length, 2)
  assert.deepEqual(
    found[2]?.MatchedStatements.map(({ SourcePolicyId }) => SourcePolicyId),
    ['PolicyInputList.2'],
  )
  assert.deepEqual(found[5]?.MatchedStatements, '')
  assert.equal(found[1]?.ResourceSpecificResults, undefined)
  assert.equal(found[1]?.EvalDecisionDetails, undefined)
  const [specific] = found[2]?.ResourceSpecificResults ?? []
  assert.deepEqual(
    [specific?.['EvalResourceName'], specific?.['EvalResourceDecision']],
    [key, 'explicitDeny'],
  )
  assert.equal(found[2]?.EvalDecisionDetails, '')
})

test('context entries decide conditions, and those that were not given are named', async (t) => {
  const house = await House.open(t)
  const PolicyInputList = [
    policy(
      allow('kms:Encrypt', `arn:aws:kms:*:*:key/${variable('aws:PrincipalTag/key')}`, {
        Condition: {
          StringEquals: { 'kms:EncryptionContext:team': 'red' },
          NumericLessThan: { 'aws:MultiFactorAuthAge': '60' },
        },
      }),
      allow('kms:Decrypt', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
    ),
  ]
  const question = { PolicyInputList, ActionNames: ['kms:Encrypt'], ResourceArns: [key] }
  const entry = (ContextKeyName: string, value: string, ContextKeyType = 'string') => ({
    ...{ ContextKeyName, ContextKeyType },
    ContextKeyValues: [value],
  })
  const named = entry('aws:principaltag/KEY', '1111aaaa-2222-3333-4444-555566667777')
  const team = entry('kms:EncryptionContext:team', 'red')
  const age = entry('aws:MultiFactorAuthAge', '59', 'numeric')
  const [without] = await results(house, question)
  assert.deepEqual(without?.EvalDecision, 'implicitDeny')
  assert.deepEqual(without?.MissingContextValues, ['aws:PrincipalTag/key'])
  const [some] = await results(house, { ...question, ContextEntries: [named, age] })
  assert.deepEqual(some?.EvalDecision, 'implicitDeny')
  assert.deepEqual(some?.MissingContextValues, ['kms:EncryptionContext:team'])
  const [all] = await results(house, { ...question, ContextEntries: [named, age, team] })
  assert.deepEqual([all?.EvalDecision, all?.MissingContextValues], ['allowed', ''])
  const old = entry('aws:MultiFactorAuthAge', '60', 'numeric')
  assert.deepEqual(await decisions(house, { ...question, ContextEntries: [named, old, team] }), [
    'implicitDeny',
  ])
})

test('the policies of a user, of its groups and its boundary are simulated as they are now', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice', Tags: [{ Key: 'team', Value: 'red' }] })
  await iam(house, 'CreateGroup', { GroupName: 'all' })
  await iam(house, 'AddUserToGroup', { GroupName: 'all', UserName: 'alice' })
  await iam(house, 'PutGroupPolicy', {
    ...{ GroupName: 'all', PolicyName: 'tagged' },
    PolicyDocument: policy(
      allow('kms:DescribeKey', '*', {
        Condition: {
          StringEquals: { 'aws:PrincipalTag/team': 'red', 'aws:username': 'alice' },
        },
      }),
    ),
  })
  const PolicyArn = `arn:aws:iam::${account}:policy/managed`
  const PolicyDocument = policy(allow('kms:ListKeys'))
  await iam(house, 'CreatePolicy', { PolicyName: 'managed', PolicyDocument })
  await iam(house, 'AttachUserPolicy', { UserName: 'alice', PolicyArn })
  const question = {
    PolicySourceArn: alice,
    ActionNames: ['kms:DescribeKey', 'kms:ListKeys', 'kms:Decrypt'],
  }
  const found = await results(house, question)
  assert.deepEqual(
    found.map((each) => [each.EvalDecision, each.MatchedStatements[0]?.['SourcePolicyId']]),
    [
      ['allowed', 'group_all_tagged'],
      ['allowed', 'managed'],
      ['implicitDeny', undefined],
    ],
  )
  assert.equal(found[0]?.PermissionsBoundaryDecisionDetail, undefined)
  assert.equal(found[0]?.OrganizationsDecisionDetail, undefined)
  const member = { ...question, PolicySourceArn: `arn:aws:iam::${account}:group/all` }
  const [asGroup] = await results(house, member)
  assert.deepEqual(asGroup?.EvalDecision, 'implicitDeny')
  assert.deepEqual(asGroup?.MissingContextValues, ['aws:PrincipalTag/team', 'aws:username'])
  const extra = { ...question, PolicyInputList: [policy(allow('kms:Decrypt'))] }
  assert.deepEqual(await decisions(house, extra), ['allowed', 'allowed', 'allowed'])
  await iam(house, 'PutUserPermissionsBoundary', {
    UserName: 'alice',
    PermissionsBoundary: PolicyArn,
  })
  const bounded = await results(house, extra)
  assert.deepEqual(
    bounded.map((each) => [each.EvalDecision, each.PermissionsBoundaryDecisionDetail]),
    [
      ['implicitDeny', { AllowedByPermissionsBoundary: 'false' }],
      ['allowed', { AllowedByPermissionsBoundary: 'true' }],
      ['implicitDeny', { AllowedByPermissionsBoundary: 'false' }],
    ],
  )
  const other = {
    ...extra,
    PermissionsBoundaryPolicyInputList: [policy(allow('*'), deny('kms:ListKeys'))],
  }
  assert.deepEqual(await decisions(house, other), ['allowed', 'explicitDeny', 'allowed'])
  await iam(house, 'DetachUserPolicy', { UserName: 'alice', PolicyArn })
  await iam(house, 'DeleteUserPermissionsBoundary', { UserName: 'alice' })
  assert.deepEqual(await decisions(house, question), ['allowed', 'implicitDeny', 'implicitDeny'])
})

test('a role is simulated with its tags, without names of users', async (t) => {
  const house = await House.open(t)
  const role = await house.addRole({
    name: 'keeper',
    tags: { team: 'red' },
    policies: [
      policy(
        allow('kms:Encrypt', '*', {
          Condition: { StringEquals: { 'aws:PrincipalTag/team': 'red' } },
        }),
        allow('kms:Decrypt', '*', { Condition: { Null: { 'aws:username': 'true' } } }),
        allow('kms:Sign', '*', {
          Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/keeper` } },
        }),
        allow('kms:Verify', '*', { Condition: { StringEquals: { 'aws:PrincipalType': 'User' } } }),
      ),
    ],
  })
  const ActionNames = ['kms:Encrypt', 'kms:Decrypt', 'kms:Sign', 'kms:Verify']
  const question = { PolicySourceArn: role.arn, ActionNames }
  assert.deepEqual(await decisions(house, question), [
    ...['allowed', 'allowed', 'allowed'],
    'implicitDeny',
  ])
  const ContextEntries = [
    {
      ContextKeyName: 'AWS:PrincipalTag/team',
      ContextKeyType: 'string',
      ContextKeyValues: ['blue'],
    },
  ]
  assert.deepEqual(await decisions(house, { ...question, ContextEntries }), [
    ...['implicitDeny', 'allowed', 'allowed'],
    'implicitDeny',
  ])
})

test('a key policy decides as it does for a call', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice' })
  await iam(house, 'CreateUser', { UserName: 'bob' })
  const statement = (principal: string, more: object) => ({
    ...allow('kms:Decrypt'),
    Principal: { AWS: principal },
    ...more,
  })
  const ResourcePolicy = policy(
    statement(`arn:aws:iam::${account}:root`, { Action: 'kms:Describe*' }),
    statement(alice, {}),
    statement('*', { Effect: 'Deny', Action: 'kms:Sign' }),
  )
  const question = {
    PolicySourceArn: alice,
    ResourceArns: [key],
    ActionNames: ['kms:Decrypt', 'kms:DescribeKey', 'kms:Encrypt', 'kms:Sign'],
    ResourcePolicy,
    PolicyInputList: [policy(allow('kms:*'))],
  }
  const found = await results(house, question)
  assert.deepEqual(
    found.map((each) => each.EvalDecision),
    ['allowed', 'allowed', 'implicitDeny', 'explicitDeny'],
  )
  assert.deepEqual(found[3]?.MatchedStatements[0]?.['SourcePolicyId'], 'ResourcePolicy')
  const at = ResourcePolicy.lastIndexOf('{"Effect":"Deny"') + 1
  assert.deepEqual(found[3]?.MatchedStatements[0]?.['StartPosition'], {
    Line: '1',
    Column: String(at),
  })
  const asBob = { ...question, CallerArn: alice.replace('alice', 'bob') }
  assert.deepEqual(await decisions(house, asBob), [
    ...['implicitDeny', 'allowed', 'implicitDeny', 'explicitDeny'],
  ])
  const custom = {
    ...{ ActionNames: ['kms:Decrypt', 'kms:DescribeKey'], ResourceArns: [key], ResourcePolicy },
    PolicyInputList: [policy(allow('s3:*'))],
  }
  assert.deepEqual(await decisions(house, { ...custom, CallerArn: alice }), [
    'allowed',
    'implicitDeny',
  ])
  assert.match(await refused(house, 'SimulateCustomPolicy', custom), /^400 InvalidInput: CallerArn/)
})

test('across accounts both sides must allow, and only what AWS lets other accounts call', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice' })
  const shared = (principal: string) => policy({ ...allow('kms:*'), Principal: { AWS: principal } })
  const question = {
    PolicySourceArn: alice,
    ResourceArns: [foreignKey],
    ActionNames: ['kms:Decrypt', 'kms:PutKeyPolicy'],
    PolicyInputList: [policy(allow('kms:*'))],
    ResourcePolicy: shared(account),
  }
  const [decrypt, put] = await results(house, question)
  assert.equal(decrypt?.EvalDecision, 'allowed')
  assert.equal(put?.EvalDecision, 'implicitDeny')
  assert.deepEqual(decrypt?.EvalDecisionDetails, {
    'Resource Policy': 'allowed',
    'IAM Policy': 'allowed',
  })
  const { PolicyInputList: _, ...without } = question
  const [alone] = await results(house, without)
  assert.equal(alone?.EvalDecision, 'implicitDeny')
  assert.deepEqual(alone?.EvalDecisionDetails, {
    'Resource Policy': 'allowed',
    'IAM Policy': 'implicitDeny',
  })
  const [closed] = await results(house, { ...question, ResourcePolicy: shared(otherAccount) })
  assert.equal(closed?.EvalDecision, 'implicitDeny')
  const owned = { ...question, ResourceArns: ['arn:aws:s3:::bucket/x'], ResourcePolicy: undefined }
  const s3 = { ...owned, ActionNames: ['s3:GetObject'], PolicyInputList: [policy(allow('s3:*'))] }
  assert.deepEqual(await decisions(house, s3), ['allowed'])
  assert.deepEqual(
    await decisions(house, { ...s3, ResourceOwner: `arn:aws:iam::${otherAccount}:root` }),
    ['implicitDeny'],
  )
})

test('service control policies of the account bound a simulated identity', async (t) => {
  const house = await House.open(t)
  const user = await house.addUser({ name: 'alice', policies: [policy(allow('kms:*'))] })
  const { guardrails } = house.tables
  const guardrail = {
    ...({ kind: 'service-control', name: 'NoDecrypt', policyId: 'p-0123456789' } as const),
    ...{ text: policy(deny('kms:Decrypt')), createdAt: 1, updatedAt: 1 },
  }
  const attached = ['p-FullAWSAccess', guardrail.policyId]
  const attach = guardrails.attach('service-control', account, attached)
  await house.mirror.commit([guardrails.put(guardrail), attach], [])
  const ActionNames = ['kms:Encrypt', 'kms:Decrypt']
  const found = await results(house, { PolicySourceArn: user.arn, ActionNames })
  assert.deepEqual(
    found.map((each) => [
      each.EvalDecision,
      each.OrganizationsDecisionDetail,
      each.MatchedStatements.length,
    ]),
    [
      ['allowed', { AllowedByOrganizations: 'true' }, 1],
      ['explicitDeny', { AllowedByOrganizations: 'false' }, 0],
    ],
  )
})

test('what cannot be simulated is refused', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice' })
  const question = { PolicyInputList: [policy(allow('*'))], ActionNames: ['kms:Decrypt'] }
  const ResourcePolicy = policy({ ...allow('kms:*'), Principal: '*' })
  for (const [more, sentence] of [
    [{ ActionNames: ['kms:*'] }, 'Invalid Action Name: kms:*'],
    [{ ActionNames: ['Decrypt'] }, 'Invalid Action Name: Decrypt'],
    [{ ResourceArns: ['key/1'] }, 'Invalid Resource ARN: key/1'],
    [{ ResourceHandlingOption: 'EC2-VPC-EBS' }, 'ResourceHandlingOption'],
    [{ ResourcePolicy, CallerArn: alice }, 'A ResourcePolicy can be simulated for'],
    [
      { ResourcePolicy, CallerArn: alice, ResourceArns: ['arn:aws:s3:::b'] },
      'A ResourcePolicy can be simulated for',
    ],
    [{ CallerArn: `arn:aws:iam::${account}:role/r` }, 'Invalid CallerArn'],
    [{ ResourceOwner: 'somebody' }, 'Invalid ResourceOwner'],
    [{ PolicyInputList: ['no json'] }, 'PolicyInputList.1: Policy contains a syntax error'],
    [
      { PermissionsBoundaryPolicyInputList: [policy(allow('*')), policy(allow('*'))] },
      'Only one permissions boundary',
    ],
    [
      {
        ...{ CallerArn: alice, ResourceArns: [key] },
        ResourcePolicy: ResourcePolicy.replace(
          '"Principal":"*"',
          `"Principal":{"AWS":"${alice}x"}`,
        ),
      },
      'ResourcePolicy: Policy contains a statement with one or more invalid principals.',
    ],
  ] as const) {
    const refusal = await refused(house, 'SimulateCustomPolicy', { ...question, ...more })
    assert.ok(refusal.startsWith(`400 InvalidInput: ${sentence}`), refusal)
  }
  const root = `arn:aws:iam::${account}:root`
  assert.equal(
    await refused(house, 'SimulatePrincipalPolicy', { ...question, PolicySourceArn: root }),
    `400 InvalidInput: Invalid Entity Arn: ${root} does not clearly define entity type and name.`,
  )
  const elsewhere = { ...question, PolicySourceArn: alice.replace('alice', 'x/alice') }
  assert.equal(
    await refused(house, 'SimulatePrincipalPolicy', elsewhere),
    '404 NoSuchEntity: The user with name alice cannot be found.',
  )
})

test('results come in pages, whose marker is good for the same question alone', async (t) => {
  const house = await House.open(t)
  const question = {
    PolicyInputList: [policy(allow('kms:E*'))],
    ActionNames: ['kms:Encrypt', 'kms:Decrypt'],
    ResourceArns: ['*', key],
  }
  const first = await iam(house, 'SimulateCustomPolicy', { ...question, MaxItems: 3 })
  assert.equal(first['IsTruncated'], 'true')
  const rest = await iam(house, 'SimulateCustomPolicy', { ...question, Marker: first['Marker'] })
  const shown = (page: typeof first) =>
    (page['EvaluationResults'] as unknown as readonly Result[]).map(
      (each) => `${each.EvalActionName} ${each.EvalResourceName} ${each.EvalDecision}`,
    )
  assert.deepEqual(
    [shown(first), shown(rest)],
    [
      ['kms:Encrypt * allowed', `kms:Encrypt ${key} allowed`, 'kms:Decrypt * implicitDeny'],
      [`kms:Decrypt ${key} implicitDeny`],
    ],
  )
  const other = { ...question, ResourceArns: [key, '*'], Marker: first['Marker'] }
  assert.match(await refused(house, 'SimulateCustomPolicy', other), /^400 ValidationError: /)
})

test('context keys of policies, and of what an identity has', async (t) => {
  const house = await House.open(t)
  const text = policy(
    allow('kms:*', '*', {
      Condition: { StringEquals: { 'aws:userid': variable('aws:username') } },
    }),
  )
  const custom = await iam(house, 'GetContextKeysForCustomPolicy', {
    PolicyInputList: [text, text],
  })
  assert.deepEqual(custom['ContextKeyNames'], ['aws:userid', 'aws:username'])
  await iam(house, 'CreateUser', { UserName: 'alice' })
  await iam(house, 'PutUserPolicy', { UserName: 'alice', PolicyName: 'p', PolicyDocument: text })
  const asked = { PolicySourceArn: alice }
  const principal = await iam(house, 'GetContextKeysForPrincipalPolicy', asked)
  assert.deepEqual(principal['ContextKeyNames'], ['aws:userid', 'aws:username'])
  const more = policy(
    allow('kms:*', '*', { Condition: { Bool: { 'aws:SecureTransport': 'true' } } }),
  )
  const both = await iam(house, 'GetContextKeysForPrincipalPolicy', {
    ...asked,
    PolicyInputList: [more],
  })
  assert.deepEqual(both['ContextKeyNames'], ['aws:userid', 'aws:username', 'aws:SecureTransport'])
  assert.match(
    await refused(house, 'GetContextKeysForCustomPolicy', { PolicyInputList: ['{}'] }),
    /^400 InvalidInput: Invalid policy: /,
  )
})

test('a page ends before its answer is too long, and the next one goes on', async (t) => {
  const house = await House.open(t)
  const question = {
    PolicyInputList: [policy(...Array.from({ length: 1900 }, () => allow('*')))],
    ActionNames: ['kms:Encrypt', 'kms:Decrypt', 'kms:Sign', 'kms:Verify'],
    ResourceArns: [key],
    MaxItems: 1000,
  }
  const found: unknown[] = []
  let Marker: unknown
  do {
    const { EvaluationResults, ...page } = await iam(house, 'SimulateCustomPolicy', {
      ...question,
      Marker,
    })
    const results = EvaluationResults as unknown as readonly Result[]
    assert.ok(results.length > 0)
    assert.ok(JSON.stringify(results).length < 4 * 1024 ** 2)
    found.push(...results.map(({ EvalActionName }) => EvalActionName))
    Marker = page['Marker']
    assert.equal(page['IsTruncated'], String(Marker !== undefined))
  } while (Marker !== undefined)
  assert.deepEqual(found, question.ActionNames)
})
