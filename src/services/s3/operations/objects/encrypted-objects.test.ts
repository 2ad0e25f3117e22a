import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { account, type House, region } from '../../../../testing/house.ts'
import { s3Call, s3Ok, s3Request } from '../../../../testing/s3-calls.ts'
import type { Reply } from '../../../../wire/protocol.ts'
import { customerHeaders, openWithBucket, WatchedObjects } from '../../testing/objects.ts'

const sse = 'x-amz-server-side-encryption'
type Headers = Readonly<Record<string, string>>

/** Over TLS, as customers' keys have to come. */
async function overTls(house: House, method: string, path: string, headers: Headers, body = '') {
  const request = s3Request(house, method, path, { headers, body })
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' }
  const reply = await new Promise<Reply>((resolve) => {
    house.pipeline.accept({ ...request, tls }, resolve)
  })
  const text = reply.body.toString()
  const named = new Map<string, string>()
  for (let at = 0; at < reply.headers.length; at += 2) {
    named.set((reply.headers[at] ?? '').toLowerCase(), reply.headers[at + 1] ?? '')
  }
  return { status: reply.status, text, headers: named, error: /<Code>([^<]*)/.exec(text)?.[1] }
}

describe('an object under a key of KMS', () => {
  test('is not put without the permission to use the key', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    const policy = {
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' },
    }
    const person = await house.addUser({ name: 'ann', policies: [policy] })
    const headers = { [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: keyId }
    const put = await s3Call(house, 'PUT', '/bucket/key', { body: 'hello', headers, key: person })
    assert.deepEqual([put.error, put.status], ['AccessDenied', 403])
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers })
    const got = await s3Call(house, 'GET', '/bucket/key', { key: person })
    assert.deepEqual([got.error, got.status], ['AccessDenied', 403])
    assert.match(got.message ?? '', /kms:Decrypt/)
    // What tells nothing of the plaintext takes no key.
    assert.equal((await s3Call(house, 'HEAD', '/bucket/key', { key: person })).status, 200)
  })

  test('cannot be got while the key is disabled, not even by its owner', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    const KeyId = await house.newKey()
    const headers = { [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: KeyId }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers })
    await house.ok('DisableKey', { KeyId })
    const { error, status, message } = await s3Call(house, 'GET', '/bucket/key')
    assert.deepEqual([error, status], ['KMS.DisabledException', 400])
    assert.equal(message, `arn:aws:kms:${region}:${account}:key/${KeyId} is disabled.`)
    assert.equal(objects.closed, objects.opened)
    const put = await s3Call(house, 'PUT', '/bucket/key', { body: 'other', headers })
    assert.equal(put.error, 'KMS.DisabledException')
    await house.ok('EnableKey', { KeyId })
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'hello')
  })

  test('has a checksum that takes the key to learn', async (t) => {
    const house = await openWithBucket(t)
    const KeyId = await house.newKey()
    const headers = {
      [sse]: 'aws:kms',
      [`${sse}-aws-kms-key-id`]: KeyId,
      'x-amz-checksum-crc32': 'NhCmhg==',
    }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers })
    const asked = { headers: { 'x-amz-checksum-mode': 'ENABLED' } }
    const head = await s3Ok(house, 'HEAD', '/bucket/key', asked)
    assert.equal(head.headers.get('x-amz-checksum-crc32'), 'NhCmhg==')
    await house.ok('DisableKey', { KeyId })
    assert.equal((await s3Call(house, 'HEAD', '/bucket/key', asked)).error, 'KMS.DisabledException')
    assert.equal((await s3Call(house, 'HEAD', '/bucket/key')).status, 200)
    const attributes = (names: string) =>
      s3Call(house, 'GET', '/bucket/key', {
        query: { attributes: '' },
        headers: { 'x-amz-object-attributes': names },
      })
    assert.equal((await attributes('Checksum')).error, 'KMS.DisabledException')
    assert.equal((await attributes('ObjectSize')).status, 200)
  })

  for (const mode of ['aws:kms', 'aws:kms:dsse']) {
    test(`${mode}: comes back, and its record is joined with KMS's`, async (t) => {
      const house = await openWithBucket(t)
      const KeyId = await house.newKey()
      const arn = `arn:aws:kms:${region}:${account}:key/${KeyId}`
      const headers = { [sse]: mode, [`${sse}-aws-kms-key-id`]: KeyId }
      const body = randomBytes(100_000)
      const put = await s3Ok(house, 'PUT', '/bucket/key', { body, headers })
      const before = house.journal.events.length
      const got = await s3Ok(house, 'GET', '/bucket/key', { headers: { range: 'bytes=70000-' } })
      assert.ok(got.body.equals(body.subarray(70_000)))
      for (const { headers: answered } of [put, got]) {
        assert.equal(answered.get(sse), mode)
        assert.equal(answered.get(`${sse}-aws-kms-key-id`), arn)
      }
      assert.match(put.headers.get('etag') ?? '', /^"[0-9a-f]{32}"$/)
      const events = house.journal.events.slice(before)
      const layers = mode === 'aws:kms' ? 1 : 2
      assert.deepEqual(
        events.map(({ eventName }) => eventName),
        [...Array(layers).fill('Decrypt'), 'GetObject'],
      )
      for (const event of events.slice(0, layers)) {
        const additional = event.additionalEventData as Record<string, unknown>
        assert.equal(additional['callingRequestID'], got.requestId)
      }
      const own = events.at(-1)?.additionalEventData as Record<string, unknown>
      assert.equal(own['SSEApplied'], layers === 1 ? 'SSE_KMS' : 'DSSE_KMS')
    })
  }
})

describe("an object under a customer's key", () => {
  const key = Buffer.alloc(32, 7)
  const other = Buffer.alloc(32, 8)

  test('comes back to who has the key, and to nobody else', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    const put = await overTls(house, 'PUT', '/bucket/key', customerHeaders(key), 'hello')
    assert.equal(put.status, 200)
    assert.equal(put.headers.get(`${sse}-customer-algorithm`), 'AES256')
    assert.equal(put.headers.get(sse), undefined)
    for (const method of ['GET', 'HEAD']) {
      const none = await overTls(house, method, '/bucket/key', {})
      assert.deepEqual([none.status, none.error], [400, 'InvalidRequest'])
      const wrong = await overTls(house, method, '/bucket/key', customerHeaders(other))
      assert.deepEqual([wrong.status, wrong.error], [403, 'AccessDenied'])
    }
    assert.equal((await overTls(house, 'HEAD', '/bucket/key', customerHeaders(key))).status, 200)
    const got = await overTls(house, 'GET', '/bucket/key', customerHeaders(key))
    assert.deepEqual([got.status, got.text], [200, 'hello'])
    const additional = house.journal.events.at(-1)?.additionalEventData as Record<string, unknown>
    assert.equal(additional['SSEApplied'], 'SSE_C')
    assert.equal(objects.closed, objects.opened)
    const records = house.journal.records.join()
    for (const text of [key.toString('base64'), other.toString('base64')]) {
      assert.ok(!records.includes(text))
    }
  })

  test('is not wanted for an object that has none', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
    for (const method of ['GET', 'HEAD']) {
      const answer = await overTls(house, method, '/bucket/key', customerHeaders(key))
      assert.equal(answer.status, 400, method)
    }
  })
})

test('an object of a bucket with a default is encrypted so, and says so', async (t) => {
  const house = await openWithBucket(t)
  const rule =
    '<Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms</SSEAlgorithm>' +
    '</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>'
  const body = `<ServerSideEncryptionConfiguration>${rule}</ServerSideEncryptionConfiguration>`
  await s3Ok(house, 'PUT', '/bucket', { query: { encryption: '' }, body })
  const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
  assert.equal(headers.get(sse), 'aws:kms')
  assert.equal(headers.get(`${sse}-bucket-key-enabled`), 'true')
  const additional = house.journal.events.at(-1)?.additionalEventData as Record<string, unknown>
  assert.equal(additional['SSEApplied'], 'Default_SSE_KMS')
  assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'hello')
})
