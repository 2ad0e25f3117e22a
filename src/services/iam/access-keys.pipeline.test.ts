import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { AccessKey } from '../../operator/accounts.ts'
import { account, House } from '../../testing/house.ts'
import { type Element, iam, query, refused } from '../../testing/query-calls.ts'

const part = (element: Element | undefined, name: string) =>
  (element as Readonly<Record<string, Element>>)[name]
const allow = (...Action: string[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: { Effect: 'Allow', Action, Resource: '*' } })
const invalid = '403 InvalidClientTokenId: The security token included in the request is invalid.'

/** What an answer of CreateAccessKey signs with. */
function keyIn(result: Readonly<Record<string, Element>>): AccessKey {
  return {
    accessKeyId: String(part(result['AccessKey'], 'AccessKeyId')),
    secretAccessKey: String(part(result['AccessKey'], 'SecretAccessKey')),
  }
}

/** A second process over the store and the key core of the first. */
function besides(t: TestContext, house: House): Promise<House> {
  return House.open(t, { shared: house.shared, hsm: () => house.hsm })
}

async function userWithKey(house: House, UserName: string): Promise<AccessKey> {
  await iam(house, 'CreateUser', { UserName })
  await iam(house, 'PutUserPolicy', {
    UserName,
    PolicyName: 'p',
    PolicyDocument: allow('iam:GetUser'),
  })
  return keyIn(await iam(house, 'CreateAccessKey', { UserName }))
}

test('a secret is shown once, signs, and stands nowhere else', async (t) => {
  const house = await House.open(t)
  const UserName = 'alice'
  const key = await userWithKey(house, UserName)
  assert.match(key.accessKeyId, /^AKIA[A-Z2-7]{16}$/)
  assert.match(key.secretAccessKey, /^[A-Za-z0-9+/]{40}$/)
  await iam(house, 'GetUser', {}, { key })
  const { AccessKeyMetadata } = await iam(house, 'ListAccessKeys', { UserName })
  assert.deepEqual(AccessKeyMetadata, [
    {
      UserName,
      AccessKeyId: key.accessKeyId,
      Status: 'Active',
      CreateDate: '2026-05-06T07:08:09.123Z',
    },
  ])
  const created = house.journal.events.find(({ eventName }) => eventName === 'CreateAccessKey')
  assert.deepEqual(created?.responseElements, {
    accessKey: {
      userName: UserName,
      accessKeyId: key.accessKeyId,
      status: 'Active',
      createDate: '2026-05-06T07:08:09.123Z',
    },
  })
  const kept = [...house.journal.records, JSON.stringify([...house.shared.rows.values()])]
  assert.ok(kept.some((text) => text.includes(key.accessKeyId)))
  assert.equal(
    kept.some((text) => text.includes(key.secretAccessKey)),
    false,
  )
})

test('a user has two keys at the most, and a key has one owner', async (t) => {
  const house = await House.open(t)
  const first = await userWithKey(house, 'alice')
  house.clock.time += 1000
  await iam(house, 'CreateAccessKey', { UserName: 'alice' })
  const quota = '409 LimitExceeded: Cannot exceed quota for AccessKeysPerUser: 2'
  assert.equal(await refused(house, 'CreateAccessKey', { UserName: 'alice' }), quota)
  const page = await iam(house, 'ListAccessKeys', { UserName: 'alice', MaxItems: 1 })
  assert.equal(page['IsTruncated'], 'true')
  const rest = { UserName: 'alice', Marker: page['Marker'] }
  assert.equal((await iam(house, 'ListAccessKeys', rest))['IsTruncated'], 'false')

  await iam(house, 'CreateUser', { UserName: 'bob' })
  const AccessKeyId = first.accessKeyId
  const unknown = `404 NoSuchEntity: The Access Key with id ${AccessKeyId} cannot be found.`
  const asBob = { UserName: 'bob', AccessKeyId }
  assert.equal(await refused(house, 'DeleteAccessKey', asBob), unknown)
  assert.equal(await refused(house, 'UpdateAccessKey', { ...asBob, Status: 'Inactive' }), unknown)
  // Without a name it is about the caller, here the root user.
  assert.equal(await refused(house, 'DeleteAccessKey', { AccessKeyId }), unknown)
  const stranger = { key: house.otherKey }
  assert.equal(await refused(house, 'DeleteAccessKey', { AccessKeyId }, stranger), unknown)
  assert.equal(
    await refused(house, 'UpdateAccessKey', { UserName: 'alice', AccessKeyId, Status: 'Expired' }),
    '400 InvalidInput: The status of an access key cannot be Expired.',
  )
  assert.equal(
    await refused(house, 'CreateAccessKey', { UserName: 'nobody' }),
    '404 NoSuchEntity: The user with name nobody cannot be found.',
  )
})

test('the root user has keys of its own, and may end the one that it signs with', async (t) => {
  const house = await House.open(t)
  const second = keyIn(await iam(house, 'CreateAccessKey'))
  assert.match(await refused(house, 'CreateAccessKey'), /^409 LimitExceeded: /)
  const own = { AccessKeyId: second.accessKeyId, Status: 'Inactive' }
  await iam(house, 'UpdateAccessKey', own, { key: second })
  assert.equal(await refused(house, 'GetUser', {}, { key: second }), invalid)
  await iam(house, 'DeleteAccessKey', { AccessKeyId: second.accessKeyId })
  const { AccessKeyMetadata } = await iam(house, 'ListAccessKeys')
  assert.deepEqual(AccessKeyMetadata, [
    {
      AccessKeyId: house.key.accessKeyId,
      Status: 'Active',
      CreateDate: '2026-05-06T07:08:09.123Z',
    },
  ])
})

test('a user may do with its own keys what its policies say of it', async (t) => {
  const house = await House.open(t)
  const own = JSON.stringify({
    Version: '2012-10-17',
    Statement: {
      Effect: 'Allow',
      Action: 'iam:*AccessKey*',
      Resource: `arn:aws:iam::${account}:user/\${aws:username}`,
    },
  })
  const key = await house.addUser({ name: 'carol', policies: [own] })
  await house.addUser({ name: 'dave' })
  const created = await iam(house, 'CreateAccessKey', {}, { key })
  assert.equal(part(created['AccessKey'], 'UserName'), 'carol')
  assert.match(
    await refused(house, 'CreateAccessKey', { UserName: 'dave' }, { key }),
    /^403 AccessDenied: .*iam:CreateAccessKey on resource: arn:aws:iam::\d+:user\/dave /,
  )
})

test('what one process ends, the next request on another feels', async (t) => {
  const house = await House.open(t)
  const other = await besides(t, house)
  for (let round = 0; round < 25; round++) {
    const UserName = `user-${round}`
    const key = await userWithKey(house, UserName)
    const AccessKeyId = key.accessKeyId
    await iam(other, 'GetUser', {}, { key })
    await iam(house, 'UpdateAccessKey', { UserName, AccessKeyId, Status: 'Inactive' })
    assert.equal(await refused(other, 'GetUser', {}, { key }), invalid)
    await iam(other, 'UpdateAccessKey', { UserName, AccessKeyId, Status: 'Active' })
    await iam(house, 'GetUser', {}, { key })
    await iam(other, 'DeleteUserPolicy', { UserName, PolicyName: 'p' })
    assert.match(await refused(house, 'GetUser', {}, { key }), /^403 AccessDenied: /)
    await iam(house, 'DeleteAccessKey', { UserName, AccessKeyId })
    assert.equal(await refused(other, 'GetUser', {}, { key }), invalid)
    await iam(other, 'DeleteUser', { UserName })
    assert.match(await refused(house, 'CreateAccessKey', { UserName }), /^404 NoSuchEntity: /)
  }
})

test('a user who is gone calls no more, and a namesake is somebody else', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const UserName = 'eve'
  const first = await userWithKey(house, UserName)
  const Policy = JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: account }, Action: 'kms:*', Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: `arn:aws:iam::${account}:user/${UserName}` },
        Action: 'kms:DescribeKey',
        Resource: '*',
      },
    ],
  })
  await house.ok('PutKeyPolicy', { KeyId, PolicyName: 'default', Policy })
  await house.ok('DescribeKey', { KeyId }, { key: first })
  await iam(house, 'DeleteAccessKey', { UserName, AccessKeyId: first.accessKeyId })
  assert.equal(
    (await house.call('DescribeKey', { KeyId }, { key: first })).error,
    'UnrecognizedClientException',
  )
  await iam(house, 'DeleteUserPolicy', { UserName, PolicyName: 'p' })
  await iam(house, 'DeleteUser', { UserName })
  const second = await userWithKey(house, UserName)
  assert.equal(
    (await house.call('DescribeKey', { KeyId }, { key: second })).error,
    'AccessDeniedException',
  )
})

test('many at once, on two processes, give a user no third key, and a deleted user none', async (t) => {
  const house = await House.open(t)
  const other = await besides(t, house)
  for (let round = 0; round < 10; round++) {
    const UserName = `user-${round}`
    await iam(house, 'CreateUser', { UserName })
    const answers = await Promise.all(
      [house, other, house, other].map((each) =>
        query(each, 'iam', 'CreateAccessKey', { UserName }),
      ),
    )
    const made = answers.filter(({ status }) => status === 200)
    const codes = answers.filter(({ status }) => status !== 200).map(({ code }) => code)
    assert.equal(made.length, 2)
    assert.deepEqual(codes, ['LimitExceeded', 'LimitExceeded'])
    for (const { result } of made) {
      await iam(house, 'DeleteAccessKey', { UserName, AccessKeyId: keyIn(result).accessKeyId })
    }
    const [created, deleted] = await Promise.all([
      query(house, 'iam', 'CreateAccessKey', { UserName }),
      query(other, 'iam', 'DeleteUser', { UserName }),
    ])
    const outcome = [created.code, deleted.code]
    assert.ok(
      [
        [undefined, 'DeleteConflict'],
        ['NoSuchEntity', undefined],
      ].some((possible) => possible.every((code, at) => code === outcome[at])),
      JSON.stringify(outcome),
    )
  }
})

test('GetAccessKeyLastUsed of a key that was never used, and of one that is not there', async (t) => {
  const house = await House.open(t)
  const key = await userWithKey(house, 'alice')
  const AccessKeyId = key.accessKeyId
  assert.deepEqual(await iam(house, 'GetAccessKeyLastUsed', { AccessKeyId }), {
    UserName: 'alice',
    AccessKeyLastUsed: { ServiceName: 'N/A', Region: 'N/A' },
  })
  const unknown = (id: string) => `404 NoSuchEntity: The Access Key with id ${id} cannot be found.`
  const none = 'AKIAAAAAAAAAAAAAAAAA'
  assert.equal(await refused(house, 'GetAccessKeyLastUsed', { AccessKeyId: none }), unknown(none))
  assert.equal(
    await refused(house, 'GetAccessKeyLastUsed', { AccessKeyId }, { key: house.otherKey }),
    unknown(AccessKeyId),
  )
})
