import type { ChecksumAlgorithm } from '../../../../base/checksums.ts'
import { ObjectSealer } from '../../../../objects/encryption/seal.ts'
import type { Condition, Version } from '../../../../objects/port.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { string, structure, timestamp, type Value } from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import {
  accessControlConditions,
  accessControlInput,
  requireNoAcl,
  requireStandard,
  storageClassInput,
} from '../../access-control.ts'
import { decodeAttributes, encodeAttributes, type ObjectAttributes } from '../../attributes.ts'
import type { BucketRecord, Tag } from '../../bucket.ts'
import { checksumAnswer, checksumElements } from '../../checksum-members.ts'
import {
  conditionName,
  quoted,
  wholeSeconds,
  writeCondition,
  writeConditionInput,
  writeConditionValues,
} from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import { type NewDataKeys, newDataKeys, wipeKeys } from '../../encryption/data-keys.ts'
import {
  chosenEncryption,
  customerKeyInput,
  encryptionAnswer,
  encryptionConditions,
  encryptionInput,
  encryptionOutput,
  wipeChosen,
} from '../../encryption/request.ts'
import { type ContentAttributes, contentAttributes, contentMembers } from '../../metadata.ts'
import { objectInput, withExpectedOwner } from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import type { ObjectName } from '../../object-versions.ts'
import { refusedWrite } from '../../refused-write.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import {
  decodeTags,
  encodeTags,
  existingTagConditions,
  requestTagConditions,
  taggingInput,
  tagsOfHeader,
} from '../../tagging.ts'
import {
  versionedPermission,
  versionIdAnswer,
  versionIdOutput,
  versioningOf,
} from '../../version-id.ts'
import { copyParameters, copyResources } from './copy-record.ts'
import {
  copySourceChecks,
  copySourceConditions,
  copySourceInput,
  copySourceOf,
  type OpenSource,
  openSource,
  requireCopySize,
} from './copy-source.ts'
import { Digests } from './digests.ts'
import { invalidArgument } from './paging.ts'
import { checksumAlgorithm, checksumAlgorithmInput, invalidRequest } from './upload-checksum.ts'

const input = structure({
  ...objectInput,
  ...copySourceInput,
  ...contentMembers,
  ...taggingInput,
  ...encryptionInput,
  ...customerKeyInput,
  ...accessControlInput,
  ...storageClassInput,
  ...writeConditionInput,
  ...checksumAlgorithmInput,
  MetadataDirective: header('x-amz-metadata-directive', string()),
  TaggingDirective: header('x-amz-tagging-directive', string()),
})
type Input = Value<typeof input>

type Target = ObjectTarget & {
  readonly source: ObjectName
  /** Undefined: those of the source. */
  readonly content: ContentAttributes | undefined
  readonly tags: readonly Tag[] | undefined
  readonly condition: Condition | undefined
  /** Undefined: that of the source. */
  readonly algorithm: ChecksumAlgorithm | undefined
}

/**
 * The bytes are decrypted and encrypted anew, always: the data key of an object is of this object, and the new one is
 * encrypted as its own request or bucket wants it. The answer comes when all is done.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html
 */
export const copyObject = operation({
  name: 'CopyObject',
  input,
  output: structure(
    {
      ...encryptionOutput,
      ...versionIdOutput,
      CopySourceVersionId: header('x-amz-copy-source-version-id', string()),
      ETag: string(),
      LastModified: timestamp(),
      ...checksumElements,
      ChecksumType: string(),
    },
    { root: 'CopyObjectResult' },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AccessControlListNotSupported', 'BadRequest', 'InvalidArgument'] as const),
    ...(['InvalidRequest', 'InvalidStorageClass', 'InvalidTag', 'KeyTooLongError'] as const),
    ...(['MetadataTooLarge', 'NoSuchBucket', 'NoSuchKey', 'NoSuchVersion'] as const),
    ...(['NotImplemented', 'OperationAborted', 'PreconditionFailed'] as const),
  ],
  resolve(call, input, deps: S3Deps): Target {
    const bucket = requireBucket(call, input.Bucket, deps)
    const source = copySourceOf(input, deps)
    requireNoAcl(input)
    requireStandard(input)
    const replacesMetadata = replaces('metadata', input.MetadataDirective)
    const replacesTags = replaces('tagging', input.TaggingDirective)
    return {
      ...{ bucket, source, learnt: {}, condition: writeCondition(input) },
      content: replacesMetadata ? contentAttributes(input) : undefined,
      tags: replacesTags ? tagsOfHeader(input.Tagging) : undefined,
      algorithm: checksumAlgorithm(input),
    }
  },
  checks: (call, input, target, deps) => checks(call, input, target, deps),
  audit: {
    request: (input, target, owner) =>
      copyParameters(input, target, owner, {
        'x-amz-metadata-directive': input.MetadataDirective,
        'x-amz-tagging-directive': input.TaggingDirective,
      }),
    response: (output, _input, { bucket, source }) => ({
      'x-amz-copy-source-version-id': output.CopySourceVersionId,
      // The owner of the source has a copy of the record, and none of the copy.
      ...(source.bucket.account === bucket.account && {
        'x-amz-version-id': output.VersionId,
        'x-amz-server-side-encryption': output.ServerSideEncryption,
        'x-amz-server-side-encryption-aws-kms-key-id': output.SSEKMSKeyId,
        'x-amz-server-side-encryption-customer-algorithm': output.SSECustomerAlgorithm,
      }),
    }),
    resources: ({ bucket, source }, { Key }) => copyResources(bucket, Key, source),
    additional: (_output, _input, target, owner) =>
      owner === undefined || owner === target.bucket.account
        ? encryptionApplied(target)
        : undefined,
  },
  async handle(call, input, target, deps) {
    const { bucket, source, learnt } = target
    requireChange(input, bucket, source)
    const from = await openSource(call, input, source, undefined, deps)
    try {
      requireCopySize(from.version.size)
      const tagging = taggingOf(call, input, target, from.version, deps)
      const version = await copy(call, input, target, from, tagging, deps)
      const { encryption, checksum } = decodeAttributes(version.attributes)
      learnt.encryption = encryption
      return {
        output: {
          ...encryptionAnswer(encryption),
          ...versionIdAnswer(bucket, version.versionId),
          CopySourceVersionId: versionIdAnswer(source.bucket, from.version.versionId).VersionId,
          ETag: quoted(version.etag),
          LastModified: wholeSeconds(version.modified),
          ...checksumAnswer(checksum),
        },
      }
    } finally {
      await from.close()
    }
  },
})

/** Throws 'InvalidArgument'. */
function replaces(what: 'metadata' | 'tagging', directive = 'COPY'): boolean {
  if (directive === 'COPY' || directive === 'REPLACE') return directive === 'REPLACE'
  throw invalidArgument(`x-amz-${what}-directive`, directive, `Unknown ${what} directive.`)
}

/**
 * Throws 'InvalidRequest' for a copy of the latest version onto itself, of which nothing would be another. To be called
 * in `handle`: it tells whether the bucket has a default.
 */
function requireChange(input: Input, bucket: BucketRecord, source: ObjectName): void {
  const isSame = source.bucket === bucket && source.key === input.Key
  const changes = [
    ...[source.versionId, input.StorageClass, input.ServerSideEncryption],
    ...[input.SSECustomerAlgorithm, input.ChecksumAlgorithm, bucket.encryption],
    input.MetadataDirective === 'REPLACE' ? true : undefined,
  ]
  if (!isSame || changes.some((change) => change !== undefined)) return
  throw invalidRequest(
    "This copy request is illegal because it is trying to copy an object to itself without changing the object's " +
      'metadata, storage class, website redirect location or encryption attributes.',
  )
}

function* checks(
  call: CallContext,
  input: Input,
  { bucket, source, tags = [] }: Target,
  deps: S3Deps,
): Iterable<Check> {
  yield* copySourceChecks(call, input, source, deps)
  const { MetadataDirective: directive } = input
  const conditions = {
    ...copySourceConditions(source),
    ...(directive !== undefined && { 's3:x-amz-metadata-directive': directive }),
    ...encryptionConditions(input),
    ...accessControlConditions(input),
    ...requestTagConditions(tags),
    ...writeConditionValues(input),
  }
  yield objectCheck('s3:PutObject', bucket, input.Key, conditions)
  if (tags.length > 0) yield putTaggingCheck(bucket, input.Key, tags)
  // Whoever compares an object's tag learns of what is there.
  if (input.IfMatch !== undefined) yield objectCheck('s3:GetObject', bucket, input.Key)
  yield* withExpectedOwner([], input, bucket)
}

function putTaggingCheck(bucket: BucketRecord, key: string, tags: readonly Tag[]): Check {
  return objectCheck('s3:PutObjectTagging', bucket, key, requestTagConditions(tags))
}

/**
 * The tags of the copy. To copy tags, one must be allowed to read them there and to write them here; a source that has
 * none needs neither, which shows only now.
 */
function taggingOf(
  call: CallContext,
  { Key }: Input,
  { bucket, source, tags }: Target,
  { tagging, versionId }: Version,
  deps: S3Deps,
): string {
  if (tags !== undefined) return encodeTags(tags)
  if (tagging === '') return ''
  const permission = versionedPermission('s3:GetObjectTagging', source.versionId)
  const conditions = {
    ...existingTagConditions(tagging),
    ...(source.versionId !== undefined && { 's3:VersionId': versionId }),
  }
  const needed = [
    objectCheck(permission, source.bucket, source.key, conditions),
    putTaggingCheck(bucket, Key, decodeTags(tagging)),
  ]
  for (const check of needed) {
    const { denied } = deps.authorize(call.caller, check, call)
    if (denied !== undefined) throw denied
  }
  return tagging
}

async function copy(
  call: CallContext,
  input: Input,
  target: Target,
  from: OpenSource,
  tagging: string,
  deps: S3Deps,
): Promise<Version> {
  const { bucket } = target
  const chosen = chosenEncryption(call, input, bucket, input.Key)
  try {
    const keys = await newDataKeys(call, chosen, { bucket, key: input.Key }, deps)
    return await put(call, input, target, { from, keys, tagging }, deps)
  } finally {
    wipeChosen(chosen)
  }
}

type Made = { readonly from: OpenSource; readonly keys: NewDataKeys; readonly tagging: string }

async function put(
  call: CallContext,
  { Key: key }: Input,
  { bucket, content, condition, algorithm }: Target,
  { from, keys, tagging }: Made,
  deps: S3Deps,
): Promise<Version> {
  const { dataKeys, wrapped, stored } = keys
  const { objects, random } = deps
  let sealer: ObjectSealer
  try {
    sealer = new ObjectSealer({ dataKeys, wrapped, random })
  } finally {
    wipeKeys(dataKeys)
  }
  const wanted = algorithm ?? from.attributes.checksum?.algorithm
  const digests = new Digests(stored.mode, wanted)
  const attributes = (): ObjectAttributes => {
    const value = digests.checksum()
    return {
      encryption: stored,
      ...(content ?? contentOf(from.attributes)),
      ...(wanted &&
        value !== undefined && {
          checksum: { algorithm: wanted, value, type: 'FULL_OBJECT' },
        }),
    }
  }
  try {
    return await objects.put(bucket.storeId, key, {
      ...{ versioning: versioningOf(bucket), condition },
      data: sealer.encrypt(digests.of(from.data(0, from.version.size))),
      finish: ({ size, versionId }) => ({
        ...sealer.finish({ bucket: bucket.storeId, key, versionId }, size),
        ...{ etag: digests.etag(random), attributes: encodeAttributes(attributes()), tagging },
      }),
    })
  } catch (error) {
    throw refusedWrite(error, call, { bucket, key }, condition && conditionName(condition), deps)
  } finally {
    sealer.wipe()
  }
}

function contentOf(attributes: ObjectAttributes): ContentAttributes {
  const { encryption: _, checksum: _1, parts: _2, upload: _3, ...content } = attributes
  return content
}
