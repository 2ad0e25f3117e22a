import { ServiceError } from '../../../../base/errors.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, string, structure } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { type BucketRecord, bucketArn } from '../../bucket.ts'
import { bucketInput, withExpectedOwner } from '../../object-request.ts'
import { bucketCheck } from '../../resource.ts'
import { bucketAudit, resolveBucket } from '../settings/bucket-operation.ts'

/** Clients ask for the Region alone, and AWS tells it to those as well who may not list. */
const told =
  ({ region }: BucketRecord) =>
  ({ code, publicMessage, detail, members }: ServiceError): never => {
    const headers = { 'x-amz-bucket-region': region }
    const more = { ...(detail !== undefined && { detail }), ...(members && { members }) }
    throw new ServiceError(code, publicMessage, { ...more, headers })
  }

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
  checks: (_call, input, bucket) =>
    withExpectedOwner(
      [{ ...bucketCheck('s3:ListBucket', bucket), refused: told(bucket) }],
      input,
      bucket,
    ),
  audit: bucketAudit(),
  handle: (_call, _input, { name, region }) => ({
    output: { BucketRegion: region, BucketArn: bucketArn(name), AccessPointAlias: false },
  }),
})
