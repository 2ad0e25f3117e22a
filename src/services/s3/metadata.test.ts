import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ServiceError } from '../../base/errors.ts'
import { contentAnswer, contentAttributes } from './metadata.ts'

test('metadata has 2 KB, names and values together', () => {
  const metadata = (bytes: number) => ({ ab: 'v'.repeat(1000), cd: 'v'.repeat(bytes - 1004) })
  contentAttributes({ Metadata: metadata(2048) })
  assert.throws(
    () => contentAttributes({ Metadata: metadata(2049) }),
    (error) => {
      assert.ok(error instanceof ServiceError)
      assert.equal(error.code, 'MetadataTooLarge')
      assert.deepEqual(error.members, { Size: '2049', MaxSizeAllowed: '2048' })
      return true
    },
  )
})

test('headers come back as they were put, but for how the body came', () => {
  const headers = {
    CacheControl: 'no-cache',
    ContentDisposition: 'attachment',
    ContentEncoding: 'aws-chunked,gzip',
    ContentLanguage: 'ja',
    ContentType: 'text/plain',
    Expires: 'never',
    Metadata: { a: 'b' },
  }
  assert.deepEqual(contentAnswer(contentAttributes(headers)), {
    ...headers,
    ContentEncoding: 'gzip',
  })
  assert.equal(contentAttributes({ ContentEncoding: 'aws-chunked' }).contentEncoding, undefined)
  assert.equal(contentAttributes({}).contentType, 'binary/octet-stream')
})
