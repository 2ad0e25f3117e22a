import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { House } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { deleteMany, openWithBucket } from '../../testing/objects.ts'

type Statement = Readonly<Record<string, unknown>>
const allow = (Action: string | readonly string[], more: Statement = {}): Statement => ({
  ...{ Effect: 'Allow', Action, Resource: '*' },
  ...more,
})

/** Somebody with these statements. */
function person(house: House, name: string, ...Statement: readonly Statement[]) {
  return house.addUser({ name, policies: [{ Version: '2012-10-17', Statement }] })
}

const code = async (house: House, method: string, path: string, sending: S3Sending) => {
  const { error, status } = await s3Call(house, method, path, sending)
  return error ?? status
}

describe('a key that is not there', () => {
  test('is not found by those who may list, and refused to others', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    await s3Ok(house, 'PUT', '/bucket/deleted', { body: 'hello' })
    await s3Ok(house, 'DELETE', '/bucket/deleted')
    const actions = ['s3:GetObject*', 's3:PutObject*', 's3:DeleteObject*']
    const ann = await person(house, 'ann', allow(actions))
    const bob = await person(house, 'bob', allow([...actions, 's3:ListBucket']))
    const requests: readonly [string, S3Sending][] = [
      ['GET', {}],
      ['HEAD', {}],
      ['GET', { query: { tagging: '' } }],
      ['DELETE', { query: { tagging: '' } }],
      ['GET', { query: { acl: '' } }],
      ['GET', { query: { attributes: '' }, headers: { 'x-amz-object-attributes': 'ETag' } }],
      ['PUT', { body: 'a', headers: { 'if-match': '"abc"' } }],
      ['DELETE', { headers: { 'if-match': '"abc"' } }],
    ]
    for (const path of ['/bucket/absent', '/bucket/deleted']) {
      for (const [method, sending] of requests) {
        const shown = `${method} ${path} ${JSON.stringify(sending)}`
        assert.equal(
          await code(house, method, path, { ...sending, key: ann }),
          'AccessDenied',
          shown,
        )
        assert.equal(await code(house, method, path, { ...sending, key: bob }), 'NoSuchKey', shown)
      }
    }
    const { message, headers } = await s3Call(house, 'GET', '/bucket/deleted', { key: ann })
    assert.match(
      message ?? '',
      /not authorized to perform: s3:ListBucket on resource: arn:aws:s3:::bucket /,
    )
    assert.equal(headers.get('x-amz-delete-marker'), undefined)
    const version = { query: { versionId: 'abc' } }
    assert.equal(
      await code(house, 'GET', '/bucket/absent', { ...version, key: ann }),
      'AccessDenied',
    )
    assert.equal(
      await code(house, 'GET', '/bucket/absent', { ...version, key: bob }),
      'NoSuchVersion',
    )
  })
})

describe('a permission', () => {
  test('of a version is another one than of the latest', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
    const query = { versionId: headers.get('x-amz-version-id') ?? '' }
    const ann = await person(house, 'ann', allow(['s3:GetObject', 's3:DeleteObject']))
    const bob = await person(house, 'bob', allow(['s3:GetObjectVersion', 's3:DeleteObjectVersion']))
    assert.equal(await code(house, 'GET', '/bucket/key', { key: ann }), 200)
    assert.equal(await code(house, 'GET', '/bucket/key', { key: ann, query }), 'AccessDenied')
    assert.equal(await code(house, 'DELETE', '/bucket/key', { key: ann, query }), 'AccessDenied')
    assert.equal(await code(house, 'GET', '/bucket/key', { key: bob }), 'AccessDenied')
    assert.equal(await code(house, 'GET', '/bucket/key', { key: bob, query }), 200)
    assert.equal(await code(house, 'DELETE', '/bucket/key', { key: bob, query }), 204)
  })

  test('to put is not one to tag or to compare, but takes ACLs that change nothing', async (t) => {
    const house = await openWithBucket(t)
    const key = await person(house, 'ann', allow('s3:PutObject'))
    const body = 'hello'
    const put = (headers: Readonly<Record<string, string>>) =>
      code(house, 'PUT', '/bucket/key', { key, body, headers })
    assert.equal(await put({}), 200)
    assert.equal(await put({ 'x-amz-tagging': 'a=b' }), 'AccessDenied')
    assert.equal(await put({ 'x-amz-acl': 'private' }), 200)
    assert.equal(await put({ 'if-match': '"abc"' }), 'AccessDenied')
    assert.equal(await put({ 'if-none-match': '*' }), 'PreconditionFailed')
  })

  test('can depend on what the request brings', async (t) => {
    const house = await openWithBucket(t)
    const key = await person(
      house,
      'ann',
      allow(['s3:PutObject', 's3:PutObjectTagging'], {
        Condition: { StringEquals: { 's3:RequestObjectTag/team': 'red' } },
      }),
    )
    const put = (tags: string) =>
      code(house, 'PUT', '/bucket/key', { key, body: 'a', headers: { 'x-amz-tagging': tags } })
    assert.equal(await put('team=red'), 200)
    assert.equal(await put('team=blue'), 'AccessDenied')
    assert.equal(await code(house, 'PUT', '/bucket/key', { key, body: 'a' }), 'AccessDenied')
    const required = await person(house, 'bob', allow('s3:*'), {
      ...allow('s3:PutObject', { Effect: 'Deny' }),
      Condition: { StringNotEquals: { 's3:x-amz-server-side-encryption': 'aws:kms' } },
    })
    assert.equal(
      await code(house, 'PUT', '/bucket/key', { key: required, body: 'a' }),
      'AccessDenied',
    )
  })

  test('can depend on the tags that an object has, which are looked at then alone', async (t) => {
    const house = await openWithBucket(t)
    let heads = 0
    const { objects } = house
    const head = objects.head.bind(objects)
    objects.head = (...named) => {
      heads += 1
      return head(...named)
    }
    for (const team of ['red', 'blue']) {
      const headers = { 'x-amz-tagging': `team=${team}` }
      await s3Ok(house, 'PUT', `/bucket/${team}`, { body: team, headers })
    }
    await s3Ok(house, 'GET', '/bucket/red')
    assert.equal(heads, 0)
    const Condition = { StringEquals: { 's3:ExistingObjectTag/team': 'red' } }
    const key = await person(
      house,
      'ann',
      allow(['s3:GetObject*', 's3:PutObjectTagging'], { Condition }),
    )
    assert.equal(await code(house, 'GET', '/bucket/red', { key }), 200)
    assert.equal(heads, 1)
    assert.equal(await code(house, 'GET', '/bucket/blue', { key }), 'AccessDenied')
    assert.equal(await code(house, 'GET', '/bucket/absent', { key }), 'AccessDenied')
    const query = { tagging: '' }
    assert.equal(await code(house, 'GET', '/bucket/red', { key, query }), 200)
    const body = '<Tagging><TagSet/></Tagging>'
    assert.equal(await code(house, 'PUT', '/bucket/blue', { key, query, body }), 'AccessDenied')
    assert.equal(await code(house, 'PUT', '/bucket/red', { key, query, body }), 200)
    assert.equal(await code(house, 'GET', '/bucket/red', { key }), 'AccessDenied')
  })

  test('to read tags is one to learn how many there are', async (t) => {
    const house = await openWithBucket(t)
    const headers = { 'x-amz-tagging': 'a=b&c=d' }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'a', headers })
    const Condition = { StringEquals: { 's3:ExistingObjectTag/a': 'b' } }
    const ann = await person(house, 'ann', allow('s3:GetObject'))
    const bob = await person(
      house,
      'bob',
      allow('s3:GetObject'),
      allow('s3:GetObjectTagging', { Condition }),
    )
    for (const [key, count] of [
      [ann, undefined],
      [bob, '2'],
    ] as const) {
      const answer = await s3Ok(house, 'GET', '/bucket/key', { key })
      assert.equal(answer.headers.get('x-amz-tagging-count'), count)
    }
  })

  test('that depended on tags is not used on others', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'open', headers: { 'x-amz-tagging': 'a=b' } })
    const Condition = { StringEquals: { 's3:ExistingObjectTag/a': 'b' } }
    const key = await person(house, 'ann', allow('s3:GetObject', { Condition }))
    const { objects } = house
    const head = objects.head.bind(objects)
    objects.head = async (...named) => {
      const version = await head(...named)
      objects.head = head
      await s3Ok(house, 'PUT', '/bucket/key', { body: 'closed' })
      return version
    }
    const { error, status } = await s3Call(house, 'GET', '/bucket/key', { key })
    assert.deepEqual([error, status], ['OperationAborted', 409])
  })

  test('to delete is asked for each key of many', async (t) => {
    const house = await openWithBucket(t)
    for (const path of ['/bucket/mine/1', '/bucket/theirs/1']) await s3Ok(house, 'PUT', path)
    const key = await person(
      house,
      'ann',
      allow('s3:DeleteObject', { Resource: 'arn:aws:s3:::bucket/mine/*' }),
    )
    const answer = await deleteMany(house, [{ key: 'theirs/1' }, { key: 'mine/1' }], { key })
    assert.equal(answer.status, 200)
    assert.match(answer.text, /<Deleted><Key>mine\/1<\/Key><\/Deleted>/)
    assert.match(answer.text, /<Error><Key>theirs\/1<\/Key><Code>AccessDenied<\/Code>/)
    assert.equal(await code(house, 'GET', '/bucket/theirs/1', {}), 200)
    assert.equal(await code(house, 'GET', '/bucket/mine/1', {}), 'NoSuchKey')
    const [call, first, second] = house.journal.events.filter(
      ({ requestID }) => requestID === answer.requestId,
    )
    assert.equal(call?.eventName, 'DeleteObjects')
    assert.deepEqual(call?.responseElements, { deletedCount: 1, errorCount: 1 })
    for (const [event, name, errorCode, allowed] of [
      [first, 'theirs/1', 'AccessDenied', false],
      [second, 'mine/1', undefined, true],
    ] as const) {
      assert.equal(event?.eventName, 'DeleteObject')
      assert.equal(event?.errorCode, errorCode)
      const parameters = event?.requestParameters as Record<string, unknown>
      assert.equal(parameters['key'], name)
      const additional = event?.additionalEventData as
        | { authorization: readonly { resource: string; allowed: boolean }[] }
        | undefined
      assert.deepEqual(
        additional?.authorization.map((each) => [each.resource, each.allowed]),
        [[`arn:aws:s3:::bucket/${name}`, allowed]],
      )
    }
  })
})
