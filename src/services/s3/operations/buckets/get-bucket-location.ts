import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import { bucketInput } from '../../object-request.ts'
import { xmlDocument, xmlText } from '../../xml-text.ts'
import { bucketAudit, needs, resolveBucket } from '../settings/bucket-operation.ts'
import { unconstrained } from './location-constraint.ts'

/**
 * Clients that do not know where a bucket is ask us-east-1, which answers for all Regions.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
 */
export const getBucketLocation = operation({
  name: 'GetBucketLocation',
  input: structure(bucketInput),
  output: xmlText,
  effects: 'read',
  errors: ['NoSuchBucket'],
  resolve(call, input, deps: S3Deps) {
    const bucket = deps.buckets.get(input.Bucket)
    const isAnswered = bucket !== undefined && call.region === unconstrained
    return isAnswered ? bucket : resolveBucket(call, input, deps)
  },
  checks: needs('s3:GetBucketLocation'),
  audit: bucketAudit('location'),
  handle: (_call, _input, { region }) => ({
    output: xmlDocument('LocationConstraint', region === unconstrained ? '' : region),
  }),
})
