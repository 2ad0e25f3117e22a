import { hash } from 'node:crypto'
import type { TrailRecord } from '../services/cloudtrail/trails.ts'
import { isoSecond } from './names.ts'
import type { Chain, DeliveryState, DigestedFile, DigestIntent } from './state.ts'

export const digestSignatureAlgorithm = 'SHA256withRSA'
const hashAlgorithm = 'SHA-256'

/**
 * The text of a digest file. CloudTrail's own members, and `tlog` beside them, which says where in the journals the
 * records of the files stand.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html
 */
export function digestText(
  trail: Pick<TrailRecord, 'account' | 'arn'>,
  { previous, files, start }: Chain,
  intent: DigestIntent,
  fingerprint: string,
): string {
  const [oldest] = files.map((file) => file.oldest).sort()
  const newest = files
    .map((file) => file.newest)
    .sort()
    .at(-1)
  return JSON.stringify({
    awsAccountId: trail.account,
    digestStartTime: isoSecond(start),
    digestEndTime: isoSecond(intent.end),
    digestS3Bucket: intent.bucket,
    digestS3Object: intent.key,
    digestPublicKeyFingerprint: fingerprint,
    digestSignatureAlgorithm,
    newestEventTime: newest ?? null,
    oldestEventTime: oldest ?? null,
    previousDigestS3Bucket: previous?.bucket ?? null,
    previousDigestS3Object: previous?.key ?? null,
    previousDigestHashValue: previous?.hash ?? null,
    previousDigestHashAlgorithm: previous === undefined ? null : hashAlgorithm,
    previousDigestSignature: previous?.signature ?? null,
    logFiles: files.map(listed),
    tlog: { trailARN: trail.arn, checkpoint: intent.checkpoint ?? null },
  })
}

function listed({ bucket, key, hash: hashValue, newest, oldest, ranges }: DigestedFile) {
  return {
    s3Bucket: bucket,
    s3Object: key,
    hashValue,
    hashAlgorithm,
    newestEventTime: newest,
    oldestEventTime: oldest,
    tlog: ranges.map(({ origin, from, to, count }) => ({
      origin,
      firstIndex: from,
      endIndex: to,
      count,
    })),
  }
}

/** What the signature of a digest file is made over. */
export function signedText(
  chain: Pick<Chain, 'previous'>,
  intent: Pick<DigestIntent, 'end' | 'bucket' | 'key'>,
  digestHash: string,
): Buffer {
  const previous = chain.previous?.signature ?? 'null'
  const place = `${intent.bucket}/${intent.key}`
  return Buffer.from(`${isoSecond(intent.end)}\n${place}\n${digestHash}\n${previous}`)
}

/** What is said of a delivered digest in the journal, so that the tree covers it. */
export type DigestEntry = {
  readonly eventID: string
  readonly eventTime: string
  readonly trailARN: string
  readonly awsRegion: string
  readonly s3Bucket: string
  readonly s3Object: string
  /** SHA-256 of the digest file's text, not of its compressed form. */
  readonly hashValue: string
  readonly hashAlgorithm: string
  readonly signature: string
  readonly signatureAlgorithm: string
  readonly publicKeyFingerprint: string
  readonly digestStartTime: string
  readonly digestEndTime: string
  readonly previousDigestHashValue: string | null
  readonly logFiles: number
}

export function digestEntry(
  state: DeliveryState,
  chain: Chain,
  intent: DigestIntent,
  made: {
    readonly eventId: string
    readonly now: number
    readonly hash: string
    readonly signature: string
    readonly fingerprint: string
  },
): DigestEntry {
  return {
    eventID: made.eventId,
    eventTime: isoSecond(made.now),
    trailARN: state.arn,
    awsRegion: state.region,
    s3Bucket: intent.bucket,
    s3Object: intent.key,
    hashValue: made.hash,
    hashAlgorithm,
    signature: made.signature,
    signatureAlgorithm: digestSignatureAlgorithm,
    publicKeyFingerprint: made.fingerprint,
    digestStartTime: isoSecond(chain.start),
    digestEndTime: isoSecond(intent.end),
    previousDigestHashValue: chain.previous?.hash ?? null,
    logFiles: chain.files.length,
  }
}

export function sha256(bytes: string | Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
