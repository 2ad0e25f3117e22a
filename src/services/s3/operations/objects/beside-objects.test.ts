import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { decodeAttributes, encodeAttributes } from '../../attributes.ts'
import { openWithBucket } from '../../testing/objects.ts'

const tagging = { tagging: '' }
const tagSet = (...tags: readonly (readonly [string, string])[]) => {
  const elements = tags.map(([k, v]) => `<Tag><Key>${k}</Key><Value>${v}</Value></Tag>`)
  return `<Tagging><TagSet>${elements.join('')}</TagSet></Tagging>`
}

describe('the tags of an object', () => {
  const eleven = Array.from({ length: 11 }, (_, at) => [`k${at}`, 'v'] as const)
  for (const [name, body, code] of [
    ['more than ten', tagSet(...eleven), 'BadRequest'],
    ['two of a name', tagSet(['a', 'b'], ['a', 'c']), 'InvalidTag'],
    ['reserved ones', tagSet(['aws:a', 'b']), 'InvalidTag'],
    ['something else', '<Tagging><Tags/></Tagging>', 'MalformedXML'],
    ['no set', '<Tagging/>', 'MalformedXML'],
    [
      'without a value',
      '<Tagging><TagSet><Tag><Key>a</Key></Tag></TagSet></Tagging>',
      'MalformedXML',
    ],
    ['nothing', '', 'MissingRequestBodyError'],
  ] as const) {
    test(`cannot be ${name}: ${code}`, async (t) => {
      const house = await openWithBucket(t)
      await s3Ok(house, 'PUT', '/bucket/key', { headers: { 'x-amz-tagging': 'x=y' } })
      const { error, status } = await s3Call(house, 'PUT', '/bucket/key', { query: tagging, body })
      assert.deepEqual([error, status], [code, 400])
      const { text } = await s3Ok(house, 'GET', '/bucket/key', { query: tagging })
      assert.match(text, /<TagSet><Tag><Key>x<\/Key><Value>y<\/Value><\/Tag><\/TagSet>/)
    })
  }

  test('can be set, read and taken away, for each version', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const { headers } = await s3Ok(house, 'PUT', '/bucket/key', { body: 'one' })
    const versionId = headers.get('x-amz-version-id') ?? ''
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'two', headers: { 'x-amz-tagging': 'b=2' } })
    const body = tagSet(['a', '1'])
    const query = { ...tagging, versionId }
    const set = await s3Ok(house, 'PUT', '/bucket/key', { query, body })
    assert.equal(set.headers.get('x-amz-version-id'), versionId)
    const read = async (named: Readonly<Record<string, string>>) =>
      (await s3Ok(house, 'GET', '/bucket/key', { query: named })).text
    assert.match(await read(query), /<Key>a<\/Key><Value>1<\/Value>/)
    assert.match(await read(tagging), /<Key>b<\/Key><Value>2<\/Value>/)
    const gone = await s3Ok(house, 'DELETE', '/bucket/key', { query })
    assert.equal(gone.status, 204)
    assert.match(await read(query), /<TagSet><\/TagSet>/)
    assert.match(await read(tagging), /<Key>b<\/Key>/)
    assert.equal((await s3Ok(house, 'GET', '/bucket/key')).text, 'two')
  })

  test('are none of a delete marker', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const { headers } = await s3Ok(house, 'DELETE', '/bucket/key')
    const query = { ...tagging, versionId: headers.get('x-amz-version-id') ?? '' }
    const body = tagSet(['a', 'b'])
    for (const [method, sending] of [
      ['GET', { query }],
      ['PUT', { query, body }],
      ['DELETE', { query }],
    ] as const) {
      const { error, status } = await s3Call(house, method, '/bucket/key', sending)
      assert.deepEqual([error, status], ['MethodNotAllowed', 405], method)
    }
  })
})

describe('the attributes of an object', () => {
  const asked = (names: string, more: Readonly<Record<string, string>> = {}) => ({
    query: { attributes: '' },
    headers: { 'x-amz-object-attributes': names, ...more },
  })

  test('are those that are asked for', async (t) => {
    const house = await openWithBucket(t)
    const headers = { 'x-amz-checksum-crc32': 'NhCmhg==' }
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello', headers })
    const all = 'ETag,Checksum,ObjectParts,StorageClass,ObjectSize'
    const { text } = await s3Ok(house, 'GET', '/bucket/key', asked(all))
    assert.match(text, /<ETag>5d41402abc4b2a76b9719d911017c592<\/ETag>/)
    assert.match(
      text,
      /<Checksum><ChecksumCRC32>NhCmhg==<\/ChecksumCRC32><ChecksumType>FULL_OBJECT</,
    )
    assert.match(text, /<StorageClass>STANDARD<\/StorageClass><ObjectSize>5<\/ObjectSize>/)
    assert.doesNotMatch(text, /ObjectParts/)
    const one = await s3Ok(house, 'GET', '/bucket/key', asked('ObjectSize'))
    assert.match(
      one.text,
      /Response xmlns="[^"]*"><ObjectSize>5<\/ObjectSize><\/GetObjectAttributes/,
    )
    for (const [sending, code] of [
      [asked('Size'), 'InvalidArgument'],
      [{ query: { attributes: '' } }, 'InvalidArgument'],
      [asked('ETag', { 'x-amz-max-parts': '-1' }), 'InvalidArgument'],
    ] as const) {
      assert.equal((await s3Call(house, 'GET', '/bucket/key', sending)).error, code)
    }
  })

  test('have its parts, page by page', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key', { body: 'hello' })
    const { objects } = house
    const head = objects.head.bind(objects)
    const digestOf = (number: number) => Buffer.of(0, 0, 0, number).toString('base64')
    const parts = [1, 3, 7].map((number) => ({ number, size: number, checksum: digestOf(number) }))
    objects.head = async (...named) => {
      const version = await head(...named)
      const attributes = { ...decodeAttributes(version.attributes), parts, checksum }
      return { ...version, attributes: encodeAttributes(attributes) }
    }
    const checksum = { algorithm: 'crc32', value: 'x-3', type: 'COMPOSITE' } as const
    const page = async (marker: number) => {
      const more = { 'x-amz-max-parts': '2', 'x-amz-part-number-marker': String(marker) }
      return (await s3Ok(house, 'GET', '/bucket/key', asked('ObjectParts', more))).text
    }
    const first = await page(0)
    assert.match(first, /<PartsCount>3<\/PartsCount><PartNumberMarker>0</)
    assert.match(first, /<NextPartNumberMarker>3<\/NextPartNumberMarker><MaxParts>2<\/MaxParts>/)
    assert.match(first, /<IsTruncated>true<\/IsTruncated><Part><PartNumber>1</)
    assert.match(first, /<PartNumber>3<\/PartNumber><Size>3<\/Size><ChecksumCRC32>AAAAAw==</)
    const second = await page(3)
    assert.match(second, /<IsTruncated>false<\/IsTruncated><Part><PartNumber>7</)
    assert.equal(second.match(/<Part>/g)?.length, 1)
  })
})

describe('the ACL of an object', () => {
  const acl = { acl: '' }

  test("is the owner's, and stays so", async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', '/bucket/key')
    const { text } = await s3Ok(house, 'GET', '/bucket/key', { query: acl })
    assert.match(
      text,
      /<Owner><ID>([0-9a-f]{64})<\/ID><\/Owner>.*<ID>\1<\/ID><\/Grantee><Permission>FULL_CONTROL</,
    )
    for (const [sending, code] of [
      [{ headers: { 'x-amz-acl': 'public-read' } }, 'AccessControlListNotSupported'],
      [{ headers: { 'x-amz-grant-read': 'id=1' } }, 'AccessControlListNotSupported'],
      [{ body: text }, 'AccessControlListNotSupported'],
      [{}, 'AccessControlListNotSupported'],
      [{ headers: { 'x-amz-acl': 'bucket-owner-full-control' } }, undefined],
    ] as const) {
      const answer = await s3Call(house, 'PUT', '/bucket/key', { query: acl, ...sending })
      assert.equal(answer.error, code)
    }
    const headers = { 'x-amz-acl': 'private' }
    const absent = await s3Call(house, 'PUT', '/bucket/absent', { query: acl, headers })
    assert.equal(absent.error, 'NoSuchKey')
  })
})

test('buckets have no locks, and nothing is asked for that nobody knows', async (t) => {
  const house = await openWithBucket(t)
  await s3Ok(house, 'PUT', '/bucket/key')
  for (const subresource of ['legal-hold', 'retention']) {
    const query = { [subresource]: '' }
    const { error, message } = await s3Call(house, 'GET', '/bucket/key', { query })
    assert.equal(error, 'InvalidRequest')
    assert.equal(message, 'Bucket is missing Object Lock Configuration')
  }
  const { error, status } = await s3Call(house, 'GET', '/bucket/key', { query: { torrent: '' } })
  assert.deepEqual([error, status], ['NotImplemented', 501])
})
