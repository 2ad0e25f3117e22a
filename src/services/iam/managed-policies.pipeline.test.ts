import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import { iam, type Parameters, query, refused } from '../../testing/query-calls.ts'

const PolicyName = 'keys'
const PolicyArn = `arn:aws:iam::${account}:policy/team/keys`
const powerUser = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
const allowing = (action: string) =>
  `{"Version":"2012-10-17",\n "Statement":{"Effect":"Allow","Action":"${action}","Resource":"*"}}`
const PolicyDocument = allowing('kms:ListKeys')
const trust = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`
const role = { RoleName: 'keeper', AssumeRolePolicyDocument: trust }
const at = '2026-05-06T07:08:09.123Z'

const make = (house: House, more: object = {}) =>
  iam(house, 'CreatePolicy', { PolicyName, Path: '/team/', PolicyDocument, ...more })

async function versions(house: House): Promise<readonly string[]> {
  const { Versions } = await iam(house, 'ListPolicyVersions', { PolicyArn })
  return (Versions as readonly { VersionId: string; IsDefaultVersion: string }[]).map(
    ({ VersionId, IsDefaultVersion }) => `${VersionId}${IsDefaultVersion === 'true' ? '*' : ''}`,
  )
}

test('a policy is made, shown, listed and deleted', async (t) => {
  const house = await House.open(t)
  const Tags = [{ Key: 'team', Value: 'red' }]
  const { Policy } = await make(house, { Description: 'of <keys>', Tags })
  const { PolicyId } = Policy as { PolicyId: string }
  assert.match(PolicyId, /^ANPA[A-Z2-7]{17}$/)
  const listed = {
    PolicyName,
    PolicyId,
    Arn: PolicyArn,
    Path: '/team/',
    DefaultVersionId: 'v1',
    AttachmentCount: '0',
    PermissionsBoundaryUsageCount: '0',
    IsAttachable: 'true',
    CreateDate: at,
    UpdateDate: at,
  }
  assert.deepEqual(Policy, { ...listed, Tags })
  const got = await iam(house, 'GetPolicy', { PolicyArn })
  assert.deepEqual(got['Policy'], { ...listed, Description: 'of <keys>', Tags })
  assert.deepEqual(await iam(house, 'ListPolicies', { Scope: 'Local' }), {
    Policies: [listed],
    IsTruncated: 'false',
  })
  const version = await iam(house, 'GetPolicyVersion', { PolicyArn, VersionId: 'v1' })
  assert.deepEqual(version['PolicyVersion'], {
    Document: encodeURIComponent(PolicyDocument).replaceAll('*', '%2A'),
    VersionId: 'v1',
    IsDefaultVersion: 'true',
    CreateDate: at,
  })
  await iam(house, 'DeletePolicy', { PolicyArn })
  for (const action of ['GetPolicy', 'DeletePolicy', 'ListPolicyVersions', 'ListPolicyTags']) {
    assert.equal(
      await refused(house, action, { PolicyArn }),
      `404 NoSuchEntity: Policy ${PolicyArn} was not found.`,
    )
  }
})

test('a name is taken whatever its case and path, and an ARN must be a policy’s', async (t) => {
  const house = await House.open(t)
  await make(house)
  for (const other of [{ Path: '/' }, { PolicyName: 'KEYS' }]) {
    const name = 'PolicyName' in other ? other.PolicyName : PolicyName
    assert.equal(
      await refused(house, 'CreatePolicy', { PolicyName, PolicyDocument, ...other }),
      `409 EntityAlreadyExists: A policy called ${name} already exists. Duplicate names are not allowed.`,
    )
  }
  const wrong = `arn:aws:iam::${account}:role/keys`
  assert.equal(
    await refused(house, 'GetPolicy', { PolicyArn: wrong }),
    `400 InvalidInput: ARN ${wrong} is not valid.`,
  )
  const upper = PolicyArn.replace('keys', 'KEYS')
  assert.match(await refused(house, 'GetPolicy', { PolicyArn: upper }), /^404 NoSuchEntity: /)
})

test('what is no identity policy of 2012, or too long, is refused', async (t) => {
  const house = await House.open(t)
  const put = (text: string) => refused(house, 'CreatePolicy', { PolicyName, PolicyDocument: text })
  for (const text of [
    'no json',
    '[]',
    PolicyDocument.replace('"Effect"', '"Principal":"*","Effect"'),
    PolicyDocument.replace('"Action"', '"Action":"s3:*","Action"'),
    PolicyDocument.replace('kms:ListKeys', 'ListKeys'),
    PolicyDocument.replace('Resource', 'Ressource'),
  ]) {
    assert.match(await put(text), /^400 MalformedPolicyDocument: ./, text)
  }
  const old = '400 MalformedPolicyDocument: Policy document must be version 2012-10-17 or greater.'
  assert.equal(await put(PolicyDocument.replace('2012-10-17', '2008-10-17')), old)
  assert.equal(await put(PolicyDocument.replace(/"Version":"[^"]*",/, '')), old)
  const padded = (length: number) =>
    PolicyDocument.replace('{"Effect"', `{"Sid":"${'s'.repeat(length)}","Effect"`)
  const room = 6144 - padded(0).replaceAll(/\s/g, '').length
  assert.equal(
    await put(padded(room + 1)),
    '409 LimitExceeded: Cannot exceed quota for PolicySize: 6144',
  )
  await make(house, { PolicyDocument: `${padded(room)}${' \n'.repeat(1000)}` })
  const change = { PolicyArn, PolicyDocument: padded(room + 1) }
  assert.match(await refused(house, 'CreatePolicyVersion', change), /^409 LimitExceeded: /)
})

test('versions: five at most, numbers are never given twice, the default one stays', async (t) => {
  const house = await House.open(t)
  await make(house)
  const add = (more: object = {}) =>
    iam(house, 'CreatePolicyVersion', { PolicyArn, PolicyDocument: allowing('kms:*'), ...more })
  house.clock.time += 1000
  const { PolicyVersion } = await add()
  assert.deepEqual(PolicyVersion, {
    VersionId: 'v2',
    IsDefaultVersion: 'false',
    CreateDate: '2026-05-06T07:08:10.123Z',
  })
  await add({ SetAsDefault: true })
  await add({ SetAsDefault: false })
  await add()
  assert.deepEqual(await versions(house), ['v5', 'v4', 'v3*', 'v2', 'v1'])
  const another = { PolicyArn, PolicyDocument: allowing('kms:*') }
  assert.equal(
    await refused(house, 'CreatePolicyVersion', another),
    '409 LimitExceeded: A managed policy can have up to 5 versions. Before you create a new version, you must delete an existing version.',
  )
  assert.equal(
    await refused(house, 'DeletePolicyVersion', { PolicyArn, VersionId: 'v3' }),
    '409 DeleteConflict: Cannot delete the default version of a policy.',
  )
  assert.equal(
    await refused(house, 'DeletePolicy', { PolicyArn }),
    "409 DeleteConflict: This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
  )
  await iam(house, 'DeletePolicyVersion', { PolicyArn, VersionId: 'v5' })
  await add()
  assert.deepEqual(await versions(house), ['v6', 'v4', 'v3*', 'v2', 'v1'])
  await iam(house, 'SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v6' })
  assert.deepEqual(await versions(house), ['v6*', 'v4', 'v3', 'v2', 'v1'])
  for (const action of ['GetPolicyVersion', 'DeletePolicyVersion', 'SetDefaultPolicyVersion']) {
    assert.equal(
      await refused(house, action, { PolicyArn, VersionId: 'v5' }),
      `404 NoSuchEntity: Policy ${PolicyArn} version v5 does not exist or is not attachable.`,
    )
  }
  const first = await iam(house, 'ListPolicyVersions', { PolicyArn, MaxItems: 2 })
  const second = await iam(house, 'ListPolicyVersions', { PolicyArn, Marker: first['Marker'] })
  assert.deepEqual(
    [first, second].map((page) =>
      (page['Versions'] as readonly { VersionId: string }[]).map(({ VersionId }) => VersionId),
    ),
    [
      ['v6', 'v4'],
      ['v3', 'v2', 'v1'],
    ],
  )
})

test('a policy that is attached or is a boundary is not deleted, and says by whom', async (t) => {
  const house = await House.open(t)
  await make(house)
  await iam(house, 'CreateRole', role)
  await iam(house, 'CreateUser', { UserName: 'alice', Path: '/a/' })
  await iam(house, 'CreateGroup', { GroupName: 'all' })
  const uses = [
    ['AttachRolePolicy', 'DetachRolePolicy', { RoleName: 'keeper', PolicyArn }],
    ['AttachUserPolicy', 'DetachUserPolicy', { UserName: 'alice', PolicyArn }],
    ['AttachGroupPolicy', 'DetachGroupPolicy', { GroupName: 'all', PolicyArn }],
  ] as const
  for (const [attach, , parameters] of uses) await iam(house, attach, parameters)
  await iam(house, 'PutUserPermissionsBoundary', {
    UserName: 'alice',
    PermissionsBoundary: PolicyArn,
  })
  const { Policy } = await iam(house, 'GetPolicy', { PolicyArn })
  const counts = Policy as { AttachmentCount: string; PermissionsBoundaryUsageCount: string }
  assert.deepEqual([counts.AttachmentCount, counts.PermissionsBoundaryUsageCount], ['3', '1'])
  const names = async (parameters: object) => {
    const { PolicyGroups, PolicyUsers, PolicyRoles } = await iam(house, 'ListEntitiesForPolicy', {
      PolicyArn,
      ...parameters,
    })
    return [PolicyGroups, PolicyUsers, PolicyRoles].flatMap((list) =>
      [...(list as readonly Record<string, string>[])].map((entity) => Object.values(entity)[0]),
    )
  }
  assert.deepEqual(await names({}), ['all', 'alice', 'keeper'])
  assert.deepEqual(await names({ EntityFilter: 'Role' }), ['keeper'])
  assert.deepEqual(await names({ EntityFilter: 'LocalManagedPolicy' }), [])
  assert.deepEqual(await names({ PathPrefix: '/a/' }), ['alice'])
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), ['alice'])
  const first = await iam(house, 'ListEntitiesForPolicy', { PolicyArn, MaxItems: 2 })
  assert.deepEqual([first['PolicyUsers'], first['IsTruncated']], ['', 'true'])
  assert.deepEqual(await names({ Marker: first['Marker'] }), ['alice'])
  for (const [, detach, parameters] of uses) {
    assert.equal(
      await refused(house, 'DeletePolicy', { PolicyArn }),
      '409 DeleteConflict: Cannot delete a policy attached to entities.',
    )
    await iam(house, detach, parameters)
  }
  assert.match(await refused(house, 'DeletePolicy', { PolicyArn }), /^409 DeleteConflict: /)
  await iam(house, 'DeleteUserPermissionsBoundary', { UserName: 'alice' })
  await iam(house, 'DeletePolicy', { PolicyArn })
})

test('lists of policies: by scope, path, use, in pages', async (t) => {
  const house = await House.open(t)
  await make(house)
  await make(house, { PolicyName: 'Another', Path: '/' })
  await iam(house, 'CreateRole', role)
  await iam(house, 'AttachRolePolicy', { RoleName: 'keeper', PolicyArn })
  await iam(house, 'PutRolePermissionsBoundary', {
    RoleName: 'keeper',
    PermissionsBoundary: powerUser,
  })
  const names = async (parameters: Parameters) => {
    const { Policies } = await iam(house, 'ListPolicies', parameters)
    return [...(Policies as readonly { PolicyName: string }[])].map((each) => each.PolicyName)
  }
  const aws = [
    ...['AdministratorAccess', 'AWSKeyManagementServicePowerUser', 'IAMFullAccess'],
    ...['IAMReadOnlyAccess', 'PowerUserAccess'],
  ]
  assert.deepEqual(await names({ Scope: 'Local' }), ['Another', 'keys'])
  assert.deepEqual(await names({ Scope: 'AWS' }), aws)
  assert.deepEqual(await names({}), ['Another', 'keys', ...aws])
  assert.deepEqual(await names({ PathPrefix: '/team/' }), ['keys'])
  assert.deepEqual(await names({ OnlyAttached: true }), [
    'keys',
    'AWSKeyManagementServicePowerUser',
  ])
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsPolicy' }), ['keys'])
  assert.deepEqual(await names({ PolicyUsageFilter: 'PermissionsBoundary' }), [
    'AWSKeyManagementServicePowerUser',
  ])
  const seen: string[] = []
  let Marker: unknown
  do {
    const page = await iam(house, 'ListPolicies', { MaxItems: 3, Marker })
    seen.push(...(page['Policies'] as readonly { PolicyName: string }[]).map((p) => p.PolicyName))
    Marker = page['Marker']
  } while (Marker !== undefined)
  assert.deepEqual(seen, ['Another', 'keys', ...aws])
})

test('tags of a policy: merged by key whatever its case, removed, listed in pages', async (t) => {
  const house = await House.open(t)
  await make(house, { Tags: [{ Key: 'Team', Value: 'red' }] })
  const Tags = [
    { Key: 'team', Value: 'blue' },
    { Key: 'a', Value: '1' },
  ]
  await iam(house, 'TagPolicy', { PolicyArn, Tags })
  const first = await iam(house, 'ListPolicyTags', { PolicyArn, MaxItems: 1 })
  assert.deepEqual(first['Tags'], [{ Key: 'a', Value: '1' }])
  const second = await iam(house, 'ListPolicyTags', { PolicyArn, Marker: first['Marker'] })
  assert.deepEqual(second['Tags'], [{ Key: 'team', Value: 'blue' }])
  await iam(house, 'UntagPolicy', { PolicyArn, TagKeys: ['TEAM', 'none'] })
  assert.deepEqual((await iam(house, 'ListPolicyTags', { PolicyArn }))['Tags'], [
    { Key: 'a', Value: '1' },
  ])
  const many = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: '' }))
  assert.equal(
    await refused(house, 'TagPolicy', { PolicyArn, Tags: many }),
    '409 LimitExceeded: Cannot exceed quota for TagsPerPolicy: 50',
  )
  assert.match(
    await refused(house, 'TagPolicy', { PolicyArn, Tags: [...Tags, { Key: 'A', Value: '' }] }),
    /^400 InvalidInput: Duplicate tag keys/,
  )
})

test('the record of a policy is what CloudTrail shows', async (t) => {
  const house = await House.open(t)
  const made = await query(house, 'iam', 'CreatePolicy', {
    ...{ PolicyName, Path: '/team/', PolicyDocument },
    Tags: [{ Key: 'a', Value: 'b' }],
  })
  const [record] = house.recordsOf(made)
  assert.deepEqual(record?.requestParameters, {
    policyName: PolicyName,
    path: '/team/',
    policyDocument: PolicyDocument,
    tags: [{ key: 'a', value: 'b' }],
  })
  const { policy } = (record?.responseElements ?? {}) as { policy: Record<string, unknown> }
  assert.deepEqual(
    [policy['arn'], policy['defaultVersionId'], policy['attachmentCount'], policy['createDate']],
    [PolicyArn, 'v1', 0, at],
  )
  assert.deepEqual(record?.resources, [
    { accountId: account, type: 'AWS::IAM::ManagedPolicy', ARN: PolicyArn },
  ])
  const parameters = { PolicyArn, PolicyDocument: allowing('kms:*'), SetAsDefault: true }
  const version = await query(house, 'iam', 'CreatePolicyVersion', parameters)
  assert.deepEqual(house.recordsOf(version)[0]?.requestParameters, {
    policyArn: PolicyArn,
    policyDocument: allowing('kms:*'),
    setAsDefault: true,
  })
})
