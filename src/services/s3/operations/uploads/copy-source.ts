import { s3Error } from '../../../../base/errors.ts'
import { ObjectOpener } from '../../../../objects/encryption/open.ts'
import { keyBytesMax } from '../../../../objects/keys.ts'
import type { ByteRange, OpenObject, Version } from '../../../../objects/port.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { required, string, timestamp, type Value } from '../../../../wire/schema.ts'
import type { CallContext, Check, ConditionValues } from '../../../operation.ts'
import { decodeAttributes, type ObjectAttributes } from '../../attributes.ts'
import { failedPrecondition, preconditionFailed } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from '../../encryption/data-keys.ts'
import { copySourceKeyInput, copySourceKeyOf } from '../../encryption/request.ts'
import { requireDecidedTags, taggedObjectCheck } from '../../existing-tags.ts'
import { requireExpectedOwner } from '../../expected-owner.ts'
import { found, type ObjectName, requireBytes } from '../../object-versions.ts'
import { s3Refusal } from '../../refusals.ts'
import { requireVersionId, versionedPermission } from '../../version-id.ts'
import { partBytesMax } from './part.ts'
import { invalidRequest } from './upload-checksum.ts'

/** Members of a request that copies. */
export const copySourceInput = {
  CopySource: required(header('x-amz-copy-source', string())),
  CopySourceIfMatch: header('x-amz-copy-source-if-match', string()),
  CopySourceIfNoneMatch: header('x-amz-copy-source-if-none-match', string()),
  CopySourceIfModifiedSince: header('x-amz-copy-source-if-modified-since', timestamp()),
  CopySourceIfUnmodifiedSince: header('x-amz-copy-source-if-unmodified-since', timestamp()),
  ExpectedSourceBucketOwner: header('x-amz-source-expected-bucket-owner', string()),
  ...copySourceKeyInput,
} as const

export type CopySourceInput = Value<{
  readonly type: 'structure'
  readonly members: typeof copySourceInput
}>

/** AWS's limit of what one request copies. */
const sourceBytesMax = partBytesMax
const versionMark = '?versionId='

/** What a copy is made of. Throws 'InvalidArgument', 'NotImplemented' and 'NoSuchBucket'. */
export function copySourceOf({ CopySource }: CopySourceInput, { buckets }: S3Deps): ObjectName {
  const mark = CopySource.lastIndexOf(versionMark)
  const versionId = mark < 0 ? undefined : CopySource.slice(mark + versionMark.length)
  const path = decoded(mark < 0 ? CopySource : CopySource.slice(0, mark)).replace(/^\//, '')
  // An access point.
  if (path.startsWith('arn:')) throw s3Error('NotImplemented', { Header: 'x-amz-copy-source' })
  const slash = path.indexOf('/')
  const key = path.slice(slash + 1)
  if (slash < 1 || key === '') throw malformed(CopySource)
  if (Buffer.byteLength(key) > keyBytesMax) throw s3Error('KeyTooLongError')
  requireVersionId(versionId)
  const name = path.slice(0, slash)
  // One of another Region too: here all are in one store.
  const bucket = buckets.get(name)
  if (bucket === undefined) throw s3Error('NoSuchBucket', { BucketName: name.slice(0, 255) })
  return { bucket, key, versionId }
}

/** It is encoded as a URL is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw malformed(text)
  }
}

function malformed(text: string) {
  return s3Error(
    'InvalidArgument',
    { ArgumentName: 'x-amz-copy-source', ArgumentValue: text.slice(0, 256) },
    { text: 'Copy Source must mention the source bucket and key: sourcebucket/sourcekey' },
  )
}

/** `s3:x-amz-copy-source`, always in the one form that policies can compare: bucket, slash, key. */
export function copySourceConditions({ bucket, key }: ObjectName): ConditionValues {
  return { 's3:x-amz-copy-source': `${bucket.name}/${key}` }
}

/** The permission to read the source; then that its bucket is of the account that the caller takes it for. */
export function* copySourceChecks(
  call: CallContext,
  input: CopySourceInput,
  source: ObjectName,
  deps: S3Deps,
): Iterable<Check> {
  const permission = versionedPermission('s3:GetObject', source.versionId)
  yield taggedObjectCheck(withTags(call), permission, source, {}, deps)
  requireExpectedOwner(source.bucket, { ExpectedBucketOwner: input.ExpectedSourceBucketOwner })
}

/** Of what had to be sought for policies, the tags of the source alone. */
function withTags(call: CallContext): CallContext {
  return withDelayed(call, (key) => key.startsWith(tagPrefix))
}

/** What is not a tag of the source. */
export function withoutTags(call: CallContext): CallContext {
  return withDelayed(call, (key) => !key.startsWith(tagPrefix))
}

const tagPrefix = 's3:ExistingObjectTag/'

function withDelayed(call: CallContext, holds: (key: string) => boolean): CallContext {
  const { delayedConditions } = call
  if (delayedConditions === undefined) return call
  const kept = Object.entries(delayedConditions).filter(([key]) => holds(key))
  return { ...call, delayedConditions: Object.fromEntries(kept) }
}

/** A source whose keys have been shown to be its own. `close` in any case. */
export type OpenSource = {
  readonly version: Version
  readonly attributes: ObjectAttributes
  /** Plaintext, the end excluded; nothing that was not verified. */
  data(start: number, end: number): AsyncIterable<Buffer>
  close(): Promise<void>
}

/**
 * Opens what is copied: whole, or so much of it as `range` needs. Rejects with 'NoSuchKey', 'PreconditionFailed',
 * 'InvalidRequest', and with what KMS refuses, which is asked in the Region of the source.
 */
export async function openSource(
  call: CallContext,
  input: CopySourceInput,
  source: ObjectName,
  range: ByteRange | undefined,
  deps: S3Deps,
): Promise<OpenSource> {
  const { bucket, key, versionId } = source
  const opening = deps.objects.open(bucket.storeId, key, { versionId, range })
  const object = await found(opening, call, source, deps)
  try {
    requireSource(call, input, source, object.version, deps)
    const opener = await openerOf(call, input, source, object, deps)
    return {
      version: object.version,
      attributes: decodeAttributes(object.version.attributes),
      data: (start, end) => wiped(opener.decrypt(object, start, end)),
      async close() {
        opener.wipe()
        await object.close()
      },
    }
  } catch (error) {
    await object.close()
    throw s3Refusal(error)
  }
}

/** Each piece is overwritten when the next one is asked for. */
async function* wiped(pieces: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  for await (const piece of pieces) {
    try {
      yield piece
    } finally {
      piece.fill(0)
    }
  }
}

function requireSource(
  call: CallContext,
  input: CopySourceInput,
  source: ObjectName,
  version: Version,
  deps: S3Deps,
): void {
  if (version.deleteMarker && source.versionId !== undefined) {
    throw invalidRequest(
      'The source of a copy request may not specifically refer to a delete marker by version id.',
    )
  }
  requireBytes(version, 'PUT', call, source, deps)
  requireDecidedTags(withTags(call), version.tagging)
  const failed = failedPrecondition(
    {
      IfMatch: input.CopySourceIfMatch,
      IfNoneMatch: input.CopySourceIfNoneMatch,
      IfModifiedSince: input.CopySourceIfModifiedSince,
      IfUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
    },
    version,
  )
  if (failed !== undefined) throw preconditionFailed(`x-amz-copy-source-${failed}`)
}

async function openerOf(
  call: CallContext,
  input: CopySourceInput,
  { bucket, key }: ObjectName,
  { version }: OpenObject,
  deps: S3Deps,
): Promise<ObjectOpener> {
  const { encryption } = decodeAttributes(version.attributes)
  const { sidecar, versionId } = version
  const there = { ...call, region: bucket.region }
  const customer = copySourceKeyOf(call, input)
  try {
    const where = { bucket, key }
    const keys = await dataKeysOf(there, encryption, sidecar, where, customer, deps)
    try {
      return new ObjectOpener(sidecar, keys, { bucket: bucket.storeId, key, versionId })
    } finally {
      wipeKeys(keys)
    }
  } finally {
    wipeCustomerKey(customer)
  }
}

/** Throws 'InvalidRequest' for more than one request copies. */
export function requireCopySize(bytes: number): void {
  if (bytes <= sourceBytesMax) return
  throw invalidRequest(
    `The specified copy source is larger than the maximum allowable size for a copy source: ${sourceBytesMax}`,
  )
}
