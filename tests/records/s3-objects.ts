import { createHash } from 'node:crypto'
import type { TestContext } from 'node:test'
import { s3Ok } from '../../src/testing/s3-calls.ts'
import { Stage } from './stage.ts'

const path = '/ledger/in/1.txt'
const sse = 'x-amz-server-side-encryption'

/** Every operation on objects, under each kind of key that a request without TLS can name. */
export async function s3ObjectsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 's3')
  await s3Ok(stage.house, 'PUT', '/ledger')
  await puts(stage)
  await reads(stage)
  await beside(stage)
  await versions(stage)
  await deletions(stage)
  return stage
}

async function puts(stage: Stage): Promise<void> {
  const headers = {
    'x-amz-tagging': 'team=red',
    'x-amz-meta-colour': 'blue',
    'content-type': 'text/plain',
    'x-amz-acl': 'private',
    'x-amz-storage-class': 'STANDARD',
  }
  await stage.s3('PutObject', 'PUT', path, { body: 'hello', headers })
  const denied = false
  const key = await stage.house.newKey()
  for (const [note, mode] of [
    ['under a key of KMS', 'aws:kms'],
    ['under two layers', 'aws:kms:dsse'],
  ] as const) {
    const context = Buffer.from('{"team":"red"}').toString('base64')
    await stage.s3('PutObject', 'PUT', `/ledger/${mode}`, {
      ...{ note, denied, body: 'hello' },
      headers: { [sse]: mode, [`${sse}-aws-kms-key-id`]: key, [`${sse}-context`]: context },
    })
    await stage.s3('GetObject', 'GET', `/ledger/${mode}`, { note, denied })
  }
  await stage.s3('PutObject', 'PUT', '/none/a', {
    ...{ note: 'no bucket', error: 'NoSuchBucket', denied, body: 'hello' },
  })
  await stage.s3('PutObject', 'PUT', path, {
    ...{ note: 'if there is none', error: 'PreconditionFailed', denied, body: 'hello' },
    headers: { 'if-none-match': '*' },
  })
}

async function reads(stage: Stage): Promise<void> {
  const denied = false
  await stage.s3('GetObject', 'GET', path)
  await stage.s3('GetObject', 'GET', path, {
    ...{ note: 'range', denied, headers: { range: 'bytes=1-2' } },
  })
  await stage.s3('GetObject', 'GET', '/ledger/none', {
    ...{ note: 'no key', error: 'NoSuchKey', denied },
  })
  await stage.s3('HeadObject', 'HEAD', path, { query: { partNumber: '1' } })
  await stage.s3('GetObjectAttributes', 'GET', path, {
    query: { attributes: '' },
    headers: { 'x-amz-object-attributes': 'ETag,ObjectSize' },
  })
}

async function beside(stage: Stage): Promise<void> {
  const tagging = { tagging: '' }
  const body = '<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>'
  await stage.s3('PutObjectTagging', 'PUT', path, { query: tagging, body })
  await stage.s3('GetObjectTagging', 'GET', path, { query: tagging })
  await stage.s3('DeleteObjectTagging', 'DELETE', path, { query: tagging })
  const acl = { acl: '' }
  await stage.s3('GetObjectAcl', 'GET', path, { query: acl })
  await stage.s3('PutObjectAcl', 'PUT', path, {
    ...{ query: acl, headers: { 'x-amz-acl': 'public-read' } },
    error: 'AccessControlListNotSupported',
  })
  const error = 'InvalidRequest'
  await stage.s3('GetObjectLegalHold', 'GET', path, { query: { 'legal-hold': '' }, error })
  await stage.s3('GetObjectRetention', 'GET', path, { query: { retention: '' }, error })
}

async function versions(stage: Stage): Promise<void> {
  const { house } = stage
  const body = '<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>'
  await s3Ok(house, 'PUT', '/ledger', { query: { versioning: '' }, body })
  const query = { versionId: 'null' }
  await stage.s3('GetObject', 'GET', path, { note: 'version', query })
  await stage.s3('DeleteObject', 'DELETE', path, { note: 'version', query })
}

async function deletions(stage: Stage): Promise<void> {
  await stage.s3('DeleteObject', 'DELETE', path)
  const objects = ['a', 'b'].map((key) => `<Object><Key>${key}</Key></Object>`).join('')
  const body = `<Delete>${objects}<Object><Key>c</Key><ETag>x</ETag></Object></Delete>`
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') }
  const sending = { query: { delete: '' }, body, headers, denied: false }
  await stage.s3('DeleteObjects', 'POST', '/ledger', sending)
  await stage.s3('DeleteObjects', 'POST', '/ledger', {
    ...{ ...sending, note: 'of somebody who may not', key: stage.clerk },
  })
}
