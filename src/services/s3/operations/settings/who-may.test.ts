import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRegion, type Region } from '../../../../base/ids.ts'
import { House, otherAccount, region } from '../../../../testing/house.ts'
import { type S3Sending, s3Call, s3Ok } from '../../../../testing/s3-calls.ts'
import { settingsOperations, settingsRoutes } from './table.ts'

const ireland = parseRegion('eu-west-1') as Region

/** The permission of each, by its operation. */
const permissions: Readonly<Record<string, string>> = {
  GetBucketEncryption: 'GetEncryptionConfiguration',
  PutBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketEncryption: 'PutEncryptionConfiguration',
  DeleteBucketTagging: 'PutBucketTagging',
  DeleteBucketOwnershipControls: 'PutBucketOwnershipControls',
  GetPublicAccessBlock: 'GetBucketPublicAccessBlock',
  PutPublicAccessBlock: 'PutBucketPublicAccessBlock',
  DeletePublicAccessBlock: 'PutBucketPublicAccessBlock',
  GetBucketCors: 'GetBucketCORS',
  PutBucketCors: 'PutBucketCORS',
  DeleteBucketCors: 'PutBucketCORS',
  GetBucketLifecycleConfiguration: 'GetLifecycleConfiguration',
  PutBucketLifecycleConfiguration: 'PutLifecycleConfiguration',
  DeleteBucketLifecycle: 'PutLifecycleConfiguration',
  GetObjectLockConfiguration: 'GetBucketObjectLockConfiguration',
  PutObjectLockConfiguration: 'PutBucketObjectLockConfiguration',
  GetBucketNotificationConfiguration: 'GetBucketNotification',
  PutBucketNotificationConfiguration: 'PutBucketNotification',
  GetBucketAccelerateConfiguration: 'GetAccelerateConfiguration',
  PutBucketAccelerateConfiguration: 'PutAccelerateConfiguration',
  GetBucketReplication: 'GetReplicationConfiguration',
  PutBucketReplication: 'PutReplicationConfiguration',
  DeleteBucketReplication: 'PutReplicationConfiguration',
}

/** What is well formed enough to be decided on. */
const bodies: Readonly<Record<string, string>> = {
  PutBucketEncryption:
    '<ServerSideEncryptionConfiguration><Rule/></ServerSideEncryptionConfiguration>',
  PutBucketVersioning: '<VersioningConfiguration/>',
  PutBucketTagging: '<Tagging/>',
  PutBucketOwnershipControls: '<OwnershipControls/>',
  PutPublicAccessBlock: '<PublicAccessBlockConfiguration/>',
}

async function openHouse(t: Parameters<typeof House.open>[0]) {
  const house = await House.open(t, { regions: [region, ireland] })
  await s3Ok(house, 'PUT', '/mine')
  return house
}

function calls(house: House) {
  return settingsRoutes.map(({ operation, method, query: [name = ''] = [] }) => ({
    operation,
    call: (sending: S3Sending, path = '/mine') => {
      const body = bodies[operation] ?? ''
      return s3Call(house, method, path, { query: { [name]: '' }, body, ...sending })
    },
  }))
}

test('every operation has a route', () => {
  const routed = settingsRoutes.map(({ operation }) => operation)
  assert.deepEqual(settingsOperations.map(({ name }) => name).toSorted(), routed.toSorted())
  assert.ok(routed.length >= 40, `${routed.length} routes`)
})

test('strangers, those without the permission, and those in the wrong place may not', async (t) => {
  const house = await openHouse(t)
  const clerk = await house.addUser({ name: 'clerk' })
  const before = house.tables.s3.get('mine')
  for (const { operation, call } of calls(house)) {
    const stranger = await call({ key: house.otherKey })
    const told = [stranger.status, stranger.error, stranger.message]
    assert.deepEqual(told, [403, 'AccessDenied', 'Access Denied'], operation)
    const denied = await call({ key: clerk })
    const permission = permissions[operation] ?? operation
    assert.deepEqual([denied.status, denied.error], [403, 'AccessDenied'], operation)
    assert.match(
      denied.message ?? '',
      new RegExp(`perform: s3:${permission} on resource: arn:aws:s3:::mine because`),
    )
    const headers = { 'x-amz-expected-bucket-owner': otherAccount }
    const mistaken = await call({ headers })
    assert.deepEqual([mistaken.status, mistaken.message], [403, 'Access Denied'], operation)
    const abroad = await call({ region: ireland })
    assert.deepEqual([abroad.status, abroad.error], [400, 'AuthorizationHeaderMalformed'])
    const missing = await call({}, '/none')
    assert.deepEqual([missing.status, missing.error], [404, 'NoSuchBucket'], operation)
  }
  assert.equal(house.tables.s3.get('mine'), before)
})

test('the one permission is enough, and of other subresources than these nothing is known', async (t) => {
  const house = await openHouse(t)
  for (const { operation, call } of calls(house)) {
    const Action = `s3:${permissions[operation] ?? operation}`
    const Statement = { Effect: 'Allow', Action, Resource: 'arn:aws:s3:::mine' }
    const policies = [{ Version: '2012-10-17', Statement }]
    const key = await house.addUser({ name: operation, policies })
    const { status, text } = await call({ key })
    assert.notEqual(status, 403, `${operation}: ${text}`)
    assert.ok(status < 500 || status === 501, `${operation}: ${text}`)
  }
  for (const method of ['GET', 'PUT', 'DELETE']) {
    const { status, error } = await s3Call(house, method, '/mine', { query: { analytics: '' } })
    assert.deepEqual([status, error], [501, 'NotImplemented'])
  }
})
