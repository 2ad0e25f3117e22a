import type { Region } from '../../base/ids.ts'
import type { TrailRecord } from './trails.ts'

/** What the delivery to a trail's bucket says of itself, for GetTrailStatus. Times in ms since the epoch. */
export type DeliveryStatus = {
  readonly latestDelivery?: number
  readonly latestDeliveryError?: string
  readonly latestDigestDelivery?: number
  readonly latestDigestDeliveryError?: string
}

/** What the operations on trails need of the room that delivers. */
export type Delivery = {
  status(trailArn: string): DeliveryStatus
  /** What keeps the trail from delivering; undefined when nothing does. */
  check(
    trail: Pick<TrailRecord, 'account' | 'arn' | 'homeRegion' | 'bucket' | 'prefix' | 'kmsKeyArn'>,
  ): Promise<'no-bucket' | 'no-permission' | 'no-key-permission' | undefined>
}

/**
 * Signs digest files, with one RSA key a Region whose private half the key core alone opens.
 * RSA PKCS#1 v1.5 with SHA-256.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
export type DigestSigner = {
  /** Newest first. */
  publicKeys(region: Region): Promise<readonly DigestPublicKey[]>
  /** Signs with the newest key, made at first use. */
  sign(
    region: Region,
    text: Buffer,
  ): Promise<{ readonly signature: Buffer; readonly fingerprint: string }>
}

export type DigestPublicKey = {
  /** PKCS#1 DER */
  readonly value: Buffer
  /** MD5 of these bytes, in lower-case hexadecimal. */
  readonly fingerprint: string
  /** ms since the epoch */
  readonly validFrom: number
  readonly validTo: number
}
