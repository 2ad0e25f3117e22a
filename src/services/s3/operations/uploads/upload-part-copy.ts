import { header, query } from '../../../../wire/rest-xml/bindings.ts'
import { required, string, structure, timestamp, type Value } from '../../../../wire/schema.ts'
import {
  type CallContext,
  type Check,
  type DelayedConditions,
  operation,
} from '../../../operation.ts'
import { checksumElements, checksumValue } from '../../checksum-members.ts'
import { quoted, wholeSeconds } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import {
  customerKeyInput,
  customerKeyOf,
  encryptionAnswer,
  encryptionOutput,
} from '../../encryption/request.ts'
import { withExpectedOwner } from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import type { ObjectName } from '../../object-versions.ts'
import { requireBucket } from '../../resource.ts'
import { copyParameters, copyResources } from './copy-record.ts'
import {
  copySourceChecks,
  copySourceConditions,
  copySourceInput,
  copySourceOf,
  openSource,
  requireCopySize,
  withoutTags,
} from './copy-source.ts'
import { invalidArgument } from './paging.ts'
import { partNumberOf, putPart } from './part.ts'
import { openUpload, uploadInput, uploadPutCheck } from './upload.ts'
import { invalidRequest } from './upload-checksum.ts'

const input = structure({
  ...uploadInput,
  ...copySourceInput,
  ...customerKeyInput,
  PartNumber: required(query('partNumber', string())),
  CopySourceRange: header('x-amz-copy-source-range', string()),
})
type Input = Value<typeof input>

type Range = { readonly first: number; readonly last: number }
type Target = ObjectTarget & {
  readonly source: ObjectName
  readonly number: number
  readonly range: Range | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html */
export const uploadPartCopy = operation({
  name: 'UploadPartCopy',
  input,
  output: structure(
    {
      ...encryptionOutput,
      CopySourceVersionId: header('x-amz-copy-source-version-id', string()),
      ETag: string(),
      LastModified: timestamp(),
      ...checksumElements,
    },
    { root: 'CopyPartResult' },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['InvalidArgument', 'InvalidRequest', 'KeyTooLongError', 'NoSuchBucket'] as const),
    ...(['NoSuchKey', 'NoSuchUpload', 'NoSuchVersion', 'NotImplemented'] as const),
    ...(['OperationAborted', 'PreconditionFailed'] as const),
  ],
  resolve: (call, input, deps: S3Deps): Target => ({
    bucket: requireBucket(call, input.Bucket, deps),
    learnt: {},
    source: copySourceOf(input, deps),
    number: partNumberOf(input.PartNumber),
    range: rangeOf(input.CopySourceRange),
  }),
  checks: (call, input, target, deps) => checks(call, input, target, deps),
  audit: {
    request: (input, target, owner) =>
      copyParameters(input, target, owner, {
        ...{ partNumber: input.PartNumber, uploadId: input.UploadId },
        'x-amz-copy-source-range': input.CopySourceRange,
      }),
    resources: ({ bucket, source }, { Key }) => copyResources(bucket, Key, source),
    additional: (_output, _input, target, owner) =>
      owner === undefined || owner === target.bucket.account
        ? encryptionApplied(target)
        : undefined,
  },
  async handle(call, input, { bucket, source, number, range, learnt }, deps) {
    const opened = await openUpload(bucket, input, deps)
    const { encryption } = opened.attributes.object
    const from = await openSource(call, input, source, range, deps)
    const customer = customerKeyOf(call, input)
    try {
      const { size, versionId } = from.version
      const { start, end } = bounds(range, size, input.CopySourceRange)
      requireCopySize(end - start)
      const part = { number, data: from.data(start, end), customer, computes: true }
      const put = await putPart(call, opened, part, deps)
      learnt.encryption = encryption
      return {
        output: {
          ...encryptionAnswer(encryption),
          CopySourceVersionId: source.bucket.versioning === undefined ? undefined : versionId,
          ETag: quoted(put.part.etag),
          LastModified: wholeSeconds(put.part.modified),
          ...checksumValue(put.checksum?.algorithm, put.checksum?.value),
        },
      }
    } finally {
      wipeCustomerKey(customer)
      await from.close()
    }
  },
})

/** Both sides may have to be looked at, the tags of the source and the upload: they are then, at once. */
function* checks(
  call: CallContext,
  input: Input,
  { bucket, source }: Target,
  deps: S3Deps,
): Iterable<Check> {
  const conditions = copySourceConditions(source)
  const put = uploadPutCheck(withoutTags(call), bucket, input, deps, conditions)
  for (const read of copySourceChecks(call, input, source, deps)) {
    const delayed = together(read.delayed, put.delayed)
    yield { ...read, delayed }
    yield* withExpectedOwner([{ ...put, delayed }], input, bucket)
  }
}

function together(
  one: DelayedConditions | undefined,
  other: DelayedConditions | undefined,
): DelayedConditions {
  return {
    keys: [...(one?.keys ?? []), ...(other?.keys ?? [])],
    find: async () => ({ ...(await one?.find()), ...(await other?.find()) }),
  }
}

const rangeHeader = 'x-amz-copy-source-range'

/** Throws 'InvalidArgument'. */
function rangeOf(text: string | undefined): Range | undefined {
  if (text === undefined) return undefined
  const [, first, last] = /^bytes=(\d{1,15})-(\d{1,15})$/.exec(text) ?? []
  const range = { first: Number(first), last: Number(last) }
  if (range.first <= range.last) return range
  throw invalidArgument(
    rangeHeader,
    text,
    'The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based ' +
      'offsets of the first and last bytes to copy',
  )
}

/** The end excluded. Throws 'InvalidRequest' and 'InvalidArgument'. */
function bounds(range: Range | undefined, size: number, text = '') {
  if (range === undefined) return { start: 0, end: size }
  if (range.first >= size) {
    throw invalidRequest('The specified copy range is invalid for the source object size')
  }
  if (range.last < size) return { start: range.first, end: range.last + 1 }
  throw invalidArgument(
    rangeHeader,
    text,
    `Range specified is not valid for source object of size: ${size}`,
  )
}
