import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount, region } from '../../testing/house.ts'

const root = `arn:aws:iam::${account}:root`
const otherRoot = `arn:aws:iam::${otherAccount}:root`
const stranger = (house: House) => ({ key: house.otherKey })

/** Who may do with grants on a key of `account` what `actions` say, in the words of a key policy. */
const policy = (...actions: string[]) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Principal: { AWS: root }, Action: 'kms:*', Resource: '*' },
      {
        Effect: 'Allow',
        Principal: { AWS: otherRoot },
        Action: actions,
        Resource: '*',
        Condition: {
          'ForAllValues:StringEquals': { 'kms:GrantOperations': ['Encrypt', 'Decrypt'] },
          StringEqualsIfExists: { 'kms:GranteePrincipal': otherRoot },
          Bool: { 'kms:GrantIsForAWSResource': 'false' },
        },
      },
    ],
  })

const idsOf = (body: Readonly<Record<string, unknown>>) =>
  (body['Grants'] as { GrantId: string }[]).map(({ GrantId }) => GrantId)

test('a grant lives from CreateGrant to RetireGrant, and every step is recorded', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const created = await house.call('CreateGrant', {
    KeyId,
    GranteePrincipal: otherRoot,
    RetiringPrincipal: otherRoot,
    Operations: ['Decrypt', 'DescribeKey'],
    Constraints: { EncryptionContextSubset: { department: 'finance' } },
    Name: 'finance',
  })
  assert.equal(created.status, 200)
  const { GrantId, GrantToken } = created.body
  const { Grants, Truncated } = await house.ok('ListGrants', { KeyId })
  assert.equal(Truncated, false)
  assert.deepEqual(Grants, [
    {
      KeyId: `arn:aws:kms:${region}:${account}:key/${KeyId}`,
      GrantId,
      Name: 'finance',
      CreationDate: house.clock.now() / 1000,
      GranteePrincipal: otherRoot,
      RetiringPrincipal: otherRoot,
      IssuingAccount: root,
      Operations: ['Decrypt', 'DescribeKey'],
      Constraints: { EncryptionContextSubset: { department: 'finance' } },
    },
  ])
  const retirable = { RetiringPrincipal: otherRoot }
  assert.deepEqual(idsOf(await house.ok('ListRetirableGrants', retirable, stranger(house))), [
    GrantId,
  ])
  const Plaintext = Buffer.from('x').toString('base64')
  await house.ok('Encrypt', { KeyId, Plaintext, GrantTokens: [GrantToken] })
  const retired = await house.call('RetireGrant', { GrantToken }, stranger(house))
  assert.equal(retired.status, 200)
  assert.deepEqual(idsOf(await house.ok('ListGrants', { KeyId })), [])

  const [creation] = house.recordsOf(created)
  assert.deepEqual(creation?.responseElements, { grantId: GrantId })
  assert.equal(creation?.readOnly, false)
  const records = house.recordsOf(retired)
  assert.deepEqual(
    records.map(({ eventName, requestParameters, additionalEventData, recipientAccountId }) => [
      ...[eventName, requestParameters, additionalEventData?.['grantId'], recipientAccountId],
    ]),
    [
      ['RetireGrant', null, GrantId, otherAccount],
      ['RetireGrant', null, GrantId, account],
    ],
  )
  assert.ok(!JSON.stringify(house.journal.events).includes(String(GrantToken)))
})

test('another account needs the leave of the key policy, within its conditions', async (t) => {
  const house = await House.open(t)
  const id = await house.newKey({ Policy: policy('kms:CreateGrant', 'kms:ListGrants') })
  const closed = await house.newKey()
  const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`
  const grant = { GranteePrincipal: otherRoot, Operations: ['Encrypt'] }
  const refusals: [string, object][] = [
    ['CreateGrant', { ...grant, KeyId: arnOf(closed) }],
    ['CreateGrant', { ...grant, KeyId: arnOf(id), Operations: ['Encrypt', 'DescribeKey'] }],
    ['CreateGrant', { ...grant, KeyId: arnOf(id), GranteePrincipal: root }],
    ['RevokeGrant', { KeyId: arnOf(id), GrantId: 'f'.repeat(64) }],
    ['ListGrants', { KeyId: arnOf(closed) }],
    ['ListGrants', { KeyId: arnOf('00000000-0000-4000-8000-000000000000') }],
    ['ListRetirableGrants', { RetiringPrincipal: root }],
  ]
  for (const [operation, input] of refusals) {
    const answer = await house.call(operation, input, stranger(house))
    assert.equal(answer.error, 'AccessDeniedException', `${operation} ${JSON.stringify(input)}`)
    const [record] = house.recordsOf(answer)
    assert.equal(record?.errorCode, 'AccessDenied')
    assert.equal(record?.resources, undefined)
  }
  await house.ok('CreateGrant', { ...grant, KeyId: arnOf(id) }, stranger(house))
  const { Grants } = await house.ok('ListGrants', { KeyId: arnOf(id) }, stranger(house))
  assert.equal((Grants as { IssuingAccount: string }[])[0]?.IssuingAccount, otherRoot)
})

test('a stranger who may not retire leaves a record without the key', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const { GrantToken } = await house.ok('CreateGrant', {
    ...{ KeyId, GranteePrincipal: otherRoot, Operations: ['Encrypt'] },
  })
  const denied = await house.call('RetireGrant', { GrantToken }, stranger(house))
  assert.equal(denied.error, 'AccessDeniedException')
  assert.deepEqual(
    house
      .recordsOf(denied)
      .map(({ resources, recipientAccountId }) => [...[resources, recipientAccountId]]),
    [[undefined, otherAccount]],
  )
})

test('grants on one key are made side by side, and the same named one once', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const grant = { KeyId, GranteePrincipal: otherRoot, Operations: ['Encrypt'] }
  const create = async (members: object) =>
    String((await house.ok('CreateGrant', { ...grant, ...members }))['GrantId'])
  const ids = await Promise.all(Array.from({ length: 40 }, () => create({})))
  assert.equal(new Set(ids).size, 40)
  const named = await Promise.all(Array.from({ length: 20 }, () => create({ Name: 'name' })))
  assert.equal(new Set(named).size, 1)
  assert.deepEqual(idsOf(await house.ok('ListGrants', { KeyId, Limit: 100 })).length, 41)
  const retiring = ids.map((GrantId) => house.call('RevokeGrant', { KeyId, GrantId }))
  const again = ids.map((GrantId) => house.call('RevokeGrant', { KeyId, GrantId }))
  const errors = (await Promise.all([...retiring, ...again])).map(({ error }) => error ?? '')
  assert.equal(errors.filter((error) => error === '').length, 40)
  assert.equal(errors.filter((error) => error === 'NotFoundException').length, 40)
  assert.deepEqual(idsOf(await house.ok('ListGrants', { KeyId })), named.slice(0, 1))
})

test('what the wire bounds is refused in its words', async (t) => {
  const house = await House.open(t)
  const KeyId = await house.newKey()
  const grant = { KeyId, GranteePrincipal: otherRoot, Operations: ['Encrypt'] }
  const cases: [object, RegExp][] = [
    [{ Operations: ['Destroy'] }, /at 'operations' .* enum value set: \[Decrypt, /],
    [{ Operations: undefined }, /Value null at 'operations' .* must not be null/],
    [{ Name: 'a name' }, /at 'name' .* regular expression pattern: \^\[a-zA-Z0-9:\/_-\]\+\$/],
    [{ GranteePrincipal: 'a b' }, /at 'granteePrincipal' .* regular expression pattern/],
    [{ GranteeServicePrincipal: 'x' }, /at 'granteeServicePrincipal' .* pattern/],
    [
      { Constraints: { SourceArn: 'arn:aws:s3:::a-bucket-of-mine' } },
      /at 'constraints\.sourceArn'/,
    ],
    [{ GrantTokens: Array.from({ length: 11 }, () => 'x') }, /at 'grantTokens' .* equal to 10/],
  ]
  for (const [input, text] of cases) {
    const { error, message } = await house.call('CreateGrant', { ...grant, ...input })
    assert.equal(error, 'ValidationException', JSON.stringify(input))
    assert.match(message ?? '', text)
  }
})
