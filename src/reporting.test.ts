import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ObjectStore, Put } from './objects/port.ts'
import { reporting } from './reporting.ts'
import { encryptionCoverage } from './reports/encryption-coverage.ts'
import { encodeAttributes, type StoredEncryption } from './services/s3/attributes.ts'
import type { BucketRecord, DefaultEncryption } from './services/s3/bucket.ts'
import { encodeUploadAttributes } from './services/s3/operations/uploads/upload.ts'
import { account, House, otherAccount, region } from './testing/house.ts'

function putOf(attributes: string, versioning: Put['versioning'] = 'unversioned'): Put {
  const beside = { etag: 'e', attributes, sidecar: Buffer.alloc(0), tagging: '' }
  return {
    versioning,
    data: (async function* () {
      yield Buffer.alloc(5)
    })(),
    finish: () => ({ ...beside, segmentSidecar: Buffer.alloc(0), chunkTags: Buffer.alloc(0) }),
  }
}

async function addBucket(house: House, name: string, encryption?: DefaultEncryption) {
  const bucket: BucketRecord = {
    ...{ name, account, region, createdAt: house.clock.now(), storeId: `store-${name}` },
    ...(encryption === undefined ? {} : { encryption }),
  }
  await house.objects.createBucket(bucket.storeId)
  await house.mirror.commit([house.tables.s3.add(bucket)], [])
  return bucket
}

function sourcesOf(house: House, objects: ObjectStore = house.objects) {
  return reporting({ ...house.tables, objects }, house.assembly, house.clock)
}

test('rules of buckets name their keys in every form', async (t) => {
  const house = await House.open(t)
  const id = await house.newKey()
  const arn = `arn:aws:kms:${region}:${account}:key/${id}`
  await house.ok('CreateAlias', { AliasName: 'alias/books', TargetKeyId: id })
  const foreign = await house.newKey({}, { key: house.otherKey })
  const foreignArn = `arn:aws:kms:${region}:${otherAccount}:key/${foreign}`
  const forms: [string | undefined, string | undefined][] = [
    [id, arn],
    [arn, arn],
    ['alias/books', arn],
    [`arn:aws:kms:${region}:${account}:alias/books`, arn],
    ['alias/nothing', undefined],
    [undefined, undefined],
    // A bare id is of the account itself.
    [foreign, undefined],
    [foreignArn, foreignArn],
    [`${arn}9`, `${arn}9`],
  ]
  for (const [at, [keyId]] of forms.entries()) {
    await addBucket(house, `form-${at}`, {
      ...{ algorithm: 'aws:kms', bucketKey: true },
      ...(keyId === undefined ? {} : { keyId }),
    })
  }
  const found = [...sourcesOf(house).bucketFacts()].sort((a, b) => (a.name < b.name ? -1 : 1))
  assert.deepEqual(
    found.map(({ rule }) => [rule.keyName, rule.key]),
    forms,
  )
  const { keyFactsOf } = sourcesOf(house)
  assert.equal(keyFactsOf(arn)?.state, 'Enabled')
  assert.equal(keyFactsOf(foreignArn)?.account, otherAccount)
  assert.equal(keyFactsOf(`arn:aws:kms:${region}:${otherAccount}:key/${id}`), undefined)
  assert.equal(keyFactsOf('alias/books'), undefined)
  const managed = await house.ok('DescribeKey', { KeyId: 'alias/aws/s3' })
  const [, , , , , after] = [...sourcesOf(house).bucketFacts()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
  assert.equal(after?.rule.key, (managed['KeyMetadata'] as { Arn: string }).Arn)
})

test('every version and upload of a bucket is counted, page by page, with nothing opened', async (t) => {
  const house = await House.open(t)
  const { storeId } = await addBucket(house, 'books')
  const { objects } = house
  const keyArn = `arn:aws:kms:${region}:${account}:key/one`
  const ways: StoredEncryption[] = [
    { mode: 'AES256', byDefault: true },
    { mode: 'aws:kms', keyArn, bucketKey: true, byDefault: false },
    { mode: 'customer', keyMd5: 'x' },
  ]
  const texts = ways.map((encryption) => encodeAttributes({ encryption }))
  for (let at = 0; at < 1500; at += 1) {
    const name = `object ${at % 700}`
    await objects.put(storeId, name, putOf(texts[at % 3] ?? '', 'enabled'))
  }
  await objects.put(storeId, 'damaged', putOf('{"encryption":', 'enabled'))
  await objects.delete(storeId, 'object 1', { versioning: 'enabled' })
  const attributes = encodeUploadAttributes({
    object: { encryption: { mode: 'AES256', byDefault: true } },
    initiator: { id: 'i', displayName: 'ann' },
    conditions: {},
  })
  const upload = { attributes, sidecar: Buffer.alloc(0), tagging: '' }
  for (const name of ['u', 'u', 'v']) await objects.createUpload(storeId, name, upload)
  let opened = 0
  const watched = new Proxy(objects, {
    get(store, name) {
      if (name === 'open') opened += 1
      const member = Reflect.get(store, name)
      return typeof member === 'function' ? member.bind(store) : member
    },
  })
  const sources = sourcesOf(house, watched)
  const [bucket] = [...sources.bucketFacts()]
  assert.ok(bucket !== undefined)
  const change = { at: 0, principal: undefined, event: undefined }
  const counting = encryptionCoverage(
    [{ bucket, change }],
    { ...sources.contents, keyOf: sources.keyFactsOf, isOwn: () => true, progress: () => {} },
    100,
  )
  // Others have their turns meanwhile.
  let turns = 0
  const timer = setInterval(() => {
    turns += 1
  }, 0)
  const { rows, summary } = await counting
  clearInterval(timer)
  assert.ok(turns > 0)
  assert.deepEqual(
    rows.map(({ kind, encryption, count, asked }) => [kind, encryption, count, asked]),
    [
      ['bucket', 'AES256', 1501, undefined],
      ['objects', 'unreadable', 1, true],
      // In the order in which they are met: of one key the newest first.
      ['objects', 'customer', 500, true],
      ['objects', 'aws:kms', 500, true],
      ['objects', 'AES256', 500, false],
      ['uploads', 'AES256', 3, false],
    ],
  )
  // 700 keys and the damaged one, less the one that a delete marker is the latest of.
  assert.equal(rows[0]?.['latest'], 700)
  assert.equal(summary['bytes'], 1501 * 5)
  assert.equal(opened, 0)
})

test('a bucket that is deleted meanwhile has no more of anything', async (t) => {
  const house = await House.open(t)
  const { storeId } = await addBucket(house, 'books')
  const sources = sourcesOf(house)
  const [bucket] = [...sources.bucketFacts()]
  assert.ok(bucket !== undefined)
  await house.objects.deleteBucket(storeId)
  assert.deepEqual(await Array.fromAsync(sources.contents.versions(bucket)), [])
  assert.deepEqual(await Array.fromAsync(sources.contents.uploads(bucket)), [])
})
