import { parseArn, parseKeyId, type Region } from '../../base/ids.ts'
import type { CallContext } from '../operation.ts'
import type { CloudTrailDeps } from './deps.ts'
import {
  bucketDoesNotExist,
  insufficientBucketPolicy,
  insufficientEncryptionPolicy,
  invalidBucketName,
  invalidCombination,
  invalidKmsKeyId,
  invalidPrefix,
  kmsKeyNotFound,
  kmsKeyUnfit,
  noLogGroups,
  noOrganization,
  noTopic,
} from './errors.ts'
import { isIn, type TrailRecord } from './trails.ts'

/** What CreateTrail and UpdateTrail have in common; an empty text takes away what it names. */
export type Settings = {
  readonly S3BucketName?: string | undefined
  readonly S3KeyPrefix?: string | undefined
  readonly SnsTopicName?: string | undefined
  readonly IncludeGlobalServiceEvents?: boolean | undefined
  readonly IsMultiRegionTrail?: boolean | undefined
  readonly EnableLogFileValidation?: boolean | undefined
  readonly CloudWatchLogsLogGroupArn?: string | undefined
  readonly CloudWatchLogsRoleArn?: string | undefined
  readonly KmsKeyId?: string | undefined
  readonly IsOrganizationTrail?: boolean | undefined
  readonly RecursiveLogging?: boolean | undefined
}

const prefixMax = 200

/** What can be said of a request alone. There are no topics, log groups and organisations here. */
export function checkSettings(settings: Settings): void {
  const { S3BucketName: bucket, S3KeyPrefix: prefix = '', KmsKeyId: keyId = '' } = settings
  if (bucket !== undefined && !isBucketName(bucket)) throw invalidBucketName(bucket)
  if (prefix.length > prefixMax) {
    throw invalidPrefix(`S3 key prefix must not be longer than ${prefixMax} characters.`)
  }
  if (/\p{Cc}|\p{Cs}/u.test(prefix) || prefix.startsWith('/')) {
    throw invalidPrefix('S3 key prefix is not valid.')
  }
  if (keyId !== '' && !mayNameKey(keyId)) throw invalidKmsKeyId(keyId)
  if (isGiven(settings.SnsTopicName)) throw noTopic()
  if (isGiven(settings.CloudWatchLogsLogGroupArn) || isGiven(settings.CloudWatchLogsRoleArn)) {
    throw noLogGroups()
  }
  if (settings.IsOrganizationTrail === true) throw noOrganization()
}

function isGiven(text: string | undefined): boolean {
  return text !== undefined && text !== ''
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html */
function isBucketName(name: string): boolean {
  return (
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) &&
    !name.includes('..') &&
    !/^\d+(\.\d+){3}$/.test(name)
  )
}

function mayNameKey(text: string): boolean {
  if (text.startsWith('alias/')) return true
  return parseArn(text)?.service === 'kms' || parseKeyId(text) !== undefined
}

/** The trail as it would be. Throws 'invalid-parameter-combination'. */
export function withSettings(
  trail: TrailRecord,
  settings: Settings,
  kmsKeyArn: string | undefined,
): TrailRecord {
  const { prefix: prefixBefore, kmsKeyArn: keyBefore, ...rest } = trail
  const prefix = settings.S3KeyPrefix ?? prefixBefore ?? ''
  const key = settings.KmsKeyId === undefined ? keyBefore : kmsKeyArn
  const next: TrailRecord = {
    ...rest,
    bucket: settings.S3BucketName ?? trail.bucket,
    multiRegion: settings.IsMultiRegionTrail ?? trail.multiRegion,
    globalServiceEvents: settings.IncludeGlobalServiceEvents ?? trail.globalServiceEvents,
    validation: settings.EnableLogFileValidation ?? trail.validation,
    recursiveLogging: settings.RecursiveLogging ?? trail.recursiveLogging ?? true,
    ...(prefix !== '' && { prefix }),
    ...(key !== undefined && { kmsKeyArn: key }),
  }
  if (next.multiRegion && !next.globalServiceEvents) {
    throw invalidCombination('Multi-Region trail must include global service events.')
  }
  return next
}

/**
 * ARN of the key that a trail is to use, undefined for none. Whether its policy lets CloudTrail use it, `checkDelivery`
 * asks. Throws 'kms-key-not-found', 'kms-key-unfit'.
 */
export function kmsKeyArn(
  call: CallContext,
  { KmsKeyId: text = '' }: Settings,
  { keys }: Pick<CloudTrailDeps, 'keys'>,
): string | undefined {
  if (text === '') return undefined
  const key = keys.find(call, text)
  if (key === undefined) throw kmsKeyNotFound(text)
  if (!key.encrypts) throw kmsKeyUnfit(`${key.arn} is not a symmetric encryption key.`)
  if (!key.enabled) throw kmsKeyUnfit(`${key.arn} is not enabled.`)
  return key.arn
}

/** Throws 'bucket-does-not-exist', 'insufficient-bucket-policy', 'insufficient-encryption-policy'. */
export async function checkDelivery(
  trail: TrailRecord,
  { delivery }: Pick<CloudTrailDeps, 'delivery'>,
): Promise<void> {
  const { bucket, kmsKeyArn: key = '' } = trail
  const wrong = await delivery.check(trail)
  if (wrong === 'no-bucket') throw bucketDoesNotExist(bucket)
  if (wrong === 'no-permission') throw insufficientBucketPolicy(bucket)
  if (wrong === 'no-key-permission') throw insufficientEncryptionPolicy(bucket, key)
}

/** What keeps a trail out of a Region that it would be in; `before` is the one whose place it would take. */
export function obstacle(
  trail: TrailRecord,
  before: TrailRecord | undefined,
  { trails, limits, regions }: Pick<CloudTrailDeps, 'trails' | 'limits' | 'regions'>,
): { readonly reason: 'name' | 'count'; readonly region: Region } | undefined {
  const others = trails.ofAccount(trail.account).filter((each) => each !== before)
  const wanted = new Set([trail.homeRegion, ...(trail.multiRegion ? regions : [])])
  for (const region of wanted) {
    const there = others.filter((each) => isIn(each, region))
    if (there.some(({ name }) => name === trail.name)) return { reason: 'name', region }
    if (there.length >= limits.trails) return { reason: 'count', region }
  }
  return undefined
}
