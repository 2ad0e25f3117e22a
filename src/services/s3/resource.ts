import { s3Error } from '../../base/errors.ts'
import type { AuditResource, CallContext, Check, ConditionValues, Resource } from '../operation.ts'
import { type BucketRecord, bucketArn, objectArn } from './bucket.ts'
import type { S3Deps } from './deps.ts'
import { isPublicPolicy } from './public-policy.ts'

/** What a call on a bucket or an object is about. */
export type BucketTarget = { readonly bucket: BucketRecord }

/**
 * The bucket of that name. Throws 'NoSuchBucket', which AWS tells everybody, and what clients mend by signing for the
 * bucket's own Region.
 */
export function requireBucket(call: CallContext, name: string, { buckets }: S3Deps): BucketRecord {
  const bucket = buckets.get(name)
  if (bucket === undefined) throw s3Error('NoSuchBucket', { BucketName: name.slice(0, 255) })
  if (bucket.region !== call.region) {
    throw s3Error(
      'AuthorizationHeaderMalformed',
      { Region: bucket.region },
      {
        text: `The authorization header is malformed; the region '${call.region}' is wrong; expecting '${bucket.region}'`,
        // An answer to HEAD has no XML, and its client has to learn it as well.
        headers: { 'x-amz-bucket-region': bucket.region },
      },
    )
  }
  return bucket
}

/** A permission on the bucket itself. */
export function bucketCheck(
  permission: string,
  bucket: BucketRecord,
  conditions: ConditionValues = {},
): Check {
  const resource = resourceOf(bucket, bucketArn(bucket.name))
  return { permission, resource, conditions: { ...ownedBy(bucket), ...conditions } }
}

/** A permission on an object in it. */
export function objectCheck(
  permission: string,
  bucket: BucketRecord,
  key: string,
  conditions: ConditionValues = {},
): Check {
  const resource = resourceOf(bucket, objectArn(bucket.name, key))
  return { permission, resource, conditions: { ...ownedBy(bucket), ...conditions } }
}

function ownedBy({ account }: BucketRecord): ConditionValues {
  return { 'aws:ResourceAccount': account, 's3:ResourceAccount': account }
}

/** With RestrictPublicBuckets, a policy that is public lets in nobody from outside the account. */
function resourceOf(bucket: BucketRecord, arn: string): Resource {
  const { account, policy, publicAccessBlock } = bucket
  const restricted = publicAccessBlock?.restrictPublicBuckets === true
  const crossAccount = policy !== undefined && !(restricted && isPublicPolicy(policy))
  return { type: 'bucket', arn, account, policy, crossAccount }
}

export function auditBucket({ name, account }: BucketRecord): AuditResource {
  return { accountId: account, type: 'AWS::S3::Bucket', ARN: bucketArn(name) }
}

export function auditObject({ name, account }: BucketRecord, key: string): AuditResource {
  return { accountId: account, type: 'AWS::S3::Object', ARN: objectArn(name, key) }
}

/** All objects whose keys begin so: what a listing is about. */
export function auditObjects({ name, account }: BucketRecord, prefix = ''): AuditResource {
  return { accountId: account, type: 'AWS::S3::Object', ARNPrefix: objectArn(name, prefix) }
}
