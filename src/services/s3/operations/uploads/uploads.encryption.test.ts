import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { account, type House, region } from '../../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { customerHeaders, openWithBucket } from '../../testing/objects.ts'
import {
  begin,
  complete,
  completeOk,
  elementOf,
  fullPart,
  multipartMd5,
  putPart,
  sendPart,
} from '../../testing/uploads.ts'

const path = '/bucket/object'
const sse = 'x-amz-server-side-encryption'
const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`
const kmsOf = (keyId: string, mode = 'aws:kms') => ({
  [sse]: mode,
  [`${sse}-aws-kms-key-id`]: keyId,
})

function recordsOf(house: House, name: string) {
  return house.journal.events.filter(({ eventName }) => eventName === name)
}

async function upload(house: House, headers: Record<string, string>, ofParts = {}) {
  const id = await begin(house, path, { headers })
  const one = await putPart(house, path, id, 1, fullPart, { headers: ofParts })
  const two = await putPart(house, path, id, 2, 'the end', { headers: ofParts })
  return { id, parts: [one, two] }
}

async function assertWhole(house: House, headers: Record<string, string> = {}): Promise<void> {
  const got = await s3Ok(house, 'GET', path, { headers })
  assert.ok(got.body.equals(Buffer.concat([fullPart, Buffer.from('the end')])))
}

describe('an upload under', () => {
  test('SSE-S3 has an ETag of MD5s, and says so in each answer', async (t) => {
    const house = await openWithBucket(t)
    const { id, parts } = await upload(house, { [sse]: 'AES256' })
    const answer = await completeOk(house, path, id, parts)
    assert.equal(answer.headers.get(sse), 'AES256')
    assert.equal(elementOf(answer, 'ETag'), `"${multipartMd5(fullPart, 'the end')}"`)
    await assertWhole(house)
    for (const name of ['CreateMultipartUpload', 'UploadPart', 'CompleteMultipartUpload']) {
      assert.equal(recordsOf(house, name).at(-1)?.additionalEventData?.['SSEApplied'], 'SSE_S3')
    }
  })

  test('a key of KMS needs GenerateDataKey to begin, and Decrypt for each part and the end', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    const { id, parts } = await upload(house, kmsOf(keyId))
    const answer = await completeOk(house, path, id, parts)
    assert.equal(answer.headers.get(sse), 'aws:kms')
    assert.equal(answer.headers.get(`${sse}-aws-kms-key-id`), arnOf(keyId))
    assert.match(elementOf(answer, 'ETag'), /^"[0-9a-f]{32}-2"$/)
    assert.notEqual(elementOf(answer, 'ETag'), `"${multipartMd5(fullPart, 'the end')}"`)
    await assertWhole(house)
    assert.equal(recordsOf(house, 'GenerateDataKey').length, 1)
    const decrypted = recordsOf(house, 'Decrypt')
    assert.equal(decrypted.length, 4)
    for (const { requestParameters } of decrypted) {
      const { encryptionContext } = requestParameters as { encryptionContext: object }
      assert.deepEqual(encryptionContext, { 'aws:s3:arn': 'arn:aws:s3:::bucket/object' })
    }
    const done = recordsOf(house, 'CompleteMultipartUpload').at(-1)
    assert.equal(done?.additionalEventData?.['SSEApplied'], 'SSE_KMS')
  })

  test('a key of KMS is refused to whoever has no Decrypt, at each step behind the first', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    const Statement = {
      Effect: 'Allow',
      Action: ['s3:*', 'kms:GenerateDataKey'],
      Resource: '*',
    }
    const policies = [{ Version: '2012-10-17', Statement }]
    const writer = await house.addUser({ name: 'writer', policies })
    const key = { key: writer }
    const id = await begin(house, path, { ...key, headers: kmsOf(keyId) })
    const denied = await sendPart(house, path, id, 1, 'text', key)
    assert.deepEqual([denied.status, denied.error], [403, 'AccessDenied'])
    assert.match(denied.message ?? '', /kms:Decrypt/)
    const part = await putPart(house, path, id, 1, 'text')
    const end = await complete(house, path, id, [part], key)
    assert.deepEqual([end.status, end.error], [403, 'AccessDenied'])
    await completeOk(house, path, id, [part])
    const again = await complete(house, path, id, [part], key)
    assert.deepEqual([again.status, again.error], [403, 'AccessDenied'])
  })

  test('a key that is disabled amid it goes no further', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    const id = await begin(house, path, { headers: kmsOf(keyId) })
    const part = await putPart(house, path, id, 1, 'text')
    await house.ok('DisableKey', { KeyId: keyId })
    assert.equal((await sendPart(house, path, id, 2, 'x')).error, 'KMS.DisabledException')
    const end = await complete(house, path, id, [part])
    assert.deepEqual([end.status, end.error], [400, 'KMS.DisabledException'])
    assert.equal((await s3Call(house, 'HEAD', path)).status, 404)
    await house.ok('EnableKey', { KeyId: keyId })
    await completeOk(house, path, id, [part])
  })

  test('two layers, a bucket key, and the default of the bucket', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    const bucketKey = { ...kmsOf(keyId), [`${sse}-bucket-key-enabled`]: 'true' }
    for (const [headers, mode] of [
      [kmsOf(keyId, 'aws:kms:dsse'), 'aws:kms:dsse'],
      [bucketKey, 'aws:kms'],
    ] as const) {
      const { id, parts } = await upload(house, headers)
      const answer = await completeOk(house, path, id, parts)
      assert.equal(answer.headers.get(sse), mode)
      await assertWhole(house)
    }
    const rule =
      '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault><SSEAlgorithm>aws:kms' +
      `</SSEAlgorithm><KMSMasterKeyID>${keyId}</KMSMasterKeyID></ApplyServerSideEncryptionByDefault></Rule>` +
      '</ServerSideEncryptionConfiguration>'
    await s3Ok(house, 'PUT', '/bucket', { query: { encryption: '' }, body: rule })
    const { id, parts } = await upload(house, {})
    const answer = await completeOk(house, path, id, parts)
    assert.equal(answer.headers.get(`${sse}-aws-kms-key-id`), arnOf(keyId))
    await assertWhole(house)
    const done = recordsOf(house, 'CompleteMultipartUpload').at(-1)
    assert.equal(done?.additionalEventData?.['SSEApplied'], 'Default_SSE_KMS')
  })

  test("a customer's key wants that key for each part, and not for the end", async (t) => {
    const house = await openWithBucket(t)
    const headers = customerHeaders(randomBytes(32))
    const other = customerHeaders(randomBytes(32))
    const { id, parts } = await upload(house, headers, headers)
    const without = await sendPart(house, path, id, 3, 'x')
    assert.deepEqual([without.status, without.error], [400, 'InvalidRequest'])
    assert.match(without.message ?? '', /must include the appropriate encryption parameters/)
    const wrong = await sendPart(house, path, id, 3, 'x', { headers: other })
    assert.equal(wrong.error, 'InvalidRequest')
    assert.match(wrong.message ?? '', /did not match the ones used originally/)
    assert.equal(
      (await complete(house, path, id, parts, { headers: other })).error,
      'InvalidRequest',
    )
    const list = (sent: Record<string, string>) =>
      s3Call(house, 'GET', path, { query: { uploadId: id }, headers: sent })
    assert.equal((await list(other)).error, 'InvalidRequest')
    for (const sent of [{}, headers]) assert.equal((await list(sent)).status, 200)
    const answer = await completeOk(house, path, id, parts)
    const md5 = headers[`${sse}-customer-key-md5`]
    assert.equal(answer.headers.get(`${sse}-customer-key-md5`), md5)
    assert.match(elementOf(answer, 'ETag'), /^"[0-9a-f]{32}-2"$/)
    await assertWhole(house, headers)
    assert.equal((await s3Call(house, 'GET', path, { headers: other })).status, 403)
    assert.equal((await s3Call(house, 'GET', path)).status, 400)
    const brought = await upload(house, headers, headers)
    await completeOk(house, path, brought.id, brought.parts, { headers })
    await assertWhole(house, headers)
    for (const record of house.journal.records) {
      assert.ok(!record.includes(headers[`${sse}-customer-key`] ?? ''))
    }
  })

  test('SSE-S3 takes no customer’s key for a part', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, path)
    const headers = customerHeaders(randomBytes(32))
    assert.equal((await sendPart(house, path, id, 1, 'x', { headers })).error, 'InvalidRequest')
  })
})

test('a policy that wants an encryption is content with that of the upload', async (t) => {
  const house = await openWithBucket(t)
  const keyId = await house.newKey()
  const Deny = {
    ...{ Effect: 'Deny', Action: 's3:PutObject', Resource: '*' },
    Condition: { StringNotEquals: { [`s3:${sse}`]: 'aws:kms' } },
  }
  const Statement = [{ Effect: 'Allow', Action: '*', Resource: '*' }, Deny]
  const policies = [{ Version: '2012-10-17', Statement }]
  const key = { key: await house.addUser({ name: 'writer', policies }) }
  const plain = { query: { uploads: '' }, ...key }
  assert.equal((await s3Call(house, 'POST', path, plain)).error, 'AccessDenied')
  const others = await begin(house, path)
  assert.equal((await sendPart(house, path, others, 1, 'x', key)).error, 'AccessDenied')
  assert.equal((await sendPart(house, path, 'nonsense', 1, 'x', key)).error, 'AccessDenied')
  const id = await begin(house, path, { headers: kmsOf(keyId), ...key })
  const part = await putPart(house, path, id, 1, 'text', key)
  await completeOk(house, path, id, [part], key)
})
