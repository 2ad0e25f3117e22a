/** How an object is encrypted, or is to be. */
export type EncryptionFacts = {
  /** `customer`: SSE-C. `unreadable`: what was kept of it is damaged. */
  readonly mode: 'AES256' | 'aws:kms' | 'aws:kms:dsse' | 'customer' | 'unreadable'
  /** ARN of the KMS key. */
  readonly key: string | undefined
  readonly bucketKey: boolean
}

/** A bucket as it is now. Times are ms since the epoch. */
export type BucketFacts = {
  readonly name: string
  readonly arn: string
  readonly account: string
  readonly region: string
  readonly createdAt: number
  /** Its default encryption. Without a key although it names one: that key or alias is not there. */
  readonly rule: EncryptionFacts & {
    /** As the rule names it. */
    readonly keyName: string | undefined
  }
}

/** A version of an object, delete markers aside. */
export type VersionFacts = {
  readonly key: string
  readonly latest: boolean
  /** Bytes. */
  readonly size: number
  readonly modified: number
  readonly encryption: EncryptionFacts & { readonly byDefault: boolean }
}

/** A multipart upload that is not completed; its size is not known. */
export type UploadFacts = Omit<VersionFacts, 'size' | 'latest'>

/** What a bucket holds, page by page, none of it opened. */
export type BucketContents = {
  versions(bucket: BucketFacts): AsyncIterable<readonly VersionFacts[]>
  uploads(bucket: BucketFacts): AsyncIterable<readonly UploadFacts[]>
}

/** Whether it is what a new object would get that says nothing of its encryption. */
export function followsRule(
  { mode, key, bucketKey }: EncryptionFacts,
  { rule }: Pick<BucketFacts, 'rule'>,
): boolean {
  if (mode !== rule.mode || mode === 'customer') return false
  if (mode === 'AES256') return true
  if (key === undefined || key !== rule.key) return false
  return mode === 'aws:kms:dsse' || bucketKey === rule.bucketKey
}
