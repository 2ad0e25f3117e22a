import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { blob, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { accessControlConditions, accessControlInput, requireNoAcl } from '../../access-control.ts'
import type { S3Deps } from '../../deps.ts'
import { requireDecidedTags, taggedObjectCheck } from '../../existing-tags.ts'
import {
  headerParameters,
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { found, requireBytes } from '../../object-versions.ts'
import { type BucketTarget, requireBucket } from '../../resource.ts'
import { requireVersionId, versionedPermission, versionIdInput } from '../../version-id.ts'

/** More than the hundred grants that an ACL can have. */
const bodyBytesMax = 64 * 1024

/**
 * Takes the canned ACLs that change nothing where ACLs are off, and no other.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html
 */
export const putObjectAcl = operation({
  name: 'PutObjectAcl',
  input: structure({
    ...objectInput,
    ...versionIdInput,
    ...accessControlInput,
    AccessControlPolicy: payload(blob(), { bytesMax: bodyBytesMax }),
  }),
  output: structure({}),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AccessControlListNotSupported', 'AuthorizationHeaderMalformed'] as const),
    ...(['InvalidArgument', 'MethodNotAllowed', 'NoSuchBucket', 'NoSuchKey'] as const),
    ...(['NoSuchVersion', 'OperationAborted'] as const),
  ],
  resolve(call, input, deps: S3Deps): BucketTarget {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    return { bucket }
  },
  *checks(call, input, { bucket }, deps) {
    const permission = versionedPermission('s3:PutObjectAcl', input.VersionId)
    const name = { bucket, key: input.Key, versionId: input.VersionId }
    const check = taggedObjectCheck(call, permission, name, accessControlConditions(input), deps)
    yield* withExpectedOwner([check], input, bucket)
    requireNoAcl(input)
    if (input.ACL === undefined) throw s3Error('AccessControlListNotSupported')
  },
  audit: {
    request: (input) => ({ ...objectParameters(input), ...headerParameters(input), acl: '' }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, { Key, VersionId }, { bucket }, deps) {
    const name = { bucket, key: Key, versionId: VersionId }
    const heading = deps.objects.head(bucket.storeId, Key, VersionId)
    const version = await found(heading, call, name, deps)
    requireBytes(version, 'PUT', call, name, deps)
    requireDecidedTags(call, version.tagging)
    return { output: {} }
  },
})
