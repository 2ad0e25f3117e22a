import type { ChecksumAlgorithm } from '../../base/checksums.ts'
import { internalError } from '../../base/errors.ts'
import { type PackedParts, packParts, unpackParts } from './packed-parts.ts'

/** What the object store keeps beside an object's bytes for S3, as JSON: `Version.attributes`. */
export type ObjectAttributes = {
  readonly encryption: StoredEncryption
  /** The headers that come back as they were put. */
  readonly contentType?: string | undefined
  readonly contentEncoding?: string | undefined
  readonly contentLanguage?: string | undefined
  readonly contentDisposition?: string | undefined
  readonly cacheControl?: string | undefined
  readonly expires?: string | undefined
  /** `x-amz-meta-`, without that. */
  readonly metadata?: Readonly<Record<string, string>> | undefined
  readonly checksum?: StoredChecksum | undefined
  /** Of an object made of parts: each part's, in the order of the parts. */
  readonly parts?: readonly StoredPart[] | undefined
  /** The request that made it of parts: its upload, and a digest of the parts that it named. */
  readonly upload?: { readonly id: string; readonly parts: string } | undefined
}

export type StoredChecksum = {
  readonly algorithm: ChecksumAlgorithm
  /** Base64; of a composite one with `-` and the number of parts behind it. */
  readonly value: string
  readonly type: 'FULL_OBJECT' | 'COMPOSITE'
}

export type StoredPart = {
  readonly number: number
  /** Bytes. */
  readonly size: number
  readonly checksum?: string | undefined
}

/** How an object is encrypted. `byDefault`: nobody asked for it, the bucket's default did. */
export type StoredEncryption =
  | { readonly mode: 'AES256'; readonly byDefault: boolean }
  | {
      readonly mode: 'aws:kms' | 'aws:kms:dsse'
      readonly keyArn: string
      /** What the caller gave; the store adds `aws:s3:arn`. */
      readonly context?: Readonly<Record<string, string>> | undefined
      readonly bucketKey: boolean
      readonly byDefault: boolean
    }
  | { readonly mode: 'customer' /** Base64. */; readonly keyMd5: string }

type Packed = Omit<ObjectAttributes, 'parts'> & { readonly parts?: PackedParts }

export function encodeAttributes(attributes: ObjectAttributes): string {
  const { parts } = attributes
  return JSON.stringify(
    parts === undefined ? attributes : { ...attributes, parts: packParts(parts) },
  )
}

/** Nobody but `encodeAttributes` writes them. */
export function decodeAttributes(text: string): ObjectAttributes {
  try {
    const { parts, ...attributes } = JSON.parse(text) as Packed
    return parts === undefined ? attributes : { ...attributes, parts: unpackParts(parts) }
  } catch (error) {
    throw internalError('attributes of an object cannot be read', error)
  }
}
