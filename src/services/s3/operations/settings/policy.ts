import { type PrincipalNames, showPrincipals } from '../../../../authorize/policy/bind.ts'
import { parsePolicy } from '../../../../authorize/policy/parse.ts'
import { ServiceError, s3Error } from '../../../../base/errors.ts'
import { header, payload } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, string, structure } from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import { type BucketRecord, bucketArn } from '../../bucket.ts'
import { bucketInput, withExpectedOwner } from '../../object-request.ts'
import { isPublicPolicy } from '../../public-policy.ts'
import { bucketCheck } from '../../resource.ts'
import { bucketAudit, needs, resolveBucket, without } from './bucket-operation.ts'
import { admitBucketPolicy, policyBytesMax } from './policy-admission.ts'

/**
 * The owner's root user always may, whatever the policy says: so nobody locks the account out of its bucket. Who may,
 * and is of another account, learns that only the owner's identities can.
 */
function needsAsOwner(permission: string, Method: string) {
  return (
    call: CallContext,
    input: { readonly ExpectedBucketOwner?: string | undefined },
    bucket: BucketRecord,
  ) => withExpectedOwner(ownerChecks(permission, Method, call, bucket), input, bucket)
}

function* ownerChecks(
  permission: string,
  Method: string,
  { caller }: CallContext,
  bucket: BucketRecord,
): Iterable<Check> {
  const isOwner = caller.account === bucket.account
  const considered = isOwner && caller.type === 'root' ? without(bucket, 'policy') : bucket
  yield bucketCheck(permission, considered)
  if (!isOwner) throw s3Error('MethodNotAllowed', { Method, ResourceType: 'BUCKETPOLICY' })
}

function requirePolicy({ name, policy }: BucketRecord): string {
  if (policy === undefined) throw s3Error('NoSuchBucketPolicy', { BucketName: name })
  return policy
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html */
export const getBucketPolicy = operation({
  name: 'GetBucketPolicy',
  input: structure(bucketInput),
  output: structure({
    ContentType: header('Content-Type', string()),
    Policy: payload(string()),
  }),
  effects: 'read',
  errors: ['MethodNotAllowed', 'NoSuchBucket', 'NoSuchBucketPolicy'],
  resolve: resolveBucket,
  checks: needsAsOwner('s3:GetBucketPolicy', 'GET'),
  audit: bucketAudit('policy'),
  handle(_call, _input, bucket, { principals }) {
    const Policy = showPrincipals(requirePolicy(bucket), 'bucket', principals)
    return { output: { ContentType: 'application/json', Policy } }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html */
export const putBucketPolicy = operation({
  name: 'PutBucketPolicy',
  input: structure({
    ...bucketInput,
    /** The owner's root user can always change the policy again, so that there is nothing that must be confirmed. */
    ConfirmRemoveSelfBucketAccess: header('x-amz-confirm-remove-self-bucket-access', boolean()),
    Policy: payload(string()),
  }),
  output: structure({}, { status: 204 }),
  effects: 'write',
  errors: ['access-denied', 'MalformedPolicy', 'MethodNotAllowed', 'NoSuchBucket'],
  resolve: resolveBucket,
  checks: needsAsOwner('s3:PutBucketPolicy', 'PUT'),
  audit: bucketAudit('policy', ({ Policy }: PutInput) => ({ bucketPolicy: recorded(Policy) })),
  handle(call, { Policy = '' }, bucket, { buckets, principals }) {
    const policy = admitted(call, Policy, bucket, principals)
    return { output: {}, changes: [buckets.replace(bucket, { ...bucket, policy })] }
  },
})
type PutInput = { readonly Bucket: string; readonly Policy?: string | undefined }

function admitted(
  call: CallContext,
  text: string,
  bucket: BucketRecord,
  names: PrincipalNames,
): string {
  const policy = admitBucketPolicy(text, bucket.name, names)
  if (bucket.publicAccessBlock?.blockPublicPolicy !== true || !isPublicPolicy(policy)) return policy
  throw new ServiceError(
    'access-denied',
    `User: ${call.caller.arn} is not authorized to perform: s3:PutBucketPolicy on resource: ` +
      `"${bucketArn(bucket.name)}" because public policies are prevented by the BlockPublicPolicy setting in S3 ` +
      'Block Public Access.',
  )
}

/** CloudTrail has the policy as JSON within its JSON; what is none, or too deep, stands as a text. */
function recorded(text = ''): unknown {
  if (text.length > 2 * policyBytesMax) return `${text.length} characters`
  try {
    parsePolicy(text, 'bucket')
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html */
export const deleteBucketPolicy = operation({
  name: 'DeleteBucketPolicy',
  input: structure(bucketInput),
  output: structure({}, { status: 204 }),
  effects: 'write',
  errors: ['MethodNotAllowed', 'NoSuchBucket'],
  resolve: resolveBucket,
  checks: needsAsOwner('s3:DeleteBucketPolicy', 'DELETE'),
  audit: bucketAudit('policy'),
  handle(_call, _input, bucket, { buckets }) {
    if (bucket.policy === undefined) return { output: {} }
    return { output: {}, changes: [buckets.replace(bucket, without(bucket, 'policy'))] }
  },
})

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html */
export const getBucketPolicyStatus = operation({
  name: 'GetBucketPolicyStatus',
  input: structure(bucketInput),
  output: structure({ IsPublic: boolean() }, { root: 'PolicyStatus' }),
  effects: 'read',
  errors: ['NoSuchBucket', 'NoSuchBucketPolicy'],
  resolve: resolveBucket,
  checks: needs('s3:GetBucketPolicyStatus'),
  audit: bucketAudit('policyStatus'),
  handle: (_call, _input, bucket) => ({
    output: { IsPublic: isPublicPolicy(requirePolicy(bucket)) },
  }),
})
