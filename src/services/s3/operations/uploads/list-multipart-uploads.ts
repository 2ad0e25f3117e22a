import type { Upload } from '../../../../objects/port.ts'
import { bucketLabel, query } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, integer, list, string, structure, timestamp } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import { wholeSeconds } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { bucketOwnerInput } from '../../expected-owner.ts'
import { withExpectedOwner } from '../../object-request.ts'
import { canonicalUserId } from '../../owner.ts'
import { asked } from '../../refusals.ts'
import { auditBucket, bucketCheck, requireBucket } from '../../resource.ts'
import { commonPrefixes, shownPrefixes } from '../listings/entries.ts'
import { exactly, type NameEncoding, urlEncoded } from '../listings/name-encoding.ts'
import { countOf, invalidArgument } from './paging.ts'
import { initiatorMembers, ownerMembers, shownInitiator } from './people.ts'
import { decodeUploadAttributes } from './upload.ts'
import { checksumNames } from './upload-checksum.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html */
export const listMultipartUploads = operation({
  name: 'ListMultipartUploads',
  input: structure({
    Bucket: bucketLabel(),
    ...bucketOwnerInput,
    Prefix: query('prefix', string()),
    Delimiter: query('delimiter', string()),
    KeyMarker: query('key-marker', string()),
    UploadIdMarker: query('upload-id-marker', string()),
    MaxUploads: query('max-uploads', string()),
    EncodingType: query('encoding-type', string()),
  }),
  output: structure(
    {
      Bucket: string(),
      KeyMarker: string(),
      UploadIdMarker: string(),
      NextKeyMarker: string(),
      NextUploadIdMarker: string(),
      Prefix: string(),
      Delimiter: string(),
      EncodingType: string(),
      MaxUploads: integer(),
      IsTruncated: boolean(),
      Upload: list(
        structure({
          Key: string(),
          UploadId: string(),
          Initiator: initiatorMembers,
          Owner: ownerMembers,
          StorageClass: string(),
          Initiated: timestamp(),
          ChecksumAlgorithm: string(),
          ChecksumType: string(),
        }),
      ),
      CommonPrefixes: commonPrefixes,
    },
    { root: 'ListMultipartUploadsResult' },
  ),
  effects: 'read',
  category: 'data',
  errors: ['InvalidArgument', 'NoSuchBucket'],
  resolve: (call, input, deps: S3Deps) => ({
    bucket: requireBucket(call, input.Bucket, deps),
    max: countOf('max-uploads', input.MaxUploads),
    shown: encodingOf(input.EncodingType),
  }),
  checks: (_call, input, { bucket }) =>
    withExpectedOwner([bucketCheck('s3:ListBucketMultipartUploads', bucket)], input, bucket),
  audit: {
    request: (input) => ({
      ...{ bucketName: input.Bucket, uploads: '', prefix: input.Prefix },
      ...{ delimiter: input.Delimiter, 'key-marker': input.KeyMarker },
      ...{ 'upload-id-marker': input.UploadIdMarker, 'max-uploads': input.MaxUploads },
      'encoding-type': input.EncodingType,
    }),
    resources: ({ bucket }) => [auditBucket(bucket)],
  },
  async handle(_call, input, { bucket, max, shown }, { objects }) {
    const { Bucket, Prefix = '', KeyMarker = '', EncodingType } = input
    const delimiter = input.Delimiter === '' ? undefined : input.Delimiter
    // AWS reads over the marker of an upload that comes without that of its key.
    const UploadIdMarker = KeyMarker === '' ? '' : (input.UploadIdMarker ?? '')
    const place = {
      after: KeyMarker === '' ? undefined : KeyMarker,
      afterUpload: UploadIdMarker === '' ? undefined : UploadIdMarker,
    }
    const query = { prefix: Prefix, delimiter, max, ...place }
    const page = await asked(objects.listUploads(bucket.storeId, query), { BucketName: Bucket })
    const { uploads, prefixes, next } = page
    return {
      output: {
        ...{ Bucket, KeyMarker: shown(KeyMarker), UploadIdMarker, Prefix: shown(Prefix) },
        ...(next && { NextKeyMarker: shown(next.key), NextUploadIdMarker: next.upload ?? '' }),
        Delimiter: delimiter === undefined ? undefined : shown(delimiter),
        ...{ EncodingType, MaxUploads: max, IsTruncated: next !== undefined },
        Upload: uploads.map((upload) => shownUpload(upload, bucket, shown)),
        CommonPrefixes: shownPrefixes(prefixes, shown),
      },
    }
  },
})

function encodingOf(type: string | undefined): NameEncoding {
  if (type === undefined) return exactly
  if (type === 'url') return urlEncoded
  throw invalidArgument('encoding-type', type, 'Invalid Encoding Method specified in Request')
}

function shownUpload(upload: Upload, { account }: BucketRecord, shown: NameEncoding) {
  const { key, uploadId, initiated } = upload
  const { initiator, checksum } = decodeUploadAttributes(upload.attributes)
  return {
    ...{ Key: shown(key), UploadId: uploadId, StorageClass: 'STANDARD' },
    Initiator: shownInitiator(initiator),
    Owner: { ID: canonicalUserId(account) },
    Initiated: wholeSeconds(initiated),
    ...checksumNames(checksum),
  }
}
