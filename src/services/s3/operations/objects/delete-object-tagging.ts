import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { taggedObjectCheck } from '../../existing-tags.ts'
import {
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { type BucketTarget, requireBucket } from '../../resource.ts'
import { setTags } from '../../set-tags.ts'
import {
  requireVersionId,
  versionedPermission,
  versionIdAnswer,
  versionIdInput,
  versionIdOutput,
} from '../../version-id.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjectTagging.html */
export const deleteObjectTagging = operation({
  name: 'DeleteObjectTagging',
  input: structure({ ...objectInput, ...versionIdInput }),
  output: structure(versionIdOutput, { status: 204 }),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'InvalidArgument', 'MethodNotAllowed'] as const),
    ...(['NoSuchBucket', 'NoSuchKey', 'NoSuchVersion', 'OperationAborted'] as const),
  ],
  resolve(call, input, deps: S3Deps): BucketTarget {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    return { bucket }
  },
  checks(call, input, { bucket }, deps) {
    const permission = versionedPermission('s3:DeleteObjectTagging', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    return withExpectedOwner([taggedObjectCheck(call, permission, name, {}, deps)], input, bucket)
  },
  audit: {
    request: (input) => ({ ...objectParameters(input), tagging: '' }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, input, { bucket }, deps) {
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const { versionId } = await setTags(call, name, [], 'DELETE', deps)
    return { output: versionIdAnswer(bucket, versionId) }
  },
})
