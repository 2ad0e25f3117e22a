import type { IncomingHttpHeaders } from 'node:http'
import { percentEncoded } from '../src/base/percent-encoding.ts'
import { type Rule, ruleHeaders } from './reencrypt-rule.ts'
import { objectPath, type S3Client, S3Failure, textIn, xmlOf } from './s3-client.ts'

/** An object as it was looked at. */
export type Found = {
  readonly bucket: string
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** With its quotation marks. */
  readonly etag: string
}

export type CopyLimits = {
  /** Larger objects are copied in parts. */
  readonly copyBytesMax: number
  readonly partBytes: number
}

const gibibyte = 1024 ** 3
/** S3's: one copy takes 5 GiB. With parts of a gibibyte the largest object, of 5 TiB, has 5120, of 10 000 at most. */
export const copyLimits: CopyLimits = { copyBytesMax: 5 * gibibyte, partBytes: gibibyte }

/**
 * Copies an object onto itself, encrypted as a rule says. Both ends are tied to the object that was looked at, so that
 * one that somebody put meanwhile is neither copied nor replaced. Throws S3Failure 'PreconditionFailed' then.
 */
export async function copyOntoItself(
  client: S3Client,
  found: Found,
  rule: Rule,
  limits: CopyLimits,
): Promise<void> {
  if (found.size > limits.copyBytesMax) return copyInParts(client, found, rule, limits)
  const { bucket, key, etag } = found
  // Metadata and tags come along unless a copy says that they are to be replaced.
  await client.object('PUT', bucket, key, {
    headers: { ...sourceOf(found), ...ruleHeaders(rule), 'if-match': etag },
  })
}

async function copyInParts(
  client: S3Client,
  found: Found,
  rule: Rule,
  { partBytes }: CopyLimits,
): Promise<void> {
  const { bucket, key, etag, size } = found
  const created = await client.object('POST', bucket, key, {
    query: { uploads: '' },
    headers: { ...(await describedAs(client, found)), ...ruleHeaders(rule) },
  })
  const uploadId = textIn(xmlOf(created), 'UploadId') ?? ''
  // Without an id, to abort the upload would be to delete the object.
  if (uploadId === '') throw new S3Failure(200, 'NotUnderstood', 'The new upload has no id.')
  try {
    const parts: string[] = []
    for (let first = 0; first < size; first += partBytes) {
      const last = Math.min(first + partBytes, size) - 1
      const number = parts.length + 1
      const copied = await client.object('PUT', bucket, key, {
        query: { partNumber: String(number), uploadId },
        headers: { ...sourceOf(found), 'x-amz-copy-source-range': `bytes=${first}-${last}` },
      })
      const members = xmlOf(copied).children.filter(({ name }) => /^(?:ETag|Checksum)/.test(name))
      const texts = members.map(({ name, text }) => `<${name}>${escaped(text)}</${name}>`)
      parts.push(`<Part><PartNumber>${number}</PartNumber>${texts.join('')}</Part>`)
    }
    await client.object('POST', bucket, key, {
      query: { uploadId },
      headers: { 'if-match': etag },
      body: `<CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/">${parts.join('')}</CompleteMultipartUpload>`,
    })
  } catch (error) {
    // What cannot be taken back now is listed as an unfinished upload; the failure says why.
    await client.object('DELETE', bucket, key, { query: { uploadId } }).catch(() => undefined)
    throw error
  }
}

function sourceOf({ bucket, key, etag }: Found) {
  return {
    'x-amz-copy-source': objectPath(bucket, key),
    'x-amz-copy-source-if-match': etag,
  }
}

const plainHeaders = [
  ...['content-type', 'cache-control', 'content-disposition', 'content-encoding'],
  ...['content-language', 'expires'],
]

/** Metadata, tags and the kind of checksum, which a copy in parts does not bring along by itself. */
async function describedAs(
  client: S3Client,
  { bucket, key, etag }: Found,
): Promise<Readonly<Record<string, string>>> {
  const { headers } = await client.object('HEAD', bucket, key, {
    headers: { 'if-match': etag, 'x-amz-checksum-mode': 'ENABLED' },
  })
  const kept = Object.entries(headers).filter(
    (pair): pair is [string, string] =>
      typeof pair[1] === 'string' &&
      (pair[0].startsWith('x-amz-meta-') || plainHeaders.includes(pair[0])),
  )
  const tagging = xmlOf(await client.object('GET', bucket, key, { query: { tagging: '' } }))
  const tags = (tagging.children.find(({ name }) => name === 'TagSet')?.children ?? []).map(
    (tag) =>
      `${percentEncoded(textIn(tag, 'Key') ?? '')}=${percentEncoded(textIn(tag, 'Value') ?? '')}`,
  )
  return {
    ...Object.fromEntries(kept),
    ...(tags.length > 0 && { 'x-amz-tagging': tags.join('&') }),
    ...checksumOf(headers),
  }
}

function checksumOf(headers: IncomingHttpHeaders): Readonly<Record<string, string>> {
  const type = headers['x-amz-checksum-type']
  const name = Object.keys(headers).find((each) => /^x-amz-checksum-(?:crc|sha)\w+$/.test(each))
  if (typeof type !== 'string' || name === undefined) return {}
  const algorithm = name.slice('x-amz-checksum-'.length).toUpperCase()
  return { 'x-amz-checksum-algorithm': algorithm, 'x-amz-checksum-type': type }
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
