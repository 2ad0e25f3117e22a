import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../testing/house.ts'
import { iam, query, refused } from '../../testing/query-calls.ts'

const RoleName = 'keeper'
const trusting = (...principals: readonly string[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: principals }, Action: 'sts:AssumeRole' }],
  })
const trust = trusting(account)
const AssumeRolePolicyDocument = trust

/** What GetRole shows of its trust policy. */
async function shownTrust(house: House, name = RoleName): Promise<string> {
  const { Role } = await iam(house, 'GetRole', { RoleName: name })
  const encoded = (Role as { AssumeRolePolicyDocument: string }).AssumeRolePolicyDocument
  assert.match(encoded, /^[\w.~%-]+$/)
  return decodeURIComponent(encoded)
}

test('a role is made, shown, changed, listed and deleted', async (t) => {
  const house = await House.open(t)
  const CreateDate = '2026-05-06T07:08:09.123Z'
  const created = await iam(house, 'CreateRole', {
    ...{ RoleName, Path: '/a/b/', AssumeRolePolicyDocument, Description: 'keeps <keys> & é' },
    ...{
      MaxSessionDuration: 7200,
      Tags: [
        { Key: 'b', Value: '' },
        { Key: 'A', Value: '1' },
      ],
    },
  })
  const { RoleId } = created['Role'] as { RoleId: string }
  assert.match(RoleId, /^AROA[A-Z2-7]{17}$/)
  const listed = {
    Path: '/a/b/',
    RoleName,
    RoleId,
    Arn: `arn:aws:iam::${account}:role/a/b/keeper`,
    CreateDate,
    AssumeRolePolicyDocument: encodeURIComponent(trust),
    Description: 'keeps <keys> & é',
    MaxSessionDuration: '7200',
  }
  const Tags = [
    { Key: 'A', Value: '1' },
    { Key: 'b', Value: '' },
  ]
  assert.deepEqual(created, { Role: { ...listed, Tags } })
  assert.deepEqual(await iam(house, 'GetRole', { RoleName: 'KEEPER' }), created)
  assert.deepEqual(await iam(house, 'ListRoles', { PathPrefix: '/a' }), {
    Roles: [listed],
    IsTruncated: 'false',
  })
  assert.deepEqual((await iam(house, 'ListRoles', { PathPrefix: '/b' }))['Roles'], '')
  await iam(house, 'UpdateRole', { RoleName, Description: 'other' })
  const { Role } = await iam(house, 'GetRole', { RoleName })
  assert.deepEqual(Role, { ...listed, Tags, Description: 'other', MaxSessionDuration: '3600' })
  const described = await iam(house, 'UpdateRoleDescription', { RoleName, Description: '' })
  assert.deepEqual(described['Role'], { ...(Role as object), Description: '' })
  await iam(house, 'DeleteRole', { RoleName })
  assert.equal(
    await refused(house, 'GetRole', { RoleName }),
    '404 NoSuchEntity: The role with name keeper cannot be found.',
  )
})

test('names are taken whatever their case and their path', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument })
  for (const other of [{ RoleName: 'Keeper' }, { RoleName, Path: '/x/' }]) {
    assert.equal(
      await refused(house, 'CreateRole', { ...other, AssumeRolePolicyDocument }),
      `409 EntityAlreadyExists: Role with name ${other.RoleName} already exists.`,
    )
  }
})

test('a role that has policies is not deleted', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument })
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam(house, 'AttachRolePolicy', { RoleName, PolicyArn })
  const inline = { RoleName, PolicyName: 'p' }
  const PolicyDocument =
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}'
  await iam(house, 'PutRolePolicy', { ...inline, PolicyDocument })
  assert.equal(
    await refused(house, 'DeleteRole', { RoleName }),
    '409 DeleteConflict: Cannot delete entity, must detach all policies first.',
  )
  await iam(house, 'DetachRolePolicy', { RoleName, PolicyArn })
  assert.equal(
    await refused(house, 'DeleteRole', { RoleName }),
    '409 DeleteConflict: Cannot delete entity, must delete policies first.',
  )
  await iam(house, 'DeleteRolePolicy', inline)
  assert.deepEqual(await iam(house, 'ListInstanceProfilesForRole', { RoleName }), {
    InstanceProfiles: '',
    IsTruncated: 'false',
  })
  await iam(house, 'DeleteRole', { RoleName })
})

test('a trust policy names its principals by what they are, not by what they are called', async (t) => {
  const house = await House.open(t)
  const alice = await house.addUser({ name: 'alice', path: '/staff/' })
  const session = `arn:aws:sts::${account}:assumed-role/other/nightly`
  const other = await house.addRole({ name: 'other' })
  const text = trusting(alice.arn, other.arn, session, account, '*')
  await iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument: text })
  assert.equal(await shownTrust(house), text)
  const stored = () => house.tables.identities.roles.get(account, RoleName)?.trustPolicy ?? ''
  assert.ok(stored().includes(alice.id) && stored().includes(`${other.id}:nightly`))
  assert.ok(!stored().includes('arn:'))
  await house.removeIdentity(alice.id)
  assert.equal(await shownTrust(house), text.replace(alice.arn, alice.id))
  const again = await house.addUser({ name: 'alice', path: '/staff/' })
  assert.equal(await shownTrust(house), text.replace(alice.arn, alice.id))
  await iam(house, 'UpdateAssumeRolePolicy', { RoleName, PolicyDocument: trusting(again.arn) })
  assert.equal(await shownTrust(house), trusting(again.arn))
  assert.ok(stored().includes(again.id) && !stored().includes(alice.id))
  assert.equal(
    await refused(house, 'UpdateAssumeRolePolicy', {
      RoleName,
      PolicyDocument: trusting(alice.id),
    }),
    `400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"${alice.id}"`,
  )
})

test('unknown principals and other faults of a trust policy are refused, and nothing is made', async (t) => {
  const house = await House.open(t)
  const make = (text: string) =>
    refused(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument: text })
  for (const arn of [
    `arn:aws:iam::${account}:user/nobody`,
    `arn:aws:iam::${account}:role/keeper`,
    `arn:aws:iam::${account}:group/all`,
    'arn:aws:iam::999999999999:root',
    `arn:aws:iam::${otherAccount}:user/*`,
  ]) {
    assert.equal(
      await make(trusting(arn)),
      `400 MalformedPolicyDocument: Invalid principal in policy: "AWS":"${arn}"`,
    )
  }
  for (const text of [
    'no json',
    '{"Version":"2012-10-17","Statement":[]}',
    '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole"}}',
    trust.replace('"Action"', '"Resource":"*","Action"'),
    trust.replace('"Action"', '"Action":"sts:*","Action"'),
  ]) {
    assert.match(await make(text), /^400 MalformedPolicyDocument: ./, text)
  }
  const padded = (sid: string) => trust.replace('{"Effect"', `{"Sid":"${sid}","Effect"`)
  const room = 2048 - padded('').length
  assert.equal(
    await make(padded('s'.repeat(room + 1))),
    '409 LimitExceeded: Cannot exceed quota for ACLSizePerRole: 2048',
  )
  assert.match(await refused(house, 'GetRole', { RoleName }), /^404 /)
  const AssumeRolePolicyDocument = padded('s'.repeat(room)) + ' \n\t\r'.repeat(200)
  await iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument })
  const change = { RoleName, PolicyDocument: padded('s'.repeat(room + 1)) }
  assert.match(await refused(house, 'UpdateAssumeRolePolicy', change), /^409 LimitExceeded: /)
  assert.equal(await shownTrust(house), AssumeRolePolicyDocument)
})

test('bounds of the parameters are those of the service model', async (t) => {
  const house = await House.open(t)
  const make = { RoleName, AssumeRolePolicyDocument }
  for (const [parameters, member] of [
    [{ ...make, RoleName: 'a b' }, 'roleName'],
    [{ ...make, RoleName: 'x'.repeat(65) }, 'roleName'],
    [{ ...make, Path: 'a/' }, 'path'],
    [{ ...make, MaxSessionDuration: 3599 }, 'maxSessionDuration'],
    [{ ...make, MaxSessionDuration: 43_201 }, 'maxSessionDuration'],
    [{ ...make, Description: 'x'.repeat(1001) }, 'description'],
    [{ ...make, Tags: [{ Key: '#', Value: 'a' }] }, 'tags.1.member.key'],
    [{ RoleName }, 'assumeRolePolicyDocument'],
  ] as const) {
    const refusal = await refused(house, 'CreateRole', parameters)
    assert.ok(refusal.startsWith('400 ValidationError: 1 validation error detected: '), refusal)
    assert.ok(refusal.includes(`at '${member}' failed`), refusal)
  }
  const Tags = [
    { Key: 'a', Value: '' },
    { Key: 'A', Value: '' },
  ]
  assert.equal(
    await refused(house, 'CreateRole', { ...make, Tags }),
    '400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.',
  )
  const PermissionsBoundary = `arn:aws:iam::${account}:policy/none`
  assert.equal(
    await refused(house, 'CreateRole', { ...make, PermissionsBoundary }),
    `404 NoSuchEntity: Scope ARN: ${PermissionsBoundary} does not exist or is not attachable.`,
  )
})

test('roles are listed in pages, in the order of their names', async (t) => {
  const house = await House.open(t)
  const names = ['b', 'A', 'c', 'D', 'e_']
  for (const name of names) {
    await iam(house, 'CreateRole', { RoleName: name, AssumeRolePolicyDocument })
  }
  const seen: string[] = []
  let Marker: unknown
  do {
    const page = await iam(house, 'ListRoles', { MaxItems: 2, Marker })
    seen.push(...(page['Roles'] as readonly { RoleName: string }[]).map((role) => role.RoleName))
    Marker = page['Marker']
    assert.equal(page['IsTruncated'], String(Marker !== undefined))
  } while (Marker !== undefined)
  assert.deepEqual(seen, ['A', 'b', 'c', 'D', 'e_'])
  assert.match(await refused(house, 'ListRoles', { Marker: 'forged' }), /^400 ValidationError: /)
})

test('the record of a role is what CloudTrail shows', async (t) => {
  const house = await House.open(t)
  const Tags = [{ Key: 'team', Value: 'red' }]
  const made = await query(house, 'iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument, Tags })
  const [record] = house.recordsOf(made)
  const { RoleId } = made.result['Role'] as { RoleId: string }
  const arn = `arn:aws:iam::${account}:role/keeper`
  assert.equal(record?.eventSource, 'iam.amazonaws.com')
  assert.equal(record?.eventName, 'CreateRole')
  assert.deepEqual(record?.requestParameters, {
    roleName: RoleName,
    assumeRolePolicyDocument: trust,
    tags: [{ key: 'team', value: 'red' }],
  })
  assert.deepEqual(record?.responseElements, {
    role: {
      path: '/',
      roleName: RoleName,
      roleId: RoleId,
      arn,
      createDate: '2026-05-06T07:08:09.123Z',
      assumeRolePolicyDocument: encodeURIComponent(trust),
      maxSessionDuration: 3600,
      tags: [{ key: 'team', value: 'red' }],
    },
  })
  assert.deepEqual(record?.resources, [{ accountId: account, type: 'AWS::IAM::Role', ARN: arn }])
  const failed = await query(house, 'iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument })
  const [refusal] = house.recordsOf(failed)
  assert.equal(refusal?.errorCode, 'EntityAlreadyExists')
  assert.equal(refusal?.responseElements, null)
  const changed = await query(house, 'iam', 'UpdateAssumeRolePolicy', {
    RoleName,
    PolicyDocument: trust,
  })
  assert.deepEqual(house.recordsOf(changed)[0]?.requestParameters, {
    roleName: RoleName,
    policyDocument: trust,
  })
})
