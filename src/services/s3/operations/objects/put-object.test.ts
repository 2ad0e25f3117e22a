import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import { account } from '../../../../testing/house.ts'
import { s3Call, s3Ok, streamOf } from '../../../../testing/s3-calls.ts'
import { openWithBucket } from '../../testing/objects.ts'

const sse = 'x-amz-server-side-encryption'
const md5 = (text: string) => createHash('md5').update(text).digest('base64')
const crc = (text: string) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(crc32(text))
  return bytes.toString('base64')
}

describe('an object is not put', () => {
  const refused: readonly [string, Readonly<Record<string, string>>, number, string][] = [
    ['with a public ACL', { 'x-amz-acl': 'public-read' }, 400, 'AccessControlListNotSupported'],
    ['with a grant', { 'x-amz-grant-read': 'id=1' }, 400, 'AccessControlListNotSupported'],
    ['in another class', { 'x-amz-storage-class': 'GLACIER' }, 400, 'InvalidStorageClass'],
    ['with too much metadata', { 'x-amz-meta-a': 'b'.repeat(2048) }, 400, 'MetadataTooLarge'],
    ['with tags that are none', { 'x-amz-tagging': 'a=%FF' }, 400, 'InvalidArgument'],
    ['with a reserved tag', { 'x-amz-tagging': 'aws:a=b' }, 400, 'InvalidTag'],
    ['of another MD5', { 'content-md5': md5('other') }, 400, 'BadDigest'],
    ['of no MD5', { 'content-md5': 'abc' }, 400, 'InvalidDigest'],
    ['of another checksum', { 'x-amz-checksum-crc32': crc('other') }, 400, 'BadDigest'],
    ['where its tag is not another', { 'if-none-match': '"abc"' }, 501, 'NotImplemented'],
    ['over none of that tag', { 'if-match': '"abc"' }, 404, 'NoSuchKey'],
    [
      'in a bucket of another owner',
      { 'x-amz-expected-bucket-owner': '1'.repeat(12) },
      403,
      'AccessDenied',
    ],
    ['with a lock', { 'x-amz-object-lock-mode': 'GOVERNANCE' }, 501, 'NotImplemented'],
    ['under an unknown method', { [sse]: 'rot13' }, 400, 'InvalidArgument'],
  ]
  for (const [name, headers, status, code] of refused) {
    test(`${name}: ${code}`, async (t) => {
      const house = await openWithBucket(t)
      const answer = await s3Call(house, 'PUT', '/bucket/key', { body: 'hello', headers })
      assert.deepEqual([answer.error, answer.status], [code, status])
      assert.equal(house.journal.events.at(-1)?.errorCode, code)
      const { error } = await s3Call(house, 'GET', '/bucket/key')
      assert.equal(error, 'NoSuchKey')
    })
  }

  test('that is larger than 5 GiB, and nobody asks for its body', async (t) => {
    const house = await openWithBucket(t)
    const length = 5 * 1024 ** 3 + 1
    const body = {
      length,
      // biome-ignore lint/correctness/useYield: it must not be asked.
      async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
        throw new Error('asked for')
      },
    }
    const answer = await s3Call(house, 'PUT', '/bucket/key', { body })
    assert.deepEqual([answer.error, answer.status], ['EntityTooLarge', 400])
    assert.match(answer.text, /<ProposedSize>5368709121</)
    assert.deepEqual(house.logged, [])
  })

  test('in part, where its body breaks off', async (t) => {
    const house = await openWithBucket(t)
    const whole = streamOf(Buffer.alloc(300_000, 'a'))
    const body = {
      length: 300_000,
      async *[Symbol.asyncIterator]() {
        let pieces = 0
        for await (const piece of whole) {
          if (++pieces === 3) return
          yield piece
        }
      },
    }
    const { error } = await s3Call(house, 'PUT', '/bucket/key', { body })
    assert.equal(error, 'IncompleteBody')
    assert.equal((await s3Call(house, 'GET', '/bucket/key')).error, 'NoSuchKey')
  })

  test('in a bucket that is not there', async (t) => {
    const house = await openWithBucket(t)
    const { error, status } = await s3Call(house, 'PUT', '/other/key', { body: 'hello' })
    assert.deepEqual([error, status], ['NoSuchBucket', 404])
  })

  test('over one that is there, on condition that none is', async (t) => {
    const house = await openWithBucket(t)
    const headers = { 'if-none-match': '*' }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'one', headers })
    const answer = await s3Call(house, 'PUT', '/bucket/key', { body: 'two', headers })
    assert.deepEqual([answer.error, answer.status], ['PreconditionFailed', 412])
    assert.match(answer.text, /<Condition>If-None-Match<\/Condition>/)
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'one')
  })

  test('over another one than is meant', async (t) => {
    const house = await openWithBucket(t)
    const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body: 'one' })
    const etag = headers.get('etag') ?? ''
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'two', headers: { 'if-match': etag } })
    const again = await s3Call(house, 'PUT', '/bucket/key', {
      body: 'three',
      headers: { 'if-match': etag },
    })
    assert.equal(again.error, 'PreconditionFailed')
    assert.match(again.text, /<Condition>If-Match<\/Condition>/)
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'two')
  })
})

describe('an object that is put', () => {
  test('comes back with all that it was put with', async (t) => {
    const house = await openWithBucket(t)
    const headers = {
      'cache-control': 'no-cache',
      'content-disposition': 'attachment',
      'content-encoding': 'gzip',
      'content-language': 'ja',
      'content-type': 'text/plain',
      expires: 'Thu, 01 Dec 2033 16:00:00 GMT',
      'x-amz-meta-colour': 'red',
    }
    const extra = {
      'x-amz-storage-class': 'STANDARD',
      'x-amz-acl': 'bucket-owner-full-control',
      'x-amz-expected-bucket-owner': account,
      'x-amz-tagging': 'a=b&c=d',
      'x-amz-checksum-crc32': crc('hello'),
      'content-md5': md5('hello'),
    }
    const put = await s3Ok(house, 'PUT', '/bucket/a/ä b', {
      body: 'hello',
      headers: { ...headers, ...extra },
    })
    assert.equal(put.headers.get('etag'), '"5d41402abc4b2a76b9719d911017c592"')
    assert.equal(put.headers.get('x-amz-checksum-crc32'), crc('hello'))
    assert.equal(put.headers.get('x-amz-checksum-type'), 'FULL_OBJECT')
    assert.equal(put.headers.get('x-amz-version-id'), undefined)
    const got = await s3Ok(house, 'GET', '/bucket/a/ä b', {
      headers: { 'x-amz-checksum-mode': 'ENABLED' },
    })
    assert.equal(got.text, 'hello')
    for (const [name, value] of Object.entries(headers)) assert.equal(got.headers.get(name), value)
    assert.equal(got.headers.get('x-amz-tagging-count'), '2')
    assert.equal(got.headers.get('x-amz-checksum-crc32'), crc('hello'))
    const without = await s3Ok(house, 'GET', '/bucket/a/ä b')
    assert.equal(without.headers.get('x-amz-checksum-crc32'), undefined)
  })

  test('takes the place of another, or is a version beside it', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'none' })
    const enable = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
    await s3Ok(house, 'PUT', '/bucket', { query: { versioning: '' }, body: enable })
    const ids = ['null']
    for (const body of ['one', 'two']) {
      const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body })
      ids.push(headers.get('x-amz-version-id') ?? '')
    }
    assert.equal(new Set(ids).size, 3)
    const suspend = enable.replace('Enabled', 'Suspended')
    await s3Ok(house, 'PUT', '/bucket', { query: { versioning: '' }, body: suspend })
    const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body: 'three' })
    assert.equal(headers.get('x-amz-version-id'), 'null')
    const texts = []
    for (const versionId of ids) {
      texts.push((await s3Ok(house, 'GET', '/bucket/key', { query: { versionId } })).text)
    }
    assert.deepEqual(texts, ['three', 'one', 'two'])
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'three')
  })

  test('leaves nothing of its plaintext in the store', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'canary '.repeat(1000) })
    const bucket = house.tables.s3.get('bucket')
    const object = await house.objects.open(bucket?.storeId ?? '', 'key')
    const [segment] = object.segments
    assert.ok(segment)
    const pieces: Buffer[] = []
    for await (const piece of object.data(segment, 0, segment.size)) pieces.push(piece)
    assert.equal(Buffer.concat(pieces).length, 7000)
    assert.ok(!Buffer.concat(pieces).includes('canary'))
  })

  test('is recorded with what was applied', async (t) => {
    const house = await openWithBucket(t)
    const asked = {
      [sse]: 'AES256',
      'x-amz-meta-secret': 'hidden',
      'x-amz-tagging': 'secret=hidden',
    }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers: asked })
    const event = house.journal.events.at(-1)
    assert.equal(event?.eventName, 'PutObject')
    assert.deepEqual(event?.requestParameters, {
      bucketName: 'bucket',
      key: 'key',
      [sse]: 'AES256',
      Host: 's3.test',
    })
    const additional = event?.additionalEventData as Record<string, unknown>
    assert.equal(additional['SSEApplied'], 'SSE_S3')
    assert.equal(additional['bytesTransferredIn'], 5)
    assert.doesNotMatch(house.journal.records.join(), /hidden/)
  })
})
