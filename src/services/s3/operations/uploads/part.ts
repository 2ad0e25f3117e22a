import { s3Error } from '../../../../base/errors.ts'
import { UploadSealer } from '../../../../objects/encryption/seal.ts'
import { partsMax } from '../../../../objects/parts.ts'
import type { Part } from '../../../../objects/port.ts'
import type { CallContext } from '../../../operation.ts'
import type { S3Deps } from '../../deps.ts'
import type { CustomerKey } from '../../encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from '../../encryption/data-keys.ts'
import { Digests } from './digests.ts'
import { decodePartAttributes, encodePartAttributes, type PartChecksum } from './part-attributes.ts'
import { askedOf, type OpenUpload } from './upload.ts'

/** 5 GiB. https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
export const partBytesMax = 5 * 1024 ** 3
/** 5 MiB, of every part but the last. */
export const partBytesMin = 5 * 1024 ** 2

/** Throws 'InvalidArgument'. */
export function partNumberOf(text: string): number {
  const number = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (number >= 1 && number <= partsMax) return number
  throw s3Error(
    'InvalidArgument',
    { ArgumentName: 'partNumber', ArgumentValue: text.slice(0, 64) },
    { text: `Part number must be an integer between 1 and ${partsMax}, inclusive` },
  )
}

/** Throws 'EntityTooLarge'. */
export function requirePartSize(size: number): void {
  if (size <= partBytesMax) return
  const members = { ProposedSize: String(size), MaxSizeAllowed: String(partBytesMax) }
  throw s3Error('EntityTooLarge', members)
}

export type NewPart = {
  readonly number: number
  /** Plaintext. Its failure is the part's. */
  readonly data: AsyncIterable<Buffer>
  /** The key that the request brought, which stays the asker's to wipe. */
  readonly customer: CustomerKey | undefined
  /** Whether its checksum is to be made here, or `declared` says it. */
  readonly computes: boolean
  /** Called once all of `data` has been read. */
  declared?(): PartChecksum | undefined
}

export type PutPart = { readonly part: Part; readonly checksum: PartChecksum | undefined }

/**
 * Encrypts a part under the upload's data keys, for which the caller needs `kms:Decrypt`. Rejects with 'NoSuchUpload'
 * also where the upload ended meanwhile.
 */
export async function putPart(
  call: CallContext,
  { bucket, name, upload, attributes }: OpenUpload,
  { number, data, customer, computes, declared }: NewPart,
  deps: S3Deps,
): Promise<PutPart> {
  const { encryption } = attributes.object
  const where = { bucket, key: name.key }
  const keys = await dataKeysOf(call, encryption, upload.sidecar, where, customer, deps, 'upload')
  let sealer: UploadSealer
  try {
    sealer = new UploadSealer(upload.sidecar, keys, name)
  } finally {
    wipeKeys(keys)
  }
  const segment = sealer.newSegment(deps.random)
  const algorithm = computes ? attributes.checksum?.algorithm : undefined
  const digests = new Digests(encryption.mode, algorithm)
  const finish = ({ size }: { readonly size: number }) => {
    const value = digests.checksum()
    const computed = algorithm && value !== undefined ? { algorithm, value } : undefined
    return {
      ...sealer.finishPart(segment, number, size),
      etag: digests.etag(deps.random),
      attributes: encodePartAttributes({ checksum: computed ?? declared?.() }),
    }
  }
  try {
    const encrypted = { data: segment.encrypt(digests.of(data)), finish }
    const answer = deps.objects.putPart(name, number, encrypted)
    const part = await askedOf({ Key: name.key, UploadId: name.uploadId }, answer)
    return { part, checksum: decodePartAttributes(part.attributes).checksum }
  } finally {
    segment.wipe()
    sealer.wipe()
  }
}
