import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { presigned } from '../../authenticate/testing/s3-signer.ts'
import type { House } from '../../testing/house.ts'
import { region } from '../../testing/house.ts'
import { type S3Answer, s3Call, s3Ok, streamOf } from '../../testing/s3-calls.ts'
import type { HttpRequest, IncomingStream } from '../../wire/protocol.ts'
import { deleteMany, openWithBucket } from './testing/objects.ts'
import { begin, completeOk, fullPart, putPart } from './testing/uploads.ts'

const sse = 'x-amz-server-side-encryption'

function lastRecord(house: House, name: string) {
  return house.journal.events.filter(({ eventName }) => eventName === name).at(-1)
}

/** Of the house's own user. */
function presignedTarget(
  house: House,
  method: string,
  path: string,
  query: Readonly<Record<string, string>>,
): string {
  const { accessKeyId, secretAccessKey: secret } = house.key
  const timestamp = new Date(house.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const key = { accessKeyId, secret, region, service: 's3', timestamp }
  return presigned({ method, path, query, headers: { host: 's3.test' } }, key, 900)
}

function byUrl(house: House, method: string, target: string, more: Partial<HttpRequest> = {}) {
  return s3Call(house, method, '/', {
    change: () => ({
      ...{ method, target, rawHeaders: ['host', 's3.test'] },
      ...{ body: Buffer.alloc(0), stream: streamOf(Buffer.alloc(0)), remoteAddress: '127.0.0.1' },
      ...more,
    }),
  })
}

describe('a presigned URL', () => {
  test('says what it said when it was signed, whatever its holder adds', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/mine/a', { body: 'a' })
    await s3Ok(house, 'PUT', '/bucket/secret', { body: 'b' })
    const target = presignedTarget(house, 'GET', '/bucket', { 'list-type': '2', prefix: 'mine/' })
    const names = ({ text }: S3Answer) => [...text.matchAll(/<Key>([^<]*)/g)].map(([, key]) => key)
    assert.deepEqual(names(await byUrl(house, 'GET', target)), ['mine/a'])
    for (const count of [1, 63, 64, 65, 66, 200]) {
      const padded = target.replace('?', `?${'&'.repeat(count)}`)
      assert.deepEqual(names(await byUrl(house, 'GET', padded)), ['mine/a'], String(count))
    }
    const more = await byUrl(house, 'GET', `${target}&delimiter=x`)
    assert.equal(more.error, 'SignatureDoesNotMatch')
  })

  test('of the tags of an object does not replace the object', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'kept' })
    const target = presignedTarget(house, 'PUT', '/bucket/key', { tagging: '' })
    const padded = target.replace('?', `?${'&'.repeat(65)}`)
    const body = Buffer.from('<Tagging><TagSet/></Tagging>')
    const rawHeaders = ['host', 's3.test', 'content-length', String(body.length)]
    await byUrl(house, 'PUT', padded, { stream: streamOf(body), rawHeaders })
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'kept')
    const copied = ['host', 's3.test', 'x-amz-copy-source', '/bucket/other']
    const put = presignedTarget(house, 'PUT', '/bucket/key', {})
    const { error, text } = await byUrl(house, 'PUT', put, { rawHeaders: copied })
    assert.equal(error, 'AccessDenied')
    assert.match(text, /<HeadersNotSigned>x-amz-copy-source</)
    assert.equal((await byUrl(house, 'DELETE', put)).error, 'SignatureDoesNotMatch')
  })
})

test('checksums of parts take the key of the object to learn', async (t) => {
  const house = await openWithBucket(t)
  const keyId = await house.newKey()
  const headers = {
    ...{ [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: keyId },
    'x-amz-checksum-algorithm': 'CRC32',
  }
  const policy = {
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' },
  }
  const ann = await house.addUser({ name: 'ann', policies: [policy] })
  const path = '/bucket/key'
  const uploadId = await begin(house, path, { headers })
  const part = await putPart(house, path, uploadId, 1, 'hello', {
    headers: { 'x-amz-checksum-crc32': 'NhCmhg==' },
  })
  const query = { uploadId }
  assert.match((await s3Ok(house, 'GET', path, { query })).text, /NhCmhg==/)
  const denied = await s3Call(house, 'GET', path, { query, key: ann })
  assert.equal(denied.error, 'AccessDenied')
  assert.match(denied.message ?? '', /kms:Decrypt/)
  const more = '<ChecksumCRC32>NhCmhg==</ChecksumCRC32>'
  await completeOk(house, path, uploadId, [{ ...part, more }])
  const attributes = (names: string) => ({
    query: { attributes: '' },
    headers: { 'x-amz-object-attributes': names },
  })
  assert.match((await s3Ok(house, 'GET', path, attributes('ObjectParts'))).text, /NhCmhg==/)
  const parts = await s3Call(house, 'GET', path, { ...attributes('ObjectParts'), key: ann })
  assert.equal(parts.error, 'AccessDenied')
  const size = await s3Call(house, 'GET', path, { ...attributes('ObjectSize'), key: ann })
  assert.equal(size.status, 200)
})

test('a key that was sent as the algorithm is recorded nowhere', async (t) => {
  const house = await openWithBucket(t)
  const name = `s3:${sse}-customer-algorithm`
  const policy = {
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: 's3:*', Resource: '*' },
      {
        Effect: 'Deny',
        Action: 's3:*',
        Resource: '*',
        Condition: { StringEquals: { [name]: 'x' } },
      },
    ],
  }
  const ann = await house.addUser({ name: 'ann', policies: [policy] })
  const secret = 'c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2U='
  const headers = { [`${sse}-customer-algorithm`]: secret }
  for (const [method, query] of [
    ['PUT', {}],
    ['GET', {}],
    ['HEAD', {}],
    ['POST', { uploads: '' }],
  ] as const) {
    const { status } = await s3Call(house, method, '/bucket/key', { query, headers, key: ann })
    assert.ok(status >= 400)
  }
  assert.equal(JSON.stringify(house.journal.events).includes(secret), false)
  const put = lastRecord(house, 'PutObject')?.requestParameters
  assert.equal(put?.[`${sse}-customer-algorithm`], 'invalid')
})

describe('bodies that are taken in whole', () => {
  /** A completion of so many bytes, of which the last one comes when it is told to. */
  function held(length: number) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const start = '<CompleteMultipartUpload>'
    const end = '</CompleteMultipartUpload>'
    const stream: IncomingStream = {
      length,
      async *[Symbol.asyncIterator]() {
        yield Buffer.from(start + ' '.repeat(length - start.length - end.length))
        await promise
        yield Buffer.from(end)
      },
    }
    return { stream, resolve }
  }

  test('have no more room together than half of it for one account', async (t) => {
    const house = await openWithBucket(t)
    const size = 4 * 1024 * 1024
    const query = { uploadId: 'none' }
    const holding = Array.from({ length: 4 }, () => held(size))
    const answers = holding.map(({ stream }) =>
      s3Call(house, 'POST', '/bucket/key', { query, body: stream }),
    )
    const refused = await s3Call(house, 'POST', '/bucket/key', { query, body: held(size).stream })
    assert.deepEqual([refused.error, refused.status], ['SlowDown', 503])
    const small = '<Delete><Object><Key>a</Key></Object></Delete>'
    const headers = { 'x-amz-checksum-crc32': 'AAAAAA==' }
    const other = await s3Call(house, 'POST', '/bucket', {
      ...{ query: { delete: '' }, body: small, headers },
    })
    assert.equal(other.error, 'BadDigest')
    for (const { resolve } of holding) resolve()
    for (const answer of answers) assert.equal((await answer).error, 'InvalidRequest')
    const again = held(size)
    again.resolve()
    const taken = await s3Call(house, 'POST', '/bucket/key', { query, body: again.stream })
    assert.equal(taken.error, 'InvalidRequest')
  })

  for (const [name, method, path, query, bytes] of [
    ['tags', 'PUT', '/bucket/key', { tagging: '' }, 64 * 1024],
    ['an ACL', 'PUT', '/bucket/key', { acl: '' }, 64 * 1024],
    ['deletions', 'POST', '/bucket', { delete: '' }, 2 * 1024 * 1024],
    ['what nobody reads', 'POST', '/bucket/key', { uploads: '' }, 64 * 1024],
  ] as const) {
    test(`have a bound: ${name}`, async (t) => {
      const house = await openWithBucket(t)
      const body = Buffer.alloc(bytes + 1, 0x20)
      const { error } = await s3Call(house, method, path, { query, body })
      assert.equal(error, 'MaxMessageLengthExceeded')
      const fits = await s3Call(house, method, path, { query, body: body.subarray(1) })
      assert.notEqual(fits.error, 'MaxMessageLengthExceeded')
    })
  }
})

test('a copy onto itself does not tell a stranger how a bucket encrypts', async (t) => {
  const house = await openWithBucket(t)
  const ann = await house.addUser({ name: 'ann', policies: [] })
  const headers = { 'x-amz-copy-source': '/bucket/key' }
  const denied = await s3Call(house, 'PUT', '/bucket/key', { headers, key: ann })
  assert.equal(denied.error, 'AccessDenied')
  assert.equal((await s3Call(house, 'PUT', '/bucket/key', { headers })).error, 'InvalidRequest')
})

test('who may not list a bucket is told its Region, as clients need it', async (t) => {
  const house = await openWithBucket(t)
  const ann = await house.addUser({ name: 'ann', policies: [] })
  const { status, headers } = await s3Call(house, 'HEAD', '/bucket', { key: ann })
  assert.deepEqual([status, headers.get('x-amz-bucket-region')], [403, region])
  const mistaken = { 'x-amz-expected-bucket-owner': '999999999999' }
  assert.equal((await s3Call(house, 'HEAD', '/bucket', { headers: mistaken })).status, 403)
})

test('a name that no object can have is not decided on', async (t) => {
  const house = await openWithBucket(t)
  const { error } = await deleteMany(house, [{ key: 'a' }, { key: 'é'.repeat(513) }])
  assert.equal(error, 'KeyTooLongError')
  const long = 'a'.repeat(1025)
  assert.equal((await deleteMany(house, [{ key: 'a', versionId: long }])).error, 'MalformedXML')
  assert.equal((await deleteMany(house, [{ key: 'é'.repeat(512) }])).status, 200)
})

test('a trailer that cannot come is no digest', async (t) => {
  const house = await openWithBucket(t)
  const trailer = { 'x-amz-trailer': 'x-amz-checksum-crc32' }
  const uploadId = await begin(house, '/bucket/key', {
    headers: { 'x-amz-checksum-algorithm': 'CRC32' },
  })
  const query = { uploadId, partNumber: '1' }
  const part = await s3Call(house, 'PUT', '/bucket/key', {
    query,
    body: fullPart,
    headers: trailer,
  })
  assert.equal(part.error, 'InvalidRequest')
  const body = '<Delete><Object><Key>a</Key></Object></Delete>'
  const many = await s3Call(house, 'POST', '/bucket', {
    ...{ query: { delete: '' }, body, headers: trailer },
  })
  assert.equal(many.error, 'InvalidRequest')
})
