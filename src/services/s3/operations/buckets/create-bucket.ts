import { s3Error } from '../../../../base/errors.ts'
import type { AccountId } from '../../../../base/ids.ts'
import { ObjectRefusal, type ObjectStore } from '../../../../objects/port.ts'
import { bucketLabel, header, payload } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, string, structure, type Value } from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import { accessControlInput } from '../../access-control.ts'
import { type BucketRecord, bucketArn, type Tag } from '../../bucket.ts'
import { requireBucketName } from '../../bucket-name.ts'
import { bucketTagConditions, bucketTags, tagList } from '../../bucket-tags.ts'
import type { S3Deps } from '../../deps.ts'
import { repeated, settingBytesMax } from '../settings/bucket-operation.ts'
import { requireOwnership } from '../settings/ownership-controls.ts'
import { requireLocation, unconstrained } from './location-constraint.ts'

const root = 'CreateBucketConfiguration'
const input = structure({
  Bucket: bucketLabel(),
  ...accessControlInput,
  ObjectLockEnabledForBucket: header('x-amz-bucket-object-lock-enabled', boolean()),
  ObjectOwnership: header('x-amz-object-ownership', string()),
  BucketNamespace: header('x-amz-bucket-namespace', string()),
  CreateBucketConfiguration: payload(
    structure({
      LocationConstraint: string(),
      Location: structure({ Type: string(), Name: string() }),
      Bucket: structure({ DataRedundancy: string(), Type: string() }),
      Tags: tagList,
    }),
    { root, bytesMax: settingBytesMax },
  ),
})
type Input = Value<typeof input>

/** `account` is the caller's; `tags` those of the new bucket. */
type Target = { readonly account: AccountId; readonly tags: readonly Tag[] }

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html */
export const createBucket = operation({
  name: 'CreateBucket',
  input,
  output: structure({
    Location: header('Location', string()),
    BucketArn: header('x-amz-bucket-arn', string()),
  }),
  effects: 'write',
  errors: [
    ...(['BadRequest', 'BucketAlreadyExists', 'BucketAlreadyOwnedByYou'] as const),
    ...(['IllegalLocationConstraintException', 'InvalidBucketAclWithObjectOwnership'] as const),
    ...(['InvalidArgument', 'InvalidBucketName', 'InvalidLocationConstraint'] as const),
    ...(['InvalidTag', 'MalformedXML', 'NotImplemented', 'TooManyBuckets'] as const),
  ],
  resolve({ caller }, { Bucket, CreateBucketConfiguration }, _deps: S3Deps): Target {
    requireBucketName(Bucket)
    return { account: caller.account, tags: bucketTags(CreateBucketConfiguration?.Tags ?? []) }
  },
  checks: (call, asked, { tags }) => checksOf(call, asked, tags),
  audit: {
    request: (asked) => ({
      bucketName: asked.Bucket,
      'x-amz-acl': asked.ACL,
      'x-amz-object-ownership': asked.ObjectOwnership,
      'x-amz-bucket-object-lock-enabled': asked.ObjectLockEnabledForBucket?.toString(),
      CreateBucketConfiguration: recorded(asked.CreateBucketConfiguration),
    }),
    resources: ({ account }, { Bucket }) => [
      { accountId: account, type: 'AWS::S3::Bucket', ARN: bucketArn(Bucket) },
    ],
  },
  async handle(call, asked, { tags }, deps) {
    requireServed(asked)
    requireLocation(asked.CreateBucketConfiguration?.LocationConstraint, call.region, deps.regions)
    const { Bucket: name } = asked
    const output = { Location: `/${name}`, BucketArn: bucketArn(name) }
    const present = deps.buckets.get(name)
    if (present !== undefined) {
      const isNew = await madeAgain(call, present, deps)
      if (!isNew) return { output }
      // A deletion that is still under way must not take the row from what is put there now.
      return { output, changes: [deps.buckets.replace(present, { ...present })] }
    }
    const bucket = newBucket(call, name, tags, deps)
    // The other way round, an object could be put where there is no place for it.
    await deps.objects.createBucket(bucket.storeId)
    return { output, changes: [deps.buckets.add(bucket)] }
  },
})

function recorded(configuration: Input['CreateBucketConfiguration']) {
  if (configuration === undefined) return undefined
  const { Tags, ...others } = configuration
  return { ...others, Tags: Tags && { Tag: repeated(Tags) } }
}

/** What is asked for beside a new bucket needs a permission of its own. */
function* checksOf(
  { caller }: CallContext,
  { Bucket, ACL, ObjectOwnership, CreateBucketConfiguration }: Input,
  tags: readonly Tag[],
): Iterable<Check> {
  const constraint = CreateBucketConfiguration?.LocationConstraint
  const conditions = {
    ...(ACL !== undefined && { 's3:x-amz-acl': ACL }),
    ...(constraint !== undefined && { 's3:LocationConstraint': constraint }),
    ...(ObjectOwnership !== undefined && { 's3:x-amz-object-ownership': ObjectOwnership }),
    ...bucketTagConditions(tags),
  }
  const { account } = caller
  const resource = { type: 'identity', arn: bucketArn(Bucket), account } as const
  const permissions = [
    's3:CreateBucket',
    ...(ObjectOwnership === undefined ? [] : ['s3:PutBucketOwnershipControls']),
    ...(tags.length === 0 ? [] : ['s3:TagResource']),
  ]
  for (const permission of permissions) yield { permission, resource, conditions }
}

/** Throws 'NotImplemented', 'InvalidArgument', 'InvalidBucketAclWithObjectOwnership'. */
function requireServed(asked: Input): void {
  const { ACL = 'private', ObjectOwnership, BucketNamespace = 'global' } = asked
  const configuration = asked.CreateBucketConfiguration
  const isOfDirectories =
    configuration?.Location !== undefined || configuration?.Bucket !== undefined
  if (
    asked.ObjectLockEnabledForBucket === true ||
    isOfDirectories ||
    BucketNamespace !== 'global'
  ) {
    throw s3Error('NotImplemented')
  }
  if (ObjectOwnership !== undefined) requireOwnershipHeader(ObjectOwnership)
  const grants = [
    ...[asked.GrantFullControl, asked.GrantRead, asked.GrantReadACP],
    ...[asked.GrantWrite, asked.GrantWriteACP],
  ]
  const isPrivate = ACL === 'private' || ACL === 'bucket-owner-full-control'
  if (!isPrivate || grants.some((grant) => grant !== undefined)) {
    throw s3Error('InvalidBucketAclWithObjectOwnership')
  }
}

const ownerships = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter']

function requireOwnershipHeader(wanted: string): void {
  if (!ownerships.includes(wanted)) {
    const text = `Invalid x-amz-object-ownership header: ${wanted.slice(0, 64)}`
    throw s3Error('InvalidArgument', { ArgumentName: 'x-amz-object-ownership' }, { text })
  }
  requireOwnership(wanted)
}

/**
 * As with AWS, us-east-1 alone takes it for no failure that the caller has the bucket already; then it makes sure of
 * the bucket's place among the objects, which a deletion that broke off may have removed. Whether it had.
 */
async function madeAgain(
  { caller, region }: CallContext,
  present: BucketRecord,
  { objects }: S3Deps,
): Promise<boolean> {
  const BucketName = present.name
  if (present.account !== caller.account) throw s3Error('BucketAlreadyExists', { BucketName })
  if (region !== unconstrained || present.region !== region) {
    throw s3Error('BucketAlreadyOwnedByYou', { BucketName })
  }
  return ensurePlace(objects, present.storeId)
}

async function ensurePlace(objects: ObjectStore, storeId: string): Promise<boolean> {
  try {
    await objects.createBucket(storeId)
    return true
  } catch (error) {
    if (!(error instanceof ObjectRefusal) || error.code !== 'bucket-exists') throw error
    return false
  }
}

function newBucket(
  { caller, region, now }: CallContext,
  name: string,
  tags: readonly Tag[],
  { buckets, limits, random }: S3Deps,
): BucketRecord {
  if (buckets.ofAccount(caller.account).length >= limits.buckets) throw s3Error('TooManyBuckets')
  return {
    ...{ name, account: caller.account, region, createdAt: now },
    storeId: random.bytes(16).toString('hex'),
    publicAccessBlock: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    ownership: 'BucketOwnerEnforced',
    ...(tags.length > 0 && { tags }),
  }
}
