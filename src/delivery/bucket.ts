import type { AccountId, Region } from '../base/ids.ts'

/** A file for a trail's bucket. */
export type TrailFile = {
  readonly account: AccountId
  readonly trailArn: string
  readonly homeRegion: Region
  readonly bucket: string
  readonly key: string
  readonly body: Buffer
  readonly contentType: string
  readonly contentEncoding?: string
  /** Without the `x-amz-meta-` before the names. */
  readonly metadata: Readonly<Record<string, string>>
  /** Encrypted under it (SSE-KMS); without it as the bucket's default says. */
  readonly kmsKeyArn?: string | undefined
}

/** What keeps files from going there: the bucket's policy, or that of the key. */
export type TrailObstacle = 'no-bucket' | 'no-permission' | 'no-key-permission'

/** Where a trail's files would go: what is asked before a trail is made or changed. */
export type TrailDestination = {
  readonly account: AccountId
  readonly arn: string
  readonly homeRegion: Region
  readonly bucket: string
  readonly prefix?: string | undefined
  readonly kmsKeyArn?: string | undefined
}

/** Why a file could not be put: GetTrailStatus shows `code`, as CloudTrail does with the codes of S3. */
export class DeliveryFailure extends Error {
  override readonly name = 'DeliveryFailure'
  readonly code: string

  /** `code`: for example NoSuchBucket, AccessDenied, KMS.DisabledException. */
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/**
 * The buckets, as the room that delivers sees them: it adds files and reads nothing. Contract of every adapter: `put`
 * resolves once the file is durable and visible under its key as a whole; the same file put again takes its own place.
 * A bucket, also one of the trail's own account, takes it when its policy lets cloudtrail.amazonaws.com put there.
 * Rejects with DeliveryFailure for what can pass or be mended.
 */
export interface TrailBuckets {
  put(file: TrailFile): Promise<void>
  check(destination: TrailDestination): Promise<TrailObstacle | undefined>
}
