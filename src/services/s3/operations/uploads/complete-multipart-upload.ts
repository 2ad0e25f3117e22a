import { ServiceError } from '../../../../base/errors.ts'
import { completeUpload, UploadSealer } from '../../../../objects/encryption/seal.ts'
import { partsMax } from '../../../../objects/parts.ts'
import {
  type Complete,
  type Condition,
  ObjectRefusal,
  type Version,
} from '../../../../objects/port.ts'
import { header, payload } from '../../../../wire/rest-xml/bindings.ts'
import { integer, list, required, string, structure, type Value } from '../../../../wire/schema.ts'
import { type CallContext, type Check, operation } from '../../../operation.ts'
import { decodeAttributes, encodeAttributes } from '../../attributes.ts'
import { checksumAnswer, checksumElements, checksumHeaders } from '../../checksum-members.ts'
import {
  conditionName,
  quoted,
  writeCondition,
  writeConditionInput,
  writeConditionValues,
} from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import type { CustomerKey } from '../../encryption/customer-key.ts'
import { wipeCustomerKey } from '../../encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from '../../encryption/data-keys.ts'
import {
  customerKeyInput,
  customerKeyOf,
  encryptionAnswer,
  encryptionOutput,
} from '../../encryption/request.ts'
import { objectParameters, objectResources, withExpectedOwner } from '../../object-request.ts'
import { encryptionApplied, type ObjectTarget } from '../../object-target.ts'
import { s3Refusal } from '../../refusals.ts'
import { refusedWrite } from '../../refused-write.ts'
import { objectCheck, requireBucket } from '../../resource.ts'
import { versionIdAnswer, versionIdOutput, versioningOf } from '../../version-id.ts'
import {
  completion,
  declaredChecksum,
  type Expected,
  invalidPart,
  multipartEtag,
  type NamedPart,
  namedParts,
  objectSize,
  partsDigest,
} from './completion.ts'
import { openLabelsKey } from './labels-key.ts'
import { locationOf } from './location.ts'
import { askedOf, type OpenUpload, openUpload, uploadInput, uploadPutCheck } from './upload.ts'
import { checksumType } from './upload-checksum.ts'

const input = structure({
  ...uploadInput,
  ...customerKeyInput,
  ...writeConditionInput,
  /** Of the object, not of this body. */
  ...checksumHeaders,
  MpuObjectSize: header('x-amz-mp-object-size', string()),
  Host: header('host', string()),
  MultipartUpload: payload(
    structure({
      Part: list(
        structure({
          PartNumber: required(integer()),
          ETag: required(string()),
          ...checksumElements,
        }),
      ),
    }),
    { root: 'CompleteMultipartUpload', ofObject: true },
  ),
})
type Input = Value<typeof input>

type Target = ObjectTarget & { readonly condition: Condition | undefined }

/**
 * A request that has been answered already gets the same answer again, as long as what it made is the latest version:
 * clients repeat it when the answer is lost.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
 */
export const completeMultipartUpload = operation({
  name: 'CompleteMultipartUpload',
  input,
  output: structure(
    {
      ...encryptionOutput,
      ...versionIdOutput,
      Location: string(),
      Bucket: string(),
      Key: string(),
      ETag: string(),
      ...checksumElements,
      ChecksumType: string(),
    },
    { root: 'CompleteMultipartUploadResult' },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['BadDigest', 'EntityTooSmall', 'InvalidArgument', 'InvalidPart'] as const),
    ...(['InvalidPartOrder', 'InvalidRequest', 'MalformedXML', 'NoSuchBucket'] as const),
    ...(['NoSuchKey', 'NoSuchUpload', 'NotImplemented', 'PreconditionFailed'] as const),
  ],
  resolve: (call, input, deps: S3Deps): Target => ({
    bucket: requireBucket(call, input.Bucket, deps),
    learnt: {},
    condition: writeCondition(input),
  }),
  checks: (call, input, { bucket }, deps) =>
    withExpectedOwner(completeChecks(call, input, bucket, deps), input, bucket),
  audit: {
    request: (input) => ({ ...objectParameters(input), uploadId: input.UploadId }),
    response: ({ Location, Bucket, Key, VersionId, ServerSideEncryption, SSEKMSKeyId }) => ({
      ...{ location: Location, bucket: Bucket, key: Key },
      'x-amz-version-id': VersionId,
      'x-amz-server-side-encryption': ServerSideEncryption,
      'x-amz-server-side-encryption-aws-kms-key-id': SSEKMSKeyId,
    }),
    resources: ({ bucket }, { Key }) => objectResources(bucket, Key),
    additional: (_output, _input, target) => encryptionApplied(target),
  },
  async handle(call, input, target, deps) {
    const { bucket, learnt } = target
    const { Bucket, Key, Host } = input
    const asked = {
      named: namedParts(input.MultipartUpload?.Part ?? []),
      expected: expectedOf(input),
    }
    const version = await completed(call, input, target, asked, deps)
    const { encryption, checksum } = decodeAttributes(version.attributes)
    learnt.encryption = encryption
    return {
      output: {
        ...encryptionAnswer(encryption),
        ...versionIdAnswer(bucket, version.versionId),
        ...{ Location: locationOf(call, Host, Bucket, Key), Bucket, Key },
        ETag: quoted(version.etag),
        ...checksumAnswer(checksum),
      },
    }
  },
})

function* completeChecks(
  call: CallContext,
  input: Input,
  bucket: Target['bucket'],
  deps: S3Deps,
): Iterable<Check> {
  yield uploadPutCheck(call, bucket, input, deps, writeConditionValues(input))
  // Whoever compares an object's tag learns of what is there.
  if (input.IfMatch !== undefined) yield objectCheck('s3:GetObject', bucket, input.Key)
}

type Asked = { readonly named: readonly NamedPart[]; readonly expected: Expected }

function expectedOf(input: Input): Expected {
  return {
    size: objectSize(input.MpuObjectSize),
    checksum: declaredChecksum(input),
    type: checksumType(input),
  }
}

async function completed(
  call: CallContext,
  input: Input,
  target: Target,
  asked: Asked,
  deps: S3Deps,
): Promise<Version> {
  const customer = customerKeyOf(call, input)
  try {
    const opened = await openUpload(target.bucket, input, deps)
    return await complete(call, opened, target, asked, customer, deps)
  } catch (error) {
    if (!(error instanceof ServiceError && error.code === 'NoSuchUpload')) throw error
    const before = await completedBefore(call, input, target, asked.named, customer, deps)
    if (before === undefined) throw error
    return before
  } finally {
    wipeCustomerKey(customer)
  }
}

async function complete(
  call: CallContext,
  opened: OpenUpload,
  { bucket, condition }: Target,
  { named, expected }: Asked,
  customer: CustomerKey | undefined,
  deps: S3Deps,
): Promise<Version> {
  const { name, attributes } = opened
  const { key, uploadId } = name
  const sealer = await sealerOf(call, opened, customer, deps)
  const finish: Complete['finish'] = (parts, upload, { versionId }) => {
    const made = completion(uploadId, parts, named, attributes.checksum, expected)
    return {
      ...sealer.complete(parts, { bucket: name.bucket, key, versionId }),
      etag: multipartEtag(attributes.object.encryption.mode, parts, deps.random),
      attributes: encodeAttributes({
        ...attributes.object,
        ...made,
        upload: { id: uploadId, parts: partsDigest(named) },
      }),
      tagging: upload.tagging,
    }
  }
  try {
    const versioning = versioningOf(bucket)
    return await deps.objects.complete(name, { versioning, condition, parts: named, finish })
  } catch (error) {
    const refused = await refusedParts(error, opened, named, deps)
    throw refusedWrite(refused, call, { bucket, key }, condition && conditionName(condition), deps)
  } finally {
    sealer.wipe()
  }
}

/** AWS names the upload, and the part that is not there or another one. */
async function refusedParts(
  error: unknown,
  { name }: OpenUpload,
  named: readonly NamedPart[],
  { objects }: S3Deps,
): Promise<unknown> {
  if (!(error instanceof ObjectRefusal)) return error
  if (error.code === 'no-such-upload') return s3Refusal(error, { UploadId: name.uploadId })
  if (error.code !== 'invalid-part') return error
  const { parts } = await askedOf(
    { Key: name.key, UploadId: name.uploadId },
    objects.listParts(name, { after: 0, max: partsMax }),
  )
  const etags = new Map(parts.map(({ number, etag }) => [number, etag]))
  const wrong = named.find(({ number, etag }) => etags.get(number) !== etag)
  return wrong === undefined ? error : invalidPart(name.uploadId, wrong)
}

/**
 * Completing needs `kms:Decrypt`, as AWS has it. A customer's key need not be brought again: what the labels are made
 * with was kept.
 */
async function sealerOf(
  call: CallContext,
  { bucket, name, upload, attributes }: OpenUpload,
  customer: CustomerKey | undefined,
  deps: S3Deps,
): Promise<Pick<UploadSealer, 'complete' | 'wipe'>> {
  const { sidecar } = upload
  const { encryption } = attributes.object
  if (attributes.labelsKey !== undefined && customer === undefined) {
    const key = await openLabelsKey(sidecar, attributes.labelsKey, deps)
    return {
      complete: (parts, identity) => completeUpload(sidecar, key, parts, identity),
      wipe: () => void key.fill(0),
    }
  }
  const where = { bucket, key: name.key }
  const keys = await dataKeysOf(call, encryption, sidecar, where, customer, deps, 'upload')
  try {
    return new UploadSealer(sidecar, keys, name)
  } finally {
    wipeKeys(keys)
  }
}

/** What the same request made before, if it is the latest version still. Needs the same permissions of KMS. */
async function completedBefore(
  call: CallContext,
  { Key: key, UploadId }: Input,
  { bucket }: Target,
  named: readonly NamedPart[],
  customer: CustomerKey | undefined,
  deps: S3Deps,
): Promise<Version | undefined> {
  const version = await latest(bucket, key, deps)
  if (version === undefined || version.deleteMarker) return undefined
  const { upload, encryption } = decodeAttributes(version.attributes)
  if (upload?.id !== UploadId || upload.parts !== partsDigest(named)) return undefined
  if (encryption.mode !== 'AES256' && (encryption.mode !== 'customer' || customer !== undefined)) {
    const where = { bucket, key }
    wipeKeys(await dataKeysOf(call, encryption, version.sidecar, where, customer, deps))
  }
  return version
}

async function latest(
  bucket: Target['bucket'],
  key: string,
  { objects }: S3Deps,
): Promise<Version | undefined> {
  try {
    return await objects.head(bucket.storeId, key)
  } catch (error) {
    if (error instanceof ObjectRefusal) return undefined
    throw error
  }
}
