import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { required, string, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, resolveBucket, settingBytesMax } from './bucket-operation.ts'

const root = 'VersioningConfiguration'
const configuration = structure({
  Status: string(),
  MFADelete: { ...string(), element: 'MfaDelete' },
})
type Configuration = Value<typeof configuration>

const shown = { enabled: 'Enabled', suspended: 'Suspended' } as const

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html */
export const getBucketVersioning = operation({
  name: 'GetBucketVersioning',
  input: structure(bucketInput),
  output: structure({ Status: string() }, { root }),
  effects: 'read',
  errors: ['NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketVersioning'),
  audit: bucketAudit('versioning'),
  handle: (_call, _input, { versioning }) => ({
    output: { Status: versioning && shown[versioning] },
  }),
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html */
export const putBucketVersioning = operation({
  name: 'PutBucketVersioning',
  input: structure({
    ...bucketInput,
    VersioningConfiguration: payload(required(configuration), { root, bytesMax: settingBytesMax }),
  }),
  output: undefined,
  effects: 'write',
  errors: [
    ...(['IllegalVersioningConfigurationException', 'MalformedXML'] as const),
    ...(['NoSuchBucket', 'NotImplemented'] as const),
  ],
  resolve: resolveBucket,
  checks: needs('s3:PutBucketVersioning'),
  audit: bucketAudit(
    'versioning',
    ({ VersioningConfiguration: { Status, MFADelete } }: PutInput) => ({
      VersioningConfiguration: { Status, MfaDelete: MFADelete },
    }),
  ),
  handle(_call, { VersioningConfiguration }, bucket, { buckets }) {
    const versioning = versioningOf(VersioningConfiguration)
    return { output: undefined, changes: [buckets.replace(bucket, { ...bucket, versioning })] }
  },
})
type PutInput = { readonly Bucket: string; readonly VersioningConfiguration: Configuration }

/** Nobody has a device that shows codes. */
function versioningOf({ Status, MFADelete }: Configuration): 'enabled' | 'suspended' {
  if (MFADelete !== undefined && MFADelete !== 'Disabled') {
    throw MFADelete === 'Enabled' ? s3Error('NotImplemented') : s3Error('MalformedXML')
  }
  if (Status === undefined) {
    const text = 'The Versioning element must be specified'
    throw s3Error('IllegalVersioningConfigurationException', undefined, { text })
  }
  if (Status !== 'Enabled' && Status !== 'Suspended') throw s3Error('MalformedXML')
  return Status === 'Enabled' ? 'enabled' : 'suspended'
}
