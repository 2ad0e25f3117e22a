import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { account, otherAccount } from '../../src/testing/house.ts'
import { s3Ok } from '../../src/testing/s3-calls.ts'
import { Stage } from './stage.ts'

const path = '/ledger/in/1.txt'
const sse = 'x-amz-server-side-encryption'

/** Every operation on uploads, and copies, under each kind of key that a request without TLS can name. */
export async function s3UploadsRecords(t: TestContext): Promise<Stage> {
  const stage = await Stage.open(t, 's3')
  await s3Ok(stage.house, 'PUT', '/ledger')
  await s3Ok(stage.house, 'PUT', '/archive')
  await s3Ok(stage.house, 'PUT', '/ledger/from', {
    body: 'hello',
    headers: { 'x-amz-tagging': 'a=b' },
  })
  await wholeUpload(stage)
  await uploadUnderKms(stage)
  await refusedUploads(stage)
  await copies(stage)
  await copiesBetweenAccounts(stage)
  return stage
}

async function wholeUpload(stage: Stage): Promise<void> {
  const headers = {
    'x-amz-tagging': 'team=red',
    'x-amz-meta-colour': 'blue',
    'x-amz-acl': 'private',
  }
  const sending = { query: { uploads: '' }, headers }
  const begun = await stage.s3('CreateMultipartUpload', 'POST', path, sending)
  const uploadId = element(begun.text, 'UploadId')
  const query = { uploadId, partNumber: '1' }
  const part = await stage.s3('UploadPart', 'PUT', path, { query, body: 'hello' })
  await stage.s3('UploadPartCopy', 'PUT', path, {
    query: { uploadId, partNumber: '2' },
    headers: { 'x-amz-copy-source': 'ledger/from', 'x-amz-copy-source-range': 'bytes=1-2' },
  })
  await stage.s3('ListParts', 'GET', path, { query: { uploadId, 'max-parts': '5' } })
  await stage.s3('ListMultipartUploads', 'GET', '/ledger', {
    query: { uploads: '', prefix: 'in/', 'max-uploads': '5' },
  })
  const body = listOf(part.headers.get('etag'))
  await stage.s3('CompleteMultipartUpload', 'POST', path, { query: { uploadId }, body })
  const again = { note: 'again', denied: false, query: { uploadId }, body }
  await stage.s3('CompleteMultipartUpload', 'POST', path, again)
  const other = await s3Ok(stage.house, 'POST', path, { query: { uploads: '' } })
  const gone = { uploadId: element(other.text, 'UploadId') }
  await stage.s3('AbortMultipartUpload', 'DELETE', path, { query: gone })
}

async function uploadUnderKms(stage: Stage): Promise<void> {
  const denied = false
  const note = 'under a key of KMS'
  const key = await stage.house.newKey()
  const headers = { [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: key }
  const at = '/ledger/kms'
  const sending = { note, denied, query: { uploads: '' }, headers }
  const begun = await stage.s3('CreateMultipartUpload', 'POST', at, sending)
  const uploadId = element(begun.text, 'UploadId')
  const query = { uploadId, partNumber: '1' }
  const part = await stage.s3('UploadPart', 'PUT', at, { note, denied, query, body: 'hello' })
  const body = listOf(part.headers.get('etag'))
  const ending = { note, denied, query: { uploadId }, body }
  await stage.s3('CompleteMultipartUpload', 'POST', at, ending)
}

async function refusedUploads(stage: Stage): Promise<void> {
  const refused = { denied: false, error: 'NoSuchUpload' }
  const uploadId = 'nonsense'
  await stage.s3('UploadPart', 'PUT', path, {
    ...{ ...refused, note: 'no upload', body: 'x', query: { uploadId, partNumber: '1' } },
  })
  await stage.s3('CompleteMultipartUpload', 'POST', path, {
    ...{ ...refused, note: 'no upload', query: { uploadId }, body: listOf('"0"') },
  })
}

async function copies(stage: Stage): Promise<void> {
  const from = { 'x-amz-copy-source': 'ledger/from' }
  await stage.s3('CopyObject', 'PUT', '/archive/to', { headers: from })
  const denied = false
  const key = await stage.house.newKey()
  await stage.s3('CopyObject', 'PUT', '/archive/kms', {
    ...{ note: 'to a key of KMS', denied },
    headers: {
      ...{ ...from, [sse]: 'aws:kms', [`${sse}-aws-kms-key-id`]: key },
      ...{ 'x-amz-metadata-directive': 'REPLACE', 'x-amz-tagging-directive': 'REPLACE' },
    },
  })
  await stage.s3('CopyObject', 'PUT', '/ledger/back', {
    ...{ note: 'from a key of KMS', denied },
    headers: { 'x-amz-copy-source': 'archive/kms?versionId=null' },
  })
  await stage.s3('CopyObject', 'PUT', '/archive/to', {
    ...{ note: 'no source', denied, error: 'NoSuchKey' },
    headers: { 'x-amz-copy-source': 'ledger/absent' },
  })
}

async function copiesBetweenAccounts(stage: Stage): Promise<void> {
  const { house } = stage
  const theirs = { key: house.otherKey }
  await s3Ok(house, 'PUT', '/theirs', theirs)
  await s3Ok(house, 'PUT', '/theirs/from', { body: 'hello', ...theirs })
  const Statement = {
    ...{ Effect: 'Allow', Principal: { AWS: account }, Action: 's3:*' },
    Resource: 'arn:aws:s3:::theirs/*',
  }
  const body = JSON.stringify({ Version: '2012-10-17', Statement })
  await s3Ok(house, 'PUT', '/theirs', { query: { policy: '' }, body, ...theirs })
  const denied = false
  await stage.s3('CopyObject', 'PUT', '/archive/foreign', {
    ...{ note: 'from another account', denied },
    headers: {
      'x-amz-copy-source': 'theirs/from',
      'x-amz-source-expected-bucket-owner': otherAccount,
    },
  })
  await stage.s3('CopyObject', 'PUT', '/theirs/to', {
    ...{ note: 'to another account', denied },
    headers: { 'x-amz-copy-source': 'archive/to', 'x-amz-tagging-directive': 'REPLACE' },
  })
}

function listOf(etag: string | undefined): string {
  assert.ok(etag !== undefined)
  const part = `<Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part>`
  return `<CompleteMultipartUpload>${part}</CompleteMultipartUpload>`
}

function element(text: string, name: string): string {
  const found = new RegExp(`<${name}>([^<]*)<`).exec(text)?.[1]
  assert.ok(found !== undefined, text)
  return found
}
