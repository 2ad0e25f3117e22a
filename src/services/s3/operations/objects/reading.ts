import type { ErrorCode } from '../../../../base/errors.ts'
import type { CallContext, Check, JsonObject } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { encryptionConditions } from '../../encryption/request.ts'
import { taggedObjectCheck } from '../../existing-tags.ts'
import { type ReadInput, requireReadable } from '../../object-read.ts'
import {
  headerParameters,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { requireBucket } from '../../resource.ts'
import { requireVersionId, versionedPermission } from '../../version-id.ts'

/** What GetObject and HeadObject have in common: all but what they answer. */
export const readingErrors = [
  ...(['AuthorizationHeaderMalformed', 'InvalidArgument', 'InvalidPartNumber'] as const),
  ...(['InvalidRange', 'InvalidRequest', 'MethodNotAllowed', 'NoSuchBucket'] as const),
  ...(['NoSuchKey', 'NoSuchVersion', 'NotModified', 'OperationAborted'] as const),
  'PreconditionFailed',
] as const satisfies readonly ErrorCode[]

export function resolveReading(call: CallContext, input: ReadInput, deps: S3Deps): ObjectTarget {
  const bucket = requireBucket(call, input.Bucket, deps)
  requireVersionId(input.VersionId)
  requireReadable(input)
  return { bucket, learnt: {} }
}

export function readingChecks(
  call: CallContext,
  input: ReadInput,
  { bucket }: ObjectTarget,
  deps: S3Deps,
): Iterable<Check> {
  const permission = versionedPermission('s3:GetObject', input.VersionId)
  const name = { bucket, key: input.Key, versionId: input.VersionId }
  const check = taggedObjectCheck(call, permission, name, encryptionConditions(input), deps)
  return withExpectedOwner([check], input, bucket)
}

export const readingAudit = {
  request: (input: ReadInput): JsonObject => ({
    ...objectParameters(input),
    ...headerParameters(input),
    Range: input.Range,
    partNumber: input.PartNumber,
  }),
  resources: ({ bucket }: ObjectTarget, { Key }: ReadInput) => objectResources(bucket, Key),
  additional: (_output: unknown, _input: ReadInput, target: ObjectTarget) =>
    encryptionApplied(target),
}
