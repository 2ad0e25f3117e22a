import { ServiceError, s3Error } from '../../../../base/errors.ts'
import { keyBytesMax } from '../../../../objects/keys.ts'
import { wireError } from '../../../../wire/errors.ts'
import { header, payload } from '../../../../wire/rest-xml/bindings.ts'
import { boolean, list, required, string, structure, type Value } from '../../../../wire/schema.ts'
import { type AuditPart, type CallContext, type Check, operation } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import { checksumHeaders } from '../../checksum-members.ts'
import { unquoted } from '../../conditional.ts'
import type { S3Deps } from '../../deps.ts'
import {
  bucketInput,
  objectParameters,
  objectResources,
  withExpectedOwner,
} from '../../object-request.ts'
import { refusedWrite } from '../../refused-write.ts'
import { auditBucket, auditObjects, type BucketTarget, requireBucket } from '../../resource.ts'
import { requireVersionId, versioningOf } from '../../version-id.ts'
import {
  type DeletedAnswer,
  deleteChecks,
  deletedAnswer,
  deletedElements,
} from './delete-object.ts'

/** AWS's limit of one request. */
const objectsMax = 1000
/** A thousand keys of 1024 bytes and their versions, most of them without references. */
const bodyBytesMax = 2 * 1024 * 1024
/** Deletions that the store has before it at a time. */
const togetherMax = 32

const input = structure({
  ...bucketInput,
  ContentMD5: header('content-md5', string()),
  ...checksumHeaders,
  Trailer: header('x-amz-trailer', string()),
  Delete: payload(
    required(
      structure({
        Objects: {
          ...list(structure({ Key: string(), VersionId: string(), ETag: string() })),
          element: 'Object',
        },
        Quiet: boolean(),
      }),
    ),
    { root: 'Delete', bytesMax: bodyBytesMax },
  ),
})
type Input = Value<typeof input>

/** One of the objects that are to be deleted, and what became of it. */
type Part = {
  readonly Key: string
  readonly VersionId: string | undefined
  readonly IfMatch: string | undefined
  /** The place of the check that decided on it. */
  check: number
  failure?: ServiceError
  deleted?: DeletedAnswer
}

type Target = BucketTarget & { readonly parts: readonly Part[] }

/**
 * Each object is decided on for itself, and has a record of its own as if it had been deleted alone: what one record
 * can hold is less than what one request can name.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObjects.html
 */
export const deleteObjects = operation({
  name: 'DeleteObjects',
  input,
  output: structure(
    {
      Deleted: list(
        structure({
          Key: string(),
          VersionId: string(),
          DeleteMarker: boolean(),
          DeleteMarkerVersionId: string(),
        }),
      ),
      Errors: {
        ...list(
          structure({ Key: string(), VersionId: string(), Code: string(), Message: string() }),
        ),
        element: 'Error',
      },
    },
    { root: 'DeleteResult' },
  ),
  effects: 'write',
  category: 'data',
  errors: [
    ...(['AuthorizationHeaderMalformed', 'InvalidRequest', 'KeyTooLongError'] as const),
    ...(['MalformedXML', 'NoSuchBucket'] as const),
  ],
  resolve(call, input, deps: S3Deps): Target {
    const bucket = requireBucket(call, input.Bucket, deps)
    requireDigest(input)
    return { bucket, parts: partsOf(input) }
  },
  checks: (_call, input, { bucket, parts }) =>
    withExpectedOwner(partChecks(bucket, parts), input, bucket),
  audit: {
    request: ({ Bucket, Delete }) => ({
      bucketName: Bucket,
      delete: '',
      quiet: Delete.Quiet,
      objectCount: Delete.Objects?.length,
    }),
    response: (_output, _input, { parts }) => ({
      deletedCount: parts.filter(({ deleted }) => deleted !== undefined).length,
      errorCount: parts.filter(({ failure }) => failure !== undefined).length,
    }),
    resources: ({ bucket }) => [auditObjects(bucket), auditBucket(bucket)],
    parts: (_output, _input, { bucket, parts }) => parts.map((part) => auditPart(bucket, part)),
  },
  async handle(call, { Delete }, { bucket, parts }, deps) {
    const left = parts.values()
    const worker = async () => {
      for (const part of left) await deletePart(call, bucket, part, deps)
    }
    await Promise.all(Array.from({ length: togetherMax }, worker))
    const Deleted = Delete.Quiet === true ? [] : parts.flatMap(deletedElement)
    return { output: { Deleted, Errors: parts.flatMap(errorElement) } }
  },
})

/** A body that came as something else could delete something else: AWS wants a digest of it, and that was compared. */
function requireDigest(input: Input): void {
  const declared = [
    ...[input.ContentMD5, input.ChecksumCRC32, input.ChecksumCRC32C, input.ChecksumCRC64NVME],
    ...[input.ChecksumSHA1, input.ChecksumSHA256, input.Trailer],
  ]
  if (declared.some((each) => each !== undefined)) return
  throw s3Error('InvalidRequest', undefined, {
    text: 'Missing required header for this request: Content-MD5 OR x-amz-checksum-*',
  })
}

function partsOf({ Delete: { Objects = [] } }: Input): readonly Part[] {
  if (Objects.length === 0 || Objects.length > objectsMax) throw s3Error('MalformedXML')
  return Objects.map(({ Key, VersionId, ETag }) => {
    if (Key === undefined || Key === '') throw s3Error('MalformedXML')
    // It is decided on, and recorded, before the store would see that there can be none of that name.
    if (Buffer.byteLength(Key) > keyBytesMax) throw s3Error('KeyTooLongError')
    if (Math.max(VersionId?.length ?? 0, ETag?.length ?? 0) > keyBytesMax) {
      throw s3Error('MalformedXML')
    }
    return { Key, VersionId, IfMatch: ETag, check: 0 }
  })
}

function* partChecks(bucket: BucketRecord, parts: readonly Part[]): Iterable<Check> {
  let count = 0
  for (const part of parts) {
    for (const check of deleteChecks(bucket, part)) {
      if (part.failure !== undefined) break
      const place = count++
      part.check = place
      const refused = (denied: ServiceError) => {
        part.failure = denied
      }
      yield { ...check, refused }
    }
  }
}

/** Never rejects: what fails is the part's. */
async function deletePart(
  call: CallContext,
  bucket: BucketRecord,
  part: Part,
  deps: S3Deps,
): Promise<void> {
  if (part.failure !== undefined) return
  const { Key: key, VersionId: versionId, IfMatch } = part
  try {
    requireVersionId(versionId)
    const deleted = await deps.objects.delete(bucket.storeId, key, {
      versioning: versioningOf(bucket),
      versionId,
      ...(IfMatch !== undefined && { ifMatch: unquoted(IfMatch) }),
    })
    part.deleted = deletedAnswer(bucket, versionId, deleted)
  } catch (error) {
    const refusal = refusedWrite(error, call, { bucket, key, versionId }, 'If-Match', deps)
    part.failure = refusal instanceof ServiceError ? refusal : new ServiceError('internal')
  }
}

function deletedElement({ Key, VersionId, deleted }: Part) {
  if (deleted === undefined) return []
  const { DeleteMarker, VersionId: marker } = deleted
  return [{ Key, VersionId, ...(DeleteMarker && { DeleteMarker, DeleteMarkerVersionId: marker }) }]
}

function errorElement({ Key, VersionId, failure }: Part) {
  if (failure === undefined) return []
  const { name: Code, message: Message } = wireError(failure, 'rest-xml')
  return [{ Key, VersionId, Code, Message }]
}

function auditPart(bucket: BucketRecord, part: Part): AuditPart {
  const { Key, VersionId, failure, deleted, check } = part
  return {
    eventName: 'DeleteObject',
    request: objectParameters({ Bucket: bucket.name, Key, VersionId }),
    response: deleted === undefined ? null : deletedElements(deleted),
    resources: objectResources(bucket, Key),
    failure,
    check,
  }
}
