import type { AccountId, Region } from '../../base/ids.ts'

/** A bucket as it stands in the store of rows. Its row is its name: names are of the whole deployment, as AWS's. */
export type BucketRecord = {
  readonly name: string
  readonly account: AccountId
  readonly region: Region
  /** ms since the epoch */
  readonly createdAt: number
  /**
   * The name of its objects' bucket in the object store. No two buckets have the same, so that nobody who makes a
   * bucket of a name finds what an earlier one of that name left behind.
   */
  readonly storeId: string
  /** Undefined: SSE-S3. */
  readonly encryption?: DefaultEncryption
  /** Undefined: it never had any. */
  readonly versioning?: 'enabled' | 'suspended'
  /** As it was given, but for principals with a unique id, which stand by that. */
  readonly policy?: string
  /** All four are true in a new bucket; undefined: the configuration was deleted, none of them holds. */
  readonly publicAccessBlock?: PublicAccessBlock
  /** Undefined: deleted. The one that is supported is the one that a new bucket has. */
  readonly ownership?: 'BucketOwnerEnforced'
  /** In the order that they were given in. */
  readonly tags?: readonly Tag[]
}

export type DefaultEncryption = {
  readonly algorithm: 'AES256' | 'aws:kms' | 'aws:kms:dsse'
  /** As it was given: a key id, an ARN, an alias. Undefined: the AWS managed key of S3. */
  readonly keyId?: string
  readonly bucketKey: boolean
}

/** SSE-S3 is what a new bucket has, and one whose configuration was deleted. */
export function defaultEncryptionOf({ encryption }: BucketRecord): DefaultEncryption {
  return encryption ?? { algorithm: 'AES256', bucketKey: false }
}

export type PublicAccessBlock = {
  readonly blockPublicAcls: boolean
  readonly ignorePublicAcls: boolean
  readonly blockPublicPolicy: boolean
  readonly restrictPublicBuckets: boolean
}

export type Tag = { readonly key: string; readonly value: string }

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`
}

/** The name of the bucket that an ARN of a bucket or of an object is about; undefined for other ARNs. */
export function bucketOfArn(arn: string): string | undefined {
  return /^arn:aws:s3:::([^/]+)/.exec(arn)?.[1]
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`
}
