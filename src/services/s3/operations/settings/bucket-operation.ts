import type { AuditView, CallContext, Check, JsonObject } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { withExpectedOwner } from '../../object-request.ts'
import { auditBucket, bucketCheck, requireBucket } from '../../resource.ts'

/** What every request on a bucket has. */
type BucketInput = {
  readonly Bucket: string
  readonly ExpectedBucketOwner?: string | undefined
}

/** `resolve` of what is about a bucket. */
export function resolveBucket(
  call: CallContext,
  { Bucket }: BucketInput,
  deps: S3Deps,
): BucketRecord {
  return requireBucket(call, Bucket, deps)
}

/** `checks` of what needs one permission on the bucket. */
export function needs(permission: string) {
  return (_call: CallContext, input: BucketInput, bucket: BucketRecord): Iterable<Check> =>
    withExpectedOwner([bucketCheck(permission, bucket)], input, bucket)
}

/**
 * The record of a call on a bucket. CloudTrail has the subresource as an empty parameter; `shown` is what else of the
 * request is in it.
 */
export function bucketAudit<I extends BucketInput>(
  subresource?: string,
  shown: (input: I) => JsonObject = () => ({}),
): AuditView<I, BucketRecord, unknown> {
  return {
    request: (input) => ({
      bucketName: input.Bucket,
      ...(subresource === undefined ? {} : { [subresource]: '' }),
      ...shown(input),
    }),
    resources: (bucket) => [auditBucket(bucket)],
  }
}

/** What XML repeats, as CloudTrail shows it: a single one without the list around it. */
export function repeated<T>(all: readonly T[] | undefined): T | readonly T[] | undefined {
  return all?.length === 1 ? all[0] : all
}

/**
 * Of the body of a request that sets something. Whoever may nothing of a bucket has his body read all the same, so it
 * is far from S3's longest; the longest of these, tags that are written as references, has a third of this.
 */
export const settingBytesMax = 256 * 1024

export type OptionalSetting = {
  [K in keyof BucketRecord]-?: undefined extends BucketRecord[K] ? K : never
}[keyof BucketRecord]

/** The bucket without one of its settings. */
export function without(bucket: BucketRecord, setting: OptionalSetting): BucketRecord {
  const others = Object.entries(bucket).filter(([name]) => name !== setting)
  return Object.fromEntries(others) as unknown as BucketRecord
}
