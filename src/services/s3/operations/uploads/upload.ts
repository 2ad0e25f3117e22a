import { internalError, ServiceError, s3Error } from '../../../../base/errors.ts'
import type { Upload, UploadName } from '../../../../objects/port.ts'
import { query } from '../../../../wire/rest-xml/bindings.ts'
import { required, string } from '../../../../wire/schema.ts'
import type { CallContext, Check, ConditionValues, DelayedConditions } from '../../../operation.ts'
import type { ObjectAttributes } from '../../attributes.ts'
import type { BucketRecord } from '../../bucket.ts'
import type { S3Deps } from '../../deps.ts'
import { objectInput } from '../../object-request.ts'
import { asked } from '../../refusals.ts'
import { objectCheck } from '../../resource.ts'
import type { UploadChecksum } from './upload-checksum.ts'

/** Members of every request on a multipart upload. */
export const uploadInput = {
  ...objectInput,
  UploadId: required(query('uploadId', string())),
} as const

/** What the object store keeps of an upload, as JSON: `Upload.attributes`. */
export type UploadAttributes = {
  /** Of the object that it becomes. */
  readonly object: ObjectAttributes
  readonly checksum?: UploadChecksum | undefined
  readonly initiator: Initiator
  /** What the request that began it said of the object, which decides on the later ones as well. */
  readonly conditions: ConditionValues
  /**
   * Of SSE-C alone: what the labels are sealed with, itself sealed by the key core, in Base64. It opens no byte of the
   * object. S3's clients complete an upload without bringing their key.
   */
  readonly labelsKey?: string | undefined
}

export type Initiator = { readonly id: string; readonly displayName: string }

export function encodeUploadAttributes(attributes: UploadAttributes): string {
  return JSON.stringify(attributes)
}

/** Nobody but `encodeUploadAttributes` writes them. */
export function decodeUploadAttributes(text: string): UploadAttributes {
  try {
    return JSON.parse(text) as UploadAttributes
  } catch (error) {
    throw internalError('attributes of an upload cannot be read', error)
  }
}

/** An upload that is there. */
export type OpenUpload = {
  readonly bucket: BucketRecord
  readonly name: UploadName
  readonly upload: Upload
  readonly attributes: UploadAttributes
}

type Named = { readonly Key: string; readonly UploadId: string }

const uploadIdMax = 1024

/** Throws 'NoSuchUpload' for what the store would not have made. */
export function uploadName(bucket: BucketRecord, { Key, UploadId }: Named): UploadName {
  if (UploadId === '' || UploadId.length > uploadIdMax) throw noSuchUpload(UploadId)
  return { bucket: bucket.storeId, key: Key, uploadId: UploadId }
}

/** Rejects with 'NoSuchUpload'. */
export async function openUpload(
  bucket: BucketRecord,
  named: Named,
  { objects }: Pick<S3Deps, 'objects'>,
): Promise<OpenUpload> {
  const name = uploadName(bucket, named)
  const upload = await askedOf(named, objects.upload(name))
  return { bucket, name, upload, attributes: decodeUploadAttributes(upload.attributes) }
}

/** What the store answers about an upload. */
export function askedOf<T>({ UploadId }: Named, answer: Promise<T>): Promise<T> {
  return asked(answer, { UploadId })
}

function noSuchUpload(uploadId: string) {
  return s3Error('NoSuchUpload', { UploadId: uploadId.slice(0, uploadIdMax) })
}

/** In lower case. */
export const decidedKeys = [
  's3:requestobjecttag/*',
  's3:requestobjecttagkeys',
  's3:x-amz-acl',
  's3:x-amz-server-side-encryption',
  's3:x-amz-server-side-encryption-aws-kms-key-id',
  's3:x-amz-server-side-encryption-customer-algorithm',
  's3:x-amz-storage-class',
]

/** The permission to write the object that an upload becomes. */
export function uploadPutCheck(
  call: CallContext,
  bucket: BucketRecord,
  named: Named,
  deps: Pick<S3Deps, 'objects'>,
  conditions: ConditionValues = {},
): Check {
  const known = { ...conditions, ...call.delayedConditions }
  const check = objectCheck('s3:PutObject', bucket, named.Key, known)
  return { ...check, delayed: uploadConditions(bucket, named, deps) }
}

/**
 * What the request that began an upload said: a policy that wants an object encrypted in some way allows the parts of
 * one that is, though they do not say it again. Sought only if a policy asks.
 */
export function uploadConditions(
  bucket: BucketRecord,
  { Key, UploadId }: Named,
  { objects }: Pick<S3Deps, 'objects'>,
): DelayedConditions {
  return {
    keys: decidedKeys,
    async find() {
      try {
        const upload = await openUpload(bucket, { Key, UploadId }, { objects })
        return upload.attributes.conditions
      } catch (error) {
        // The call itself is told, if it may know.
        if (error instanceof ServiceError && error.code === 'NoSuchUpload') return {}
        throw error
      }
    },
  }
}
