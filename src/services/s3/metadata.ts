import { s3Error } from '../../base/errors.ts'
import { header, prefixed } from '../../wire/rest-xml/bindings.ts'
import { string, type Value } from '../../wire/schema.ts'
import type { ObjectAttributes } from './attributes.ts'

/** Headers that are kept with an object: the same names in requests and in answers. */
export const contentMembers = {
  CacheControl: header('cache-control', string()),
  ContentDisposition: header('content-disposition', string()),
  ContentEncoding: header('content-encoding', string()),
  ContentLanguage: header('content-language', string()),
  ContentType: header('content-type', string()),
  Expires: header('expires', string()),
  Metadata: prefixed('x-amz-meta-'),
} as const

export type ContentMembers = Value<{
  readonly type: 'structure'
  readonly members: typeof contentMembers
}>
export type ContentAttributes = Pick<
  ObjectAttributes,
  | 'cacheControl'
  | 'contentDisposition'
  | 'contentEncoding'
  | 'contentLanguage'
  | 'contentType'
  | 'expires'
  | 'metadata'
>

/** Of user-defined metadata: names and values together, in bytes of UTF-8. AWS's limit. */
const metadataBytesMax = 2 * 1024
/** Of each of the other headers; AWS bounds them together with the head at 8 KB. */
const headerBytesMax = 2 * 1024
const defaultContentType = 'binary/octet-stream'

/** What is kept of a request. Throws 'MetadataTooLarge' and 'InvalidArgument'. To be called in `resolve`. */
export function contentAttributes(input: ContentMembers): ContentAttributes {
  const { CacheControl, ContentDisposition, ContentLanguage, ContentType, Expires } = input
  const metadata = requireMetadata(input.Metadata)
  const contentEncoding = withoutChunks(input.ContentEncoding)
  const attributes = {
    contentType: ContentType === undefined || ContentType === '' ? defaultContentType : ContentType,
    ...(CacheControl !== undefined && { cacheControl: CacheControl }),
    ...(ContentDisposition !== undefined && { contentDisposition: ContentDisposition }),
    ...(contentEncoding !== undefined && { contentEncoding }),
    ...(ContentLanguage !== undefined && { contentLanguage: ContentLanguage }),
    ...(Expires !== undefined && { expires: Expires }),
  }
  for (const value of Object.values(attributes)) {
    if (value.length > headerBytesMax) throw s3Error('InvalidArgument')
  }
  return { ...attributes, ...(metadata !== undefined && { metadata }) }
}

/** The headers of an answer. */
export function contentAnswer(attributes: ContentAttributes): ContentMembers {
  const { cacheControl, contentDisposition, contentEncoding, contentLanguage } = attributes
  const { contentType, expires, metadata } = attributes
  return {
    CacheControl: cacheControl,
    ContentDisposition: contentDisposition,
    ContentEncoding: contentEncoding,
    ContentLanguage: contentLanguage,
    ContentType: contentType,
    Expires: expires,
    Metadata: metadata,
  }
}

function requireMetadata(
  metadata: Readonly<Record<string, string>> | undefined,
): Readonly<Record<string, string>> | undefined {
  if (metadata === undefined) return undefined
  let bytes = 0
  for (const [name, value] of Object.entries(metadata)) {
    // Header values have one byte for each character, as HTTP parsers hand them on.
    bytes += name.length + value.length
  }
  if (bytes <= metadataBytesMax) return metadata
  throw s3Error('MetadataTooLarge', {
    Size: String(bytes),
    MaxSizeAllowed: String(metadataBytesMax),
  })
}

/** `aws-chunked` is how the body came, not how the object is. */
function withoutChunks(encoding: string | undefined): string | undefined {
  const codings = encoding?.split(',').map((each) => each.trim())
  const kept = codings?.filter((each) => each.toLowerCase() !== 'aws-chunked' && each !== '')
  return kept === undefined || kept.length === 0 ? undefined : kept.join(',')
}
