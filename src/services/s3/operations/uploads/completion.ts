import { createHash, hash } from 'node:crypto'
import { combinedChecksum, isCombinable } from '../../../../base/checksum-combination.ts'
import { type ChecksumAlgorithm, checksum, checksumBytes } from '../../../../base/checksums.ts'
import { internalError, s3Error } from '../../../../base/errors.ts'
import type { Random } from '../../../../base/random.ts'
import { partsMax } from '../../../../objects/parts.ts'
import type { Part } from '../../../../objects/port.ts'
import type { StoredChecksum, StoredEncryption, StoredPart } from '../../attributes.ts'
import { checksumMember } from '../../checksum-members.ts'
import { unquoted } from '../../conditional.ts'
import { newEtag } from '../../etag.ts'
import { partBytesMin } from './part.ts'
import { decodePartAttributes, type PartChecksum } from './part-attributes.ts'
import { invalidRequest, type UploadChecksum } from './upload-checksum.ts'

/** A part as the request that completes an upload names it. */
export type NamedPart = {
  readonly number: number
  readonly etag: string
  readonly checksum: PartChecksum | undefined
}

type Checksums = { readonly [M in (typeof checksumMember)[ChecksumAlgorithm]]?: string | undefined }
type PartElement = Checksums & { readonly PartNumber: number; readonly ETag: string }

/** The one checksum of several members; the wire takes no request with two in its headers. */
export function declaredChecksum(members: Checksums): PartChecksum | undefined {
  return declaredChecksums(members)[0]
}

function declaredChecksums(members: Checksums): readonly PartChecksum[] {
  return algorithms.flatMap((algorithm) => {
    const value = members[checksumMember[algorithm]]
    return value === undefined ? [] : [{ algorithm, value }]
  })
}

/**
 * What the body of the request says. Throws 'InvalidRequest', 'MalformedXML', 'InvalidArgument' and 'InvalidPartOrder'.
 */
export function namedParts(elements: readonly PartElement[]): readonly NamedPart[] {
  if (elements.length === 0) throw invalidRequest('You must specify at least one part')
  if (elements.length > partsMax) throw s3Error('MalformedXML')
  let last = 0
  return elements.map((element) => {
    const { PartNumber: number, ETag } = element
    if (number < 1) {
      const members = { ArgumentName: 'PartNumber', ArgumentValue: String(number) }
      throw s3Error('InvalidArgument', members, { text: 'PartNumber must be >= 1' })
    }
    if (number <= last) throw s3Error('InvalidPartOrder')
    last = number
    return { number, etag: unquoted(ETag), checksum: checksumOf(element) }
  })
}

function checksumOf(element: PartElement): PartChecksum | undefined {
  const declared = declaredChecksums(element)
  const [only] = declared
  if (declared.length <= 1 && (only === undefined || isDigest(only))) return only
  const said = declared.map(({ algorithm, value }) => `${algorithm.toUpperCase()}:${value}`)
  const ArgumentValue = `${said.join(';').slice(0, 255)};`
  const text = 'Invalid Base64 or multiple checksums present in request'
  throw s3Error('InvalidArgument', { ArgumentName: 'Checksum', ArgumentValue }, { text })
}

const algorithms = Object.keys(checksumBytes) as readonly ChecksumAlgorithm[]

function isDigest({ algorithm, value }: PartChecksum): boolean {
  const decoded = Buffer.from(value, 'base64')
  return decoded.length === checksumBytes[algorithm] && decoded.toString('base64') === value
}

/** By which a request is known to be the same again. */
export function partsDigest(parts: readonly NamedPart[]): string {
  return hash('sha256', parts.map(({ number, etag }) => `${number}:${etag}`).join('\n'), 'base64')
}

/** What a request that completes an upload says of the object. */
export type Expected = {
  /** Bytes. */
  readonly size: number | undefined
  readonly checksum: PartChecksum | undefined
  readonly type: UploadChecksum['type'] | undefined
}

/** The value of `x-amz-mp-object-size`. Throws 'InvalidRequest'. */
export function objectSize(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const problem = /^-\d{1,15}$/.test(text) ? 'less than zero' : 'invalid'
  throw invalidRequest(
    `Value for x-amz-mp-object-size header is ${problem}: '${text.slice(0, 64)}'`,
  )
}

export type Completion = {
  readonly checksum: StoredChecksum | undefined
  readonly parts: readonly StoredPart[]
}

/**
 * The checksum of the object, and what is kept of its parts, if they are what the request says. No byte of them is
 * read: a checksum of all bytes is put together of those of the parts. Throws 'EntityTooSmall', 'InvalidPart',
 * 'InvalidRequest' and 'BadDigest'.
 */
export function completion(
  uploadId: string,
  parts: readonly Part[],
  named: readonly NamedPart[],
  wanted: UploadChecksum | undefined,
  expected: Expected,
): Completion {
  requireType(wanted, expected)
  const checksums = parts.map((part, at) => {
    const { checksum } = decodePartAttributes(part.attributes)
    requireChecksum(uploadId, part, checksum, named[at]?.checksum, wanted)
    if (at < parts.length - 1 && part.size < partBytesMin) throw tooSmall(part)
    return checksum
  })
  requireSize(parts, expected)
  if (wanted !== undefined) requireConsecutive(parts)
  const checksum = wanted && objectChecksum(wanted, parts, checksums)
  requireDeclared(checksum, expected)
  const ofParts = checksum?.type === 'COMPOSITE'
  return {
    checksum,
    parts: parts.map(({ number, size }, at) => ({
      ...{ number, size },
      ...(ofParts && { checksum: checksums[at]?.value }),
    })),
  }
}

/** Of SSE-S3 the MD5 of the parts' MD5s, as everybody expects; behind it how many they are. */
export function multipartEtag(
  mode: StoredEncryption['mode'],
  parts: readonly Part[],
  random: Random,
): string {
  if (mode !== 'AES256') return `${newEtag(random)}-${parts.length}`
  const md5 = createHash('md5')
  for (const { etag } of parts) md5.update(etag, 'hex')
  return `${md5.digest('hex')}-${parts.length}`
}

function requireType(wanted: UploadChecksum | undefined, { type }: Expected): void {
  if (type === undefined || wanted === undefined || wanted.type === type) return
  throw invalidRequest(
    `The upload was created using the ${wanted.type} checksum mode. The complete request must use the same ` +
      'checksum mode.',
  )
}

function requireChecksum(
  uploadId: string,
  part: Part,
  stored: PartChecksum | undefined,
  declared: PartChecksum | undefined,
  wanted: UploadChecksum | undefined,
): void {
  if (declared === undefined) {
    if (wanted === undefined || wanted.type === 'FULL_OBJECT') return
    throw invalidRequest(
      `The upload was created using a ${wanted.algorithm} checksum. The complete request must include the checksum ` +
        `for each part. It was missing for part ${part.number} in the request.`,
    )
  }
  if (wanted !== undefined && declared.algorithm !== wanted.algorithm) {
    throw s3Error('BadDigest', undefined, {
      text: `The ${declared.algorithm} you specified for part ${part.number} did not match what we received.`,
    })
  }
  if (wanted === undefined || stored?.value !== declared.value) throw invalidPart(uploadId, part)
}

export function invalidPart(
  UploadId: string,
  { number, etag }: { readonly number: number; readonly etag: string },
) {
  const members = { UploadId, PartNumber: String(number), ETag: etag.slice(0, 255) }
  return s3Error('InvalidPart', members)
}

function tooSmall({ number, size, etag }: Part) {
  return s3Error(
    'EntityTooSmall',
    {
      ...{ ProposedSize: String(size), MinSizeAllowed: String(partBytesMin) },
      ...{ PartNumber: String(number), ETag: etag },
    },
    { text: 'Your proposed upload is smaller than the minimum allowed size' },
  )
}

function requireSize(parts: readonly Part[], { size: expected }: Expected): void {
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  if (expected === undefined || expected === size) return
  throw invalidRequest(
    `The provided 'x-amz-mp-object-size' header value ${expected} does not match what was computed: ${size}`,
  )
}

function requireConsecutive(parts: readonly Part[]): void {
  if (parts.every(({ number }, at) => number === at + 1)) return
  throw invalidRequest('Part numbers must be consecutive and begin with 1 when a checksum is used.')
}

function objectChecksum(
  { algorithm, type }: UploadChecksum,
  parts: readonly Part[],
  checksums: readonly (PartChecksum | undefined)[],
): StoredChecksum {
  const runs = parts.map(({ size }, at) => {
    const known = checksums[at]
    if (known?.algorithm !== algorithm) throw internalError('a part without its checksum')
    return { size, digest: Buffer.from(known.value, 'base64') }
  })
  if (type === 'FULL_OBJECT') {
    if (!isCombinable(algorithm)) throw internalError(`${algorithm} of a whole object`)
    const value = combinedChecksum(algorithm, runs).toString('base64')
    return { algorithm, type, value }
  }
  const ofDigests = checksum(algorithm)
  for (const { digest } of runs) ofDigests.update(digest)
  return { algorithm, type, value: `${ofDigests.digest().toString('base64')}-${parts.length}` }
}

/** A checksum of checksums is declared without the number of parts behind it. */
function requireDeclared(made: StoredChecksum | undefined, { checksum: declared }: Expected): void {
  if (declared === undefined) return
  if (declared.algorithm !== made?.algorithm) {
    throw invalidRequest(
      `Checksum Type mismatch occurred, expected checksum Type: ${made?.algorithm ?? 'null'}, ` +
        `actual checksum Type: ${declared.algorithm}`,
    )
  }
  const bare = made.type === 'COMPOSITE' ? made.value.replace(/-\d+$/, '') : made.value
  if (declared.value === bare) return
  throw s3Error('BadDigest', undefined, {
    text: `The ${made.algorithm} you specified did not match the calculated checksum.`,
  })
}
