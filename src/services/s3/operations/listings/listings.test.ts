import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { account, House, otherAccount, region } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { encodeAttributes, type StoredChecksum } from '../../attributes.ts'
import type { BucketRecord } from '../../bucket.ts'
import { canonicalUserId } from '../../owner.ts'

const bucket: BucketRecord = {
  ...{ name: 'ledger', account, region, createdAt: 0, storeId: 'ledger-store' },
}
const checksum: StoredChecksum = { algorithm: 'crc32c', value: 'AAAAAA==', type: 'FULL_OBJECT' }

async function houseWith(t: TestContext, keys: readonly string[], record = bucket): Promise<House> {
  const house = await House.open(t)
  await house.mirror.commit([house.tables.s3.add(record)], [])
  await house.objects.createBucket(record.storeId)
  for (const key of keys) await put(house, key)
  return house
}

async function put(
  house: House,
  key: string,
  versioning: 'unversioned' | 'enabled' = 'unversioned',
) {
  const none = Buffer.alloc(0)
  async function* data() {
    yield Buffer.from('12345')
  }
  return house.objects.put(bucket.storeId, key, {
    versioning,
    data: data(),
    finish: () => ({
      ...{
        etag: 'e'.repeat(32),
        sidecar: none,
        segmentSidecar: none,
        chunkTags: none,
        tagging: '',
      },
      attributes: encodeAttributes({ encryption: { mode: 'AES256', byDefault: true }, checksum }),
    }),
  })
}

type Page = {
  readonly text: string
  readonly keys: readonly string[]
  readonly prefixes: readonly string[]
  one(element: string): string | undefined
}

async function list(house: House, query: S3Sending['query'], key = house.key): Promise<Page> {
  const { text } = await s3Ok(house, 'GET', '/ledger', { query: query ?? {}, key })
  const all = (pattern: RegExp) => [...text.matchAll(pattern)].map(([, found = '']) => found)
  return {
    text,
    keys: all(/<Key>([^<]*)<\/Key>/g),
    prefixes: all(/<CommonPrefixes><Prefix>([^<]*)</g),
    one: (element) => new RegExp(`<${element}>([^<]*)</${element}>`).exec(text)?.[1],
  }
}

async function refused(house: House, query: S3Sending['query'], sending: S3Sending = {}) {
  const { status, error, text } = await s3Call(house, 'GET', '/ledger', {
    ...sending,
    query: query ?? {},
  })
  return [status, error, /<ArgumentName>([^<]*)</.exec(text)?.[1]]
}

const tree = ['a', 'b/1', 'b/2', 'b/3', 'c/1', 'd']
const forms = { V1: {}, V2: { 'list-type': '2' }, versions: { versions: '' } }

describe('listings that are refused', () => {
  test('say which argument is wrong', async (t) => {
    const house = await houseWith(t, [])
    for (const form of Object.values(forms)) {
      for (const [name, value, said = name] of [
        ['max-keys', 'many'],
        ['max-keys', ''],
        ['max-keys', '1.5'],
        ['max-keys', '2147483648'],
        ['max-keys', '-1', 'maxKeys'],
        ['encoding-type', 'base64'],
      ] as const) {
        const found = await refused(house, { ...form, [name]: value })
        assert.deepEqual(found, [400, 'InvalidArgument', said], `${name}=${value}`)
      }
    }
    const ofVersions = (more: object) => refused(house, { versions: '', ...more })
    const wrongMarker = [400, 'InvalidArgument', 'version-id-marker']
    assert.deepEqual(await ofVersions({ 'version-id-marker': 'v' }), wrongMarker)
    const empty = { 'key-marker': 'k', 'version-id-marker': '' }
    assert.deepEqual(await ofVersions(empty), wrongMarker)
    const long = { 'key-marker': 'k', 'version-id-marker': 'v'.repeat(2000) }
    assert.deepEqual(await ofVersions(long), wrongMarker)
    assert.deepEqual(await refused(house, { 'continuation-token': 'x' }), [
      501,
      'NotImplemented',
      undefined,
    ])
  })

  test('of a bucket that is not there, or not whose the caller thinks', async (t) => {
    const house = await houseWith(t, [])
    const { status, error, text } = await s3Call(house, 'GET', '/none')
    assert.deepEqual([status, error], [404, 'NoSuchBucket'])
    assert.match(text, /<BucketName>none</)
    const expecting = (owner: string) => ({ headers: { 'x-amz-expected-bucket-owner': owner } })
    for (const form of Object.values(forms)) {
      const found = await refused(house, form, expecting(otherAccount))
      assert.deepEqual(found.slice(0, 2), [403, 'AccessDenied'])
      await s3Ok(house, 'GET', '/ledger', { query: form, ...expecting(account) })
    }
  })

  test('without the permission, with these very parameters', async (t) => {
    const house = await houseWith(t, tree)
    const allow = (Action: string, Condition: object = {}) => ({
      Version: '2012-10-17',
      Statement: { Effect: 'Allow', Action, Resource: 'arn:aws:s3:::ledger', Condition },
    })
    const prefixes = { StringLike: { 's3:prefix': ['', 'b/*'] } }
    const few = { NumericLessThanEquals: { 's3:max-keys': '10' } }
    const slash = { StringEquals: { 's3:delimiter': '/' } }
    const [reader, sparing, folders, versions] = await Promise.all([
      house.addUser({ name: 'reader', policies: [allow('s3:ListBucket', prefixes)] }),
      house.addUser({ name: 'sparing', policies: [allow('s3:ListBucket', few)] }),
      house.addUser({ name: 'folders', policies: [allow('s3:ListBucket', slash)] }),
      house.addUser({ name: 'versions', policies: [allow('s3:ListBucketVersions', slash)] }),
    ])
    const denied = async (key: typeof reader, query: S3Sending['query']) =>
      (await refused(house, query, { key })).slice(0, 2)
    const no = [403, 'AccessDenied']
    for (const form of [forms.V1, forms.V2]) {
      assert.deepEqual(await denied(reader, form), no, 'no prefix at all')
      assert.deepEqual(await denied(reader, { ...form, prefix: 'c/' }), no)
      assert.equal((await list(house, { ...form, prefix: 'b/' }, reader)).keys.length, 3)
      assert.equal((await list(house, { ...form, prefix: '' }, reader)).keys.length, 6)
      assert.deepEqual(await denied(sparing, { ...form, 'max-keys': '11' }), no)
      assert.deepEqual(await denied(sparing, form), no)
      assert.equal((await list(house, { ...form, 'max-keys': '10' }, sparing)).keys.length, 6)
      assert.deepEqual(await denied(folders, form), no)
      assert.equal((await list(house, { ...form, delimiter: '/' }, folders)).keys.length, 2)
      assert.deepEqual(await denied(versions, { ...form, delimiter: '/' }), no)
    }
    assert.deepEqual(await denied(folders, { versions: '', delimiter: '/' }), no)
    const page = await list(house, { versions: '', delimiter: '/' }, versions)
    assert.equal(page.keys.length, 2)
  })
})

describe('ListObjects', () => {
  test('pages by marker, which it hands out where there is a delimiter', async (t) => {
    const house = await houseWith(t, tree)
    const all = await list(house, {})
    assert.deepEqual(all.keys, tree)
    assert.deepEqual([all.one('Marker'), all.one('Prefix')], ['', ''])
    assert.deepEqual([all.one('MaxKeys'), all.one('IsTruncated')], ['1000', 'false'])
    assert.equal(all.one('Delimiter'), undefined)
    const first = await list(house, { 'max-keys': '2' })
    assert.deepEqual(first.keys, ['a', 'b/1'])
    assert.deepEqual([first.one('IsTruncated'), first.one('NextMarker')], ['true', undefined])
    const behind = await list(house, { marker: 'b/1', 'max-keys': '5000' })
    assert.deepEqual(behind.keys, ['b/2', 'b/3', 'c/1', 'd'])
    assert.deepEqual([behind.one('Marker'), behind.one('MaxKeys')], ['b/1', '1000'])
    const folders = await list(house, { delimiter: '/', 'max-keys': '2' })
    assert.deepEqual([folders.keys, folders.prefixes], [['a'], ['b/']])
    assert.equal(folders.one('NextMarker'), 'b/')
    const rest = await list(house, { delimiter: '/', marker: 'b/' })
    assert.deepEqual([rest.keys, rest.prefixes], [['d'], ['c/']])
    assert.equal(rest.one('NextMarker'), undefined)
  })

  test('nothing of nothing', async (t) => {
    const house = await houseWith(t, tree)
    for (const form of Object.values(forms)) {
      const page = await list(house, { ...form, 'max-keys': '0' })
      assert.deepEqual([page.keys, page.one('IsTruncated')], [[], 'false'])
      const none = await list(house, { ...form, prefix: 'zz', delimiter: '' })
      assert.deepEqual([none.keys, none.one('Delimiter')], [[], undefined])
    }
  })

  test('tells of each object what there is', async (t) => {
    const house = await houseWith(t, ['a'])
    const id = canonicalUserId(account)
    assert.match(id, /^[0-9a-f]{64}$/)
    const entry =
      '<Contents><Key>a</Key><LastModified>2026-05-06T07:08:09.000Z</LastModified>' +
      `<ETag>&quot;${'e'.repeat(32)}&quot;</ETag><ChecksumAlgorithm>CRC32C</ChecksumAlgorithm>` +
      '<ChecksumType>FULL_OBJECT</ChecksumType><Size>5</Size><StorageClass>STANDARD</StorageClass>'
    const owner = `<Owner><ID>${id}</ID></Owner>`
    const v1 = (await list(house, {})).text
    assert.ok(v1.includes(`${entry}${owner}</Contents>`), v1)
    assert.match(v1, /^<\?xml [^>]*>\n<ListBucketResult xmlns="http:\/\/s3.amazonaws.com\/doc/)
    const v2 = (await list(house, forms.V2)).text
    assert.ok(v2.includes(`${entry}</Contents>`), v2)
    const fetched = await list(house, { ...forms.V2, 'fetch-owner': 'true' })
    assert.ok(fetched.text.includes(`${entry}${owner}</Contents>`), fetched.text)
  })
})

describe('ListObjectsV2', () => {
  test('continues with tokens, in pages of any size', async (t) => {
    const house = await houseWith(t, tree)
    for (const size of ['1', '2', '5', '6']) {
      const keys: string[] = []
      const prefixes: string[] = []
      let token: string | undefined
      do {
        const query = { ...forms.V2, delimiter: '/', 'max-keys': size }
        const more = token === undefined ? {} : { 'continuation-token': token }
        const page = await list(house, { ...query, ...more })
        assert.equal(page.one('ContinuationToken'), token)
        assert.equal(page.one('KeyCount'), String(page.keys.length + page.prefixes.length))
        keys.push(...page.keys)
        prefixes.push(...page.prefixes)
        token = page.one('NextContinuationToken')
        assert.equal(page.one('IsTruncated'), String(token !== undefined))
      } while (token !== undefined)
      assert.deepEqual(
        [keys, prefixes],
        [
          ['a', 'd'],
          ['b/', 'c/'],
        ],
        `pages of ${size}`,
      )
    }
  })

  test('starts after a name, unless a token says where', async (t) => {
    const house = await houseWith(t, tree)
    const started = await list(house, { ...forms.V2, 'start-after': 'b/2', 'max-keys': '1' })
    assert.deepEqual([started.keys, started.one('StartAfter')], [['b/3'], 'b/2'])
    const token = started.one('NextContinuationToken') ?? ''
    const both = await list(house, {
      ...{ ...forms.V2, 'start-after': 'a', 'continuation-token': token },
    })
    assert.deepEqual(both.keys, ['c/1', 'd'])
    assert.deepEqual([both.one('StartAfter'), both.one('ContinuationToken')], ['a', token])
  })

  test('takes no token but its own, unaltered, for the same listing', async (t) => {
    const house = await houseWith(t, tree)
    const page = await list(house, { ...forms.V2, prefix: 'b/', 'max-keys': '1' })
    const token = page.one('NextContinuationToken') ?? ''
    assert.match(token, /^[\w-]{20,}$/)
    const same = { ...forms.V2, prefix: 'b/', 'continuation-token': token }
    assert.deepEqual((await list(house, same)).keys, ['b/2', 'b/3'])
    const wrong = [400, 'InvalidArgument', 'continuation-token']
    for (const at of token.split('').keys()) {
      const other = token[at] === 'A' ? 'B' : 'A'
      const altered = `${token.slice(0, at)}${other}${token.slice(at + 1)}`
      const found = await refused(house, { ...same, 'continuation-token': altered })
      assert.deepEqual(found, wrong, `at ${at}`)
    }
    for (const text of ['', 'b/1', `${token}=`, token.slice(1), `${token}A`, 'x'.repeat(7000)]) {
      assert.deepEqual(await refused(house, { ...same, 'continuation-token': text }), wrong, text)
    }
    for (const changed of [{ prefix: '' }, { prefix: 'c/' }, { delimiter: '/' }]) {
      assert.deepEqual(await refused(house, { ...same, ...changed }), wrong)
    }
  })
})

describe('names in an answer', () => {
  const odd = ['a b+c/d%/é(1)*~\u{1f511}', 'line\nfeed', 'nul\u0000 \u0001', '<&>"\'']

  test('with encoding-type=url can be decoded by every client', async (t) => {
    const house = await houseWith(t, odd)
    for (const form of Object.values(forms)) {
      const page = await list(house, { ...form, 'encoding-type': 'url' })
      assert.equal(page.one('EncodingType'), 'url')
      assert.deepEqual(page.keys.map(decodeURIComponent).sort(), [...odd].sort())
      for (const key of page.keys) assert.match(key, /^[\w.~/%-]+$/)
      const folders = await list(house, {
        ...{ ...form, 'encoding-type': 'url', delimiter: '+c/', prefix: 'a b' },
      })
      assert.deepEqual(folders.prefixes, ['a%20b%2Bc/'])
      assert.deepEqual([folders.one('Delimiter'), folders.one('Prefix')], ['%2Bc/', 'a%20b'])
    }
  })

  test('without it are references where XML has no such character', async (t) => {
    const house = await houseWith(t, odd)
    for (const form of Object.values(forms)) {
      const { keys, text } = await list(house, form)
      assert.ok(keys.includes('nul&#x0; &#x1;'), text)
      assert.ok(keys.includes('&lt;&amp;&gt;&quot;&apos;'), text)
      assert.ok(!text.includes('FFFD'))
    }
  })
})

describe('ListObjectVersions', () => {
  test('shows every version and marker, page by page', async (t) => {
    const house = await houseWith(t, [], { ...bucket, versioning: 'enabled' })
    for (const key of ['a', 'a', 'b', 'a']) {
      await put(house, key, 'enabled')
      house.clock.time += 1000
    }
    await house.objects.delete(bucket.storeId, 'b', { versioning: 'enabled' })
    const whole = await list(house, forms.versions)
    assert.deepEqual(whole.keys, ['a', 'a', 'a', 'b', 'b'])
    assert.equal([...whole.text.matchAll(/<Version>/g)].length, 4)
    const [marker = ''] = /<DeleteMarker>.*?<\/DeleteMarker>/.exec(whole.text) ?? []
    assert.match(marker, /<Key>b<.*<Owner><ID>[0-9a-f]{64}<.*<IsLatest>true</)
    assert.doesNotMatch(marker, /<(ETag|Size|StorageClass)>/)
    const latest = [...whole.text.matchAll(/<IsLatest>(\w+)</g)].map(([, found]) => found)
    assert.deepEqual(latest, ['true', 'false', 'false', 'false', 'true'])

    const seen: string[] = []
    let place: Record<string, string> = {}
    for (let page = 0; page < 9; page += 1) {
      const found = await list(house, { ...forms.versions, 'max-keys': '1', ...place })
      seen.push(...[...found.text.matchAll(/<VersionId>([^<]+)</g)].map(([, id = '']) => id))
      assert.equal(found.one('KeyMarker'), place['key-marker'] ?? '')
      assert.equal(found.one('VersionIdMarker'), place['version-id-marker'] ?? '')
      const [key, version] = [found.one('NextKeyMarker'), found.one('NextVersionIdMarker')]
      if (found.one('IsTruncated') === 'false') break
      assert.ok(key !== undefined && version !== undefined, found.text)
      place = { 'key-marker': key, 'version-id-marker': version }
    }
    assert.equal(new Set(seen).size, 5)
    const behind = await list(house, { ...forms.versions, 'key-marker': 'a' })
    assert.deepEqual(behind.keys, ['b', 'b'])
  })

  test('of common prefixes', async (t) => {
    const house = await houseWith(t, tree)
    const page = await list(house, { ...forms.versions, delimiter: '/', 'max-keys': '2' })
    assert.deepEqual([page.keys, page.prefixes], [['a'], ['b/']])
    assert.equal(page.one('NextKeyMarker'), 'b/')
    const rest = await list(house, { ...forms.versions, delimiter: '/', 'key-marker': 'b/' })
    assert.deepEqual([rest.keys, rest.prefixes], [['d'], ['c/']])
    assert.deepEqual(
      [...page.text.matchAll(/<VersionId>(\w+)</g)].map(([, id]) => id),
      ['null'],
    )
  })
})
