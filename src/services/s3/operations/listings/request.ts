import { s3Error } from '../../../../base/errors.ts'
import { bucketLabel, header, query } from '../../../../wire/rest-xml/bindings.ts'
import { list, string, type Value } from '../../../../wire/schema.ts'
import type { CallContext, Check, ConditionValues, JsonObject } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { bucketOwnerInput, requireExpectedOwner } from '../../expected-owner.ts'
import { type BucketTarget, bucketCheck, requireBucket } from '../../resource.ts'
import { exactly, type NameEncoding, urlEncoded } from './name-encoding.ts'

/** Members that every listing of objects has. */
export const listingInput = {
  Bucket: bucketLabel(),
  Prefix: query('prefix', string()),
  Delimiter: query('delimiter', string()),
  MaxKeys: query('max-keys', string()),
  EncodingType: query('encoding-type', string()),
  /** Objects are never archived here, so that there is no restore status to tell. */
  OptionalObjectAttributes: header(
    'x-amz-optional-object-attributes',
    list(string({ values: ['RestoreStatus'] })),
  ),
  ...bucketOwnerInput,
} as const

export type ListingInput = Value<{
  readonly type: 'structure'
  readonly members: typeof listingInput
}>

/** What a listing is of, as the store is asked and as the answer says it. */
export type Wanted = {
  readonly prefix: string
  /** Not empty. */
  readonly delimiter: string | undefined
  /** 0 to 1000. */
  readonly max: number
  readonly shown: NameEncoding
}

export type ListingTarget = BucketTarget & { readonly wanted: Wanted }

const maxKeysMax = 1000
const integerMax = 2 ** 31 - 1

/** Throws 'NoSuchBucket' and 'InvalidArgument'. */
export function listingTarget(call: CallContext, input: ListingInput, deps: S3Deps): ListingTarget {
  const wanted = wantedOf(input)
  return { bucket: requireBucket(call, input.Bucket, deps), wanted }
}

function wantedOf({ Prefix = '', Delimiter, MaxKeys, EncodingType }: ListingInput): Wanted {
  if (EncodingType !== undefined && EncodingType !== 'url') {
    throw invalidArgument(
      'encoding-type',
      EncodingType,
      'Invalid Encoding Method specified in Request',
    )
  }
  return {
    prefix: Prefix,
    delimiter: Delimiter === '' ? undefined : Delimiter,
    max: Math.min(maxKeysMax, maxKeysOf(MaxKeys)),
    shown: EncodingType === 'url' ? urlEncoded : exactly,
  }
}

function maxKeysOf(text = String(maxKeysMax)): number {
  const count = /^[+-]?\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(count) || Math.abs(count) > integerMax) {
    const problem = 'Provided max-keys not an integer or within integer range'
    throw invalidArgument('max-keys', text, problem)
  }
  if (count >= 0) return count
  const range = `Argument maxKeys must be an integer between 0 and ${integerMax}`
  throw invalidArgument('maxKeys', text, range)
}

/** The permission to list, with what the request says of the listing: what it leaves out has no condition value. */
export function* listingChecks(
  permission: 's3:ListBucket' | 's3:ListBucketVersions',
  bucket: BucketRecord,
  input: ListingInput,
): Iterable<Check> {
  const { Prefix, Delimiter, MaxKeys } = input
  const conditions: Record<string, ConditionValues[string]> = {}
  if (Prefix !== undefined) conditions['s3:prefix'] = Prefix
  if (Delimiter !== undefined) conditions['s3:delimiter'] = Delimiter
  if (MaxKeys !== undefined) conditions['s3:max-keys'] = MaxKeys
  yield bucketCheck(permission, bucket, conditions)
  requireExpectedOwner(bucket, input)
}

/** requestParameters: CloudTrail has the parameters of a listing by their names in the query. */
export function listingParameters(input: ListingInput): JsonObject {
  return {
    bucketName: input.Bucket,
    prefix: input.Prefix,
    delimiter: input.Delimiter,
    'max-keys': input.MaxKeys,
    'encoding-type': input.EncodingType,
  }
}

export function invalidArgument(name: string, value: string, text: string) {
  const members = { ArgumentName: name, ArgumentValue: value.slice(0, 256) }
  return s3Error('InvalidArgument', members, { text })
}
