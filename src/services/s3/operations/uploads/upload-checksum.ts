import { isCombinable } from '../../../../base/checksum-combination.ts'
import {
  type ChecksumAlgorithm,
  checksumBytes,
  isChecksumAlgorithm,
} from '../../../../base/checksums.ts'
import { s3Error } from '../../../../base/errors.ts'
import { header } from '../../../../wire/rest-xml/bindings.ts'
import { string } from '../../../../wire/schema.ts'
import type { StoredChecksum } from '../../attributes.ts'

/** Of the object that an upload becomes: what its request wants. */
export type UploadChecksum = Pick<StoredChecksum, 'algorithm' | 'type'>

/** Members of a request that asks for a checksum to be made. */
export const checksumAlgorithmInput = {
  ChecksumAlgorithm: header('x-amz-checksum-algorithm', string()),
} as const
export const checksumTypeInput = { ChecksumType: header('x-amz-checksum-type', string()) } as const

type Asked = {
  readonly ChecksumAlgorithm?: string | undefined
  readonly ChecksumType?: string | undefined
}

/**
 * CRC-64/NVME is of the whole object, hashes are of the checksums of its parts, other CRCs are of either. Throws
 * 'InvalidRequest'.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
 */
export function uploadChecksum(asked: Asked): UploadChecksum | undefined {
  const algorithm = checksumAlgorithm(asked)
  const type = checksumType(asked)
  if (algorithm === undefined) {
    if (type === undefined) return undefined
    throw invalidRequest(
      'The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.',
    )
  }
  const chosen = type ?? (algorithm === 'crc64nvme' ? 'FULL_OBJECT' : 'COMPOSITE')
  const fits = chosen === 'FULL_OBJECT' ? isCombinable(algorithm) : algorithm !== 'crc64nvme'
  if (fits) return { algorithm, type: chosen }
  throw invalidRequest(
    `The ${chosen} checksum type cannot be used with the ${algorithm} checksum algorithm.`,
  )
}

/** Throws 'InvalidRequest'. */
export function checksumAlgorithm({ ChecksumAlgorithm }: Asked): ChecksumAlgorithm | undefined {
  if (ChecksumAlgorithm === undefined) return undefined
  const name = ChecksumAlgorithm.toLowerCase()
  if (isChecksumAlgorithm(name)) return name
  const known = Object.keys(checksumBytes).map((each) => each.toUpperCase())
  throw invalidRequest(
    `Checksum algorithm provided is unsupported. Please try again with any of the valid types: [${known.join(', ')}]`,
  )
}

/** Throws 'InvalidRequest'. */
export function checksumType({ ChecksumType }: Asked): UploadChecksum['type'] | undefined {
  if (ChecksumType === undefined) return undefined
  const type = ChecksumType.toUpperCase()
  if (type === 'FULL_OBJECT' || type === 'COMPOSITE') return type
  throw invalidRequest('Value for x-amz-checksum-type header is invalid.')
}

/** What answers say of it: `ChecksumAlgorithm` in capitals. */
export function checksumNames(checksum: UploadChecksum | undefined) {
  if (checksum === undefined) return {}
  return { ChecksumAlgorithm: checksum.algorithm.toUpperCase(), ChecksumType: checksum.type }
}

export function invalidRequest(text: string) {
  return s3Error('InvalidRequest', undefined, { text })
}
