import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import { iam, query, refused } from '../../testing/query-calls.ts'
import { assume, type Session } from '../sts/testing/sessions.ts'

const RoleName = 'keeper'
const PolicyName = 'keys'
const PolicyArn = `arn:aws:iam::${account}:policy/keys`
const roleArn = `arn:aws:iam::${account}:role/keeper`
const allowing = (action: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }],
  })
const useful = allowing('kms:DescribeKey')
const useless = allowing('kms:ListKeys')

/** Two processes over one store, a user who may take on the role, and a key that is left to the account. */
async function twoHouses(t: TestContext) {
  const house = await House.open(t)
  const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
  const user = await house.addUser({ name: 'mona' })
  const trust = JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Principal: { AWS: user.arn }, Action: 'sts:AssumeRole' },
  })
  const makeRole = () => iam(house, 'CreateRole', { RoleName, AssumeRolePolicyDocument: trust })
  await makeRole()
  const newSession = () => assume(house, roleArn, {}, { key: user })
  return { house, other, makeRole, newSession, keyId: await house.newKey() }
}

/** 200, or the error. */
async function describes(house: House, key: Session, KeyId: string): Promise<string> {
  const { status, error } = await house.call('DescribeKey', { KeyId }, { key })
  return error ?? String(status)
}

test('every change of a role’s policies acts on the very next call, in every process', async (t) => {
  const { house, other, newSession, keyId } = await twoHouses(t)
  const session = await newSession()
  const steps = [
    ['PutRolePolicy', { RoleName, PolicyName: 'p', PolicyDocument: useful }, true],
    ['PutRolePolicy', { RoleName, PolicyName: 'p', PolicyDocument: useless }, false],
    ['PutRolePolicy', { RoleName, PolicyName: 'q', PolicyDocument: useful }, true],
    ['DeleteRolePolicy', { RoleName, PolicyName: 'q' }, false],
    ['CreatePolicy', { PolicyName, PolicyDocument: useful }, false],
    ['AttachRolePolicy', { RoleName, PolicyArn }, true],
    ['CreatePolicyVersion', { PolicyArn, PolicyDocument: useless }, true],
    ['SetDefaultPolicyVersion', { PolicyArn, VersionId: 'v2' }, false],
    ['CreatePolicyVersion', { PolicyArn, PolicyDocument: useful, SetAsDefault: true }, true],
    ['CreatePolicy', { PolicyName: 'bound', PolicyDocument: useless }, true],
    [
      'PutRolePermissionsBoundary',
      { RoleName, PermissionsBoundary: `${PolicyArn.replace('keys', 'bound')}` },
      false,
    ],
    [
      'CreatePolicyVersion',
      {
        PolicyArn: PolicyArn.replace('keys', 'bound'),
        PolicyDocument: useful,
        SetAsDefault: true,
      },
      true,
    ],
    [
      'SetDefaultPolicyVersion',
      { PolicyArn: PolicyArn.replace('keys', 'bound'), VersionId: 'v1' },
      false,
    ],
    ['DeleteRolePermissionsBoundary', { RoleName }, true],
    ['DetachRolePolicy', { RoleName, PolicyArn }, false],
  ] as const
  assert.equal(await describes(house, session, keyId), 'AccessDeniedException')
  for (const [at, [action, parameters, allowed]] of steps.entries()) {
    const [here, there] = at % 2 === 0 ? [house, other] : [other, house]
    await iam(here, action, parameters)
    const wanted = allowed ? '200' : 'AccessDeniedException'
    assert.equal(await describes(there, session, keyId), wanted, `${at}: ${action}, there`)
    assert.equal(await describes(here, session, keyId), wanted, `${at}: ${action}, here`)
  }
})

test('a key policy that names a role does not let in a role that is made later under its name', async (t) => {
  const { house, makeRole, newSession, keyId } = await twoHouses(t)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        ...{ Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${account}:root` } },
        ...{ Action: ['kms:PutKeyPolicy', 'kms:GetKeyPolicy'], Resource: '*' },
      },
      { Effect: 'Allow', Principal: { AWS: roleArn }, Action: 'kms:DescribeKey', Resource: '*' },
    ],
  })
  await house.ok('PutKeyPolicy', { KeyId: keyId, Policy })
  const before = await newSession()
  assert.equal(await describes(house, before, keyId), '200')
  const { Role } = await iam(house, 'GetRole', { RoleName })
  await iam(house, 'DeleteRole', { RoleName })
  assert.notEqual(await describes(house, before, keyId), '200')
  await makeRole()
  const after = await newSession()
  assert.equal(await describes(house, after, keyId), 'AccessDeniedException')
  assert.notEqual(await describes(house, before, keyId), '200', 'a session of the role that was')
  const { Policy: shown } = await house.ok('GetKeyPolicy', { KeyId: keyId })
  const { RoleId } = Role as { RoleId: string }
  assert.equal(shown, Policy.replace(roleArn, RoleId))
  await house.ok('PutKeyPolicy', { KeyId: keyId, Policy })
  assert.equal(await describes(house, after, keyId), '200')
})

test('a policy cannot be deleted while somebody attaches it, nor the other way round', async (t) => {
  const { house, other } = await twoHouses(t)
  for (let round = 0; round < 24; round++) {
    await iam(house, 'CreatePolicy', { PolicyName, PolicyDocument: useful })
    const [attach, parameters] =
      round % 2 === 0
        ? ['AttachRolePolicy', { RoleName, PolicyArn }]
        : ['PutRolePermissionsBoundary', { RoleName, PermissionsBoundary: PolicyArn }]
    const [first, second] = round % 4 < 2 ? [house, other] : [other, house]
    const [attached, deleted] = await Promise.all([
      query(first, 'iam', attach, parameters),
      query(second, 'iam', 'DeletePolicy', { PolicyArn }),
    ])
    const outcome = `${attached.code ?? 'done'}, ${deleted.code ?? 'done'}`
    assert.ok(['done, DeleteConflict', 'NoSuchEntity, done'].includes(outcome), outcome)
    if (deleted.code === undefined) continue
    if (round % 2 === 0) await iam(house, 'DetachRolePolicy', { RoleName, PolicyArn })
    else await iam(house, 'DeleteRolePermissionsBoundary', { RoleName })
    await iam(house, 'DeletePolicy', { PolicyArn })
  }
})

test('many calls at once that change the same role, or attach the same policy, are all done', async (t) => {
  const { house, other } = await twoHouses(t)
  await iam(house, 'CreatePolicy', { PolicyName, PolicyDocument: useful })
  const names = Array.from({ length: 20 }, (_, at) => `r${at}`)
  const AssumeRolePolicyDocument = useful
    .replace('"Resource":"*"', `"Principal":{"AWS":"${account}"}`)
    .replace('kms:DescribeKey', 'sts:AssumeRole')
  for (const name of names) {
    await iam(house, 'CreateRole', { RoleName: name, AssumeRolePolicyDocument })
  }
  const at = (index: number) => (index % 2 === 0 ? house : other)
  await Promise.all(
    names.flatMap((name, index) => [
      iam(at(index), 'AttachRolePolicy', { RoleName: name, PolicyArn }),
      iam(at(index), 'PutRolePolicy', { RoleName, PolicyName: name, PolicyDocument: useful }),
    ]),
  )
  const { Policy } = await iam(house, 'GetPolicy', { PolicyArn })
  assert.equal((Policy as { AttachmentCount: string }).AttachmentCount, '20')
  const { PolicyNames } = await iam(house, 'ListRolePolicies', { RoleName })
  assert.deepEqual(PolicyNames, names.toSorted())
})

test('a role has ten attached policies at most, and inline policies of a bounded size', async (t) => {
  const { house } = await twoHouses(t)
  for (let at = 0; at <= 10; at++) {
    const name = `${PolicyName}${at}`
    await iam(house, 'CreatePolicy', { PolicyName: name, PolicyDocument: useful })
    const attach = { RoleName, PolicyArn: `${PolicyArn}${at}` }
    if (at < 10) await iam(house, 'AttachRolePolicy', attach)
    else {
      assert.equal(
        await refused(house, 'AttachRolePolicy', attach),
        '409 LimitExceeded: Cannot exceed quota for PoliciesPerRole: 10',
      )
    }
  }
  const long = useful.replace('{"Effect"', `{"Sid":"${'s'.repeat(10_240)}","Effect"`)
  const put = { RoleName, PolicyName: 'p', PolicyDocument: long }
  assert.equal(
    await refused(house, 'PutRolePolicy', put),
    '409 LimitExceeded: Maximum policy size of 10240 bytes exceeded for role keeper',
  )
})
