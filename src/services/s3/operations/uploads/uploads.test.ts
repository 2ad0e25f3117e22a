import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { otherAccount } from '../../../../testing/house.ts'
import { s3Call, s3Ok, streamOf } from '../../../../testing/s3-calls.ts'
import { openWithBucket } from '../../testing/objects.ts'
import { refusal } from '../../testing/refusal.ts'
import {
  begin,
  complete,
  completeOk,
  completion,
  elementOf,
  elementsOf,
  fullPart,
  multipartMd5,
  partBytes,
  putPart,
  sendPart,
} from '../../testing/uploads.ts'

const path = '/bucket/dir/object'
const etag = '"00000000000000000000000000000000"'

describe('what is refused of', () => {
  test('a part: numbers, uploads, sizes, digests', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path)
    for (const number of ['0', '10001', '-1', 'x', '1.5', '']) {
      const answer = await sendPart(house, path, id, number, 'x')
      assert.equal(answer.error, 'InvalidArgument', number)
      assert.equal(answer.message, 'Part number must be an integer between 1 and 10000, inclusive')
      assert.equal(elementOf(answer, 'ArgumentName'), 'partNumber')
    }
    for (const [wrongPath, wrongId] of [
      [path, 'nonsense'],
      [path, ''],
      [path, 'x'.repeat(3000)],
      ['/bucket/dir/other', id],
    ] as const) {
      const answer = await sendPart(house, wrongPath, wrongId, 1, 'x')
      assert.deepEqual([answer.status, answer.error], [404, 'NoSuchUpload'])
    }
    const wrong = createHash('md5').update('y').digest('base64')
    const digest = await sendPart(house, path, id, 1, 'x', { headers: { 'content-md5': wrong } })
    assert.equal(digest.error, 'BadDigest')
    const query = { partNumber: '1', uploadId: id }
    const stream = { ...streamOf(Buffer.from('x')), length: 5 * 1024 ** 3 + 1 }
    const large = await s3Call(house, 'PUT', path, { query, body: stream })
    assert.deepEqual([large.status, large.error], [400, 'EntityTooLarge'])
    assert.equal(elementOf(large, 'MaxSizeAllowed'), '5368709120')
    const listed = await s3Ok(house, 'GET', path, { query: { uploadId: id } })
    assert.deepEqual(elementsOf(listed, 'PartNumber'), [])
  })

  test('a completion: what is no list, other parts, another order, parts too small', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path)
    const one = await putPart(house, path, id, 1, 'small')
    const two = await putPart(house, path, id, 2, 'smaller')
    const post = (body: string) => refusal(house, 'POST', path, { query: { uploadId: id }, body })
    const nothing = [400, 'InvalidRequest', 'You must specify at least one part']
    assert.deepEqual(await post(''), nothing)
    assert.deepEqual(await post('<CompleteMultipartUpload/>'), nothing)
    const malformed = [
      '<Other/>',
      'text',
      '<CompleteMultipartUpload><Part/>',
      `${completion([one])}x`,
    ]
    for (const body of malformed) assert.equal((await post(body))[1], 'MalformedXML', body)
    const zero = await complete(house, path, id, [{ number: 0, etag }])
    assert.deepEqual([zero.error, zero.message], ['InvalidArgument', 'PartNumber must be &gt;= 1'])
    const order = await complete(house, path, id, [two, one])
    assert.deepEqual([order.status, order.error], [400, 'InvalidPartOrder'])
    assert.equal((await complete(house, path, id, [one, one])).error, 'InvalidPartOrder')
    const absent = await complete(house, path, id, [one, { number: 3, etag }])
    assert.deepEqual([absent.status, absent.error], [400, 'InvalidPart'])
    assert.deepEqual(
      ['UploadId', 'PartNumber', 'ETag'].map((name) => elementOf(absent, name)),
      [id, '3', etag.slice(1, -1)],
    )
    assert.equal((await complete(house, path, id, [{ number: 1, etag }])).error, 'InvalidPart')
    const small = await complete(house, path, id, [one, two])
    assert.deepEqual([small.status, small.error], [400, 'EntityTooSmall'])
    assert.deepEqual(
      ['ProposedSize', 'MinSizeAllowed', 'PartNumber', 'ETag'].map((name) =>
        elementOf(small, name),
      ),
      ['5', '5242880', '1', one.etag.slice(1, -1)],
    )
    const size = { headers: { 'x-amz-mp-object-size': '6' } }
    const other = await complete(house, path, id, [one], size)
    assert.deepEqual(
      [other.error, other.message?.replaceAll('&apos;', "'")],
      [
        'InvalidRequest',
        "The provided 'x-amz-mp-object-size' header value 6 does not match what was computed: 5",
      ],
    )
    for (const value of ['-1', 'x']) {
      const headers = { 'x-amz-mp-object-size': value }
      assert.equal((await complete(house, path, id, [one], { headers })).error, 'InvalidRequest')
    }
    assert.equal((await complete(house, '/bucket/else', id, [one])).error, 'NoSuchUpload')
    assert.equal((await s3Call(house, 'HEAD', path)).status, 404)
    await completeOk(house, path, id, [one])
  })

  test('its beginning: ACLs, storage classes, tags, metadata, checksums, what nobody knows', async (t) => {
    const house = await openWithBucket(t)
    const cases: readonly [string, string, string][] = [
      ['x-amz-acl', 'public-read', 'AccessControlListNotSupported'],
      ['x-amz-grant-read', 'id=x', 'AccessControlListNotSupported'],
      ['x-amz-storage-class', 'GLACIER', 'InvalidStorageClass'],
      ['x-amz-tagging', 'aws:a=b', 'InvalidTag'],
      ['x-amz-meta-a', 'x'.repeat(3000), 'MetadataTooLarge'],
      ['x-amz-server-side-encryption', 'rot13', 'InvalidArgument'],
      ['x-amz-checksum-algorithm', 'CRC16', 'InvalidRequest'],
      ['x-amz-checksum-type', 'COMPOSITE', 'InvalidRequest'],
      ['x-amz-website-redirect-location', '/else', 'NotImplemented'],
      ['x-amz-object-lock-mode', 'GOVERNANCE', 'NotImplemented'],
    ]
    for (const [name, value, code] of cases) {
      const sending = { query: { uploads: '' }, headers: { [name]: value } }
      assert.equal((await s3Call(house, 'POST', path, sending)).error, code, name)
    }
    const listed = await s3Ok(house, 'GET', '/bucket', { query: { uploads: '' } })
    assert.deepEqual(elementsOf(listed, 'UploadId'), [])
    const gone = await s3Call(house, 'POST', '/nobody-has-it/k', { query: { uploads: '' } })
    assert.equal(gone.error, 'NoSuchBucket')
  })

  test('every operation: a caller without its permission, and a bucket of somebody else', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path)
    const part = await putPart(house, path, id, 1, 'x')
    const uploadId = { uploadId: id }
    const calls = [
      ['POST', path, { query: { uploads: '' } }, 's3:PutObject'],
      ['PUT', path, { query: { ...uploadId, partNumber: '1' }, body: 'x' }, 's3:PutObject'],
      ['POST', path, { query: uploadId, body: completion([part]) }, 's3:PutObject'],
      ['DELETE', path, { query: uploadId }, 's3:AbortMultipartUpload'],
      ['GET', path, { query: uploadId }, 's3:ListMultipartUploadParts'],
      ['GET', '/bucket', { query: { uploads: '' } }, 's3:ListBucketMultipartUploads'],
    ] as const
    for (const [method, at, sending, permission] of calls) {
      const NotAction = permission
      const Statement = { Effect: 'Allow', NotAction, Resource: '*' }
      const name = `without-${method}-${Object.keys(sending.query).join('')}`
      const user = await house.addUser({ name, policies: [{ Version: '2012-10-17', Statement }] })
      const answer = await s3Call(house, method, at, { ...sending, key: user })
      assert.deepEqual([answer.status, answer.error], [403, 'AccessDenied'], permission)
      assert.ok(answer.message?.includes(permission), answer.text)
      const headers = { 'x-amz-expected-bucket-owner': otherAccount }
      const owner = await s3Call(house, method, at, { ...sending, headers })
      assert.deepEqual(
        [owner.status, owner.error, owner.message],
        [403, 'AccessDenied', 'Access Denied'],
      )
    }
    await completeOk(house, path, id, [part])
  })
})

test('parts in any order and replaced become one object, with all that it began with', async (t) => {
  const house = await openWithBucket(t, { versioning: 'Enabled' })
  const headers = {
    'content-type': 'text/x',
    'cache-control': 'max-age=5',
    'x-amz-meta-one': '1',
    'x-amz-tagging': 'a=b',
  }
  const id = await begin(house, path, { headers })
  const last = Buffer.from('the end')
  const two = await putPart(house, path, id, 2, last)
  await putPart(house, path, id, 1, 'replaced')
  await putPart(house, path, id, 7, 'left out')
  const one = await putPart(house, path, id, 1, fullPart)
  assert.equal(one.etag, `"${createHash('md5').update(fullPart).digest('hex')}"`)
  const sizes = { headers: { 'x-amz-mp-object-size': String(partBytes + last.length) } }
  const answer = await completeOk(house, path, id, [one, two], sizes)
  const expected = multipartMd5(fullPart, last)
  assert.equal(elementOf(answer, 'ETag'), `"${expected}"`)
  assert.equal(elementOf(answer, 'Location'), 'http://s3.test/bucket/dir%2Fobject')
  assert.equal(elementOf(answer, 'Key'), 'dir/object')
  const versionId = answer.headers.get('x-amz-version-id')
  assert.ok(versionId)
  const got = await s3Ok(house, 'GET', path)
  assert.ok(got.body.equals(Buffer.concat([fullPart, last])))
  assert.equal(got.headers.get('x-amz-version-id'), versionId)
  for (const name of ['content-type', 'cache-control', 'x-amz-meta-one'] as const) {
    assert.equal(got.headers.get(name), headers[name])
  }
  assert.equal(got.headers.get('x-amz-tagging-count'), '1')
  const range = `bytes=${partBytes - 2}-${partBytes + 2}`
  const ranged = await s3Ok(house, 'GET', path, { headers: { range } })
  assert.ok(ranged.body.equals(Buffer.concat([fullPart.subarray(-2), last.subarray(0, 3)])))
  const second = await s3Ok(house, 'GET', path, { query: { partNumber: '2' } })
  assert.equal(second.text, 'the end')
  assert.equal(second.headers.get('x-amz-mp-parts-count'), '2')
  assert.equal((await sendPart(house, path, id, 3, 'late')).error, 'NoSuchUpload')
})

describe('an upload that is completed twice', () => {
  test('is answered alike, as long as it is the latest version', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path)
    const part = await putPart(house, path, id, 1, 'text')
    const headers = { 'if-none-match': '*' }
    const first = await completeOk(house, path, id, [part], { headers })
    const again = await completeOk(house, path, id, [part], { headers })
    assert.equal(again.text, first.text)
    const unquoted = [{ number: 1, etag: part.etag.slice(1, -1) }]
    assert.equal((await completeOk(house, path, id, unquoted)).text, first.text)
    const others = [[{ number: 1, etag }], [{ ...part, number: 2 }], [part, { number: 2, etag }]]
    for (const parts of others) {
      assert.equal((await complete(house, path, id, parts)).error, 'NoSuchUpload')
    }
    await s3Ok(house, 'PUT', path, { body: 'another' })
    assert.equal((await complete(house, path, id, [part])).error, 'NoSuchUpload')
    assert.equal((await s3Ok(house, 'GET', path)).text, 'another')
  })

  test('at once becomes one version', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const id = await begin(house, path)
    const part = await putPart(house, path, id, 1, 'text')
    const answers = await Promise.all([1, 2, 3].map(() => completeOk(house, path, id, [part])))
    const versions = new Set(answers.map(({ headers }) => headers.get('x-amz-version-id')))
    assert.equal(versions.size, 1)
    const listed = await s3Ok(house, 'GET', '/bucket', { query: { versions: '' } })
    assert.equal(elementsOf(listed, 'VersionId').length, 1)
  })
})

test('on a condition: the object must be as it says when the upload becomes one', async (t) => {
  const house = await openWithBucket(t)
  const finish = async (headers: Record<string, string>) => {
    const id = await begin(house, path)
    const part = await putPart(house, path, id, 1, 'text')
    return complete(house, path, id, [part], { headers })
  }
  assert.equal((await finish({ 'if-match': '"x"' })).error, 'NoSuchKey')
  assert.equal((await finish({ 'if-none-match': '*' })).status, 200)
  const refused = await finish({ 'if-none-match': '*' })
  assert.deepEqual([refused.status, refused.error], [412, 'PreconditionFailed'])
  assert.equal(elementOf(refused, 'Condition'), 'If-None-Match')
  assert.equal((await finish({ 'if-match': '"x"' })).error, 'PreconditionFailed')
  assert.equal((await finish({ 'if-match': `"${multipartMd5('text')}"` })).status, 200)
})

test('an upload that is aborted is gone with its parts, also amid one that is being sent', async (t) => {
  const house = await openWithBucket(t)
  const id = await begin(house, path)
  const part = await putPart(house, path, id, 1, 'x')
  const abort = () => s3Call(house, 'DELETE', path, { query: { uploadId: id } })
  const query = { partNumber: '2', uploadId: id }
  const body = {
    length: 2,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('a')
      assert.equal((await abort()).status, 204)
      yield Buffer.from('b')
    },
  }
  const late = await s3Call(house, 'PUT', path, { query, body })
  assert.deepEqual([late.status, late.error], [404, 'NoSuchUpload'])
  assert.equal((await abort()).error, 'NoSuchUpload')
  assert.equal((await complete(house, path, id, [part])).error, 'NoSuchUpload')
  assert.equal(
    (await s3Call(house, 'GET', path, { query: { uploadId: id } })).error,
    'NoSuchUpload',
  )
})

test('a part whose body breaks off leaves the one that was there', async (t) => {
  const house = await openWithBucket(t)
  const id = await begin(house, path)
  const part = await putPart(house, path, id, 1, 'whole')
  const body = {
    length: 5,
    async *[Symbol.asyncIterator]() {
      yield Buffer.from('br')
    },
  }
  const query = { partNumber: '1', uploadId: id }
  assert.equal((await s3Call(house, 'PUT', path, { query, body })).error, 'IncompleteBody')
  await completeOk(house, path, id, [part])
  assert.equal((await s3Ok(house, 'GET', path)).text, 'whole')
})
