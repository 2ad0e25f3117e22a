import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { deleteMany, openWithBucket } from '../../testing/objects.ts'

const query = { delete: '' }

describe('many objects are not deleted', () => {
  const refused: readonly [string, string, string][] = [
    ['none of them', '<Delete/>', 'MalformedXML'],
    ['one with no name', '<Delete><Object/></Delete>', 'MalformedXML'],
    [
      'more than 1000',
      `<Delete>${'<Object><Key>a</Key></Object>'.repeat(1001)}</Delete>`,
      'MalformedXML',
    ],
    ['one without a name', '<Delete><Object><Key/></Object></Delete>', 'MalformedXML'],
    [
      'with what nobody knows',
      '<Delete><Object><Key>a</Key><X/></Object></Delete>',
      'MalformedXML',
    ],
    ['that is no XML', '<Delete>', 'MalformedXML'],
  ]
  for (const [name, body, code] of refused) {
    test(`${name}: ${code}`, async (t) => {
      const house = await openWithBucket(t)
      await s3Ok(house, 'PUT', '/bucket/a')
      const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
      const { error, status } = await s3Call(house, 'POST', '/bucket', { query, body, headers })
      assert.deepEqual([error, status], [code, 400])
      await s3Ok(house, 'GET', '/bucket/a')
    })
  }

  test('without a digest of the list, or with another one', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/a')
    const body = '<Delete><Object><Key>a</Key></Object></Delete>'
    const none = await s3Call(house, 'POST', '/bucket', { query, body })
    assert.equal(none.error, 'InvalidRequest')
    assert.match(none.message ?? '', /^Missing required header for this request: Content-MD5/)
    const headers = { 'content-md5': createHash('md5').update('other').digest('base64') }
    const other = await s3Call(house, 'POST', '/bucket', { query, body, headers })
    assert.equal(other.error, 'BadDigest')
    const crc = { 'x-amz-checksum-crc32': 'AAAAAA==' }
    const wrong = await s3Call(house, 'POST', '/bucket', { query, body, headers: crc })
    assert.equal(wrong.error, 'BadDigest')
    await s3Ok(house, 'GET', '/bucket/a')
  })
})

describe('many objects are deleted', () => {
  test('a thousand of them, with a record each', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/k0999', { body: 'a' })
    const objects = Array.from({ length: 1000 }, (_, at) => ({
      key: `k${String(at).padStart(4, '0')}`,
    }))
    const answer = await deleteMany(house, objects)
    assert.equal(answer.text.match(/<Deleted>/g)?.length, 1000)
    const records = house.journal.events.filter(({ requestID }) => requestID === answer.requestId)
    const names = records.slice(1).map(({ requestParameters }) => {
      return (requestParameters as Record<string, unknown>)['key']
    })
    assert.deepEqual(
      names,
      objects.map(({ key }) => key),
    )
    assert.equal(new Set(records.map(({ eventID }) => eventID)).size, 1001)
    assert.equal((await s3Call(house, 'GET', '/bucket/k0999')).error, 'NoSuchKey')
  })

  test('and only failures told of, where nobody wants more', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/a', { body: 'a' })
    await s3Ok(house, 'PUT', '/bucket/b', { body: 'b' })
    const objects = [{ key: 'a' }, { key: 'b', etag: '"abc"' }, { key: 'c', versionId: 'a b' }]
    const { text } = await deleteMany(house, objects, { quiet: true })
    assert.doesNotMatch(text, /<Deleted>/)
    assert.match(text, /<Error><Key>b<\/Key><Code>PreconditionFailed</)
    assert.match(text, /<Error><Key>c<\/Key><VersionId>a b<\/VersionId><Code>InvalidArgument</)
    assert.equal((await s3Call(house, 'GET', '/bucket/a')).error, 'NoSuchKey')
    await s3Ok(house, 'GET', '/bucket/b')
  })

  test('behind markers, and then for good', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const { headers } = await s3Ok(house, 'PUT', '/bucket/a', { body: 'a' })
    const first = headers.get('x-amz-version-id') ?? ''
    const hidden = await deleteMany(house, [{ key: 'a' }])
    const [, marker = ''] = /<DeleteMarkerVersionId>([^<]+)</.exec(hidden.text) ?? []
    assert.match(hidden.text, /<DeleteMarker>true<\/DeleteMarker>/)
    const back = await deleteMany(house, [{ key: 'a', versionId: marker }])
    assert.match(back.text, new RegExp(`<VersionId>${marker}</VersionId><DeleteMarker>true<`))
    assert.equal((await s3Ok(house, 'GET', '/bucket/a')).text, 'a')
    const gone = await deleteMany(house, [{ key: 'a', versionId: first }])
    assert.doesNotMatch(gone.text, /DeleteMarker/)
    assert.equal((await s3Call(house, 'GET', '/bucket/a')).error, 'NoSuchKey')
    assert.deepEqual(house.journal.events.at(-2)?.responseElements, { 'x-amz-version-id': first })
  })
})

describe('one object is deleted', () => {
  test('or was not there, or is not the one that is meant', async (t) => {
    const house = await openWithBucket(t)
    const absent = await s3Ok(house, 'DELETE', '/bucket/key')
    assert.deepEqual([absent.status, absent.text], [204, ''])
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'a' })
    const headers = { 'if-match': '"abc"' }
    const other = await s3Call(house, 'DELETE', '/bucket/key', { headers })
    assert.deepEqual([other.error, other.status], ['PreconditionFailed', 412])
    await s3Ok(house, 'DELETE', '/bucket/key', { headers: { 'if-match': '*' } })
    assert.equal((await s3Call(house, 'GET', '/bucket/key')).error, 'NoSuchKey')
  })

  test('behind a marker, which can be deleted', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'a' })
    const { headers } = await s3Ok(house, 'DELETE', '/bucket/key')
    assert.equal(headers.get('x-amz-delete-marker'), 'true')
    const versionId = headers.get('x-amz-version-id') ?? ''
    assert.deepEqual(house.journal.events.at(-1)?.responseElements, {
      'x-amz-version-id': versionId,
      'x-amz-delete-marker': true,
    })
    const again = await s3Ok(house, 'DELETE', '/bucket/key', { query: { versionId } })
    assert.equal(again.headers.get('x-amz-delete-marker'), 'true')
    assert.equal(again.headers.get('x-amz-version-id'), versionId)
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'a')
  })
})
