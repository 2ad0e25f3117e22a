import { createHash, type Hash } from 'node:crypto'
import { s3Error } from '../../../../base/errors.ts'
import { ObjectSealer } from '../../../../objects/encryption/seal.ts'
import type { Condition, Version } from '../../../../objects/port.ts'
import type { SignedBody } from '../../../../wire/protocol.ts'
import { header, payload } from '../../../../wire/rest-xml/bindings.ts'
import { required, stream, string, structure, type Value } from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import {
  accessControlConditions,
  accessControlInput,
  requireNoAcl,
  requireStandard,
  storageClassInput,
} from '../../access-control.ts'
import {
  encodeAttributes,
  type ObjectAttributes,
  type StoredChecksum,
  type StoredEncryption,
} from '../../attributes.ts'
import type { BucketRecord, Tag } from '../../bucket.ts'
import { checksumAnswer, checksumHeaders } from '../../checksum-members.ts'
import {
  conditionName,
  quoted,
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
import { newEtag } from '../../etag.ts'
import { type ContentAttributes, contentAttributes, contentMembers } from '../../metadata.ts'
import {
  headerParameters,
  objectInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { refusedWrite } from '../../refused-write.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import { encodeTags, requestTagConditions, taggingInput, tagsOfHeader } from '../../tagging.ts'
import { versionIdAnswer, versionIdOutput, versioningOf } from '../../version-id.ts'

/** AWS's limit of one PUT. */
const putBytesMax = 5 * 1024 ** 3

const input = structure({
  ...objectInput,
  ...contentMembers,
  ...taggingInput,
  ...encryptionInput,
  ...customerKeyInput,
  ...accessControlInput,
  ...storageClassInput,
  ...writeConditionInput,
  Body: payload(required(stream())),
})
type Input = Value<typeof input>

type Target = ObjectTarget & {
  readonly content: ContentAttributes
  readonly tags: readonly Tag[]
  readonly condition: Condition | undefined
}

/** https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html */
export const putObject = operation({
  name: 'PutObject',
  input,
  output: structure({
    ETag: header('ETag', string()),
    ...checksumHeaders,
    ...encryptionOutput,
    ...versionIdOutput,
  }),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AccessControlListNotSupported', 'AuthorizationHeaderMalformed', 'BadDigest'] as const),
    ...(['BadRequest', 'EntityTooLarge', 'IncompleteBody', 'InvalidArgument'] as const),
    ...(['InvalidStorageClass', 'InvalidTag', 'MetadataTooLarge', 'NoSuchBucket'] as const),
    ...(['NoSuchKey', 'NotImplemented', 'PreconditionFailed'] as const),
    'XAmzContentSHA256Mismatch',
  ],
  resolve(call, input, deps: S3Deps): Target {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireNoAcl(input)
    requireStandard(input)
    requireSize(input.Body.length)
    const tags = tagsOfHeader(input.Tagging)
    const content = contentAttributes(input)
    return { bucket, learnt: {}, content, tags, condition: writeCondition(input) }
  },
  checks: (_call, input, { bucket, tags }) =>
    withExpectedOwner(putChecks(input, bucket, tags), input, bucket),
  audit: {
    request: (input) => ({ ...objectParameters(input), ...headerParameters(input) }),
    // CloudTrail shows what was applied, whoever chose it.
    response: ({ VersionId, ServerSideEncryption, SSEKMSKeyId, SSECustomerAlgorithm }) => ({
      'x-amz-version-id': VersionId,
      'x-amz-server-side-encryption': ServerSideEncryption,
      'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId,
      'x-amz-server-side-encryption-customer-algorithm': SSECustomerAlgorithm,
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, target, deps) {
    const { bucket, learnt } = target
    const body = input.Body as SignedBody
    const chosen = chosenEncryption(call, input, bucket, input.Key)
    try {
      const keys = await newDataKeys(call, chosen, { bucket, key: input.Key }, deps)
      learnt.encryption = keys.stored
      const put = await store(call, input, target, keys, deps)
      const checksum = checksumOf(body)
      return {
        output: {
          ETag: quoted(put.etag),
          ...checksumAnswer(checksum),
          ...encryptionAnswer(keys.stored),
          ...versionIdAnswer(bucket, put.versionId),
        },
      }
    } finally {
      wipeChosen(chosen)
    }
  },
})

function requireSize(bytes: number): void {
  if (bytes <= putBytesMax) return
  throw s3Error('EntityTooLarge', {
    ProposedSize: String(bytes),
    MaxSizeAllowed: String(putBytesMax),
  })
}

function* putChecks(input: Input, bucket: BucketRecord, tags: readonly Tag[]): Iterable<Check> {
  const { Key: key } = input
  const conditions = {
    ...encryptionConditions(input),
    ...accessControlConditions(input),
    ...requestTagConditions(tags),
    ...writeConditionValues(input),
  }
  yield objectCheck('s3:PutObject', bucket, key, conditions)
  if (input.Tagging !== undefined) {
    yield objectCheck('s3:PutObjectTagging', bucket, key, requestTagConditions(tags))
  }
  // Whoever compares an object's tag learns of what is there.
  if (input.IfMatch !== undefined) yield objectCheck('s3:GetObject', bucket, key)
}

async function store(
  call: CallContext,
  { Key: key, Body }: Input,
  { bucket, content, tags, condition }: Target,
  { dataKeys, wrapped, stored }: NewDataKeys,
  deps: S3Deps,
): Promise<Version> {
  const { objects, random } = deps
  let sealer: ObjectSealer
  try {
    sealer = new ObjectSealer({ dataKeys, wrapped, random })
  } finally {
    wipeKeys(dataKeys)
  }
  const md5 = hashOf(stored)
  const body = Body as SignedBody
  try {
    return await objects.put(bucket.storeId, key, {
      versioning: versioningOf(bucket),
      condition,
      data: sealer.encrypt(md5 === undefined ? body : hashed(body, md5)),
      finish: ({ size, versionId }) => ({
        ...sealer.finish({ bucket: bucket.storeId, key, versionId }, size),
        etag: md5?.digest('hex') ?? newEtag(random),
        attributes: encodeAttributes(attributesOf(content, stored, checksumOf(body))),
        tagging: encodeTags(tags),
      }),
    })
  } catch (error) {
    const name = condition && conditionName(condition)
    throw refusedWrite(error, call, { bucket, key }, name, deps)
  } finally {
    sealer.wipe()
  }
}

function attributesOf(
  content: ContentAttributes,
  encryption: StoredEncryption,
  checksum: StoredChecksum | undefined,
): ObjectAttributes {
  return { encryption, ...content, ...(checksum !== undefined && { checksum }) }
}

/** Known once the body was read to its end. */
function checksumOf({ checksum }: SignedBody): StoredChecksum | undefined {
  return checksum === undefined ? undefined : { ...checksum, type: 'FULL_OBJECT' }
}

/** Where AWS promises an MD5 of the bytes; elsewhere tags mean nothing, and need not be computed. */
function hashOf({ mode }: StoredEncryption): Hash | undefined {
  return mode === 'AES256' ? createHash('md5') : undefined
}

async function* hashed(data: AsyncIterable<Buffer>, hash: Hash): AsyncIterable<Buffer> {
  for await (const piece of data) {
    hash.update(piece)
    yield piece
  }
}
