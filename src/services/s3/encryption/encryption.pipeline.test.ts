import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { account, House, region } from '../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../testing/s3-calls.ts'

const policies = [
  { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } },
]
const sse = 'x-amz-server-side-encryption'
const kms = { [sse]: 'aws:kms' }
const withBucketKey = { ...kms, [`${sse}-bucket-key-enabled`]: 'true' }
const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`

async function open(t: TestContext) {
  const house = await House.open(t)
  await s3Ok(house, 'PUT', '/my-bucket')
  const alice = await house.addUser({ name: 'alice', policies })
  const kmsRecords = () =>
    house.journal.events.filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
  return { house, alice, kmsRecords }
}

test('who may use S3 and nothing of KMS has the AWS managed key through it', async (t) => {
  const { house, alice, kmsRecords } = await open(t)
  for (const headers of [kms, withBucketKey]) {
    const put = { key: alice, headers, body: 'text' }
    const { headers: answer } = await s3Ok(house, 'PUT', '/my-bucket/object', put)
    assert.equal(answer.get(sse), 'aws:kms')
    assert.match(
      answer.get(`${sse}-aws-kms-key-id`) ?? '',
      /^arn:aws:kms:us-east-1:111122223333:key\//,
    )
    assert.equal(
      answer.get(`${sse}-bucket-key-enabled`),
      headers === withBucketKey ? 'true' : undefined,
    )
    const got = await s3Ok(house, 'GET', '/my-bucket/object', { key: alice })
    assert.equal(got.text, 'text')
    assert.equal(got.headers.get(sse), 'aws:kms')
    const last = kmsRecords().at(-1)
    assert.equal(last?.eventName, 'Decrypt')
    assert.equal(last?.userIdentity['arn'], alice.arn)
    assert.equal(last?.additionalEventData?.['callingRequestID'], got.requestId)
  }
})

test('with bucket keys and without, a key that was disabled is so for the next request', async (t) => {
  const { house } = await open(t)
  const keyId = await house.newKey()
  const named = { [`${sse}-aws-kms-key-id`]: keyId }
  for (const headers of [kms, withBucketKey]) {
    const put = { headers: { ...headers, ...named }, body: 'text' }
    const attempts = () =>
      Promise.all([
        s3Call(house, 'PUT', '/my-bucket/object', put),
        s3Call(house, 'GET', '/my-bucket/object'),
      ])
    await s3Ok(house, 'PUT', '/my-bucket/object', put)
    assert.equal((await s3Ok(house, 'GET', '/my-bucket/object')).text, 'text')
    await house.ok('DisableKey', { KeyId: keyId })
    for (const { status, error, message } of await attempts()) {
      assert.deepEqual(
        [status, error, message],
        [400, 'KMS.DisabledException', `${arnOf(keyId)} is disabled.`],
      )
    }
    await house.ok('EnableKey', { KeyId: keyId })
    for (const { status } of await attempts()) assert.equal(status, 200)
  }
})

test('a customer’s key encrypts, and is needed to read', async (t) => {
  const { house } = await open(t)
  const headersOf = (key: Buffer) => ({
    [`${sse}-customer-algorithm`]: 'AES256',
    [`${sse}-customer-key`]: key.toString('base64'),
    [`${sse}-customer-key-md5`]: createHash('md5').update(key).digest('base64'),
  })
  const [headers, others] = [headersOf(Buffer.alloc(32, 1)), headersOf(Buffer.alloc(32, 2))]
  const path = '/my-bucket/object'
  const put = await s3Ok(house, 'PUT', path, { headers, body: 'text' })
  assert.equal(put.headers.get(`${sse}-customer-algorithm`), 'AES256')
  assert.equal(put.headers.get(sse), undefined)
  assert.equal((await s3Ok(house, 'GET', path, { headers })).text, 'text')
  const missing = await s3Call(house, 'GET', path)
  assert.deepEqual([missing.status, missing.error], [400, 'InvalidRequest'])
  const wrong = await s3Call(house, 'GET', path, { headers: others })
  assert.deepEqual([wrong.status, wrong.error], [403, 'AccessDenied'])
  const both = { headers: { ...headers, [sse]: 'AES256' }, body: 'text' }
  const refused = await s3Call(house, 'PUT', path, both)
  assert.deepEqual([refused.status, refused.error], [400, 'InvalidArgument'])
  assert.match(refused.text, /<ArgumentName>x-amz-server-side-encryption<\/ArgumentName>/)
  const all = JSON.stringify(house.journal.events)
  assert.equal(all.includes(headers[`${sse}-customer-key`] ?? ''), false)
})
