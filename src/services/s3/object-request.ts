import { bucketLabel, keyLabel } from '../../wire/rest-xml/bindings.ts'
import { string, type Value } from '../../wire/schema.ts'
import type { AuditResource, Check } from '../operation.ts'
import type { BucketRecord } from './bucket.ts'
import { shownAlgorithm } from './encryption/customer-key.ts'
import { bucketOwnerInput, requireExpectedOwner } from './expected-owner.ts'
import { auditBucket, auditObject } from './resource.ts'

/** Members of every request on a bucket. */
export const bucketInput = { Bucket: bucketLabel(), ...bucketOwnerInput } as const

/** Members of every request on an object. */
export const objectInput = { ...bucketInput, Key: keyLabel() } as const

/** These, and then the expected owner: who may not call does not learn whose the bucket is. */
export function* withExpectedOwner(
  checks: Iterable<Check>,
  input: { readonly ExpectedBucketOwner?: string | undefined },
  bucket: BucketRecord,
): Iterable<Check> {
  yield* checks
  requireExpectedOwner(bucket, input)
}

type NamedObject = {
  readonly Bucket: string
  readonly Key: string
  readonly VersionId?: string | undefined
}

/** requestParameters of CloudTrail, for an object. */
export function objectParameters({ Bucket, Key, VersionId }: NamedObject) {
  return { bucketName: Bucket, key: Key, ...(VersionId !== undefined && { versionId: VersionId }) }
}

/** An object with its bucket, for `audit.resources`. */
export function objectResources(bucket: BucketRecord, key: string): readonly AuditResource[] {
  return [auditObject(bucket, key), auditBucket(bucket)]
}

type AskedEncryption = Value<{ readonly type: 'structure'; readonly members: typeof asked }>
const asked = {
  ServerSideEncryption: string(),
  SSEKMSKeyId: string(),
  SSEKMSEncryptionContext: string(),
  SSECustomerAlgorithm: string(),
  ACL: string(),
  StorageClass: string(),
} as const

/** requestParameters of CloudTrail for what a request says of encryption and the like: by the names of the headers. */
export function headerParameters(
  input: Partial<AskedEncryption> & { BucketKeyEnabled?: boolean | undefined },
) {
  const named = {
    'x-amz-server-side-encryption': input.ServerSideEncryption,
    'x-amz-server-side-encryption-aws-kms-key-id': input.SSEKMSKeyId,
    'x-amz-server-side-encryption-context': input.SSEKMSEncryptionContext,
    'x-amz-server-side-encryption-bucket-key-enabled': input.BucketKeyEnabled?.toString(),
    'x-amz-server-side-encryption-customer-algorithm': shownAlgorithm(input.SSECustomerAlgorithm),
    'x-amz-acl': input.ACL,
    'x-amz-storage-class': input.StorageClass,
  }
  return Object.fromEntries(Object.entries(named).filter(([, value]) => value !== undefined))
}
