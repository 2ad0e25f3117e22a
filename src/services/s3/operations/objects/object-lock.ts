import { s3Error } from '../../../../base/errors.ts'
import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import {
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { type BucketTarget, objectCheck, requireBucket } from '../../resource.ts'
import { requireVersionId, versionIdInput } from '../../version-id.ts'

/**
 * Buckets have no object lock here: what is asked of one is answered as AWS answers of buckets without.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html
 */
export const getObjectLegalHold = ofUnlockedBucket('GetObjectLegalHold', 'legal-hold')

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html */
export const getObjectRetention = ofUnlockedBucket('GetObjectRetention', 'retention')

function ofUnlockedBucket(name: string, subresource: string) {
  return operation({
    name,
    input: structure({ ...objectInput, ...versionIdInput }),
    output: undefined,
    effects: 'read',
    category: 'data',
    errors: ['AuthorizationHeaderMalformed', 'InvalidArgument', 'InvalidRequest', 'NoSuchBucket'],
    resolve(call, input, deps: S3Deps): BucketTarget {
      const bucket = requireBucket(call, input.Bucket, deps)
      requireVersionId(input.VersionId)
      return { bucket }
    },
    checks: (_call, input, { bucket }) =>
      withExpectedOwner([objectCheck(`s3:${name}`, bucket, input.Key)], input, bucket),
    audit: {
      request: (input) => ({ ...objectParameters(input), [subresource]: '' }),
      resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    },
    handle() {
      const text = 'Bucket is missing Object Lock Configuration'
      throw s3Error('InvalidRequest', undefined, { text })
    },
  })
}
