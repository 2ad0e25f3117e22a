import type { Part } from '../../../../objects/port.ts'
import { query } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, integer, list, string, structure, timestamp } from '../../../../wire/schema.ts'
import { type CallContext, operation } from '../../../operation.ts'
import { checksumElements, checksumValue } from '../../checksum-members.ts'
import { quoted, wholeSeconds } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from '../../encryption/data-keys.ts'
import { type CustomerKeyInput, customerKeyInput, customerKeyOf } from '../../encryption/request.ts'
import { objectParameters, objectResources, withExpectedOwner } from '../../object-request.ts'
import { canonicalUserId } from '../../owner.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import { countOf, numberOf } from './paging.ts'
import { decodePartAttributes } from './part-attributes.ts'
import { initiatorMembers, ownerMembers, shownInitiator } from './people.ts'
import { askedOf, type OpenUpload, openUpload, uploadInput } from './upload.ts'
import { checksumNames } from './upload-checksum.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html */
export const listParts = operation({
  name: 'ListParts',
  input: structure({
    ...uploadInput,
    ...customerKeyInput,
    MaxParts: query('max-parts', string()),
    PartNumberMarker: query('part-number-marker', string()),
  }),
  output: structure(
    {
      Bucket: string(),
      Key: string(),
      UploadId: string(),
      Initiator: initiatorMembers,
      Owner: ownerMembers,
      StorageClass: string(),
      PartNumberMarker: integer(),
      NextPartNumberMarker: integer(),
      MaxParts: integer(),
      IsTruncated: boolean(),
      ChecksumAlgorithm: string(),
      ChecksumType: string(),
      Part: list(
        structure({
          PartNumber: integer(),
          LastModified: timestamp(),
          ETag: string(),
          Size: integer(),
          ...checksumElements,
        }),
      ),
    },
    { root: 'ListPartsResult' },
  ),
  effects: 'read',
  category: 'data',
  errors: ['InvalidArgument', 'InvalidRequest', 'NoSuchBucket', 'NoSuchUpload'],
  resolve: (call, input, deps: S3Deps) => ({
    bucket: requireBucket(call, input.Bucket, deps),
    max: countOf('max-parts', input.MaxParts),
    after: numberOf('part-number-marker', input.PartNumberMarker ?? '0'),
  }),
  checks: (_call, input, { bucket }) => {
    const check = objectCheck('s3:ListMultipartUploadParts', bucket, input.Key)
    return withExpectedOwner([check], input, bucket)
  },
  audit: {
    request: (input) => ({
      ...objectParameters(input),
      ...{ uploadId: input.UploadId, 'max-parts': input.MaxParts },
      'part-number-marker': input.PartNumberMarker,
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, input, { bucket, max, after }, deps) {
    const { Bucket, Key, UploadId } = input
    const opened = await openUpload(bucket, input, deps)
    await requireKey(call, input, opened, deps)
    const listing = deps.objects.listParts(opened.name, { after, max })
    const { parts, truncated } = await askedOf(input, listing)
    const { attributes } = opened
    return {
      output: {
        ...{ Bucket, Key, UploadId, StorageClass: 'STANDARD' },
        Initiator: shownInitiator(attributes.initiator),
        Owner: { ID: canonicalUserId(bucket.account) },
        PartNumberMarker: after,
        NextPartNumberMarker: parts.at(-1)?.number ?? 0,
        MaxParts: max,
        IsTruncated: truncated,
        ...checksumNames(attributes.checksum),
        Part: parts.map(shownPart),
      },
    }
  },
})

/**
 * Parts have checksums, which tell of the plaintext: under a key of KMS the caller needs `kms:Decrypt`, as AWS has it.
 * A customer's key need not be brought, but must be the one where it is.
 */
async function requireKey(
  call: CallContext,
  input: CustomerKeyInput,
  { bucket, name, upload, attributes }: OpenUpload,
  deps: S3Deps,
): Promise<void> {
  const customer = customerKeyOf(call, input)
  const { encryption } = attributes.object
  const isKms = encryption.mode !== 'customer' && encryption.mode !== 'AES256'
  if (customer === undefined && !isKms) return
  const where = { bucket, key: name.key }
  try {
    wipeKeys(await dataKeysOf(call, encryption, upload.sidecar, where, customer, deps, 'upload'))
  } finally {
    wipeCustomerKey(customer)
  }
}

function shownPart({ number, size, modified, etag, attributes }: Part) {
  const { checksum } = decodePartAttributes(attributes)
  return {
    PartNumber: number,
    LastModified: wholeSeconds(modified),
    ETag: quoted(etag),
    Size: size,
    ...checksumValue(checksum?.algorithm, checksum?.value),
  }
}
