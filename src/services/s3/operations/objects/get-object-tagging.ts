import { list, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { requireDecidedTags, taggedObjectCheck } from '../../existing-tags.ts'
import {
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { found, requireBytes } from '../../object-versions.ts'
import { type BucketTarget, requireBucket } from '../../resource.ts'
import { decodeTags } from '../../tagging.ts'
import {
  requireVersionId,
  versionedPermission,
  versionIdAnswer,
  versionIdInput,
  versionIdOutput,
} from '../../version-id.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectTagging.html */
export const getObjectTagging = operation({
  name: 'GetObjectTagging',
  input: structure({ ...objectInput, ...versionIdInput }),
  output: structure(
    {
      ...versionIdOutput,
      TagSet: list(structure({ Key: string(), Value: string() }), { each: 'Tag' }),
    },
    { root: 'Tagging' },
  ),
  effects: 'read',
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
    const permission = versionedPermission('s3:GetObjectTagging', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    return withExpectedOwner([taggedObjectCheck(call, permission, name, {}, deps)], input, bucket)
  },
  audit: {
    request: (input) => ({ ...objectParameters(input), tagging: '' }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, { Key, VersionId }, { bucket }, deps) {
    const name = { bucket, key: Key, versionId: VersionId }
    const version = await found(deps.objects.head(bucket.storeId, Key, VersionId), call, name, deps)
    requireBytes(version, 'GET', call, name, deps)
    requireDecidedTags(call, version.tagging)
    const TagSet = decodeTags(version.tagging).map(({ key, value }) => ({ Key: key, Value: value }))
    return { output: { ...versionIdAnswer(bucket, version.versionId), TagSet } }
  },
})
