import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House } from '../../testing/house.ts'
import { type Element, iam, query, refused } from '../../testing/query-calls.ts'

const part = (element: Element | undefined, name: string) =>
  (element as Readonly<Record<string, Element>>)[name]
const names = (list: Element | undefined, member: string) =>
  list === '' ? [] : (list as readonly Element[]).map((each) => part(each, member))

const decrypt = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:GenerateRandom', Resource: '*' },
})

test('a group lives from CreateGroup to DeleteGroup', async (t) => {
  const house = await House.open(t)
  const { Group } = await iam(house, 'CreateGroup', { GroupName: 'Admins', Path: '/x/' })
  assert.match(String(part(Group, 'GroupId')), /^AGPA[A-Z2-7]{17}$/)
  assert.deepEqual(Group, {
    Path: '/x/',
    GroupName: 'Admins',
    GroupId: part(Group, 'GroupId'),
    Arn: `arn:aws:iam::${account}:group/x/Admins`,
    CreateDate: '2026-05-06T07:08:09.123Z',
  })
  assert.equal(
    await refused(house, 'CreateGroup', { GroupName: 'admins' }),
    '409 EntityAlreadyExists: Group with name admins already exists.',
  )
  for (const UserName of ['b', 'a']) {
    await iam(house, 'CreateUser', { UserName })
    await iam(house, 'AddUserToGroup', { UserName, GroupName: 'Admins' })
    // Once more is as well.
    await iam(house, 'AddUserToGroup', { UserName, GroupName: 'ADMINS' })
  }
  await iam(house, 'UpdateGroup', { GroupName: 'Admins', NewGroupName: 'Keepers', NewPath: '/' })
  const first = await iam(house, 'GetGroup', { GroupName: 'Keepers', MaxItems: 1 })
  assert.equal(part(first['Group'], 'GroupId'), part(Group, 'GroupId'))
  assert.deepEqual(names(first['Users'], 'UserName'), ['a'])
  const next = await iam(house, 'GetGroup', { GroupName: 'Keepers', Marker: first['Marker'] })
  assert.deepEqual(names(next['Users'], 'UserName'), ['b'])
  const { Groups } = await iam(house, 'ListGroupsForUser', { UserName: 'a' })
  assert.deepEqual(names(Groups, 'Arn'), [`arn:aws:iam::${account}:group/Keepers`])
  assert.deepEqual(names((await iam(house, 'ListGroups'))['Groups'], 'GroupName'), ['Keepers'])
  const inside = await iam(house, 'ListGroups', { PathPrefix: '/x/' })
  assert.deepEqual(names(inside['Groups'], 'GroupName'), [])

  assert.equal(
    await refused(house, 'DeleteGroup', { GroupName: 'Keepers' }),
    '409 DeleteConflict: Cannot delete entity, must remove users from group first.',
  )
  for (const UserName of ['a', 'b', 'a']) {
    await iam(house, 'RemoveUserFromGroup', { UserName, GroupName: 'Keepers' })
  }
  await iam(house, 'DeleteGroup', { GroupName: 'Keepers' })
  assert.equal(
    await refused(house, 'GetGroup', { GroupName: 'Keepers' }),
    '404 NoSuchEntity: The group with name Keepers cannot be found.',
  )
})

test('a member has what its group has, from the next call on, and no longer', async (t) => {
  const house = await House.open(t)
  const key = await house.addUser({ name: 'member' })
  const random = async () =>
    (await house.call('GenerateRandom', { NumberOfBytes: 1 }, { key })).error
  await iam(house, 'CreateGroup', { GroupName: 'g' })
  await iam(house, 'PutGroupPolicy', {
    GroupName: 'g',
    PolicyName: 'p',
    PolicyDocument: decrypt,
  })
  assert.equal(await random(), 'AccessDeniedException')
  await iam(house, 'AddUserToGroup', { GroupName: 'g', UserName: 'member' })
  assert.equal(await random(), undefined)
  await iam(house, 'DeleteGroupPolicy', { GroupName: 'g', PolicyName: 'p' })
  assert.equal(await random(), 'AccessDeniedException')
  const PolicyArn = 'arn:aws:iam::aws:policy/AWSKeyManagementServicePowerUser'
  await iam(house, 'AttachGroupPolicy', { GroupName: 'g', PolicyArn })
  assert.equal(await random(), undefined)
  await iam(house, 'RemoveUserFromGroup', { GroupName: 'g', UserName: 'member' })
  assert.equal(await random(), 'AccessDeniedException')
})

test('what is not there, and how many groups a user may be in', async (t) => {
  const house = await House.open(t)
  const noUser = '404 NoSuchEntity: The user with name u cannot be found.'
  const noGroup = '404 NoSuchEntity: The group with name g cannot be found.'
  const both = { GroupName: 'g', UserName: 'u' }
  assert.equal(await refused(house, 'AddUserToGroup', both), noGroup)
  await iam(house, 'CreateGroup', { GroupName: 'g' })
  assert.equal(await refused(house, 'AddUserToGroup', both), noUser)
  assert.equal(await refused(house, 'RemoveUserFromGroup', both), noUser)
  assert.equal(await refused(house, 'ListGroupsForUser', { UserName: 'u' }), noUser)
  await iam(house, 'CreateUser', { UserName: 'u' })
  for (let at = 0; at < 10; at++) {
    await iam(house, 'CreateGroup', { GroupName: `g${at}` })
    await iam(house, 'AddUserToGroup', { UserName: 'u', GroupName: `g${at}` })
  }
  assert.equal(
    await refused(house, 'AddUserToGroup', both),
    '409 LimitExceeded: Cannot exceed quota for GroupsPerUser: 10',
  )
})

test('a group with policies cannot be deleted', async (t) => {
  const house = await House.open(t)
  const GroupName = 'g'
  await iam(house, 'CreateGroup', { GroupName })
  const PolicyArn = 'arn:aws:iam::aws:policy/IAMFullAccess'
  await iam(house, 'AttachGroupPolicy', { GroupName, PolicyArn })
  await iam(house, 'PutGroupPolicy', { GroupName, PolicyName: 'p', PolicyDocument: decrypt })
  assert.equal(
    await refused(house, 'DeleteGroup', { GroupName }),
    '409 DeleteConflict: Cannot delete entity, must detach all policies first.',
  )
  await iam(house, 'DetachGroupPolicy', { GroupName, PolicyArn })
  assert.equal(
    await refused(house, 'DeleteGroup', { GroupName }),
    '409 DeleteConflict: Cannot delete entity, must delete policies first.',
  )
  await iam(house, 'DeleteGroupPolicy', { GroupName, PolicyName: 'p' })
  await iam(house, 'DeleteGroup', { GroupName })
})

test('account aliases: one for an account, and one account for each', async (t) => {
  const house = await House.open(t)
  const other = { key: house.otherKey }
  const list = async (sending = {}) =>
    (await iam(house, 'ListAccountAliases', {}, sending))['AccountAliases']
  assert.equal(await list(), '')
  await iam(house, 'CreateAccountAlias', { AccountAlias: 'first' })
  await iam(house, 'CreateAccountAlias', { AccountAlias: 'first' })
  assert.equal(
    await refused(house, 'CreateAccountAlias', { AccountAlias: 'first' }, other),
    '409 EntityAlreadyExists: The account alias first already exists.',
  )
  await iam(house, 'CreateAccountAlias', { AccountAlias: 'second' })
  assert.deepEqual(await list(), ['second'])
  // The one before is free again.
  await iam(house, 'CreateAccountAlias', { AccountAlias: 'first' }, other)
  assert.deepEqual(await list(other), ['first'])
  assert.equal(
    await refused(house, 'DeleteAccountAlias', { AccountAlias: 'first' }),
    '404 NoSuchEntity: The account alias first cannot be found.',
  )
  await iam(house, 'DeleteAccountAlias', { AccountAlias: 'second' })
  assert.equal(await list(), '')
  for (const AccountAlias of ['ab', '-ab', 'ab-', 'a--b', 'Abc', 'x'.repeat(64)]) {
    const text = await refused(house, 'CreateAccountAlias', { AccountAlias })
    assert.match(text, /^400 ValidationError: .*'accountAlias'/, AccountAlias)
  }
})

test('GetAccountSummary counts what there is', async (t) => {
  const house = await House.open(t)
  const before = (await iam(house, 'GetAccountSummary'))['SummaryMap']
  assert.equal(part(before, 'Users'), '0')
  assert.equal(part(before, 'UsersQuota'), '5000')
  assert.equal(part(before, 'AccountAccessKeysPresent'), '1')
  await iam(house, 'CreateUser', { UserName: 'u' })
  await iam(house, 'CreateGroup', { GroupName: 'g' })
  await house.addPolicy('p', decrypt)
  await house.addRole({ name: 'r' })
  const after = (await iam(house, 'GetAccountSummary'))['SummaryMap']
  const counted = ['Users', 'Groups', 'Roles', 'Policies', 'PolicyVersionsInUse'] as const
  assert.deepEqual(
    counted.map((name) => part(after, name)),
    ['1', '1', '1', '1', '1'],
  )
})

test('two processes at once leave no member of a deleted group, and no second alias', async (t) => {
  const house = await House.open(t)
  const other = await House.open(t, { shared: house.shared, hsm: () => house.hsm })
  await iam(house, 'CreateUser', { UserName: 'u' })
  for (let round = 0; round < 10; round++) {
    const GroupName = `g${round}`
    await iam(house, 'CreateGroup', { GroupName })
    const [added, deleted] = await Promise.all([
      query(house, 'iam', 'AddUserToGroup', { GroupName, UserName: 'u' }),
      query(other, 'iam', 'DeleteGroup', { GroupName }),
    ])
    const outcome = `${added.code} ${deleted.code}`
    assert.ok(['undefined DeleteConflict', 'NoSuchEntity undefined'].includes(outcome), outcome)
    const { Groups } = await iam(other, 'ListGroupsForUser', { UserName: 'u' })
    assert.deepEqual(names(Groups, 'GroupName'), added.code === undefined ? [GroupName] : [])
    if (added.code === undefined) {
      await iam(other, 'RemoveUserFromGroup', { GroupName, UserName: 'u' })
      await iam(house, 'DeleteGroup', { GroupName })
    }
    await Promise.all([
      iam(house, 'CreateAccountAlias', { AccountAlias: `here-${round}` }),
      iam(other, 'CreateAccountAlias', { AccountAlias: `there-${round}` }),
    ])
    const { AccountAliases } = await iam(house, 'ListAccountAliases')
    assert.equal((AccountAliases as readonly Element[]).length, 1)
    const rows = [...house.shared.rows.values()].filter(
      ({ kind, body }) => kind === 'account-alias' && body !== null,
    )
    assert.equal(rows.length, 1)
  }
})
