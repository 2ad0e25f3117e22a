import { ServiceError } from '../../base/errors.ts'
import { header } from '../../wire/rest-xml/bindings.ts'
import { string } from '../../wire/schema.ts'
import type { BucketRecord } from './bucket.ts'

/** Members of every request on a bucket. Who pays is nobody's question here. */
export const bucketOwnerInput = {
  ExpectedBucketOwner: header('x-amz-expected-bucket-owner', string()),
  RequestPayer: header('x-amz-request-payer', string()),
} as const

/**
 * Throws 'access-denied' when the bucket is of another account than the caller takes it for. To be called behind the
 * check of a permission: whose a bucket is, is nobody's business who has none on it.
 */
export function requireExpectedOwner(
  { account }: BucketRecord,
  { ExpectedBucketOwner }: { readonly ExpectedBucketOwner?: string | undefined },
): void {
  if (ExpectedBucketOwner === undefined || ExpectedBucketOwner === account) return
  throw new ServiceError('access-denied', 'Access Denied', { detail: 'not the expected owner' })
}
