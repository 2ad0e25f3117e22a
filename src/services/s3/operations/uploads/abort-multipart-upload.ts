import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { objectParameters, objectResources, withExpectedOwner } from '../../object-request.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import { askedOf, uploadInput, uploadName } from './upload.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html */
export const abortMultipartUpload = operation({
  name: 'AbortMultipartUpload',
  input: structure(uploadInput),
  output: structure({}, { status: 204 }),
  effects: 'write',
  category: 'data',
  errors: ['NoSuchBucket', 'NoSuchUpload'],
  resolve: (call, input, deps: S3Deps) => ({ bucket: requireBucket(call, input.Bucket, deps) }),
  checks: (_call, input, { bucket }) =>
    withExpectedOwner([objectCheck('s3:AbortMultipartUpload', bucket, input.Key)], input, bucket),
  audit: {
    request: (input) => ({ ...objectParameters(input), uploadId: input.UploadId }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(_call, input, { bucket }, { objects }) {
    await askedOf(input, objects.abort(uploadName(bucket, input)))
    return { output: {} }
  },
})
