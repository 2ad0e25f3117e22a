import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as sdk from '@aws-sdk/client-iam'
import { account, House, otherAccount } from '../../testing/house.ts'
import { iam, refused } from '../../testing/query-calls.ts'
import { oidcOperations } from './operations/oidc-table.ts'

const url = 'https://accounts.example/team'
const arn = `arn:aws:iam::${account}:oidc-provider/accounts.example/team`
const named = { OpenIDConnectProviderArn: arn }
const print = (digit: string) => digit.repeat(40)
const create = (house: House, more: object = {}, sending = {}) =>
  iam(house, 'CreateOpenIDConnectProvider', { Url: url, ...more }, sending)
const refusedCreate = (house: House, more: object = {}, sending = {}) =>
  refused(house, 'CreateOpenIDConnectProvider', { Url: url, ...more }, sending)

test('URLs that are no issuer are refused', async (t) => {
  const house = await House.open(t)
  const text = '400 InvalidInput: Invalid Open ID Connect Provider URL'
  assert.equal(await refusedCreate(house, { Url: 'accounts.example' }), text)
  assert.equal(
    await refusedCreate(house, { Url: 'http://accounts.example' }),
    `${text}. The URL must begin with https://.`,
  )
  assert.equal(await refusedCreate(house, { Url: 'https://' }), text)
  for (const Url of [
    'https://accounts.example?a=b',
    'https://accounts.example/#',
    'https://accounts.example/?',
    'https://me:secret@accounts.example',
    'https://Accounts.example',
    'HTTPS://accounts.example',
    'https://accounts.example:443',
    'https://accounts.example/a/../b',
    'https://accounts.example//a',
    'https://accounts.example/a b',
    'https://accounts.example/*',
    'https://accounts.example/{a}',
    'https://[::1]/',
    'https://bücher.example',
    'https://2130706433/',
    ' https://accounts.example',
  ]) {
    assert.equal(await refusedCreate(house, { Url }), `${text}.`, Url)
  }
  assert.match(await refusedCreate(house, { Url: `https://${'a'.repeat(248)}` }), /^400 Validation/)
  assert.deepEqual(await iam(house, 'ListOpenIDConnectProviders'), {
    OpenIDConnectProviderList: '',
  })
})

test('URLs that are one: hosts, addresses, ports, paths, with a slash or without', async (t) => {
  const house = await House.open(t)
  for (const name of [
    'accounts.example',
    'accounts.example/',
    '127.0.0.1:8443',
    'localhost:8443/realms/one/',
    'oidc.eks.us-east-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E',
  ]) {
    assert.deepEqual(await create(house, { Url: `https://${name}` }), {
      OpenIDConnectProviderArn: `arn:aws:iam::${account}:oidc-provider/${name}`,
    })
  }
})

test('lists out of bounds are refused', async (t) => {
  const house = await House.open(t)
  const prints = [...'012345'].map(print)
  const tooMany = '400 InvalidInput: Thumbprint list must contain fewer than 5 entries.'
  assert.equal(await refusedCreate(house, { ThumbprintList: prints }), tooMany)
  for (const wrong of [print('g'), print(' ')]) {
    const text = await refusedCreate(house, { ThumbprintList: [wrong] })
    assert.equal(text, '400 InvalidInput: Invalid thumbprint')
  }
  assert.match(await refusedCreate(house, { ThumbprintList: ['ab'] }), /^400 ValidationError/)
  const ids = Array.from({ length: 101 }, (_, at) => `client-${at}`)
  const quota = '409 LimitExceeded: Cannot exceed quota for ClientIdsPerOpenIdConnectProvider: 100'
  assert.equal(await refusedCreate(house, { ClientIDList: ids }), quota)
  assert.match(await refusedCreate(house, { ClientIDList: [''] }), /^400 ValidationError/)
  assert.match(
    await refusedCreate(house, { ClientIDList: ['x'.repeat(256)] }),
    /^400 ValidationError/,
  )
  const Tags = [
    { Key: 'a', Value: '' },
    { Key: 'A', Value: '' },
  ]
  assert.match(await refusedCreate(house, { Tags }), /^400 InvalidInput: Duplicate tag keys/)

  await create(house, { ClientIDList: ids.slice(1), ThumbprintList: prints.slice(1) })
  const add = { ...named, ClientID: ids[0] }
  assert.equal(await refused(house, 'AddClientIDToOpenIDConnectProvider', add), quota)
  const replace = { ...named, ThumbprintList: prints }
  assert.equal(await refused(house, 'UpdateOpenIDConnectProviderThumbprint', replace), tooMany)
})

test('a provider from beginning to end, and what the record says', async (t) => {
  const house = await House.open(t)
  assert.deepEqual(
    await create(house, {
      ClientIDList: ['one', 'two', 'one'],
      ThumbprintList: [print('A'), print('a'), print('b')],
      Tags: [{ Key: 'team', Value: 'a' }],
    }),
    { OpenIDConnectProviderArn: arn, Tags: [{ Key: 'team', Value: 'a' }] },
  )
  assert.equal(
    await refusedCreate(house),
    `409 EntityAlreadyExists: Provider with url ${url} already exists.`,
  )
  assert.deepEqual(await iam(house, 'GetOpenIDConnectProvider', named), {
    Url: 'accounts.example/team',
    ClientIDList: ['one', 'two'],
    ThumbprintList: [print('a'), print('b')],
    CreateDate: '2026-05-06T07:08:09.123Z',
    Tags: [{ Key: 'team', Value: 'a' }],
  })
  await iam(house, 'UpdateOpenIDConnectProviderThumbprint', { ...named, ThumbprintList: '' })
  for (const ClientID of ['three', 'three']) {
    await iam(house, 'AddClientIDToOpenIDConnectProvider', { ...named, ClientID })
  }
  for (const ClientID of ['one', 'one']) {
    await iam(house, 'RemoveClientIDFromOpenIDConnectProvider', { ...named, ClientID })
  }
  const Tags = [
    { Key: 'TEAM', Value: 'b' },
    { Key: 'cost', Value: '7' },
  ]
  await iam(house, 'TagOpenIDConnectProvider', { ...named, Tags })
  const { ThumbprintList, ClientIDList } = await iam(house, 'GetOpenIDConnectProvider', named)
  assert.deepEqual(
    { ThumbprintList, ClientIDList },
    {
      ThumbprintList: '',
      ClientIDList: ['two', 'three'],
    },
  )
  const page = await iam(house, 'ListOpenIDConnectProviderTags', { ...named, MaxItems: 1 })
  assert.deepEqual(page['Tags'], [{ Key: 'cost', Value: '7' }])
  assert.equal(page['IsTruncated'], 'true')
  const rest = { ...named, Marker: page['Marker'] }
  assert.deepEqual(await iam(house, 'ListOpenIDConnectProviderTags', rest), {
    Tags: [{ Key: 'TEAM', Value: 'b' }],
    IsTruncated: 'false',
  })
  await iam(house, 'UntagOpenIDConnectProvider', { ...named, TagKeys: ['Team', 'none'] })
  const left = await iam(house, 'ListOpenIDConnectProviderTags', named)
  assert.deepEqual(left['Tags'], [{ Key: 'cost', Value: '7' }])
  assert.deepEqual(await iam(house, 'ListOpenIDConnectProviders'), {
    OpenIDConnectProviderList: [{ Arn: arn }],
  })
  await iam(house, 'DeleteOpenIDConnectProvider', named)
  await iam(house, 'DeleteOpenIDConnectProvider', named)
  const gone = `404 NoSuchEntity: OpenIDConnect Provider not found for arn ${arn}`
  assert.equal(await refused(house, 'GetOpenIDConnectProvider', named), gone)

  const [first] = house.journal.events
  assert.deepEqual(first?.requestParameters, {
    url,
    clientIDList: ['one', 'two', 'one'],
    thumbprintList: [print('A'), print('a'), print('b')],
    tags: [{ key: 'team', value: 'a' }],
  })
  assert.deepEqual(first?.resources, [
    { accountId: account, type: 'AWS::IAM::OIDCProvider', ARN: arn },
  ])
  const added = house.journal.events.find(({ eventName }) => /AddClientID/.test(eventName))
  assert.deepEqual(added?.requestParameters, {
    openIDConnectProviderArn: arn,
    clientID: 'three',
  })
})

test('what is not there, is of others, or is written otherwise, is not found', async (t) => {
  const house = await House.open(t)
  await create(house)
  const changes: readonly [operation: string, more: object][] = [
    ['GetOpenIDConnectProvider', {}],
    ['UpdateOpenIDConnectProviderThumbprint', { ThumbprintList: [print('a')] }],
    ['AddClientIDToOpenIDConnectProvider', { ClientID: 'one' }],
    ['RemoveClientIDFromOpenIDConnectProvider', { ClientID: 'one' }],
    ['TagOpenIDConnectProvider', { Tags: [{ Key: 'a', Value: '' }] }],
    ['UntagOpenIDConnectProvider', { TagKeys: ['a'] }],
    ['ListOpenIDConnectProviderTags', {}],
  ]
  for (const [operation, more] of changes) {
    for (const other of [`${arn}s`, arn.replace('team', 'Team')]) {
      const asked = { OpenIDConnectProviderArn: other, ...more }
      assert.match(await refused(house, operation, asked), /^404 NoSuchEntity: OpenIDConnect/)
    }
    const foreign = await refused(house, operation, { ...named, ...more }, { key: house.otherKey })
    assert.match(foreign, /^404 NoSuchEntity/, operation)
    const wrong = { OpenIDConnectProviderArn: `arn:aws:iam::${account}:role/accounts`, ...more }
    assert.match(await refused(house, operation, wrong), /^400 InvalidInput: Invalid ARN/)
  }
  await iam(house, 'DeleteOpenIDConnectProvider', named, { key: house.otherKey })
  assert.ok(await iam(house, 'GetOpenIDConnectProvider', named))
  const { OpenIDConnectProviderArn } = await create(house, {}, { key: house.otherKey })
  assert.equal(OpenIDConnectProviderArn, arn.replace(account, otherAccount))
})

test('a user needs each permission, on the provider and by its tags', async (t) => {
  const house = await House.open(t)
  const statement = (Action: unknown, more: object = {}) => ({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action, Resource: arn, ...more }],
  })
  const Tags = [{ Key: 'team', Value: 'a' }]
  const nobody = await house.addUser({ name: 'nobody' })
  const denied = (action: string, name: string) =>
    `403 AccessDenied: User: arn:aws:iam::${account}:user/${name} is not authorized to perform: iam:${action} on resource: ${arn} because no identity-based policy allows the iam:${action} action`
  assert.equal(
    await refusedCreate(house, {}, { key: nobody }),
    denied('CreateOpenIDConnectProvider', 'nobody'),
  )
  // Nobody learns without permission whether there is one.
  for (let time = 0; time < 2; time += 1) {
    const text = await refused(house, 'GetOpenIDConnectProvider', named, { key: nobody })
    assert.equal(text, denied('GetOpenIDConnectProvider', 'nobody'))
    if (time === 0) await create(house, { Tags })
  }
  await iam(house, 'DeleteOpenIDConnectProvider', named)
  const maker = await house.addUser({
    name: 'maker',
    policies: [statement('iam:CreateOpenIDConnectProvider')],
  })
  assert.equal(
    await refusedCreate(house, { Tags }, { key: maker }),
    denied('TagOpenIDConnectProvider', 'maker'),
  )
  await create(house, {}, { key: maker })
  const own = { StringEquals: { 'aws:ResourceTag/team': 'a' } }
  const tagged = await house.addUser({
    name: 'tagged',
    policies: [statement('iam:*OpenIDConnectProvider', { Condition: own })],
  })
  assert.match(
    await refused(house, 'GetOpenIDConnectProvider', named, { key: tagged }),
    /^403 AccessDenied/,
  )
  await iam(house, 'TagOpenIDConnectProvider', { ...named, Tags })
  assert.ok(await iam(house, 'GetOpenIDConnectProvider', named, { key: tagged }))
  assert.match(
    await refused(house, 'ListOpenIDConnectProviders', {}, { key: tagged }),
    /^403 AccessDenied/,
  )
})

test('two who make the same provider at once: one does', async (t) => {
  const house = await House.open(t)
  const made = await Promise.allSettled([1, 2, 3].map(() => create(house)))
  assert.equal(made.filter(({ status }) => status === 'fulfilled').length, 1)
})

test('an account has a hundred providers at most', async (t) => {
  const house = await House.open(t)
  for (let at = 0; at < 100; at += 1) await create(house, { Url: `https://p${at}.example` })
  assert.equal(
    await refusedCreate(house),
    '409 LimitExceeded: Cannot exceed quota for OpenIdConnectProvidersPerAccount: 100',
  )
})

test('members are those of AWS', () => {
  assert.equal(oidcOperations.length, 10)
  const shapes = sdk as unknown as Readonly<Record<string, readonly unknown[] | undefined>>
  for (const { name, input, output } of oidcOperations) {
    const asked = Object.keys(input.members).sort()
    assert.deepEqual(asked, [...((shapes[`${name}Request$`]?.[4] ?? []) as string[])].sort(), name)
    const answered = Object.keys(output?.members ?? {}).sort()
    const known = [...((shapes[`${name}Response$`]?.[4] ?? []) as string[])].sort()
    assert.deepEqual(answered, known, name)
  }
})
