import type { Deleted } from '../../../../objects/port.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, string, structure } from '../../../../wire/schema.ts'
import { type Check, operation } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import { unquoted } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import {
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { refusedWrite } from '../../refused-write.ts'
import { type BucketTarget, objectCheck, requireBucket } from '../../resource.ts'
import {
  requireVersionId,
  versionedPermission,
  versionIdInput,
  versionIdOutput,
  versioningOf,
} from '../../version-id.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html */
export const deleteObject = operation({
  name: 'DeleteObject',
  input: structure({
    ...objectInput,
    ...versionIdInput,
    IfMatch: header('if-match', string()),
  }),
  output: structure(
    { ...versionIdOutput, DeleteMarker: header('x-amz-delete-marker', boolean()) },
    { status: 204 },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'InvalidArgument', 'NoSuchBucket', 'NoSuchKey'] as const),
    'PreconditionFailed',
  ],
  resolve(call, input, deps: S3Deps): BucketTarget {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireVersionId(input.VersionId)
    return { bucket }
  },
  checks: (_call, input, { bucket }) =>
    withExpectedOwner(deleteChecks(bucket, input), input, bucket),
  audit: {
    request: objectParameters,
    response: ({ VersionId, DeleteMarker }) => deletedElements({ VersionId, DeleteMarker }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
  },
  async handle(call, input, { bucket }, deps) {
    const { Key: key, VersionId: versionId, IfMatch } = input
    let deleted: Deleted
    try {
      deleted = await deps.objects.delete(bucket.storeId, key, {
        versioning: versioningOf(bucket),
        versionId,
        ...(IfMatch !== undefined && { ifMatch: unquoted(IfMatch) }),
      })
    } catch (error) {
      throw refusedWrite(error, call, { bucket, key, versionId }, 'If-Match', deps)
    }
    return { output: deletedAnswer(bucket, versionId, deleted) }
  },
})

export type DeletedAnswer = {
  readonly VersionId?: string | undefined
  readonly DeleteMarker?: true | undefined
}

/** What a request to delete one object, or a version of it, takes. */
export function* deleteChecks(
  bucket: BucketRecord,
  asked: {
    readonly Key: string
    readonly VersionId?: string | undefined
    readonly IfMatch?: string | undefined
  },
): Iterable<Check> {
  const { Key, VersionId, IfMatch } = asked
  yield objectCheck(versionedPermission('s3:DeleteObject', VersionId), bucket, Key, {
    ...(VersionId !== undefined && { 's3:VersionId': VersionId }),
    ...(IfMatch !== undefined && { 's3:if-match': IfMatch }),
  })
  // Whoever compares an object's tag learns of what is there.
  if (IfMatch !== undefined && IfMatch.trim() !== '*') {
    yield objectCheck(versionedPermission('s3:GetObject', VersionId), bucket, Key)
  }
}

/** Which version is gone, or which delete marker was made: nothing of a bucket that never had versions. */
export function deletedAnswer(
  { versioning }: BucketRecord,
  versionId: string | undefined,
  deleted: Deleted,
): DeletedAnswer {
  const named = versionId ?? (deleted.deleteMarker ? deleted.versionId : undefined)
  return {
    ...(versioning !== undefined && named !== undefined && { VersionId: named }),
    ...(deleted.deleteMarker && { DeleteMarker: true }),
  }
}

/** responseElements of CloudTrail. */
export function deletedElements({
  VersionId,
  DeleteMarker,
}: {
  readonly VersionId?: string | undefined
  readonly DeleteMarker?: boolean | undefined
}) {
  if (VersionId === undefined && DeleteMarker === undefined) return null
  return {
    ...(VersionId !== undefined && { 'x-amz-version-id': VersionId }),
    ...(DeleteMarker !== undefined && { 'x-amz-delete-marker': DeleteMarker }),
  }
}
