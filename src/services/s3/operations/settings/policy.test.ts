import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account, House, otherAccount } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { refusal } from '../../testing/refusal.ts'

const query = { policy: '' }
const bucketArn = 'arn:aws:s3:::mine'
const objects = `${bucketArn}/*`
const policyOf = (...Statement: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement })
const base = {
  ...{ Effect: 'Allow', Principal: { AWS: account } },
  ...{ Action: 's3:GetObject', Resource: objects },
}

async function openHouse(t: Parameters<typeof House.open>[0]) {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  return {
    house,
    stored: () => house.tables.s3.get('mine')?.policy,
    put: (body: string, sending: S3Sending = {}) =>
      s3Call(house, 'PUT', '/mine', { query, body, ...sending }),
    refused: async (body: string) =>
      (await refusal(house, 'PUT', '/mine', { query, body })).slice(1),
    get: (sending: S3Sending = {}) => s3Call(house, 'GET', '/mine', { query, ...sending }),
    open: () => s3Ok(house, 'DELETE', '/mine', { query: { publicAccessBlock: '' } }),
  }
}

test('what is no policy of a bucket', async (t) => {
  const { refused, stored } = await openHouse(t)
  const noJson = "Policies must be valid JSON and the first byte must be '{'"
  const texts: readonly (readonly [string, string])[] = [
    ['', noJson],
    ['nonsense', noJson],
    [' {}', noJson],
    ['{"Version"', 'This policy contains invalid Json'],
    [`{"a":${'['.repeat(50_000)}`, 'This policy contains invalid Json'],
    ['{}', 'Missing required field Statement'],
    [policyOf(), 'Could not parse the policy: Statement is empty!'],
    [
      JSON.stringify({ Version: '2018-01-01', Statement: [base] }),
      'The policy must contain a valid version string',
    ],
    [policyOf({ ...base, Effect: undefined }), 'Missing required field Effect'],
    [policyOf({ ...base, Effect: 'allow' }), 'Invalid effect: allow'],
    [policyOf({ ...base, Action: undefined }), 'Missing required field Action'],
    [policyOf({ ...base, Resource: undefined }), 'Missing required field Resource'],
    [policyOf({ ...base, Principal: undefined }), 'Missing required field Principal'],
    [policyOf({ ...base, Action: null }), 'Invalid policy syntax.'],
    [policyOf({ ...base, Surprise: 1 }), 'Invalid policy syntax.'],
    [
      policyOf({ ...base, Sid: 'a' }, { ...base, Sid: 'a' }),
      'Statement IDs (SID) in a single policy must be unique.',
    ],
    [
      policyOf({ ...base, Condition: { stringEquals: { 'aws:x': 'y' } } }),
      'Invalid Condition type : stringEquals',
    ],
    [
      policyOf({ ...base, Condition: { StringEquals: { 's3:nothing': 'y' } } }),
      'Policy has an invalid condition key',
    ],
    [
      policyOf({ ...base, Condition: { StringEquals: { nothing: 'y' } } }),
      'Policy has an invalid condition key',
    ],
    [
      policyOf({ ...base, Condition: { IpAddress: { 'aws:SourceIp': 'here' } } }),
      'Invalid policy syntax.',
    ],
  ]
  for (const [text, said] of texts) {
    assert.deepEqual(await refused(text), ['MalformedPolicy', said], text.slice(0, 100))
  }
  assert.equal(stored(), undefined)
})

test('a policy of nobody, of no action, of another bucket', async (t) => {
  const { refused, put, house, stored } = await openHouse(t)
  const user = await house.addUser({ name: 'gone' })
  const principals: readonly unknown[] = [
    { AWS: `arn:aws:iam::${account}:user/nobody` },
    { AWS: '999999999999' },
    { AWS: 'gone' },
    { AWS: user.id },
    { AWS: `arn:aws:iam::${account}:user/*` },
    { CanonicalUser: 'a'.repeat(64) },
    { Federated: 'accounts.google.com' },
  ]
  for (const Principal of principals) {
    const said = await refused(policyOf({ ...base, Principal }))
    assert.deepEqual(
      said,
      ['MalformedPolicy', 'Invalid principal in policy'],
      JSON.stringify(Principal),
    )
  }
  const { text } = await put(policyOf({ ...base, Principal: principals[0] }))
  assert.match(text, /<Detail>&quot;AWS&quot; : &quot;arn:aws:iam::111122223333:user\/nobody/)
  const notAllowed = { ...base, Principal: undefined, NotPrincipal: { AWS: account } }
  assert.deepEqual(await refused(policyOf(notAllowed)), [
    ...['MalformedPolicy', 'Invalid policy syntax.'],
  ])
  for (const Action of [
    's3:Nothing',
    's3:Nothing*',
    'kms:Decrypt',
    'GetObject',
    's3:',
    's3:CreateJob',
  ]) {
    const said = await refused(policyOf({ ...base, Action }))
    assert.deepEqual(said, ['MalformedPolicy', 'Policy has invalid action'], Action)
  }
  const others = [
    ...['*', 'arn:aws:s3:::other/*', 'arn:aws:s3:::min', 'arn:aws:s3:::mine2', 'mine/*'],
    ...['arn:aws:s3:::', 'arn:aws:s3:::other*', `arn:aws:s3:::\${aws:username}/*`],
  ]
  for (const Resource of others) {
    const said = await refused(policyOf({ ...base, Resource }))
    assert.deepEqual(said, ['MalformedPolicy', 'Policy has invalid resource'], Resource)
    const inverted = { ...base, Resource: undefined, NotResource: Resource }
    assert.deepEqual(await refused(policyOf(inverted)), said)
  }
  for (const [Action, Resource] of [
    ['s3:GetObject', bucketArn],
    [['s3:ListBucket', 's3:PutObject'], objects],
    ['s3:PutBucket*', objects],
  ]) {
    assert.deepEqual(await refused(policyOf({ ...base, Action, Resource })), [
      ...['MalformedPolicy', 'Action does not apply to any resource(s) in statement'],
    ])
  }
  assert.equal(stored(), undefined)
})

test('the size is that of the policy without white space', async (t) => {
  const { put, refused, get } = await openHouse(t)
  const large = policyOf({ ...base, Resource: `${bucketArn}/${'x'.repeat(20_480)}` })
  const tooLarge = [
    'MalformedPolicy',
    'Normalized policy document exceeds the maximum allowed size of 20480 bytes',
  ]
  assert.deepEqual(await refused(large), tooLarge)
  assert.deepEqual(await refused(`{${' '.repeat(300_000)}${policyOf(base).slice(1)}`), tooLarge)
  const spacious = JSON.stringify(JSON.parse(policyOf(base)), undefined, 10).replaceAll(
    '\n',
    '\n'.repeat(3000),
  )
  assert.equal((await put(spacious)).status, 204)
  assert.ok((await get()).text === policyOf(base), 'what is kept is shorter')
})

test('a public policy is refused while that is blocked', async (t) => {
  const { house, put, open, stored } = await openHouse(t)
  const everybody = policyOf({ ...base, Principal: '*' })
  const { status, error, message } = await put(everybody)
  assert.deepEqual([status, error], [403, 'AccessDenied'])
  const because =
    'because public policies are prevented by the BlockPublicPolicy setting in S3 Block Public Access.'
  assert.equal(
    message?.replaceAll('&quot;', '"'),
    `User: arn:aws:iam::${account}:root is not authorized to perform: s3:PutBucketPolicy on resource: "${bucketArn}" ${because}`,
  )
  assert.equal(stored(), undefined)
  assert.equal(house.journal.events.at(-1)?.['errorCode'], 'AccessDenied')
  await open()
  assert.equal((await put(everybody)).status, 204)
  const state = await s3Ok(house, 'GET', '/mine', { query: { policyStatus: '' } })
  assert.match(state.text, /<PolicyStatus [^>]*><IsPublic>true<\/IsPublic><\/PolicyStatus>/)
  await put(policyOf(base))
  const closed = await s3Ok(house, 'GET', '/mine', { query: { policyStatus: '' } })
  assert.match(closed.text, /<IsPublic>false</)
})

test('the policy comes back as it was put, and goes', async (t) => {
  const { house, put, get, stored } = await openHouse(t)
  const user = await house.addUser({ name: 'reader', path: '/staff/' })
  const none = ['NoSuchBucketPolicy', 'The bucket policy does not exist']
  assert.deepEqual((await refusal(house, 'GET', '/mine', { query })).slice(1), none)
  const status = { query: { policyStatus: '' } }
  assert.deepEqual((await refusal(house, 'GET', '/mine', status)).slice(1), none)
  const text = policyOf({
    ...base,
    Sid: 'for a reader',
    Principal: { AWS: [user.arn, otherAccount] },
  })
  const headers = { 'x-amz-confirm-remove-self-bucket-access': 'true' }
  assert.equal((await put(text, { headers })).status, 204)
  assert.equal(stored(), text.replace(user.arn, user.id))
  const answer = await get()
  assert.equal(answer.text, text)
  assert.equal(answer.headers.get('content-type'), 'application/json')
  await house.removeIdentity(user.id)
  assert.equal((await get()).text, stored())
  for (let time = 0; time < 2; time++) {
    assert.equal((await s3Ok(house, 'DELETE', '/mine', { query })).status, 204)
  }
  assert.equal(stored(), undefined)
})

test('other accounts cannot have to do with the policy, whatever it says', async (t) => {
  const { house, put, open } = await openHouse(t)
  await open()
  const Action = ['s3:GetBucketPolicy', 's3:PutBucketPolicy', 's3:DeleteBucketPolicy']
  await put(policyOf({ ...base, Principal: { AWS: otherAccount }, Action, Resource: bucketArn }))
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const sending = { query, key: house.otherKey, body: method === 'PUT' ? policyOf(base) : '' }
    const { status, error, text } = await s3Call(house, method, '/mine', sending)
    assert.deepEqual([status, error], [405, 'MethodNotAllowed'], method)
    assert.match(text, new RegExp(`<Method>${method}</Method><ResourceType>BUCKETPOLICY<`))
  }
})

test('the root user is never locked out of the policy, and others are', async (t) => {
  const { house, put, get, open } = await openHouse(t)
  await open()
  const all = { Effect: 'Allow', Action: 's3:*', Resource: '*' }
  const admin = await house.addUser({
    name: 'admin',
    policies: [{ Version: '2012-10-17', Statement: all }],
  })
  const closed = policyOf({
    ...base,
    Effect: 'Deny',
    Principal: '*',
    Action: 's3:*',
    Resource: [bucketArn, objects],
  })
  assert.equal((await put(closed, { key: admin })).status, 204)
  assert.match(
    (await put(closed, { key: admin })).message ?? '',
    /explicit deny in a resource-based policy/,
  )
  assert.equal((await get({ key: admin })).status, 403)
  const other = await s3Call(house, 'GET', '/mine', { query: { versioning: '' } })
  assert.equal(other.status, 403)
  assert.equal((await get()).text, closed)
  assert.equal((await put(policyOf(base))).status, 204)
  assert.equal((await put(closed)).status, 204)
  assert.equal((await s3Ok(house, 'DELETE', '/mine', { query })).status, 204)
})

test('a policy lets in another account, and a public one does not where that is restricted', async (t) => {
  const { house, put, open } = await openHouse(t)
  await open()
  const ask = (key = house.otherKey) => s3Call(house, 'HEAD', '/mine', { key })
  assert.equal((await ask()).status, 403)
  const listing = { ...base, Action: 's3:ListBucket', Resource: bucketArn }
  await put(policyOf({ ...listing, Principal: { AWS: otherAccount } }))
  assert.equal((await ask()).status, 200)
  await put(policyOf({ ...listing, Principal: '*' }))
  assert.equal((await ask()).status, 200)
  const root = 'PublicAccessBlockConfiguration'
  const body = `<${root}><RestrictPublicBuckets>true</RestrictPublicBuckets></${root}>`
  await s3Ok(house, 'PUT', '/mine', { query: { publicAccessBlock: '' }, body })
  assert.equal((await ask()).status, 403)
  const clerk = await house.addUser({ name: 'clerk' })
  assert.equal((await ask(clerk)).status, 200)
})

test('the replaced texts are in the archive', async (t) => {
  const { house, put } = await openHouse(t)
  await put(policyOf(base))
  await put(policyOf({ ...base, Sid: 'second' }))
  assert.ok([...house.shared.archive.values()].some((text) => text === policyOf(base)))
})
