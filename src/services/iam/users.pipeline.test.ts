import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../testing/house.ts'
import { type Element, iam, refused } from '../../testing/query-calls.ts'

const part = (element: Element | undefined, name: string) =>
  (element as Readonly<Record<string, Element>>)[name]
const names = (list: Element | undefined, member: string) =>
  list === '' ? [] : (list as readonly Element[]).map((each) => part(each, member))

test('a user lives from CreateUser to DeleteUser, and every step is recorded', async (t) => {
  const house = await House.open(t)
  const created = await iam(house, 'CreateUser', {
    UserName: 'Alice',
    Path: '/finance/',
    Tags: [
      { Key: 'team', Value: 'a/b' },
      { Key: 'Cost', Value: '' },
    ],
  })
  const user = created['User'] as Readonly<Record<string, Element>>
  assert.match(String(user['UserId']), /^AIDA[A-Z2-7]{17}$/)
  assert.deepEqual(user, {
    Path: '/finance/',
    UserName: 'Alice',
    UserId: user['UserId'],
    Arn: `arn:aws:iam::${account}:user/finance/Alice`,
    CreateDate: '2026-05-06T07:08:09.123Z',
    Tags: [
      { Key: 'Cost', Value: '' },
      { Key: 'team', Value: 'a/b' },
    ],
  })
  assert.deepEqual(await iam(house, 'GetUser', { UserName: 'ALICE' }), { User: user })
  await iam(house, 'UpdateUser', { UserName: 'Alice', NewUserName: 'Bob', NewPath: '/' })
  assert.equal(
    await refused(house, 'GetUser', { UserName: 'Alice' }),
    '404 NoSuchEntity: The user with name Alice cannot be found.',
  )
  const renamed = part((await iam(house, 'GetUser', { UserName: 'Bob' }))['User'], 'UserId')
  assert.equal(renamed, user['UserId'])
  await iam(house, 'DeleteUser', { UserName: 'Bob' })
  assert.equal(
    await refused(house, 'DeleteUser', { UserName: 'Bob' }),
    '404 NoSuchEntity: The user with name Bob cannot be found.',
  )
  const events = house.journal.events.map(({ eventName, readOnly, errorCode }) => [
    eventName,
    readOnly,
    errorCode,
  ])
  assert.deepEqual(events, [
    ['CreateUser', false, undefined],
    ['GetUser', true, undefined],
    ['UpdateUser', false, undefined],
    ['GetUser', true, 'NoSuchEntity'],
    ['GetUser', true, undefined],
    ['DeleteUser', false, undefined],
    ['DeleteUser', false, 'NoSuchEntity'],
  ])
  const [first] = house.journal.events
  assert.deepEqual(first?.requestParameters, {
    path: '/finance/',
    userName: 'Alice',
    tags: [
      { key: 'team', value: 'a/b' },
      { key: 'Cost', value: '' },
    ],
  })
  assert.deepEqual(first?.resources, [
    { accountId: account, type: 'AWS::IAM::User', ARN: user['Arn'] },
  ])
  assert.equal(
    (first?.responseElements as { user: { userId: string } } | null)?.user.userId,
    user['UserId'],
  )
})

test('names are unique whatever their case, in their account alone', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'alice' })
  assert.equal(
    await refused(house, 'CreateUser', { UserName: 'ALICE' }),
    '409 EntityAlreadyExists: User with name ALICE already exists.',
  )
  await iam(house, 'CreateUser', { UserName: 'bob' })
  assert.equal(
    await refused(house, 'UpdateUser', { UserName: 'bob', NewUserName: 'Alice' }),
    '409 EntityAlreadyExists: User with name Alice already exists.',
  )
  // Only the case changes: that is no namesake.
  await iam(house, 'UpdateUser', { UserName: 'bob', NewUserName: 'Bob' })
  assert.deepEqual(names((await iam(house, 'ListUsers'))['Users'], 'UserName'), ['alice', 'Bob'])
  const other = { key: house.otherKey }
  await iam(house, 'CreateUser', { UserName: 'alice' }, other)
  const theirs = (await iam(house, 'GetUser', { UserName: 'alice' }, other))['User']
  assert.equal(part(theirs, 'Arn'), `arn:aws:iam::${otherAccount}:user/alice`)
})

test('GetUser without a name is about the caller', async (t) => {
  const house = await House.open(t)
  assert.deepEqual(await iam(house, 'GetUser'), {
    User: {
      UserId: account,
      Arn: `arn:aws:iam::${account}:root`,
      CreateDate: '2026-05-06T07:08:09.123Z',
    },
  })
  await iam(house, 'CreateAccountAlias', { AccountAlias: 'the-house' })
  assert.equal(part((await iam(house, 'GetUser'))['User'], 'UserName'), 'the-house')
  const key = await house.addUser({
    name: 'carol',
    policies: [allow('iam:GetUser', `arn:aws:iam::${account}:user/\${aws:username}`)],
  })
  const user = (await iam(house, 'GetUser', {}, { key }))['User']
  assert.equal(part(user, 'UserName'), 'carol')
})

test('lists come in pages, in the order of names, narrowed by path', async (t) => {
  const house = await House.open(t)
  for (const UserName of ['d', 'A', 'c', 'B', 'e']) {
    await iam(house, 'CreateUser', { UserName, Path: UserName === 'e' ? '/out/' : '/in/' })
  }
  const seen: unknown[] = []
  let Marker: Element | undefined
  do {
    const page = await iam(house, 'ListUsers', { MaxItems: 2, PathPrefix: '/in', Marker })
    seen.push(names(page['Users'], 'UserName'))
    Marker = page['Marker']
    assert.equal(page['IsTruncated'], String(Marker !== undefined))
    // What was listed and is gone does not end the list.
    if (seen.length === 1) await iam(house, 'DeleteUser', { UserName: 'B' })
  } while (Marker !== undefined)
  assert.deepEqual(seen, [
    ['A', 'B'],
    ['c', 'd'],
  ])
  const { Marker: other } = await iam(house, 'ListUsers', { MaxItems: 1 })
  assert.equal(
    await refused(house, 'ListUsers', { PathPrefix: '/in', Marker: other }),
    `400 ValidationError: Invalid Marker: ${other}`,
  )
})

test('a user with anything left cannot be deleted', async (t) => {
  const house = await House.open(t)
  const UserName = 'dave'
  const conflict = (text: string) => `409 DeleteConflict: Cannot delete entity, must ${text} first.`
  await iam(house, 'CreateUser', { UserName })
  await iam(house, 'CreateGroup', { GroupName: 'g' })
  await iam(house, 'AddUserToGroup', { UserName, GroupName: 'g' })
  const PolicyDocument = allow('kms:*', '*')
  await iam(house, 'PutUserPolicy', { UserName, PolicyName: 'p', PolicyDocument })
  const PolicyArn = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam(house, 'AttachUserPolicy', { UserName, PolicyArn })
  const { AccessKey } = await iam(house, 'CreateAccessKey', { UserName })
  assert.equal(await refused(house, 'DeleteUser', { UserName }), conflict('delete access keys'))
  const AccessKeyId = part(AccessKey, 'AccessKeyId')
  await iam(house, 'DeleteAccessKey', { UserName, AccessKeyId })
  assert.equal(await refused(house, 'DeleteUser', { UserName }), conflict('detach all policies'))
  await iam(house, 'DetachUserPolicy', { UserName, PolicyArn })
  assert.equal(await refused(house, 'DeleteUser', { UserName }), conflict('delete policies'))
  await iam(house, 'DeleteUserPolicy', { UserName, PolicyName: 'p' })
  const inGroup = conflict('remove users from group')
  assert.equal(await refused(house, 'DeleteUser', { UserName }), inGroup)
  await iam(house, 'RemoveUserFromGroup', { UserName, GroupName: 'g' })
  await iam(house, 'DeleteUser', { UserName })
})

test('tags: keys ignore case, are replaced and removed by it', async (t) => {
  const house = await House.open(t)
  const UserName = 'eve'
  await iam(house, 'CreateUser', { UserName })
  await iam(house, 'TagUser', {
    UserName,
    Tags: [
      { Key: 'Department', Value: 'a' },
      { Key: 'team', Value: 'x' },
    ],
  })
  await iam(house, 'TagUser', { UserName, Tags: [{ Key: 'department', Value: 'b' }] })
  assert.deepEqual((await iam(house, 'ListUserTags', { UserName }))['Tags'], [
    { Key: 'department', Value: 'b' },
    { Key: 'team', Value: 'x' },
  ])
  const page = await iam(house, 'ListUserTags', { UserName, MaxItems: 1 })
  assert.equal(page['IsTruncated'], 'true')
  const rest = await iam(house, 'ListUserTags', { UserName, Marker: page['Marker'] })
  assert.deepEqual(rest['Tags'], [{ Key: 'team', Value: 'x' }])
  await iam(house, 'UntagUser', { UserName, TagKeys: ['TEAM', 'unknown'] })
  assert.deepEqual((await iam(house, 'ListUserTags', { UserName }))['Tags'], [
    { Key: 'department', Value: 'b' },
  ])
  const twice = [
    { Key: 'A', Value: '1' },
    { Key: 'a', Value: '2' },
  ]
  const duplicate =
    '400 InvalidInput: Duplicate tag keys found. Please note that Tag keys are case insensitive.'
  assert.equal(await refused(house, 'TagUser', { UserName, Tags: twice }), duplicate)
  assert.equal(await refused(house, 'CreateUser', { UserName: 'f', Tags: twice }), duplicate)
  assert.match(
    await refused(house, 'TagUser', { UserName, Tags: [{ Key: 'AWS:x', Value: '' }] }),
    /^400 InvalidInput: /,
  )
  const Tags = Array.from({ length: 50 }, (_, at) => ({ Key: `k${at}`, Value: '' }))
  assert.equal(
    await refused(house, 'TagUser', { UserName, Tags }),
    '409 LimitExceeded: Cannot exceed quota for TagsPerUser: 50',
  )
})

test('nobody learns who is there before they may ask', async (t) => {
  const house = await House.open(t)
  const key = await house.addUser({ name: 'mallory' })
  await iam(house, 'CreateUser', { UserName: 'there' })
  const denied = (name: string) =>
    `403 AccessDenied: User: arn:aws:iam::${account}:user/mallory is not authorized to perform: iam:GetUser on resource: arn:aws:iam::${account}:user/${name} because no identity-based policy allows the iam:GetUser action`
  for (const UserName of ['there', 'not-there']) {
    assert.equal(await refused(house, 'GetUser', { UserName }, { key }), denied(UserName))
  }
})

test('a user is moved by those alone who have a say in both places', async (t) => {
  const house = await House.open(t)
  const key = await house.addUser({
    name: 'mover',
    policies: [allow('iam:UpdateUser', `arn:aws:iam::${account}:user/a/*`)],
  })
  await iam(house, 'CreateUser', { UserName: 'u', Path: '/a/' })
  const out = { UserName: 'u', NewPath: '/b/' }
  const text = await refused(house, 'UpdateUser', out, { key })
  assert.match(
    text,
    new RegExp(`^403 AccessDenied: .*on resource: arn:aws:iam::${account}:user/b/u`),
  )
  await iam(house, 'UpdateUser', { UserName: 'u', NewPath: '/a/c/' }, { key })
})

test('bounds of names and paths are those of the service model', async (t) => {
  const house = await House.open(t)
  assert.match(
    await refused(house, 'CreateUser', { UserName: 'x'.repeat(65) }),
    /^400 ValidationError: 1 validation error detected: Value 'x+' at 'userName' failed to satisfy constraint: Member must have length less than or equal to 64$/,
  )
  assert.match(await refused(house, 'CreateUser', { UserName: 'a b' }), /^400 ValidationError: /)
  assert.match(
    await refused(house, 'CreateUser', { UserName: 'a', Path: 'x' }),
    /^400 ValidationError: .*'path'/,
  )
  assert.match(await refused(house, 'CreateUser'), /'userName' .*Member must not be null$/)
})

test('a permissions boundary is put, shown and removed, and is a policy that is there', async (t) => {
  const house = await House.open(t)
  const { arn } = await house.addPolicy('limit', allow('kms:*', '*'))
  const missing = `arn:aws:iam::${account}:policy/none`
  const unknown = `404 NoSuchEntity: Scope ARN: ${missing} does not exist or is not attachable.`
  const bounded = { UserName: 'u', PermissionsBoundary: missing }
  assert.equal(await refused(house, 'CreateUser', bounded), unknown)
  await iam(house, 'CreateUser', { UserName: 'u', PermissionsBoundary: arn })
  const shown = { PermissionsBoundaryType: 'Policy', PermissionsBoundaryArn: arn }
  const boundary = async () =>
    part((await iam(house, 'GetUser', { UserName: 'u' }))['User'], 'PermissionsBoundary')
  assert.deepEqual(await boundary(), shown)
  assert.equal(await refused(house, 'PutUserPermissionsBoundary', bounded), unknown)
  await iam(house, 'DeleteUserPermissionsBoundary', { UserName: 'u' })
  assert.equal(await boundary(), undefined)
  const aws = 'arn:aws:iam::aws:policy/AdministratorAccess'
  await iam(house, 'PutUserPermissionsBoundary', { UserName: 'u', PermissionsBoundary: aws })
  assert.deepEqual(await boundary(), { ...shown, PermissionsBoundaryArn: aws })
  // The policies of another account are not there for this one.
  const other = { key: house.otherKey }
  await iam(house, 'CreateUser', { UserName: 'u' }, other)
  assert.equal(
    await refused(
      house,
      'PutUserPermissionsBoundary',
      { UserName: 'u', PermissionsBoundary: arn },
      other,
    ),
    `404 NoSuchEntity: Scope ARN: ${arn} does not exist or is not attachable.`,
  )
})

test('of the credentials that there are none of, tools are told so', async (t) => {
  const house = await House.open(t)
  await iam(house, 'CreateUser', { UserName: 'u' })
  const lists = {
    ListMFADevices: 'MFADevices',
    ListSSHPublicKeys: 'SSHPublicKeys',
    ListServiceSpecificCredentials: 'ServiceSpecificCredentials',
    ListSigningCertificates: 'Certificates',
  }
  for (const [action, member] of Object.entries(lists)) {
    const none = { [member]: '', IsTruncated: 'false' }
    assert.deepEqual(await iam(house, action, { UserName: 'u' }), none)
    assert.equal(
      await refused(house, action, { UserName: 'nobody' }),
      '404 NoSuchEntity: The user with name nobody cannot be found.',
    )
  }
  for (const action of ['GetLoginProfile', 'DeleteLoginProfile']) {
    assert.equal(
      await refused(house, action, { UserName: 'u' }),
      '404 NoSuchEntity: Login Profile for User u cannot be found.',
    )
  }
  assert.deepEqual(await iam(house, 'ListVirtualMFADevices'), {
    VirtualMFADevices: '',
    IsTruncated: 'false',
  })
})

function allow(Action: string, Resource: string): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource } })
}
