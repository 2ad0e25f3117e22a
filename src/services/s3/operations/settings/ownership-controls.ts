import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { list, required, string, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { bucketInput } from '../../object-request.ts'
import { bucketAudit, needs, repeated, resolveBucket, settingBytesMax } from './bucket-operation.ts'
import { settingDeletion } from './setting-deletion.ts'

const root = 'OwnershipControls'
const controls = structure(
  { Rules: { ...list(structure({ ObjectOwnership: string() })), element: 'Rule' } },
  { root },
)
type Controls = Value<typeof controls>

/** With these, objects could have owners and ACLs of their own. */
const withAcls: ReadonlySet<string> = new Set(['BucketOwnerPreferred', 'ObjectWriter'])

/** Throws 'NotImplemented' for what AWS has beside the one that there is here, and 'MalformedXML'. */
export function requireOwnership(wanted: string | undefined): 'BucketOwnerEnforced' {
  if (wanted === 'BucketOwnerEnforced') return wanted
  throw s3Error(wanted !== undefined && withAcls.has(wanted) ? 'NotImplemented' : 'MalformedXML')
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html */
export const getBucketOwnershipControls = operation({
  name: 'GetBucketOwnershipControls',
  input: structure(bucketInput),
  output: controls,
  effects: 'read',
  errors: ['NoSuchBucket', 'OwnershipControlsNotFoundError'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketOwnershipControls'),
  audit: bucketAudit('ownershipControls'),
  handle(_call, _input, { name, ownership }) {
    if (ownership === undefined) {
      throw s3Error('OwnershipControlsNotFoundError', { BucketName: name })
    }
    return { output: { Rules: [{ ObjectOwnership: ownership }] } }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html */
export const putBucketOwnershipControls = operation({
  name: 'PutBucketOwnershipControls',
  input: structure({
    ...bucketInput,
    OwnershipControls: payload(required(controls), { root, bytesMax: settingBytesMax }),
  }),
  output: undefined,
  effects: 'write',
  errors: ['MalformedXML', 'NoSuchBucket', 'NotImplemented'],
  resolve: resolveBucket,
  checks: needs('s3:PutBucketOwnershipControls'),
  audit: bucketAudit('ownershipControls', ({ OwnershipControls }: PutInput) => ({
    OwnershipControls: { Rule: repeated(OwnershipControls.Rules) },
  })),
  handle(_call, { OwnershipControls: { Rules = [] } }, bucket, { buckets }) {
    if (Rules.length !== 1) throw s3Error('MalformedXML')
    const ownership = requireOwnership(Rules[0]?.ObjectOwnership)
    return { output: undefined, changes: [buckets.replace(bucket, { ...bucket, ownership })] }
  },
})
type PutInput = { readonly Bucket: string; readonly OwnershipControls: Controls }

/**
 * ACLs stay off, whatever is deleted.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketOwnershipControls.html
 */
export const deleteBucketOwnershipControls = settingDeletion({
  name: 'DeleteBucketOwnershipControls',
  permission: 's3:PutBucketOwnershipControls',
  subresource: 'ownershipControls',
  setting: 'ownership',
})
