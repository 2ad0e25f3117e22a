import { s3Error } from '../../../../base/errors.ts'
import { payload } from '../../../../wire/rest-xml/bindings.ts'
import { list, string, structure, type Value } from '../../../../wire/schema.ts'
import { operation } from '../../../operation.ts'
import { accessControlConditions, accessControlInput, requireNoAcl } from '../../access-control.ts'
import { ownersAcl } from '../../acl.ts'
import type { BucketRecord } from '../../bucket.ts'
import { bucketInput, withExpectedOwner } from '../../object-request.ts'
import { canonicalUserId } from '../../owner.ts'
import { bucketCheck } from '../../resource.ts'
import { xmlText } from '../../xml-text.ts'
import { bucketAudit, needs, repeated, resolveBucket, settingBytesMax } from './bucket-operation.ts'

const root = 'AccessControlPolicy'

/**
 * ACLs are off: the owner may all, and nobody else anything.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html
 */
export const getBucketAcl = operation({
  name: 'GetBucketAcl',
  input: structure(bucketInput),
  output: xmlText,
  effects: 'read',
  errors: ['NoSuchBucket'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketAcl'),
  audit: bucketAudit('acl'),
  handle(_call, _input, { account }) {
    return { output: ownersAcl(account) }
  },
})

const owner = { ID: string(), DisplayName: string() }
const policy = structure({
  Owner: structure(owner),
  Grants: {
    ...list(
      structure({
        Grantee: structure({ ...owner, EmailAddress: string(), URI: string() }),
        Permission: string(),
      }),
      { each: 'Grant' },
    ),
    element: 'AccessControlList',
  },
})
type Policy = Value<typeof policy>

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html */
export const putBucketAcl = operation({
  name: 'PutBucketAcl',
  input: structure({
    ...bucketInput,
    ...accessControlInput,
    AccessControlPolicy: payload(policy, { root, bytesMax: settingBytesMax }),
  }),
  output: undefined,
  effects: 'write',
  errors: [
    ...(['AccessControlListNotSupported', 'MalformedXML'] as const),
    ...(['MissingSecurityHeader', 'NoSuchBucket'] as const),
  ],
  resolve: resolveBucket,
  checks: (_call, input, bucket) =>
    withExpectedOwner(
      [bucketCheck('s3:PutBucketAcl', bucket, accessControlConditions(input))],
      input,
      bucket,
    ),
  audit: bucketAudit('acl', ({ ACL, AccessControlPolicy }: PutInput) => ({
    'x-amz-acl': ACL,
    AccessControlPolicy: AccessControlPolicy && {
      Owner: AccessControlPolicy.Owner,
      AccessControlList: { Grant: repeated(AccessControlPolicy.Grants) },
    },
  })),
  handle(_call, input, bucket) {
    requireNoAcl(input)
    const { ACL, AccessControlPolicy } = input
    if (AccessControlPolicy !== undefined) requirePresent(AccessControlPolicy, bucket)
    else if (ACL === undefined) {
      throw s3Error('MissingSecurityHeader', { MissingHeaderName: 'x-amz-acl' })
    }
    return { output: undefined }
  },
})
type PutInput = {
  readonly Bucket: string
  readonly ACL?: string | undefined
  readonly AccessControlPolicy?: Policy | undefined
}

/** Asking for the ACL that every bucket has changes nothing. */
function requirePresent({ Grants = [] }: Policy, { account }: BucketRecord): void {
  const [grant, ...others] = Grants
  const isPresent =
    grant?.Grantee?.ID === canonicalUserId(account) && grant.Permission === 'FULL_CONTROL'
  if (!isPresent || others.length > 0) throw s3Error('AccessControlListNotSupported')
}
