import { header } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketArn } from '../../bucket.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, resolveBucket } from '../settings/bucket-operation.ts'

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html */
export const headBucket = operation({
  name: 'HeadBucket',
  input: structure(bucketInput),
  output: structure({
    BucketRegion: header('x-amz-bucket-region', string()),
    BucketArn: header('x-amz-bucket-arn', string()),
    AccessPointAlias: header('x-amz-access-point-alias', boolean()),
  }),
  effects: 'read',
  category: 'data',
  errors: ['NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:ListBucket'),
  audit: bucketAudit(),
  handle: (_call, _input, { name, region }) => ({
    output: { BucketRegion: region, BucketArn: bucketArn(name), AccessPointAlias: false },
  }),
})
