import { type ErrorCode, ServiceError } from '../../base/errors.ts'
import type { Region } from '../../base/ids.ts'

/**
 * The failures of CloudTrail: in its words where they are known, in words that say the same elsewhere.
 * https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/CommonErrors.html
 */
const failure =
  <Words extends unknown[]>(code: ErrorCode, text: (...words: Words) => string) =>
  (...words: Words) =>
    new ServiceError(code, text(...words))

export const trailNotFound = failure(
  'trail-not-found',
  (arn: string, account: string) => `Unknown trail: ${arn} for the user: ${account}`,
)
export const trailAlreadyExists = failure(
  'trail-already-exists',
  (name: string, account: string) => `Trail ${name} already exists for customer: ${account}`,
)
export const trailsExceeded = failure(
  'trails-exceeded',
  (account: string, max: number, region: Region) =>
    `User: ${account} already has ${max} trails in ${region}.`,
)
export const invalidTrailName = failure('invalid-trail-name', (text: string) => text)
export const invalidTrailArn = failure(
  'invalid-trail-arn',
  (text: string) => `Invalid ARN: ${text.slice(0, 256)}`,
)
export const invalidHomeRegion = failure(
  'invalid-home-region',
  (name: string, home: Region, region: Region) =>
    `Trail ${name} has its home in ${home} and cannot be changed from ${region}.`,
)
export const bucketDoesNotExist = failure(
  'bucket-does-not-exist',
  (bucket: string) => `S3 bucket ${bucket} does not exist!`,
)
export const insufficientBucketPolicy = failure(
  'insufficient-bucket-policy',
  (bucket: string) => `Incorrect S3 bucket policy is detected for bucket: ${bucket}`,
)
export const insufficientEncryptionPolicy = failure(
  'insufficient-encryption-policy',
  (bucket: string, key: string) =>
    `Insufficient permissions to access S3 bucket ${bucket} or KMS key ${key}.`,
)
export const invalidBucketName = failure(
  'invalid-bucket-name',
  (bucket: string) => `Bucket name ${bucket.slice(0, 64)} is not valid.`,
)
export const invalidPrefix = failure('invalid-bucket-prefix', (text: string) => text)
export const invalidKmsKeyId = failure(
  'invalid-kms-key-id',
  (keyId: string) => `KMS key ID ${keyId.slice(0, 256)} is not valid.`,
)
export const kmsKeyNotFound = failure(
  'kms-key-not-found',
  (keyId: string) => `KMS key ${keyId.slice(0, 256)} does not exist in this Region.`,
)
export const kmsKeyUnfit = failure('kms-key-unfit', (text: string) => text)
export const invalidCombination = failure('invalid-parameter-combination', (text: string) => text)
export const noTopic = failure(
  'insufficient-sns-topic-policy',
  () => 'SNS Topic does not exist or the topic policy is incorrect!',
)
export const noLogGroups = failure(
  'cloud-watch-logs-unavailable',
  () => 'Cannot set a CloudWatch Logs delivery for this Region.',
)
export const noOrganization = failure(
  'organizations-not-in-use',
  () => 'Your account is not a member of an organization.',
)
export const invalidSelectors = failure('invalid-event-selectors', (text: string) => text)
export const invalidTag = failure('invalid-tag-parameter', (text: string) => text)
export const tooManyTags = failure(
  'tags-limit-exceeded',
  (max: number) => `The number of tags per trail cannot exceed ${max}.`,
)
export const resourceNotFound = failure(
  'resource-not-found',
  (arn: string) => `Resource not found: ${arn}`,
)
export const unsupportedResource = failure(
  'resource-type-not-supported',
  (arn: string) => `Tags are of trails: ${arn.slice(0, 256)}`,
)
export const invalidToken = failure('invalid-token', () => 'The specified token is not valid.')
export const invalidTimeRange = failure(
  'invalid-time-range',
  () => 'The start time must not be after the end time.',
)
