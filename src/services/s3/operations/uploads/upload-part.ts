import { type ChecksumAlgorithm, isChecksumAlgorithm } from '../../../../base/checksums.ts'
import { internalError } from '../../../../base/errors.ts'
import type { SignedBody } from '../../../../wire/protocol.ts'
import { header, payload, query } from '../../../../wire/rest-xml/bindings.ts'
import { required, stream, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { checksumHeaders, checksumValue } from '../../checksum-members.ts'
import { quoted } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import {
  customerKeyInput,
  customerKeyOf,
  encryptionAnswer,
  encryptionOutput,
} from '../../encryption/request.ts'
import {
  headerParameters,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { requireBucket } from '../../resource.ts'
import { declaredChecksum } from './completion.ts'
import { partNumberOf, putPart, requirePartSize } from './part.ts'
import type { PartChecksum } from './part-attributes.ts'
import { openUpload, uploadInput, uploadPutCheck } from './upload.ts'
import { invalidRequest, type UploadChecksum } from './upload-checksum.ts'

const { ChecksumType: _, ...checksums } = checksumHeaders

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html */
export const uploadPart = operation({
  name: 'UploadPart',
  input: structure({
    ...uploadInput,
    ...customerKeyInput,
    ...checksums,
    PartNumber: required(query('partNumber', string())),
    /** Names the checksum that comes behind the body. */
    Trailer: header('x-amz-trailer', string()),
    Body: payload(required(stream())),
  }),
  output: structure({
    ...encryptionOutput,
    ...checksums,
    ETag: header('ETag', string()),
  }),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['BadDigest', 'EntityTooLarge', 'IncompleteBody', 'InvalidArgument'] as const),
    ...(['InvalidRequest', 'NoSuchBucket', 'NoSuchUpload', 'XAmzContentSHA256Mismatch'] as const),
  ],
  resolve(call, input, deps: S3Deps): ObjectTarget & { readonly number: number } {
    const bucket = requireBucket(call, input.Bucket, deps)
    requirePartSize(input.Body.length)
    return { bucket, number: partNumberOf(input.PartNumber), learnt: {} }
  },
  checks: (call, input, { bucket }, deps) =>
    withExpectedOwner([uploadPutCheck(call, bucket, input, deps)], input, bucket),
  audit: {
    request: (input) => ({
      ...objectParameters(input),
      ...{ partNumber: input.PartNumber, uploadId: input.UploadId },
      ...headerParameters(input),
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, { bucket, number, learnt }, deps) {
    const opened = await openUpload(bucket, input, deps)
    const { encryption } = opened.attributes.object
    const computes = computesChecksum(opened.attributes.checksum, declaredIn(input))
    const body = input.Body as SignedBody
    const customer = customerKeyOf(call, input)
    try {
      const declared = () => body.checksum
      const part = { number, data: body, customer, computes, declared }
      const put = await putPart(call, opened, part, deps)
      learnt.encryption = encryption
      return {
        output: {
          ...encryptionAnswer(encryption),
          ...checksumOf(put.checksum),
          ETag: quoted(put.part.etag),
        },
      }
    } finally {
      wipeCustomerKey(customer)
    }
  },
})

/** The algorithm that the head of the request names. */
function declaredIn(
  input: Parameters<typeof declaredChecksum>[0] & { readonly Trailer?: string | undefined },
): ChecksumAlgorithm | undefined {
  const declared = declaredChecksum(input)
  if (declared !== undefined || input.Trailer === undefined) return declared?.algorithm
  const trailing = input.Trailer.toLowerCase().replace(/^x-amz-checksum-/, '')
  if (isChecksumAlgorithm(trailing)) return trailing
  throw internalError('a trailer that authentication has not refused')
}

/**
 * Whether the part's checksum is to be made here: one of the whole object can be had of every part, whereas one of
 * checksums is of those that the client declared. Throws 'InvalidRequest'.
 */
function computesChecksum(
  wanted: UploadChecksum | undefined,
  declared: ChecksumAlgorithm | undefined,
): boolean {
  if (wanted === undefined || wanted.algorithm === declared) return false
  if (wanted.type === 'FULL_OBJECT' && declared === undefined) return true
  throw invalidRequest(
    `Checksum Type mismatch occurred, expected checksum Type: ${wanted.algorithm}, ` +
      `actual checksum Type: ${declared ?? 'null'}`,
  )
}

function checksumOf(checksum: PartChecksum | undefined) {
  return checksumValue(checksum?.algorithm, checksum?.value)
}
