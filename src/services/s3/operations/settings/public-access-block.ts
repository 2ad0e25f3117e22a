import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, required, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, resolveBucket, settingBytesMax } from './bucket-operation.ts'
import { settingDeletion } from './setting-deletion.ts'

const root = 'PublicAccessBlockConfiguration'
const configuration = structure(
  {
    BlockPublicAcls: boolean(),
    IgnorePublicAcls: boolean(),
    BlockPublicPolicy: boolean(),
    RestrictPublicBuckets: boolean(),
  },
  { root },
)

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html */
export const getPublicAccessBlock = operation({
  name: 'GetPublicAccessBlock',
  recordedAs: 'GetBucketPublicAccessBlock',
  input: structure(bucketInput),
  output: configuration,
  effects: 'read',
  errors: ['NoSuchBucket', 'NoSuchPublicAccessBlockConfiguration'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketPublicAccessBlock'),
  audit: bucketAudit('publicAccessBlock'),
  handle(_call, _input, { name, publicAccessBlock }) {
    if (publicAccessBlock === undefined) {
      throw s3Error('NoSuchPublicAccessBlockConfiguration', { BucketName: name })
    }
    return {
      output: {
        BlockPublicAcls: publicAccessBlock.blockPublicAcls,
        IgnorePublicAcls: publicAccessBlock.ignorePublicAcls,
        BlockPublicPolicy: publicAccessBlock.blockPublicPolicy,
        RestrictPublicBuckets: publicAccessBlock.restrictPublicBuckets,
      },
    }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html */
export const putPublicAccessBlock = operation({
  name: 'PutPublicAccessBlock',
  recordedAs: 'PutBucketPublicAccessBlock',
  input: structure({
    ...bucketInput,
    Configuration: payload(required(configuration), { root, bytesMax: settingBytesMax }),
  }),
  output: undefined,
  effects: 'write',
  errors: ['MalformedXML', 'NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:PutBucketPublicAccessBlock'),
  audit: bucketAudit('publicAccessBlock', ({ Configuration }: PutInput) => ({
    [root]: Configuration,
  })),
  handle(_call, { Configuration }, bucket, { buckets }) {
    const publicAccessBlock = {
      blockPublicAcls: Configuration.BlockPublicAcls === true,
      ignorePublicAcls: Configuration.IgnorePublicAcls === true,
      blockPublicPolicy: Configuration.BlockPublicPolicy === true,
      restrictPublicBuckets: Configuration.RestrictPublicBuckets === true,
    }
    return {
      output: undefined,
      changes: [buckets.replace(bucket, { ...bucket, publicAccessBlock })],
    }
  },
})
type PutInput = { readonly Bucket: string; readonly Configuration: Value<typeof configuration> }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeletePublicAccessBlock.html */
export const deletePublicAccessBlock = settingDeletion({
  name: 'DeletePublicAccessBlock',
  recordedAs: 'DeleteBucketPublicAccessBlock',
  permission: 's3:PutBucketPublicAccessBlock',
  subresource: 'publicAccessBlock',
  setting: 'publicAccessBlock',
})
