import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { checksum } from '../../../../base/checksums.ts'
import type { House } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { customerHeaders, openWithBucket } from '../../testing/objects.ts'
import {
  begin,
  completeOk,
  elementOf,
  fullPart,
  md5,
  partBytes,
  putPart,
} from '../../testing/uploads.ts'

const path = '/bucket/object'
const sse = 'x-amz-server-side-encryption'
const range = 'x-amz-copy-source-range'

function copyPart(
  house: House,
  uploadId: string,
  number: number | string,
  copied: string,
  headers: Readonly<Record<string, string>> = {},
  sending: S3Sending = {},
) {
  const query = { partNumber: String(number), uploadId }
  const all = { 'x-amz-copy-source': copied, ...headers }
  return s3Call(house, 'PUT', path, { query, headers: all, ...sending })
}

async function copiedPart(...args: Parameters<typeof copyPart>) {
  const answer = await copyPart(...args)
  assert.equal(answer.status, 200, answer.text)
  return { number: Number(args[2]), etag: elementOf(answer, 'ETag') }
}

describe('what is refused of a part that is copied', () => {
  test('ranges, numbers, uploads, sources, conditions', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/from', { body: '0123456789' })
    const id = await begin(house, path)
    const form =
      'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based ' +
      'offsets of the first and last bytes to copy'
    const size = 'Range specified is not valid for source object of size: 10'
    const behind = 'The specified copy range is invalid for the source object size'
    const cases: readonly [string, string, string][] = [
      ['0-1', 'InvalidArgument', form],
      ['bytes=-1', 'InvalidArgument', form],
      ['bytes=1-', 'InvalidArgument', form],
      ['bytes=2-1', 'InvalidArgument', form],
      ['bytes=0-1,3-4', 'InvalidArgument', form],
      ['bytes=0-10', 'InvalidArgument', size],
      ['bytes=10-11', 'InvalidRequest', behind],
    ]
    for (const [value, code, text] of cases) {
      const answer = await copyPart(house, id, 1, 'bucket/from', { [range]: value })
      assert.deepEqual([answer.status, answer.error, answer.message], [400, code, text], value)
    }
    const error = async (...args: Parameters<typeof copyPart>) => (await copyPart(...args)).error
    assert.equal(await error(house, id, 0, 'bucket/from'), 'InvalidArgument')
    assert.equal(await error(house, 'other', 1, 'bucket/from'), 'NoSuchUpload')
    assert.equal(await error(house, id, 1, 'bucket/absent'), 'NoSuchKey')
    assert.equal(await error(house, id, 1, 'absent/from'), 'NoSuchBucket')
    const match = { 'x-amz-copy-source-if-match': '"x"' }
    assert.equal(await error(house, id, 1, 'bucket/from', match), 'PreconditionFailed')
    const acl = { 'x-amz-acl': 'private' }
    assert.equal(await error(house, id, 1, 'bucket/from', acl), 'NotImplemented')
    const listed = await s3Ok(house, 'GET', path, { query: { uploadId: id } })
    assert.ok(!listed.text.includes('<Part>'))
  })

  test('a caller without the permissions of both sides', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/from', { body: 'x', headers: { 'x-amz-tagging': 'a=b' } })
    await s3Ok(house, 'PUT', '/bucket/untagged', { body: 'x' })
    const id = await begin(house, path, { headers: { [sse]: 'AES256' } })
    const user = async (name: string, Statement: object) =>
      house.addUser({ name, policies: [{ Version: '2012-10-17', Statement }] })
    const allow = (Action: string, Condition = {}) => ({
      ...{ Effect: 'Allow', Action, Resource: '*', Condition },
    })
    const reader = { key: await user('reader', allow('s3:Get*')) }
    const writer = { key: await user('writer', allow('s3:Put*')) }
    const denied = async (sending: S3Sending, copied: string, permission: string) => {
      const answer = await copyPart(house, id, 1, copied, {}, sending)
      assert.deepEqual([answer.status, answer.error], [403, 'AccessDenied'])
      assert.ok(answer.message?.includes(permission), answer.text)
    }
    await denied(reader, 'bucket/from', 's3:PutObject')
    await denied(writer, 'bucket/from', 's3:GetObject')
    // Both sides depend on what has to be looked up first.
    const both = [
      allow('s3:GetObject', { StringEquals: { 's3:ExistingObjectTag/a': 'b' } }),
      allow('s3:PutObject', { StringEquals: { [`s3:${sse}`]: 'AES256' } }),
    ]
    const careful = { key: await user('careful', both) }
    await copiedPart(house, id, 1, 'bucket/from', {}, careful)
    await denied(careful, 'bucket/untagged', 's3:GetObject')
    const half = [allow('s3:GetObject'), both[1] ?? {}]
    const other = { key: await user('other', half) }
    await copiedPart(house, id, 1, 'bucket/untagged', {}, other)
    // The tags of the source are not those of what is written.
    const untagged = { Null: { 's3:ExistingObjectTag/a': 'true' } }
    const apart = [both[0] ?? {}, allow('s3:PutObject', untagged)]
    await copiedPart(house, id, 1, 'bucket/from', {}, { key: await user('apart', apart) })
    const plain = await begin(house, path)
    const answer = await copyPart(house, plain, 1, 'bucket/from', {}, careful)
    assert.ok(answer.message?.includes('s3:PutObject'), answer.text)
  })
})

test('ranges of objects under other keys become parts beside those that are sent', async (t) => {
  const house = await openWithBucket(t, { versioning: 'Enabled' })
  const [one, two] = [await house.newKey(), await house.newKey()]
  const kms = (keyId: string) => ({ [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: keyId })
  const bytes = Buffer.concat([fullPart, randomBytes(100_000)])
  const put = await s3Ok(house, 'PUT', '/bucket/from', { body: bytes, headers: kms(one) })
  const versionId = put.headers.get('x-amz-version-id') ?? ''
  const id = await begin(house, path, {
    headers: {
      ...kms(two),
      'x-amz-checksum-algorithm': 'CRC32',
      'x-amz-checksum-type': 'FULL_OBJECT',
    },
  })
  const start = 70_001
  const first = await copyPart(house, id, 1, `bucket/from?versionId=${versionId}`, {
    [range]: `bytes=${start}-${start + partBytes - 1}`,
  })
  assert.equal(first.headers.get('x-amz-copy-source-version-id'), versionId)
  assert.equal(first.headers.get(sse), 'aws:kms')
  assert.match(first.headers.get(`${sse}-aws-kms-key-id`) ?? '', new RegExp(two))
  const sum = checksum('crc32')
  sum.update(bytes.subarray(start, start + partBytes))
  assert.equal(elementOf(first, 'ChecksumCRC32'), sum.digest().toString('base64'))
  const parts = [
    { number: 1, etag: elementOf(first, 'ETag') },
    await copiedPart(house, id, 2, 'bucket/from'),
    await putPart(house, path, id, 3, 'the end'),
  ]
  const answer = await completeOk(house, path, id, parts)
  const whole = Buffer.concat([
    ...[bytes.subarray(start, start + partBytes), bytes, Buffer.from('the end')],
  ])
  const ofAll = checksum('crc32')
  ofAll.update(whole)
  assert.equal(elementOf(answer, 'ChecksumCRC32'), ofAll.digest().toString('base64'))
  const got = await s3Ok(house, 'GET', path)
  assert.ok(got.body.equals(whole))
})

test('both sides under keys of customers', async (t) => {
  const house = await openWithBucket(t)
  const [there, here] = [randomBytes(32), randomBytes(32)]
  await s3Ok(house, 'PUT', '/bucket/from', { body: 'text', headers: customerHeaders(there) })
  const id = await begin(house, path, { headers: customerHeaders(here) })
  const sourceHeaders = (key: Buffer) =>
    Object.fromEntries(
      Object.entries(customerHeaders(key)).map(([name, value]) => [
        ...[name.replace('x-amz-', 'x-amz-copy-source-'), value],
      ]),
    )
  const error = async (headers: Record<string, string>) =>
    (await copyPart(house, id, 1, 'bucket/from', headers)).error
  assert.equal(await error(customerHeaders(here)), 'InvalidRequest')
  assert.equal(await error(sourceHeaders(there)), 'InvalidRequest')
  assert.equal(
    await error({ ...customerHeaders(there), ...sourceHeaders(there) }),
    'InvalidRequest',
  )
  const wrong = { ...customerHeaders(here), ...sourceHeaders(here) }
  assert.equal(await error(wrong), 'AccessDenied')
  const right = { ...customerHeaders(here), ...sourceHeaders(there) }
  const part = await copiedPart(house, id, 1, 'bucket/from', right)
  await completeOk(house, path, id, [part])
  const got = await s3Ok(house, 'GET', path, { headers: customerHeaders(here) })
  assert.equal(got.text, 'text')
})

test('under SSE-S3 the ETag of a copied part is the MD5 of its bytes', async (t) => {
  const house = await openWithBucket(t)
  await s3Ok(house, 'PUT', '/bucket/from', { body: '0123456789' })
  const id = await begin(house, path)
  const { etag } = await copiedPart(house, id, 1, 'bucket/from', { [range]: 'bytes=3-5' })
  assert.equal(etag, `"${md5('345').toString('hex')}"`)
})
