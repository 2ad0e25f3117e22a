import type { ChecksumAlgorithm } from '../../../../base/checksums.ts'
import { internalError } from '../../../../base/errors.ts'

/** What the object store keeps of a part, as JSON: `Part.attributes`. */
export type PartAttributes = { readonly checksum?: PartChecksum | undefined }

/** Base64. */
export type PartChecksum = { readonly algorithm: ChecksumAlgorithm; readonly value: string }

export function encodePartAttributes(attributes: PartAttributes): string {
  return JSON.stringify(attributes)
}

/** Nobody but `encodePartAttributes` writes them. */
export function decodePartAttributes(text: string): PartAttributes {
  try {
    return JSON.parse(text) as PartAttributes
  } catch (error) {
    throw internalError('attributes of a part cannot be read', error)
  }
}
