import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, list, required, string, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { type DefaultEncryption, defaultEncryptionOf } from '../../bucket.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, repeated, resolveBucket, settingBytesMax } from './bucket-operation.ts'
import { settingDeletion } from './setting-deletion.ts'

const root = 'ServerSideEncryptionConfiguration'
const configuration = structure(
  {
    Rules: {
      ...list(
        structure({
          ApplyServerSideEncryptionByDefault: structure({
            SSEAlgorithm: string(),
            KMSMasterKeyID: string(),
          }),
          BucketKeyEnabled: boolean(),
          BlockedEncryptionTypes: structure({ EncryptionType: list(string()) }),
        }),
      ),
      element: 'Rule',
    },
  },
  { root },
)
type Configuration = Value<typeof configuration>

const algorithms = ['AES256', 'aws:kms', 'aws:kms:dsse'] as const
const keyIdMax = 2048

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html */
export const getBucketEncryption = operation({
  name: 'GetBucketEncryption',
  input: structure(bucketInput),
  output: configuration,
  effects: 'read',
  errors: ['NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:GetEncryptionConfiguration'),
  audit: bucketAudit('encryption'),
  handle(_call, _input, bucket) {
    const { algorithm, keyId, bucketKey } = defaultEncryptionOf(bucket)
    const byDefault = { SSEAlgorithm: algorithm, KMSMasterKeyID: keyId }
    const rule = {
      ApplyServerSideEncryptionByDefault: byDefault,
      BucketKeyEnabled: bucketKey,
    }
    return { output: { Rules: [rule] } }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html */
export const putBucketEncryption = operation({
  name: 'PutBucketEncryption',
  input: structure({
    ...bucketInput,
    Configuration: payload(required(configuration), { root, bytesMax: settingBytesMax }),
  }),
  output: undefined,
  effects: 'write',
  errors: ['InvalidArgument', 'MalformedXML', 'NoSuchBucket', 'NotImplemented'],
  resolve: resolveBucket,
  checks: needs('s3:PutEncryptionConfiguration'),
  audit: bucketAudit('encryption', ({ Configuration }: PutInput) => ({
    [root]: { Rule: repeated(Configuration.Rules) },
  })),
  handle(_call, { Configuration }, bucket, { buckets }) {
    const encryption = defaultEncryption(Configuration)
    return { output: undefined, changes: [buckets.replace(bucket, { ...bucket, encryption })] }
  },
})
type PutInput = { readonly Bucket: string; readonly Configuration: Configuration }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html */
export const deleteBucketEncryption = settingDeletion({
  name: 'DeleteBucketEncryption',
  permission: 's3:PutEncryptionConfiguration',
  subresource: 'encryption',
  setting: 'encryption',
})

function defaultEncryption({ Rules = [] }: Configuration): DefaultEncryption {
  const [rule, ...others] = Rules
  const { SSEAlgorithm, KMSMasterKeyID: keyId } = rule?.ApplyServerSideEncryptionByDefault ?? {}
  const algorithm = algorithms.find((each) => each === SSEAlgorithm)
  if (others.length > 0 || algorithm === undefined) throw s3Error('MalformedXML')
  const blocked = rule?.BlockedEncryptionTypes?.EncryptionType ?? []
  if (blocked.some((each) => each !== 'NONE')) throw s3Error('NotImplemented')
  const bucketKey = rule?.BucketKeyEnabled === true
  if (algorithm === 'aws:kms:dsse' && bucketKey) {
    throw unfit('Bucket Key is not supported for the default sse algorithm aws:kms:dsse')
  }
  if (keyId === undefined) return { algorithm, bucketKey }
  if (algorithm === 'AES256') {
    throw unfit(
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
    )
  }
  if (keyId === '' || keyId.length > keyIdMax) throw s3Error('MalformedXML')
  return { algorithm, keyId, bucketKey }
}

function unfit(text: string) {
  return s3Error(
    'InvalidArgument',
    { ArgumentName: 'ApplyServerSideEncryptionByDefault' },
    { text },
  )
}
