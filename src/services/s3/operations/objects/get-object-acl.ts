import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { ownersAcl } from '../../acl.ts'
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
import { requireVersionId, versionedPermission, versionIdInput } from '../../version-id.ts'
import { xmlText } from '../../xml-text.ts'

/**
 * The one ACL that objects have where ACLs are off.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html
 */
export const getObjectAcl = operation({
  name: 'GetObjectAcl',
  input: structure({ ...objectInput, ...versionIdInput }),
  output: xmlText,
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
    const permission = versionedPermission('s3:GetObjectAcl', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    return withExpectedOwner([taggedObjectCheck(call, permission, name, {}, deps)], input, bucket)
  },
  audit: {
    request: (input) => ({ ...objectParameters(input), acl: '' }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, { Key, VersionId }, { bucket }, deps) {
    const name = { bucket, key: Key, versionId: VersionId }
    const heading = deps.objects.head(bucket.storeId, Key, VersionId)
    const version = await found(heading, call, name, deps)
    requireBytes(version, 'GET', call, name, deps)
    requireDecidedTags(call, version.tagging)
    return { output: ownersAcl(bucket.account) }
  },
})
