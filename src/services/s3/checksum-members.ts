import type { ChecksumAlgorithm } from '../../base/checksums.ts'
import { header } from '../../wire/rest-xml/bindings.ts'
import { string } from '../../wire/schema.ts'
import type { StoredChecksum } from './attributes.ts'

/** Checksums in the headers of an answer. */
export const checksumHeaders = {
  ChecksumCRC32: header('x-amz-checksum-crc32', string()),
  ChecksumCRC32C: header('x-amz-checksum-crc32c', string()),
  ChecksumCRC64NVME: header('x-amz-checksum-crc64nvme', string()),
  ChecksumSHA1: header('x-amz-checksum-sha1', string()),
  ChecksumSHA256: header('x-amz-checksum-sha256', string()),
  ChecksumType: header('x-amz-checksum-type', string()),
} as const

/** Checksums in the XML of an answer, or of a list of parts: without their type. */
export const checksumElements = {
  ChecksumCRC32: string(),
  ChecksumCRC32C: string(),
  ChecksumCRC64NVME: string(),
  ChecksumSHA1: string(),
  ChecksumSHA256: string(),
} as const

/** The members of AWS, by the algorithm. */
export const checksumMember = {
  crc32: 'ChecksumCRC32',
  crc32c: 'ChecksumCRC32C',
  crc64nvme: 'ChecksumCRC64NVME',
  sha1: 'ChecksumSHA1',
  sha256: 'ChecksumSHA256',
} as const satisfies Readonly<Record<ChecksumAlgorithm, string>>

type ChecksumValues = { readonly [M in (typeof checksumMember)[ChecksumAlgorithm]]?: string }

/** One checksum as a member: nothing where there is none. */
export function checksumValue(
  algorithm: ChecksumAlgorithm | undefined,
  value: string | undefined,
): ChecksumValues {
  if (algorithm === undefined || value === undefined) return {}
  return { [checksumMember[algorithm]]: value }
}

/** The checksum of an object, with its type. */
export function checksumAnswer(
  stored: StoredChecksum | undefined,
): ChecksumValues & { readonly ChecksumType?: StoredChecksum['type'] } {
  if (stored === undefined) return {}
  return { ...checksumValue(stored.algorithm, stored.value), ChecksumType: stored.type }
}
