import type { Authorize } from './authorize/authorizer.ts'
import type { Clock } from './base/clock.ts'
import { ServiceError } from './base/errors.ts'
import type { AccountId } from './base/ids.ts'
import type { Random } from './base/random.ts'
import {
  DeliveryFailure,
  type TrailBuckets,
  type TrailDestination,
  type TrailFile,
  type TrailObstacle,
} from './delivery/bucket.ts'
import type { InnerCalls } from './inner-calls.ts'
import type { CallContext } from './services/operation.ts'
import type { BucketRecord } from './services/s3/bucket.ts'
import type { Buckets } from './services/s3/buckets.ts'
import { bucketCheck, objectCheck } from './services/s3/resource.ts'
import { inOwnName } from './services/via.ts'
import { wireName } from './wire/errors.ts'
import type { SignedBody } from './wire/protocol.ts'

export type TrailBucketsDeps = {
  readonly buckets: Buckets
  /** Of S3 and of KMS. */
  readonly calls: Pick<InnerCalls, 'makeAs' | 'would'>
  readonly authorize: Authorize
  readonly clock: Clock
  readonly random: Random
}

const acl = 'bucket-owner-full-control'

/**
 * The buckets of S3, as CloudTrail writes to them: in its own name, for the trail's account and with the trail's ARN,
 * so that the policy of a bucket and that of a key let it in, for some trails or for all. Each file is a PutObject
 * with a record of its own; under a KMS key it takes a GenerateDataKey that the key's policy allows, and that is
 * recorded as well.
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-s3-bucket-policy-for-cloudtrail.html
 * https://docs.aws.amazon.com/awscloudtrail/latest/userguide/create-kms-key-policy-for-cloudtrail.html
 */
export function trailBuckets(deps: TrailBucketsDeps): TrailBuckets {
  return {
    put: (file) => put(file, deps),
    check: (destination) => check(destination, deps),
  }
}

async function put(file: TrailFile, deps: TrailBucketsDeps): Promise<void> {
  const { buckets, calls } = deps
  const bucket = buckets.get(file.bucket)
  if (bucket === undefined) {
    throw new DeliveryFailure('NoSuchBucket', `there is no bucket ${file.bucket}`)
  }
  const context = ofTrail({ account: file.account, arn: file.trailArn }, bucket, deps)
  const input = {
    Bucket: file.bucket,
    Key: file.key,
    Body: bodyOf(file.body),
    ACL: acl,
    ContentType: file.contentType,
    ...(file.contentEncoding !== undefined && { ContentEncoding: file.contentEncoding }),
    Metadata: file.metadata,
    ...(file.kmsKeyArn !== undefined && {
      ServerSideEncryption: 'aws:kms',
      SSEKMSKeyId: file.kmsKeyArn,
      SSEKMSEncryptionContext: Buffer.from(JSON.stringify(keyContext(file.trailArn))).toString(
        'base64',
      ),
    }),
  }
  try {
    await calls.makeAs(context, { service: 's3', operation: 'PutObject', input })
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    throw new DeliveryFailure(wireName(error.code, 'rest-xml'), error.detail ?? error.message)
  }
}

/** What a bucket's policy and a key's have to allow, asked as it will be asked; nothing is recorded of it. */
async function check(
  destination: TrailDestination,
  deps: TrailBucketsDeps,
): Promise<TrailObstacle | undefined> {
  const { account, prefix, kmsKeyArn } = destination
  const bucket = deps.buckets.get(destination.bucket)
  if (bucket === undefined) return 'no-bucket'
  const context = ofTrail(destination, bucket, deps)
  const key = `${prefix === undefined ? '' : `${prefix}/`}AWSLogs/${account}/CloudTrail/`
  const encryption = kmsKeyArn === undefined ? {} : encryptionConditions(kmsKeyArn)
  const asked = [
    bucketCheck('s3:GetBucketAcl', bucket),
    objectCheck('s3:PutObject', bucket, key, { 's3:x-amz-acl': acl, ...encryption }),
  ]
  for (const each of asked) {
    if (deps.authorize(context.caller, each, context).denied !== undefined) return 'no-permission'
  }
  if (kmsKeyArn === undefined) return undefined
  const via = { name: 's3', region: bucket.region }
  const input = {
    KeyId: kmsKeyArn,
    KeySpec: 'AES_256',
    EncryptionContext: {
      ...keyContext(destination.arn),
      'aws:s3:arn': `arn:aws:s3:::${bucket.name}/${key}`,
    },
  }
  const may = { service: 'kms', operation: 'GenerateDataKey', input }
  return (await deps.calls.would(context, via, may)) === undefined ? 'no-key-permission' : undefined
}

/** S3 takes requests in the bucket's Region alone. */
function ofTrail(
  trail: { readonly account: AccountId; readonly arn: string },
  { region }: BucketRecord,
  { clock, random }: TrailBucketsDeps,
): CallContext {
  return inOwnName('cloudtrail', trail, { region, now: clock.now(), requestId: random.uuid() })
}

function keyContext(trailArn: string): Readonly<Record<string, string>> {
  return { 'aws:cloudtrail:arn': trailArn }
}

function encryptionConditions(kmsKeyArn: string): Readonly<Record<string, string>> {
  return {
    's3:x-amz-server-side-encryption': 'aws:kms',
    's3:x-amz-server-side-encryption-aws-kms-key-id': kmsKeyArn,
  }
}

/** Nobody sent it, so there is nothing to compare it with. A copy: whoever reads it may overwrite what was read. */
function bodyOf(bytes: Buffer): SignedBody {
  const whole = Buffer.from(bytes)
  return {
    length: whole.length,
    checksum: undefined,
    declaresObject: () => {},
    cancel: () => {},
    async *[Symbol.asyncIterator]() {
      if (whole.length > 0) yield whole
    },
  }
}
