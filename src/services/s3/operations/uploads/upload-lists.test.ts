import assert from 'node:assert/strict'
import { test } from 'node:test'
import { account } from '../../../../testing/house.ts'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { canonicalUserId } from '../../owner.ts'
import { openWithBucket } from '../../testing/objects.ts'
import { refusal } from '../../testing/refusal.ts'
import { begin, elementOf, elementsOf, putPart } from '../../testing/uploads.ts'

const path = '/bucket/object'

test('counts, markers and encodings that are none', async (t) => {
  const house = await openWithBucket(t)
  const id = await begin(house, path)
  const max = 2 ** 31 - 1
  for (const [name, at, query] of [
    ['max-parts', path, { uploadId: id }],
    ['part-number-marker', path, { uploadId: id }],
    ['max-uploads', '/bucket', { uploads: '' }],
  ] as const) {
    const ask = (value: string) => refusal(house, 'GET', at, { query: { ...query, [name]: value } })
    const problem = `Provided ${name} not an integer or within integer range`
    for (const value of ['x', '', '1.5', '99999999999', String(2 ** 31)]) {
      assert.deepEqual(await ask(value), [400, 'InvalidArgument', problem])
    }
    const range = `Argument ${name} must be an integer between 0 and ${max}`
    assert.deepEqual(await ask('-1'), [400, 'InvalidArgument', range])
  }
  const encoding = { uploads: '', 'encoding-type': 'base64' }
  const answer = await s3Call(house, 'GET', '/bucket', { query: encoding })
  assert.equal(answer.error, 'InvalidArgument')
  const unknown = { uploadId: id, 'max-keys': '5' }
  assert.equal((await s3Call(house, 'GET', path, { query: unknown })).error, 'NotImplemented')
})

test('parts are listed by pages, with who began the upload and whose it will be', async (t) => {
  const house = await openWithBucket(t)
  const policies = [
    { Version: '2012-10-17', Statement: { Effect: 'Allow', Action: 's3:*', Resource: '*' } },
  ]
  const alice = await house.addUser({ name: 'alice', policies })
  const headers = { 'x-amz-checksum-algorithm': 'CRC32', 'x-amz-checksum-type': 'FULL_OBJECT' }
  const id = await begin(house, path, { key: alice, headers })
  for (const number of [9, 1, 5]) await putPart(house, path, id, number, `part ${number}`)
  const page = (more: Record<string, string> = {}) =>
    s3Ok(house, 'GET', path, { query: { uploadId: id, ...more } })
  const all = await page()
  assert.deepEqual(elementsOf(all, 'PartNumber'), ['1', '5', '9'])
  assert.deepEqual(elementsOf(all, 'Size'), ['6', '6', '6'])
  assert.equal(elementsOf(all, 'ChecksumCRC32').length, 3)
  for (const [name, value] of [
    ['Bucket', 'bucket'],
    ['Key', 'object'],
    ['UploadId', id],
    ['IsTruncated', 'false'],
    ['MaxParts', '1000'],
    ['PartNumberMarker', '0'],
    ['NextPartNumberMarker', '9'],
    ['StorageClass', 'STANDARD'],
    ['ChecksumAlgorithm', 'CRC32'],
    ['ChecksumType', 'FULL_OBJECT'],
    ['DisplayName', 'alice'],
  ] as const) {
    assert.equal(elementOf(all, name), value, name)
  }
  assert.deepEqual(elementsOf(all, 'ID'), [alice.arn, canonicalUserId(account)])
  const first = await page({ 'max-parts': '2' })
  assert.deepEqual(elementsOf(first, 'PartNumber'), ['1', '5'])
  assert.equal(elementOf(first, 'IsTruncated'), 'true')
  const marker = elementOf(first, 'NextPartNumberMarker')
  const second = await page({ 'max-parts': '2', 'part-number-marker': marker })
  assert.deepEqual(elementsOf(second, 'PartNumber'), ['9'])
  assert.equal(elementOf(second, 'IsTruncated'), 'false')
})

test('uploads are listed by keys, prefixes and pages', async (t) => {
  const house = await openWithBucket(t)
  const ids = new Map<string, string>()
  for (const key of ['a', 'dir/b', 'dir/c', 'dir/c', 'z & z']) {
    const id = await begin(house, `/bucket/${key}`)
    ids.set(ids.has(key) ? `${key} again` : key, id)
  }
  const list = (more: Record<string, string> = {}) =>
    s3Ok(house, 'GET', '/bucket', { query: { uploads: '', ...more } })
  const all = await list()
  assert.deepEqual(elementsOf(all, 'UploadId'), [...ids.values()])
  assert.equal(elementOf(all, 'IsTruncated'), 'false')
  assert.equal(elementOf(all, 'MaxUploads'), '1000')
  assert.equal(elementsOf(all, 'Initiated')[0], '2026-05-06T07:08:09.000Z')
  assert.equal(elementsOf(all, 'ID')[0], canonicalUserId(account))
  const grouped = await list({ delimiter: '/', 'encoding-type': 'url' })
  assert.deepEqual(elementsOf(grouped, 'Key'), ['a', 'z%20%26%20z'])
  assert.deepEqual(elementsOf(grouped, 'Prefix'), ['', 'dir/'])
  const below = await list({ prefix: 'dir/' })
  assert.deepEqual(elementsOf(below, 'Key'), ['dir/b', 'dir/c', 'dir/c'])
  const seen: string[] = []
  let markers: Record<string, string> = {}
  for (let pages = 0; pages < 10; pages++) {
    const page = await list({ 'max-uploads': '2', ...markers })
    seen.push(...elementsOf(page, 'UploadId'))
    if (elementOf(page, 'IsTruncated') === 'false') break
    markers = {
      'key-marker': elementOf(page, 'NextKeyMarker'),
      'upload-id-marker': elementOf(page, 'NextUploadIdMarker'),
    }
  }
  assert.deepEqual(seen, [...ids.values()])
  const behind = await list({ 'key-marker': 'dir/c' })
  assert.deepEqual(elementsOf(behind, 'Key'), ['z &amp; z'])
  const ignored = await list({ 'upload-id-marker': ids.get('dir/c') ?? '' })
  assert.equal(elementsOf(ignored, 'UploadId').length, 5)
  const none = await list({ 'max-uploads': '0' })
  assert.deepEqual(elementsOf(none, 'UploadId'), [])
})
