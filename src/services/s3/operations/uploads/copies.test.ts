import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, test } from 'node:test'
import { parseRegion, type Region } from '../../../../base/ids.ts'
import { account, type House, otherAccount, region } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import {
  customerHeaders,
  openWithBucket,
  setVersioning,
  WatchedObjects,
} from '../../testing/objects.ts'
import {
  begin,
  completeOk,
  elementOf,
  elementsOf,
  fullPart,
  md5,
  putPart,
} from '../../testing/uploads.ts'

const elsewhere = parseRegion('eu-west-1') as Region
const from = '/bucket/dir/from'
const to = '/bucket/to'
const sse = 'x-amz-server-side-encryption'
const source = 'x-amz-copy-source'
const arnOf = (keyId: string) => `arn:aws:kms:${region}:${account}:key/${keyId}`
const kmsOf = (keyId: string) => ({ [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: keyId })

function copy(
  house: House,
  path: string,
  copied: string,
  headers: Readonly<Record<string, string>> = {},
  sending: S3Sending = {},
) {
  return s3Call(house, 'PUT', path, { ...sending, headers: { [source]: copied, ...headers } })
}

async function copyOk(...args: Parameters<typeof copy>) {
  const answer = await copy(...args)
  assert.equal(answer.status, 200, answer.text)
  return answer
}

const sourceKey = (key: Buffer) =>
  Object.fromEntries(
    Object.entries(customerHeaders(key)).map(([name, value]) => [
      name.replace('x-amz-', 'x-amz-copy-source-'),
      value,
    ]),
  )

describe('what is refused of a copy', () => {
  test('sources that are none, or not there', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text' })
    const cases: readonly [string, number, string][] = [
      ['', 400, 'InvalidArgument'],
      ['bucket', 400, 'InvalidArgument'],
      ['/bucket/', 400, 'InvalidArgument'],
      ['//dir/from', 400, 'InvalidArgument'],
      ['bucket/%FF', 400, 'InvalidArgument'],
      ['bucket/dir/from?versionId=', 400, 'InvalidArgument'],
      ['bucket/dir/from?versionId=a%20b', 400, 'InvalidArgument'],
      ['bucket/dir/from?versionId=abc', 404, 'NoSuchVersion'],
      [`bucket/${'k'.repeat(1025)}`, 400, 'KeyTooLongError'],
      ['bucket/other', 404, 'NoSuchKey'],
      ['nobody-has-it/dir/from', 404, 'NoSuchBucket'],
      ['arn:aws:s3:us-east-1:111122223333:accesspoint/x/object/dir/from', 501, 'NotImplemented'],
      ['arn%3Aaws%3As3:us-east-1:111122223333:accesspoint/x/object/k', 501, 'NotImplemented'],
    ]
    for (const [copied, status, code] of cases) {
      const answer = await copy(house, to, copied)
      assert.deepEqual([answer.status, answer.error], [status, code], copied)
    }
    assert.equal((await copy(house, '/nobody-has-it/to', 'bucket/dir/from')).error, 'NoSuchBucket')
    assert.equal((await s3Call(house, 'HEAD', to)).status, 404)
  })

  test('directives and headers', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text' })
    const cases: readonly [Record<string, string>, string, RegExp][] = [
      [{ 'x-amz-metadata-directive': 'KEEP' }, 'InvalidArgument', /Unknown metadata directive/],
      [{ 'x-amz-tagging-directive': 'copy' }, 'InvalidArgument', /Unknown tagging directive/],
      [{ 'x-amz-acl': 'public-read' }, 'AccessControlListNotSupported', /ACLs/],
      [{ 'x-amz-storage-class': 'GLACIER' }, 'InvalidStorageClass', /storage class/],
      [{ 'x-amz-checksum-algorithm': 'MD4' }, 'InvalidRequest', /unsupported/],
      [{ [sse]: 'rot13' }, 'InvalidArgument', /not supported/],
      [
        { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'a=b&a=c' },
        'InvalidArgument',
        /duplicates/,
      ],
      [{ 'x-amz-copy-source-range': 'bytes=0-1' }, 'NotImplemented', /header/],
      [{ 'if-none-match': '"x"' }, 'NotImplemented', /header/],
    ]
    for (const [headers, code, text] of cases) {
      const answer = await copy(house, to, 'bucket/dir/from', headers)
      assert.equal(answer.error, code, JSON.stringify(headers))
      assert.match(answer.message ?? '', text)
    }
    assert.equal((await s3Call(house, 'HEAD', to)).status, 404)
  })

  test('an object onto itself, unless something changes', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text', headers: { 'x-amz-meta-a': '1' } })
    const refused = await copy(house, from, '/bucket/dir%2Ffrom')
    assert.deepEqual([refused.status, refused.error], [400, 'InvalidRequest'])
    assert.equal(
      refused.message?.replaceAll('&apos;', "'"),
      "This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
        'metadata, storage class, website redirect location or encryption attributes.',
    )
    const tags = { 'x-amz-tagging-directive': 'REPLACE', 'x-amz-tagging': 'a=b' }
    assert.equal((await copy(house, from, 'bucket/dir/from', tags)).error, 'InvalidRequest')
    for (const headers of [
      { 'x-amz-storage-class': 'STANDARD' },
      { [sse]: 'AES256' },
      { 'x-amz-checksum-algorithm': 'SHA256' },
      { 'x-amz-metadata-directive': 'REPLACE', 'x-amz-meta-b': '2' },
    ]) {
      await copyOk(house, from, 'bucket/dir/from', headers)
    }
    const got = await s3Ok(house, 'GET', from, { headers: { 'x-amz-checksum-mode': 'ENABLED' } })
    assert.equal(got.text, 'text')
    assert.deepEqual(
      ['x-amz-meta-a', 'x-amz-meta-b'].map((name) => got.headers.get(name)),
      [undefined, '2'],
    )
    const sha256 = createHash('sha256').update('text').digest('base64')
    assert.equal(got.headers.get('x-amz-checksum-sha256'), sha256)
  })

  test('on the conditions of its source, and of its destination', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text' })
    const etag = `"${md5('text').toString('hex')}"`
    const now = house.clock.now()
    const date = (time: number) => new Date(time).toUTCString()
    const [before, after] = [date(now - 60_000), date(now + 60_000)]
    const name = (condition: string) => `x-amz-copy-source-if-${condition}`
    const refused: readonly Record<string, string>[] = [
      { [name('match')]: '"other"' },
      { [name('none-match')]: etag },
      { [name('unmodified-since')]: before },
      { [name('modified-since')]: after },
      { [name('none-match')]: etag, [name('modified-since')]: before },
    ]
    for (const headers of refused) {
      const answer = await copy(house, to, 'bucket/dir/from', headers)
      assert.deepEqual([answer.status, answer.error], [412, 'PreconditionFailed'])
      assert.match(elementOf(answer, 'Condition'), /^x-amz-copy-source-If-/)
    }
    await copyOk(house, to, 'bucket/dir/from', {
      [name('match')]: etag,
      [name('unmodified-since')]: before,
    })
    const held = await copy(house, to, 'bucket/dir/from', { 'if-none-match': '*' })
    assert.equal(elementOf(held, 'Condition'), 'If-None-Match')
    await copyOk(house, to, 'bucket/dir/from', { 'if-match': etag })
  })

  test('what cannot be verified, and leaves nothing open', async (t) => {
    const objects = new WatchedObjects()
    const house = await openWithBucket(t, { objects })
    await s3Ok(house, 'PUT', from, { body: randomBytes(200_000) })
    objects.alter = (piece, at) => {
      if (at === 131_072) piece[5] = (piece[5] ?? 0) ^ 1
    }
    const answer = await copy(house, to, 'bucket/dir/from')
    assert.deepEqual([answer.status, answer.error], [500, 'InternalError'])
    assert.equal((await s3Call(house, 'HEAD', to)).status, 404)
    assert.deepEqual([objects.opened, objects.closed], [1, 1])
    objects.alter = () => {}
    await copyOk(house, to, 'bucket/dir/from')
    await copy(house, to, 'bucket/dir/from', { 'x-amz-copy-source-if-match': '"x"' })
    await copy(house, to, 'bucket/dir/from', sourceKey(randomBytes(32)))
    assert.deepEqual([objects.opened, objects.closed], [4, 4])
  })
})

describe('a copy', () => {
  test('has what its source has, or what the request says', async (t) => {
    const house = await openWithBucket(t)
    const headers = {
      ...{ 'content-type': 'text/x', expires: 'tomorrow', 'x-amz-meta-a': '1' },
      ...{ 'x-amz-tagging': 'k=v', 'x-amz-checksum-crc32': 'O74VmA==' },
    }
    const body = 'some text'
    const wrong = await s3Call(house, 'PUT', from, { body, headers })
    assert.equal(wrong.error, 'BadDigest')
    const { 'x-amz-checksum-crc32': _, ...right } = headers
    const digest = createHash('sha1').update(body).digest('base64')
    await s3Ok(house, 'PUT', from, { body, headers: { ...right, 'x-amz-checksum-sha1': digest } })
    const answer = await copyOk(house, to, 'bucket/dir/from', { 'content-type': 'of no meaning' })
    assert.equal(elementOf(answer, 'ETag'), `"${md5(body).toString('hex')}"`)
    assert.equal(elementOf(answer, 'ChecksumSHA1'), digest)
    assert.match(elementOf(answer, 'LastModified'), /^2026-05-06T07:08:09\.000Z$/)
    assert.equal(answer.headers.get('x-amz-copy-source-version-id'), undefined)
    const got = await s3Ok(house, 'GET', to)
    assert.equal(got.text, body)
    for (const name of ['content-type', 'expires', 'x-amz-meta-a'] as const) {
      assert.equal(got.headers.get(name), headers[name])
    }
    assert.equal(got.headers.get('x-amz-tagging-count'), '1')
    await copyOk(house, to, 'bucket/dir/from', {
      ...{ 'x-amz-metadata-directive': 'REPLACE', 'content-type': 'text/y' },
      ...{ 'x-amz-tagging-directive': 'REPLACE' },
    })
    const other = await s3Ok(house, 'GET', to)
    assert.deepEqual(
      ['content-type', 'expires', 'x-amz-meta-a', 'x-amz-tagging-count'].map((name) =>
        other.headers.get(name),
      ),
      ['text/y', undefined, undefined, undefined],
    )
  })

  test('of many parts is one, with the MD5 of all its bytes', async (t) => {
    const house = await openWithBucket(t)
    const id = await begin(house, from)
    const parts = [
      await putPart(house, from, id, 1, fullPart),
      await putPart(house, from, id, 2, 'the end'),
    ]
    await completeOk(house, from, id, parts)
    const answer = await copyOk(house, to, 'bucket/dir/from')
    const whole = Buffer.concat([fullPart, Buffer.from('the end')])
    assert.equal(elementOf(answer, 'ETag'), `"${md5(whole).toString('hex')}"`)
    const got = await s3Ok(house, 'GET', to, { query: { partNumber: '1' } })
    assert.ok(got.body.equals(whole))
    await s3Ok(house, 'PUT', '/bucket/empty')
    await copyOk(house, to, 'bucket/empty')
    assert.equal((await s3Ok(house, 'GET', to)).body.length, 0)
  })

  test('of a version, also of one that a delete marker hides, and of names that are encoded', async (t) => {
    const house = await openWithBucket(t, { versioning: 'Enabled' })
    const odd = '/bucket/a b+c?versionId=1/ü'
    const encoded = 'bucket/a%20b%2Bc%3FversionId%3D1/%C3%BC'
    const first = await s3Ok(house, 'PUT', odd, { body: 'one' })
    await s3Ok(house, 'PUT', odd, { body: 'two' })
    const versionId = first.headers.get('x-amz-version-id') ?? ''
    await copyOk(house, to, encoded)
    assert.equal((await s3Ok(house, 'GET', to)).text, 'two')
    const gone = await s3Ok(house, 'DELETE', odd)
    assert.equal((await copy(house, to, encoded)).error, 'NoSuchKey')
    const marker = gone.headers.get('x-amz-version-id') ?? ''
    const named = await copy(house, to, `${encoded}?versionId=${marker}`)
    assert.deepEqual([named.status, named.error], [400, 'InvalidRequest'])
    assert.match(named.message ?? '', /may not specifically refer to a delete marker/)
    // What was deleted comes back as a copy of itself.
    const answer = await copyOk(house, odd, `/${encoded}?versionId=${versionId}`)
    assert.equal(answer.headers.get('x-amz-copy-source-version-id'), versionId)
    assert.notEqual(answer.headers.get('x-amz-version-id'), versionId)
    assert.equal((await s3Ok(house, 'GET', odd)).text, 'one')
    await setVersioning(house, 'Suspended')
    const kept = await copyOk(house, to, encoded)
    assert.equal(kept.headers.get('x-amz-version-id'), 'null')
  })
})

describe('the keys of a copy', () => {
  test('are those that its own request or bucket wants', async (t) => {
    const house = await openWithBucket(t)
    const [one, two] = [await house.newKey(), await house.newKey()]
    await s3Ok(house, 'PUT', from, { body: 'text', headers: kmsOf(one) })
    const modeOf = async () => {
      const { headers } = await s3Ok(house, 'GET', to)
      return [headers.get(sse), headers.get(`${sse}-aws-kms-key-id`)]
    }
    await copyOk(house, to, 'bucket/dir/from')
    assert.deepEqual(await modeOf(), ['AES256', undefined])
    await copyOk(house, to, 'bucket/dir/from', kmsOf(two))
    assert.deepEqual(await modeOf(), ['aws:kms', arnOf(two)])
    const calls = house.journal.events
      .filter(({ eventSource }) => eventSource === 'kms.amazonaws.com')
      .slice(-3)
    assert.deepEqual(
      calls.map(({ eventName }) => eventName),
      ['Decrypt', 'GenerateDataKey', 'Decrypt'],
    )
    const customer = randomBytes(32)
    await copyOk(house, to, 'bucket/dir/from', customerHeaders(customer))
    assert.equal((await s3Call(house, 'GET', to)).error, 'InvalidRequest')
    const read = { headers: customerHeaders(customer) }
    assert.equal((await s3Ok(house, 'GET', to, read)).text, 'text')
    assert.equal((await copy(house, '/bucket/back', 'bucket/to')).error, 'InvalidRequest')
    const other = await copy(house, '/bucket/back', 'bucket/to', sourceKey(randomBytes(32)))
    assert.equal(other.status, 403)
    await copyOk(house, '/bucket/back', 'bucket/to', sourceKey(customer))
    assert.equal((await s3Ok(house, 'GET', '/bucket/back')).text, 'text')
    await house.ok('DisableKey', { KeyId: one })
    assert.equal((await copy(house, to, 'bucket/dir/from')).error, 'KMS.DisabledException')
    const disabled = await copy(house, to, 'bucket/back', kmsOf(one))
    assert.equal(disabled.error, 'KMS.DisabledException')
  })

  test('are asked for by the permissions of who copies', async (t) => {
    const house = await openWithBucket(t)
    const keyId = await house.newKey()
    await s3Ok(house, 'PUT', from, { body: 'text', headers: kmsOf(keyId) })
    await s3Ok(house, 'PUT', '/bucket/plain', { body: 'text' })
    const user = async (name: string, ...Action: readonly string[]) => {
      const Statement = { Effect: 'Allow', Action: ['s3:*', ...Action], Resource: '*' }
      return house.addUser({ name, policies: [{ Version: '2012-10-17', Statement }] })
    }
    const reader = { key: await user('reader', 'kms:Decrypt') }
    const writer = { key: await user('writer', 'kms:GenerateDataKey') }
    assert.equal((await copy(house, to, 'bucket/dir/from', {}, writer)).error, 'AccessDenied')
    assert.equal(
      (await copy(house, to, 'bucket/plain', kmsOf(keyId), reader)).error,
      'AccessDenied',
    )
    await copyOk(house, to, 'bucket/dir/from', {}, reader)
    await copyOk(house, to, 'bucket/plain', kmsOf(keyId), writer)
  })
})

describe('who may copy', () => {
  test('has to be let in on both sides', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text', headers: { 'x-amz-tagging': 'a=b' } })
    await s3Ok(house, 'PUT', '/bucket/plain', { body: 'text' })
    let count = 0
    const user = async (Action: readonly string[], Condition: object = {}) => {
      const Statement = [
        { Effect: 'Allow', Action: Action.slice(0, 1), Resource: '*', Condition },
        { Effect: 'Allow', Action: Action.slice(1), Resource: '*' },
      ]
      count += 1
      const name = `user-${count}`
      return {
        key: await house.addUser({ name, policies: [{ Version: '2012-10-17', Statement }] }),
      }
    }
    const get = 's3:GetObject'
    const put = 's3:PutObject'
    const denied = async (key: Awaited<ReturnType<typeof user>>, copied: string, text: string) => {
      const answer = await copy(house, to, copied, {}, key)
      assert.deepEqual([answer.status, answer.error], [403, 'AccessDenied'])
      assert.ok(answer.message?.includes(`${text} on resource`), answer.text)
    }
    await denied(await user([get, 's3:ListBucket']), 'bucket/plain', put)
    await denied(await user([put, 's3:ListBucket']), 'bucket/plain', get)
    await denied(await user([get, put]), 'bucket/absent', 's3:ListBucket')
    await denied(await user([get, put]), 'bucket/plain?versionId=null', 's3:GetObjectVersion')
    await denied(await user([get, put]), 'bucket/dir/from', 's3:GetObjectTagging')
    const untagging = await user([get, put, 's3:GetObjectTagging'])
    await denied(untagging, 'bucket/dir/from', 's3:PutObjectTagging')
    await copyOk(house, to, 'bucket/plain', {}, await user([get, put]))
    const replace = { 'x-amz-tagging-directive': 'REPLACE' }
    await copyOk(house, to, 'bucket/dir/from', replace, untagging)
    const tagging = { ...replace, 'x-amz-tagging': 'c=d' }
    const tagged = await copy(house, to, 'bucket/dir/from', tagging, untagging)
    assert.equal(tagged.error, 'AccessDenied')
    const all = await user([get, put, 's3:GetObjectTagging', 's3:PutObjectTagging'])
    await copyOk(house, to, 'bucket/dir/from', {}, all)
    const onTag = { StringEquals: { 's3:ExistingObjectTag/a': 'b' } }
    const byTag = await user([get, put, 's3:GetObjectTagging', 's3:PutObjectTagging'], onTag)
    await copyOk(house, to, 'bucket/dir/from', {}, byTag)
    await denied(byTag, 'bucket/plain', get)
    const onSource = { StringLike: { 's3:x-amz-copy-source': 'bucket/dir/*' } }
    const bySource = await user([put, get, 's3:GetObjectTagging', 's3:PutObjectTagging'], onSource)
    await copyOk(house, to, '/bucket/dir%2Ffrom', {}, bySource)
    await denied(bySource, 'bucket/plain', put)
  })

  test('because of a tag that is gone meanwhile is told to try again', async (t) => {
    const house = await openWithBucket(t)
    await s3Ok(house, 'PUT', from, { body: 'text', headers: { 'x-amz-tagging': 'a=b' } })
    const Statement = {
      ...{ Effect: 'Allow', Action: 's3:*', Resource: '*' },
      Condition: { StringEqualsIfExists: { 's3:ExistingObjectTag/a': 'b' } },
    }
    const policies = [{ Version: '2012-10-17', Statement }]
    const key = { key: await house.addUser({ name: 'by-tag', policies }) }
    const { objects } = house
    const head = objects.head.bind(objects)
    let changes = true
    objects.head = async (bucket, name, versionId) => {
      const version = await head(bucket, name, versionId)
      if (changes) await objects.setTagging(bucket, name, undefined, '[["a","c"]]')
      changes = false
      return version
    }
    const answer = await copy(house, to, 'bucket/dir/from', {}, key)
    assert.deepEqual([answer.status, answer.error], [409, 'OperationAborted'])
    assert.equal((await copy(house, to, 'bucket/dir/from', {}, key)).error, 'AccessDenied')
  })

  test('between accounts: both buckets, both accounts, and each sees its side', async (t) => {
    const house = await openWithBucket(t)
    const other = { key: house.otherKey }
    await s3Ok(house, 'PUT', '/theirs', other)
    await s3Ok(house, 'PUT', '/theirs/secret', { body: 'text', ...other })
    const refused = await copy(house, to, 'theirs/secret')
    assert.deepEqual([refused.status, refused.message], [403, 'Access Denied'])
    const Statement = {
      Effect: 'Allow',
      Principal: { AWS: account },
      Action: 's3:GetObject',
      Resource: 'arn:aws:s3:::theirs/*',
    }
    const body = JSON.stringify({ Version: '2012-10-17', Statement })
    await s3Ok(house, 'PUT', '/theirs', { query: { policy: '' }, body, ...other })
    const expected = 'x-amz-source-expected-bucket-owner'
    const wrong = await copy(house, to, 'theirs/secret', { [expected]: account })
    assert.equal(wrong.error, 'AccessDenied')
    const before = house.journal.events.length
    await copyOk(house, to, 'theirs/secret', { [expected]: otherAccount })
    assert.equal((await s3Ok(house, 'GET', to)).text, 'text')
    const [own, copied] = house.journal.events
      .slice(before)
      .filter(({ eventName }) => eventName === 'CopyObject')
    assert.equal(own?.recipientAccountId, account)
    assert.equal(copied?.recipientAccountId, otherAccount)
    assert.equal(own?.sharedEventID, copied?.sharedEventID)
    const text = JSON.stringify(copied)
    assert.ok(text.includes('theirs/secret'))
    assert.ok(!text.includes('arn:aws:s3:::bucket'), text)
    assert.ok(!text.includes('"bucketName":"bucket"'), text)
  })

  test('between Regions: of a bucket of another one', async (t) => {
    const house = await openWithBucket(t, { regions: [region, elsewhere] })
    const there = { region: elsewhere }
    await s3Ok(house, 'PUT', '/afar', {
      ...there,
      body: `<CreateBucketConfiguration><LocationConstraint>${elsewhere}</LocationConstraint></CreateBucketConfiguration>`,
    })
    const { KeyMetadata } = await house.ok('CreateKey', {}, there)
    const { KeyId } = KeyMetadata as { KeyId: string }
    await s3Ok(house, 'PUT', '/afar/object', { ...there, body: 'text', headers: kmsOf(KeyId) })
    const before = house.journal.events.length
    await copyOk(house, to, 'afar/object')
    assert.equal((await s3Ok(house, 'GET', to)).text, 'text')
    const [decrypted] = house.journal.events.slice(before)
    assert.deepEqual([decrypted?.eventName, decrypted?.awsRegion], ['Decrypt', elsewhere])
  })
})

test('the record of a copy names both sides', async (t) => {
  const house = await openWithBucket(t)
  await s3Ok(house, 'PUT', '/another')
  await s3Ok(house, 'PUT', from, { body: 'text' })
  await copyOk(house, '/another/to', 'bucket/dir/from')
  const record = house.journal.events.findLast(({ eventName }) => eventName === 'CopyObject')
  const { requestParameters, resources = [] } = record ?? {}
  const shown = requestParameters as Record<string, string>
  assert.deepEqual(
    [shown['bucketName'], shown['key'], shown[source]],
    [...['another', 'to', 'bucket/dir/from']],
  )
  assert.deepEqual(
    resources.map((each) => ('ARN' in each ? each.ARN : undefined)),
    [
      ...['arn:aws:s3:::another/to', 'arn:aws:s3:::another'],
      ...['arn:aws:s3:::bucket/dir/from', 'arn:aws:s3:::bucket'],
    ],
  )
  assert.equal(record?.additionalEventData?.['SSEApplied'], 'Default_SSE_S3')
  assert.ok(elementsOf(await s3Ok(house, 'GET', '/another'), 'Key').includes('to'))
})
