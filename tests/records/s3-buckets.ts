import type { TestContext } from 'node:test'
import { account } from '../../src/testing/house.ts'
import { Stage } from './stage.ts'

const path = '/ledger'

/** Every operation on buckets and their settings. */
export async function s3BucketsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 's3')
  await buckets(stage)
  await settings(stage)
  await policies(stage)
  await absent(stage)
  await stage.s3('DeleteBucket', 'DELETE', path)
  return stage
}

async function buckets(stage: Stage): Promise<void> {
  const tags = '<Tags><Tag><Key>team</Key><Value>red</Value></Tag></Tags>'
  await stage.s3('CreateBucket', 'PUT', path, {
    body: `<CreateBucketConfiguration>${tags}</CreateBucketConfiguration>`,
    headers: { 'x-amz-acl': 'private', 'x-amz-object-ownership': 'BucketOwnerEnforced' },
  })
  const denied = false
  await stage.s3('CreateBucket', 'PUT', path, {
    ...{ note: 'of another account', error: 'BucketAlreadyExists', denied },
    key: stage.house.otherKey,
  })
  await stage.s3('CreateBucket', 'PUT', '/Ledger', {
    ...{ note: 'no name', error: 'InvalidBucketName', denied },
  })
  await stage.s3('ListBuckets', 'GET', '/', {
    query: { prefix: 'led', 'max-buckets': '10', 'bucket-region': 'us-east-1' },
  })
  await stage.s3('HeadBucket', 'HEAD', path)
  await stage.s3('HeadBucket', 'HEAD', '/none', { note: 'none', error: 'NoSuchBucket', denied })
  await stage.s3('GetBucketLocation', 'GET', path, { query: { location: '' } })
}

/** What is put, by the subresource and the name of its operations. */
const configurations = [
  [
    ...['encryption', 'BucketEncryption'],
    '<ServerSideEncryptionConfiguration><Rule><ApplyServerSideEncryptionByDefault>' +
      '<SSEAlgorithm>aws:kms</SSEAlgorithm><KMSMasterKeyID>alias/ledger</KMSMasterKeyID>' +
      '</ApplyServerSideEncryptionByDefault><BucketKeyEnabled>true</BucketKeyEnabled></Rule>' +
      '</ServerSideEncryptionConfiguration>',
  ],
  [
    ...['versioning', 'BucketVersioning'],
    '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>',
  ],
  [
    ...['tagging', 'BucketTagging'],
    '<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>',
  ],
  [
    ...['ownershipControls', 'BucketOwnershipControls'],
    '<OwnershipControls><Rule><ObjectOwnership>BucketOwnerEnforced</ObjectOwnership></Rule></OwnershipControls>',
  ],
  [
    ...['publicAccessBlock', 'PublicAccessBlock'],
    '<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls>' +
      '<BlockPublicPolicy>true</BlockPublicPolicy></PublicAccessBlockConfiguration>',
  ],
] as const

async function settings(stage: Stage): Promise<void> {
  for (const [subresource, name, body] of configurations) {
    const query = { [subresource]: '' }
    await stage.s3(`Put${name}`, 'PUT', path, { query, body })
    await stage.s3(`Get${name}`, 'GET', path, { query })
    if (subresource !== 'versioning' && subresource !== 'publicAccessBlock') {
      await stage.s3(`Delete${name}`, 'DELETE', path, { query })
    }
  }
  const acl = { acl: '' }
  await stage.s3('GetBucketAcl', 'GET', path, { query: acl })
  await stage.s3('PutBucketAcl', 'PUT', path, {
    ...{ query: acl, headers: { 'x-amz-acl': 'public-read' } },
    error: 'AccessControlListNotSupported',
  })
}

async function policies(stage: Stage): Promise<void> {
  const query = { policy: '' }
  const denied = false
  const allowed = (Principal: object | string) =>
    JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Principal, Action: 's3:GetObject', Resource: 'arn:aws:s3:::ledger/*' },
      ],
    })
  await stage.s3('PutBucketPolicy', 'PUT', path, { query, body: allowed({ AWS: account }) })
  await stage.s3('PutBucketPolicy', 'PUT', path, {
    ...{ query, body: allowed('*'), note: 'public', error: 'AccessDenied', denied },
  })
  await stage.s3('PutBucketPolicy', 'PUT', path, {
    ...{ query, body: 'nonsense', note: 'nonsense', error: 'MalformedPolicy', denied },
  })
  await stage.s3('GetBucketPolicy', 'GET', path, { query })
  await stage.s3('GetBucketPolicyStatus', 'GET', path, { query: { policyStatus: '' } })
  await stage.s3('DeleteBucketPolicy', 'DELETE', path, { query })
  const block = { query: { publicAccessBlock: '' } }
  await stage.s3('DeletePublicAccessBlock', 'DELETE', path, block)
}

/** What no bucket has, with the failure that says so, and whether it can be deleted. */
const missing = [
  ['cors', 'BucketCors', 'NoSuchCORSConfiguration', true],
  [
    ...(['lifecycle', 'BucketLifecycleConfiguration'] as const),
    ...(['NoSuchLifecycleConfiguration', true] as const),
  ],
  ['website', 'BucketWebsite', 'NoSuchWebsiteConfiguration', true],
  ['replication', 'BucketReplication', 'ReplicationConfigurationNotFoundError', true],
  [
    ...(['object-lock', 'ObjectLockConfiguration'] as const),
    ...(['ObjectLockConfigurationNotFoundError', false] as const),
  ],
  ['logging', 'BucketLogging', undefined, false],
  ['notification', 'BucketNotificationConfiguration', undefined, false],
  ['requestPayment', 'BucketRequestPayment', undefined, false],
  ['accelerate', 'BucketAccelerateConfiguration', undefined, false],
] as const

const deletions: Readonly<Record<string, string>> = {
  BucketLifecycleConfiguration: 'DeleteBucketLifecycle',
}

async function absent(stage: Stage): Promise<void> {
  for (const [subresource, name, error, isDeleted] of missing) {
    const query = { [subresource]: '' }
    await stage.s3(`Get${name}`, 'GET', path, error === undefined ? { query } : { query, error })
    await stage.s3(`Put${name}`, 'PUT', path, { query, body: '<Any/>', error: 'NotImplemented' })
    if (isDeleted) await stage.s3(deletions[name] ?? `Delete${name}`, 'DELETE', path, { query })
  }
}
