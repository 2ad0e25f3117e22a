import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRegion, type Region } from '../../../../base/ids.ts'
import { systemRandom } from '../../../../base/random.ts'
import { MemoryObjectStore } from '../../../../objects/memory/store.ts'
import type { ObjectStore } from '../../../../objects/port.ts'
import { account, House, otherAccount } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { canonicalUserId } from '../../owner.ts'
import { refusal } from '../../testing/refusal.ts'

const ireland = parseRegion('eu-west-1') as Region
const virginia = parseRegion('us-east-1') as Region
const regions = [virginia, ireland]
const allow = (Action: string | readonly string[], Resource = '*') => ({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action, Resource },
})
const located = (constraint: string, more = '') =>
  `<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">` +
  `<LocationConstraint>${constraint}</LocationConstraint>${more}</CreateBucketConfiguration>`
const tagged = (...tags: readonly [string, string][]) =>
  `<CreateBucketConfiguration><Tags>${tags
    .map(([key, value]) => `<Tag><Key>${key}</Key><Value>${value}</Value></Tag>`)
    .join('')}</Tags></CreateBucketConfiguration>`

const put = (house: House, storeId: string) =>
  house.objects.put(storeId, 'key', {
    versioning: 'unversioned',
    data: (async function* () {})(),
    finish: () => ({
      ...{ etag: 'e', attributes: '{}', sidecar: Buffer.alloc(0), tagging: '' },
      ...{ segmentSidecar: Buffer.alloc(0), chunkTags: Buffer.alloc(0) },
    }),
  })

test('who may not make buckets', async (t) => {
  const house = await House.open(t, { regions })
  const clerk = await house.addUser({ name: 'clerk' })
  const one = await house.addUser({
    name: 'one',
    policies: [allow('s3:CreateBucket', 'arn:aws:s3:::mine-*')],
  })
  const because = 'because no identity-based policy allows the s3:CreateBucket action'
  const denied = `User: ${clerk.arn} is not authorized to perform: s3:CreateBucket on resource: arn:aws:s3:::new ${because}`
  assert.deepEqual(await refusal(house, 'PUT', '/new', { key: clerk }), [
    403,
    'AccessDenied',
    denied,
  ])
  assert.equal((await s3Call(house, 'PUT', '/other', { key: one })).status, 403)
  const tags = { key: one, body: tagged(['team', 'red']) }
  assert.match((await s3Call(house, 'PUT', '/mine-1', tags)).message ?? '', /s3:TagResource/)
  const headers = { 'x-amz-object-ownership': 'BucketOwnerEnforced' }
  const { message } = await s3Call(house, 'PUT', '/mine-1', { key: one, headers })
  assert.match(message ?? '', /s3:PutBucketOwnershipControls/)
  assert.equal((await s3Call(house, 'PUT', '/mine-1', { key: one })).status, 200)
  assert.deepEqual(
    [...house.tables.s3.rows.values(() => true)].map(({ name }) => name),
    ['mine-1'],
  )
})

test('names and places that a new bucket cannot have', async (t) => {
  const house = await House.open(t, { regions })
  const name = [400, 'InvalidBucketName', 'The specified bucket is not valid.']
  assert.deepEqual(await refusal(house, 'PUT', '/No'), name)
  const illegal = (what: string) => [
    ...[400, 'IllegalLocationConstraintException'],
    `The ${what} location constraint is incompatible for the region specific endpoint this request was sent to.`,
  ]
  const invalid = [
    ...[400, 'InvalidLocationConstraint', 'The specified location-constraint is not valid'],
  ]
  const there = { region: ireland }
  assert.deepEqual(await refusal(house, 'PUT', '/new', there), illegal('unspecified'))
  const elsewhere = { ...there, body: located('us-east-1') }
  assert.deepEqual(await refusal(house, 'PUT', '/new', elsewhere), illegal('us-east-1'))
  const abroad = { body: located('eu-west-1') }
  assert.deepEqual(await refusal(house, 'PUT', '/new', abroad), illegal('eu-west-1'))
  for (const constraint of ['us-east-1', 'mars-1', '']) {
    assert.deepEqual(await refusal(house, 'PUT', '/new', { body: located(constraint) }), invalid)
  }
  assert.equal(
    (await s3Call(house, 'PUT', '/new', { ...there, body: located('mars-1') })).error,
    invalid[1],
  )
  assert.equal((await s3Call(house, 'PUT', '/new', { body: '<Other/>' })).error, 'MalformedXML')
  assert.equal(house.tables.s3.get('new'), undefined)
})

test('what a new bucket cannot have', async (t) => {
  const house = await House.open(t, { regions })
  const withHeader = (name: string, value: string) =>
    refusal(house, 'PUT', '/new', { headers: { [name]: value } })
  const acl = [
    ...[400, 'InvalidBucketAclWithObjectOwnership'],
    "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
  ]
  assert.deepEqual(await withHeader('x-amz-acl', 'public-read'), acl)
  assert.deepEqual(await withHeader('x-amz-grant-read', 'id=1'), acl)
  const codeOf = async (name: string, value: string) => (await withHeader(name, value))[1]
  assert.equal(await codeOf('x-amz-bucket-object-lock-enabled', 'true'), 'NotImplemented')
  assert.equal(await codeOf('x-amz-object-ownership', 'ObjectWriter'), 'NotImplemented')
  assert.equal(await codeOf('x-amz-object-ownership', 'Nobody'), 'InvalidArgument')
  assert.equal(await codeOf('x-amz-bucket-namespace', 'account-regional'), 'NotImplemented')
  const directory =
    '<CreateBucketConfiguration><Bucket><Type>Directory</Type></Bucket></CreateBucketConfiguration>'
  assert.equal((await refusal(house, 'PUT', '/new', { body: directory }))[1], 'NotImplemented')
  const twice = { body: tagged(['a', '1'], ['a', '2']) }
  assert.equal((await refusal(house, 'PUT', '/new', twice))[1], 'InvalidTag')
  const many = Array.from({ length: 51 }, (_, at): [string, string] => [`k${at}`, 'v'])
  assert.deepEqual(await refusal(house, 'PUT', '/new', { body: tagged(...many) }), [
    ...[400, 'BadRequest', 'Bucket tag count cannot be greater than 50'],
  ])
  assert.equal(house.tables.s3.get('new'), undefined)
})

test('a name is taken once in the whole deployment', async (t) => {
  const house = await House.open(t, { regions })
  const { otherKey } = house
  await s3Ok(house, 'PUT', '/mine')
  await s3Ok(house, 'PUT', '/far', { region: ireland, body: located('EU') })
  const exists = await s3Call(house, 'PUT', '/mine', { key: otherKey })
  assert.deepEqual([exists.status, exists.error], [409, 'BucketAlreadyExists'])
  const own = await s3Call(house, 'PUT', '/far', { region: ireland, body: located('eu-west-1') })
  assert.deepEqual([own.status, own.error], [409, 'BucketAlreadyOwnedByYou'])
  assert.equal((await s3Call(house, 'PUT', '/far')).error, 'BucketAlreadyOwnedByYou')
  const before = house.tables.s3.get('mine')
  await s3Ok(house, 'PUT', '/mine', { body: tagged(['team', 'red']) })
  assert.equal(house.tables.s3.get('mine'), before)
})

test('a bucket is made closed, and with a place for its objects', async (t) => {
  const house = await House.open(t, { regions })
  const body = tagged(['team', 'red'])
  const { headers } = await s3Ok(house, 'PUT', '/new', {
    body,
    headers: { 'x-amz-acl': 'private' },
  })
  assert.equal(headers.get('location'), '/new')
  const bucket = house.tables.s3.get('new')
  assert.ok(bucket)
  const { storeId, ...rest } = bucket
  assert.match(storeId, /^[0-9a-f]{32}$/)
  assert.deepEqual(rest, {
    ...{ name: 'new', account, region: 'us-east-1', createdAt: house.clock.now() },
    publicAccessBlock: {
      ...{ blockPublicAcls: true, ignorePublicAcls: true },
      ...{ blockPublicPolicy: true, restrictPublicBuckets: true },
    },
    ownership: 'BucketOwnerEnforced',
    tags: [{ key: 'team', value: 'red' }],
  })
  await assert.rejects(house.objects.createBucket(storeId), { code: 'bucket-exists' })
})

test('an account has no more buckets than it may have', async (t) => {
  const house = await House.open(t)
  await house.mirror.commit([house.quotas.set('s3-buckets', undefined, 2)], [])
  await s3Ok(house, 'PUT', '/one')
  await s3Ok(house, 'PUT', '/two')
  assert.deepEqual(await refusal(house, 'PUT', '/three'), [
    ...[400, 'TooManyBuckets', 'You have attempted to create more buckets than allowed'],
  ])
  await s3Ok(house, 'PUT', '/three', { key: house.otherKey })
})

test('who may not delete, ask for or look at a bucket', async (t) => {
  const house = await House.open(t, { regions })
  await s3Ok(house, 'PUT', '/mine')
  const clerk = await house.addUser({ name: 'clerk' })
  for (const [method, query] of [
    ['DELETE', {}],
    ['HEAD', {}],
    ['GET', { location: '' }],
  ] as const) {
    const call = (sending: S3Sending) => s3Call(house, method, '/mine', { query, ...sending })
    const stranger = await call({ key: house.otherKey })
    assert.deepEqual([stranger.status, stranger.error], [403, 'AccessDenied'])
    assert.equal(stranger.message, 'Access Denied')
    assert.deepEqual([(await call({ key: clerk })).status], [403])
    const headers = { 'x-amz-expected-bucket-owner': otherAccount }
    assert.equal((await call({ headers })).error, 'AccessDenied')
    const none = await s3Call(house, method, '/none', { query })
    assert.deepEqual([none.status, none.error], [404, 'NoSuchBucket'])
    const abroad = await call({ region: ireland })
    assert.deepEqual([abroad.status, abroad.error], [400, 'AuthorizationHeaderMalformed'])
    assert.equal(abroad.headers.get('x-amz-bucket-region'), 'us-east-1')
  }
  assert.ok(house.tables.s3.get('mine'))
})

test('a bucket that has objects is not deleted', async (t) => {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  const { storeId = '' } = house.tables.s3.get('mine') ?? {}
  await put(house, storeId)
  assert.deepEqual(await refusal(house, 'DELETE', '/mine'), [
    ...[409, 'BucketNotEmpty', 'The bucket you tried to delete is not empty.'],
  ])
  await house.objects.delete(storeId, 'key', { versioning: 'unversioned' })
  const { status, text } = await s3Ok(house, 'DELETE', '/mine')
  assert.deepEqual([status, text], [204, ''])
  assert.equal(house.tables.s3.get('mine'), undefined)
  await assert.rejects(house.objects.deleteBucket(storeId), { code: 'no-such-bucket' })
})

test('a deletion that broke off is done by the next one, or undone by making the bucket again', async (t) => {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  const { storeId = '' } = house.tables.s3.get('mine') ?? {}
  await house.objects.deleteBucket(storeId)
  await s3Ok(house, 'PUT', '/mine')
  await put(house, storeId)
  await house.objects.delete(storeId, 'key', { versioning: 'unversioned' })
  await house.objects.deleteBucket(storeId)
  await s3Ok(house, 'DELETE', '/mine')
  assert.equal(house.tables.s3.get('mine'), undefined)
})

test('a bucket that is made again while it is being deleted is there, whoever comes first', async (t) => {
  const clock = { now: () => Date.UTC(2026, 4, 6) }
  const objects = new MemoryObjectStore(clock, systemRandom)
  const house = await House.open(t, { objects })
  await s3Ok(house, 'PUT', '/mine')
  const before = house.tables.s3.get('mine')
  assert.ok(before)
  // The deletion has removed the place, and removes the row once the place is there again.
  await objects.deleteBucket(before.storeId)
  const create = objects.createBucket.bind(objects)
  objects.createBucket = async (bucket) => {
    await create(bucket)
    if (house.tables.s3.get('mine') !== before) return
    await house.mirror.commit([house.tables.s3.remove(before)], [])
  }
  await s3Ok(house, 'PUT', '/mine')
  assert.notEqual(house.tables.s3.get('mine')?.storeId ?? before.storeId, before.storeId)
  await s3Ok(house, 'PUT', '/mine/key', { body: 'text' })
})

test('who makes a bucket of a name that was free again finds nothing of the former one', async (t) => {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/mine')
  const headers = {
    'x-amz-server-side-encryption': 'aws:kms',
    'x-amz-server-side-encryption-bucket-key-enabled': 'true',
  }
  const { text } = await s3Ok(house, 'POST', '/mine/key', { query: { uploads: '' }, headers })
  const uploadId = /<UploadId>(.*)<\/UploadId>/.exec(text)?.[1] ?? ''
  const part = { query: { uploadId, partNumber: '1' }, body: 'text' }
  await s3Ok(house, 'PUT', '/mine/key', part)
  await s3Ok(house, 'PUT', '/mine', {
    query: { tagging: '' },
    body: '<Tagging><TagSet/></Tagging>',
  })
  const policy = { ...allow('s3:*', 'arn:aws:s3:::mine/*') }
  const Statement = { ...policy.Statement, Principal: { AWS: account } }
  const body = JSON.stringify({ ...policy, Statement })
  await s3Ok(house, 'PUT', '/mine', { query: { policy: '' }, body })
  await s3Ok(house, 'DELETE', '/mine')
  const key = house.otherKey
  await s3Ok(house, 'PUT', '/mine', { key })
  const query = { uploadId }
  for (const [method, sending] of [
    ['GET', { query }],
    ['PUT', part],
    ['DELETE', { query }],
  ] as const) {
    const { error } = await s3Call(house, method, '/mine/key', { ...sending, key })
    assert.equal(error, 'NoSuchUpload', method)
    // Nor has who had it.
    assert.equal((await s3Call(house, method, '/mine/key', sending)).error, 'AccessDenied', method)
  }
  const uploads = await s3Ok(house, 'GET', '/mine', { query: { uploads: '' }, key })
  assert.doesNotMatch(uploads.text, /<Upload>/)
  const found = await s3Call(house, 'GET', '/mine', { query: { policy: '' }, key })
  assert.equal(found.error, 'NoSuchBucketPolicy')
})

test('a bucket has no row before it has a place', async (t) => {
  const failing = { createBucket: () => Promise.reject(new Error('the disk is full')) }
  const house = await House.open(t, { objects: failing as unknown as ObjectStore })
  const { status, error } = await s3Call(house, 'PUT', '/mine')
  assert.deepEqual([status, error], [500, 'InternalError'])
  assert.equal(house.tables.s3.get('mine'), undefined)
})

test('two who make the same bucket at once: one has it', async (t) => {
  const house = await House.open(t)
  const keys = [house.key, house.otherKey]
  const answers = await Promise.all(keys.map((key) => s3Call(house, 'PUT', '/mine', { key })))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409])
  assert.equal(answers.find(({ status }) => status === 409)?.error, 'BucketAlreadyExists')
})

test('where a bucket is', async (t) => {
  const house = await House.open(t, { regions })
  await s3Ok(house, 'PUT', '/mine')
  await s3Ok(house, 'PUT', '/far', { region: ireland, body: located('eu-west-1') })
  const located_ = async (path: string, region: Region) =>
    (await s3Ok(house, 'GET', path, { query: { location: '' }, region })).text
  const xmlns = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
  assert.match(await located_('/mine', virginia), new RegExp(`<LocationConstraint ${xmlns}></`))
  assert.match(await located_('/far', ireland), new RegExp(`${xmlns}>eu-west-1</`))
  assert.match(await located_('/far', virginia), new RegExp(`${xmlns}>eu-west-1</`))
  const { headers, text } = await s3Ok(house, 'HEAD', '/far', { region: ireland })
  assert.equal(headers.get('x-amz-bucket-region'), 'eu-west-1')
  assert.equal(headers.get('x-amz-access-point-alias'), 'false')
  assert.equal(text, '')
})

test('who may not list, and pages that there are not', async (t) => {
  const house = await House.open(t)
  const clerk = await house.addUser({ name: 'clerk' })
  const denied = await s3Call(house, 'GET', '/', { key: clerk })
  assert.deepEqual([denied.status, denied.error], [403, 'AccessDenied'])
  assert.match(denied.message ?? '', /s3:ListAllMyBuckets/)
  for (const count of ['0', '10001', '-1', 'x', '1e3']) {
    const { error } = await s3Call(house, 'GET', '/', { query: { 'max-buckets': count } })
    assert.equal(error, 'InvalidArgument', count)
  }
  const query = { 'continuation-token': 'no token!' }
  assert.deepEqual(await refusal(house, 'GET', '/', { query }), [
    ...[400, 'InvalidArgument', 'The continuation token provided is incorrect'],
  ])
})

test('an account lists its own buckets, of all Regions, in pages', async (t) => {
  const house = await House.open(t, { regions })
  for (const name of ['b-two', 'a-one', 'c-three']) await s3Ok(house, 'PUT', `/${name}`)
  await s3Ok(house, 'PUT', '/b-far', { region: ireland, body: located('eu-west-1') })
  await s3Ok(house, 'PUT', '/b-other', { key: house.otherKey })
  const list = async (query: Record<string, string> = {}, sending: S3Sending = {}) => {
    const { text } = await s3Ok(house, 'GET', '/', { query, ...sending })
    const names = [...text.matchAll(/<Name>([^<]*)</g)].map(([, name]) => name)
    const [, token] = /<ContinuationToken>([^<]*)</.exec(text) ?? []
    return { text, names, token }
  }
  const all = await list()
  assert.deepEqual(all.names, ['a-one', 'b-far', 'b-two', 'c-three'])
  assert.match(all.text, new RegExp(`<Owner><ID>${canonicalUserId(account)}</ID></Owner>`))
  assert.match(all.text, /<CreationDate>2026-05-06T07:08:09.123Z<\/CreationDate><\/Bucket>/)
  assert.equal(all.token, undefined)
  const reader = await house.addUser({
    name: 'reader',
    policies: [allow('s3:ListAllMyBuckets', 'arn:aws:s3:::*')],
  })
  assert.deepEqual((await list({}, { key: reader })).names, all.names)
  assert.deepEqual((await list({ prefix: 'b-' })).names, ['b-far', 'b-two'])
  const far = await list({ 'bucket-region': 'eu-west-1' }, { region: ireland })
  assert.deepEqual(far.names, ['b-far'])
  assert.match(far.text, /<BucketRegion>eu-west-1</)
  const first = await list({ 'max-buckets': '3' })
  assert.deepEqual(first.names, ['a-one', 'b-far', 'b-two'])
  const second = await list({ 'max-buckets': '3', 'continuation-token': first.token ?? '' })
  assert.deepEqual([second.names, second.token], [['c-three'], undefined])
})
