import { ObjectRefusal } from '../../../../objects/port.ts'
import { structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import { s3Refusal } from '../../refusals.ts'
import { bucketAudit, needs, resolveBucket } from '../settings/bucket-operation.ts'

/**
 * The objects' place goes first, so that nobody puts an object into it meanwhile; when only that happened, deleting
 * the bucket again does the rest.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucket.html
 */
export const deleteBucket = operation({
  name: 'DeleteBucket',
  input: structure(bucketInput),
  output: structure({}, { status: 204 }),
  effects: 'write',
  errors: ['BucketNotEmpty', 'NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:DeleteBucket'),
  audit: bucketAudit(),
  async handle(_call, { Bucket }, bucket, { buckets, objects }) {
    try {
      await objects.deleteBucket(bucket.storeId)
    } catch (error) {
      const isGone = error instanceof ObjectRefusal && error.code === 'no-such-bucket'
      if (!isGone) throw s3Refusal(error, { BucketName: Bucket })
    }
    return { output: {}, changes: [buckets.remove(bucket)] }
  },
})
