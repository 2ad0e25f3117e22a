import { s3Error } from '../../base/errors.ts'
import type { ByteRange, Version } from '../../objects/port.ts'
import { header, query, status } from '../../wire/rest-xml/bindings.ts'
import { integer, string, timestamp, type Value } from '../../wire/schema.ts'
import type { CallContext } from '../operation.ts'
import type { ObjectAttributes } from './attributes.ts'
import type { BucketRecord } from './bucket.ts'
import { checksumAnswer, checksumHeaders, checksumValue } from './checksum-members.ts'
import { quoted, readConditionInput, unquoted, wholeSeconds } from './conditional.ts'
import type { S3Deps } from './deps.ts'
import { customerKeyInput, encryptionAnswer, encryptionOutput } from './encryption/request.ts'
import { contentAnswer, contentMembers } from './metadata.ts'
import { objectInput } from './object-request.ts'
import { httpDate, type ObjectName } from './object-versions.ts'
import { type Bounds, contentRange, rangeOf, requireBounds } from './ranges.ts'
import { objectCheck } from './resource.ts'
import { decodeTags, existingTagConditions } from './tagging.ts'
import {
  versionedPermission,
  versionIdAnswer,
  versionIdInput,
  versionIdOutput,
} from './version-id.ts'

/** What GetObject and HeadObject are asked, and what both answer. */
export const readInput = {
  ...objectInput,
  ...versionIdInput,
  ...readConditionInput,
  ...customerKeyInput,
  Range: header('range', string()),
  IfRange: header('if-range', string()),
  PartNumber: query('partNumber', integer({ min: 1, max: 10_000 })),
  ChecksumMode: header('x-amz-checksum-mode', string({ values: ['ENABLED'] })),
  ResponseCacheControl: query('response-cache-control', string()),
  ResponseContentDisposition: query('response-content-disposition', string()),
  ResponseContentEncoding: query('response-content-encoding', string()),
  ResponseContentLanguage: query('response-content-language', string()),
  ResponseContentType: query('response-content-type', string()),
  ResponseExpires: query('response-expires', string()),
} as const

export const readOutput = {
  AcceptRanges: header('Accept-Ranges', string()),
  LastModified: header('Last-Modified', timestamp()),
  ETag: header('ETag', string()),
  ...versionIdOutput,
  ...contentMembers,
  ...encryptionOutput,
  ...checksumHeaders,
  ContentRange: header('Content-Range', string()),
  PartsCount: header('x-amz-mp-parts-count', integer()),
  TagCount: header('x-amz-tagging-count', integer()),
  StatusCode: status(),
} as const

type Members<M> = Value<{ readonly type: 'structure'; readonly members: M }>
export type ReadInput = Members<typeof readInput>
type ReadOutput = Members<typeof readOutput>

/** Which bytes of an object are wanted. */
export type Selection = Bounds & {
  readonly isPartial: boolean
  /** Of a part that was asked for by its number: how many there are, where the object is made of parts. */
  readonly partsCount?: number
}

/** What can be said of a request before anything is looked at. Throws 'InvalidRequest' and 'InvalidArgument'. */
export function requireReadable(input: ReadInput): void {
  if (input.Range !== undefined && input.PartNumber !== undefined) {
    const text = 'Cannot specify both Range header and partNumber query parameter'
    throw s3Error('InvalidRequest', undefined, { text })
  }
  for (const [name, value] of Object.entries(overrides(input))) {
    if (value !== undefined && !isHeaderText(value)) {
      throw s3Error('InvalidArgument', { ArgumentName: name })
    }
  }
}

/** The range to open an object with: none where its attributes have to be looked at first. */
export function openingRange({ Range, IfRange }: ReadInput): ByteRange | undefined {
  return IfRange === undefined ? rangeOf(Range) : undefined
}

/** Throws 'InvalidRange' and 'InvalidPartNumber'. */
export function selectionOf(
  input: ReadInput,
  version: Version,
  { parts }: ObjectAttributes,
): Selection {
  const { Range, IfRange, PartNumber } = input
  const { size } = version
  if (PartNumber !== undefined) return partOf(PartNumber, size, parts)
  const range = rangeOf(Range)
  if (range === undefined || Range === undefined || !isSame(IfRange, version)) {
    return { start: 0, end: size, isPartial: false }
  }
  return { ...requireBounds(range, size, Range), isPartial: true }
}

/** A part is its place among the parts: clients that get a whole object by parts count up to how many there are. */
function partOf(number: number, size: number, parts: ObjectAttributes['parts']): Selection {
  const count = parts?.length ?? 1
  if (number > count) {
    throw s3Error('InvalidPartNumber', {
      ActualPartCount: String(count),
      PartNumberRequested: String(number),
    })
  }
  if (parts === undefined) return { start: 0, end: size, isPartial: size > 0 }
  const start = parts.slice(0, number - 1).reduce((sum, part) => sum + part.size, 0)
  const end = start + (parts[number - 1]?.size ?? 0)
  return { start, end, isPartial: end > start, partsCount: count }
}

/** RFC 9110 §13.1.5: a range of another version than the client has is not what it wants. */
function isSame(ifRange: string | undefined, { etag, modified }: Version): boolean {
  if (ifRange === undefined) return true
  return unquoted(ifRange) === etag || ifRange === httpDate(wholeSeconds(modified))
}

/** Headers of an answer that says nothing but that nothing has changed. */
export function unchangedHeaders(
  bucket: BucketRecord,
  { etag, modified, versionId }: Version,
  { cacheControl, expires }: ObjectAttributes,
): Readonly<Record<string, string>> {
  return {
    ETag: quoted(etag),
    'Last-Modified': httpDate(modified),
    ...(bucket.versioning !== undefined && { 'x-amz-version-id': versionId }),
    ...(cacheControl !== undefined && { 'Cache-Control': cacheControl }),
    ...(expires !== undefined && { Expires: expires }),
  }
}

/** What GetObject and HeadObject answer, but for the body and its length. */
export function readAnswer(
  call: CallContext,
  input: ReadInput,
  name: ObjectName,
  version: Version,
  attributes: ObjectAttributes,
  selection: Selection,
  deps: S3Deps,
): ReadOutput {
  const { isPartial, partsCount } = selection
  return {
    AcceptRanges: 'bytes',
    LastModified: version.modified,
    ETag: quoted(version.etag),
    ...versionIdAnswer(name.bucket, version.versionId),
    ...contentAnswer(attributes),
    ...definedOf(overrides(input)),
    ...encryptionAnswer(attributes.encryption),
    ...checksumOf(input, attributes, selection),
    ContentRange: isPartial ? contentRange(selection, version.size) : undefined,
    PartsCount: partsCount,
    TagCount: version.tagging === '' ? undefined : tagCount(call, name, version.tagging, deps),
    StatusCode: isPartial ? 206 : 200,
  }
}

/** Whether the answer has a checksum: of the whole object, or of the part that was asked for. */
export function isChecksumWanted({ ChecksumMode }: ReadInput, { checksum }: ObjectAttributes) {
  return ChecksumMode === 'ENABLED' && checksum !== undefined
}

function checksumOf(input: ReadInput, attributes: ObjectAttributes, selection: Selection) {
  const { checksum, parts } = attributes
  if (!isChecksumWanted(input, attributes)) return {}
  if (input.PartNumber !== undefined && parts !== undefined) {
    return checksumValue(checksum?.algorithm, parts[input.PartNumber - 1]?.checksum)
  }
  return selection.isPartial && input.PartNumber === undefined ? {} : checksumAnswer(checksum)
}

/** Told to those who may read the tags. */
function tagCount(
  call: CallContext,
  name: ObjectName,
  tagging: string,
  deps: S3Deps,
): number | undefined {
  const { bucket, key, versionId } = name
  const permission = versionedPermission('s3:GetObjectTagging', versionId)
  const conditions = {
    ...(versionId !== undefined && { 's3:VersionId': versionId }),
    ...existingTagConditions(tagging),
  }
  const check = objectCheck(permission, bucket, key, conditions)
  const { denied } = deps.authorize(call.caller, check, call)
  return denied === undefined ? decodeTags(tagging).length : undefined
}

function overrides(input: ReadInput) {
  return {
    CacheControl: input.ResponseCacheControl,
    ContentDisposition: input.ResponseContentDisposition,
    ContentEncoding: input.ResponseContentEncoding,
    ContentLanguage: input.ResponseContentLanguage,
    ContentType: input.ResponseContentType,
    Expires: input.ResponseExpires,
  }
}

function definedOf(values: Readonly<Record<string, string | undefined>>) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

/** These come percent-encoded, so that they could be more than one header. */
function isHeaderText(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]{0,2048}$/.test(text)
}
