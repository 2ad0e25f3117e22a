import type { Authorize } from '../../authorize/authorizer.ts'
import type { PrincipalNames } from '../../authorize/policy/bind.ts'
import type { Region } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Hsm } from '../../hsm/port.ts'
import type { ObjectStore } from '../../objects/port.ts'
import type { CallContext } from '../operation.ts'
import type { Buckets } from './buckets.ts'
import type { BucketKeys } from './encryption/bucket-keys.ts'

/** What the operations of S3 need of the rest of the house. */
export type S3Deps = {
  readonly buckets: Buckets
  readonly objects: ObjectStore
  readonly kms: KmsCalls
  readonly kmsWould: KmsWould
  /** SSE-S3: data keys are sealed by the core itself. */
  readonly hsm: Pick<Hsm, 'seal' | 'open'>
  readonly bucketKeys: BucketKeys
  /** What a caller may besides what the call is decided on. */
  readonly authorize: Authorize
  readonly random: Random
  /** Whom bucket policies name. */
  readonly principals: PrincipalNames
  /** Those that the deployment serves; the first is home. */
  readonly regions: readonly Region[]
  readonly limits: S3Limits
}

/**
 * A call of KMS for the caller, by the caller's permissions, as S3 makes it: authorized with `kms:ViaService`, recorded
 * with the S3 request's id. Rejects with the ServiceError that KMS would answer the caller with. Secrets in the output
 * are the asker's to wipe.
 */
export type KmsCalls = (call: CallContext, operation: string, input: object) => Promise<unknown>

/**
 * The ARN of the key that such a call would use if it were made now; undefined where it would be refused. For
 * operations that know DryRun. Nothing is done, and nothing recorded.
 */
export type KmsWould = (
  call: CallContext,
  operation: string,
  input: object,
) => Promise<string | undefined>

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/BucketRestrictions.html */
export type S3Limits = {
  /** Of one account. */
  readonly buckets: number
}

export const defaultLimits: S3Limits = { buckets: 10_000 }
