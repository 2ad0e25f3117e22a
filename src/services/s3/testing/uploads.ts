import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import type { House } from '../../../testing/house.ts'
import { type S3Answer, type S3Sending, s3Call, s3Ok, streamOf } from '../../../testing/s3-calls.ts'

/** The least that a part has which is not the last. */
export const partBytes = 5 * 1024 ** 2

/** A full part; to be used again, since making one takes longer than sending it. */
export const fullPart = randomBytes(partBytes)

export type UploadedPart = {
  readonly number: number
  readonly etag: string
  /** More elements. */
  readonly more?: string | undefined
}

type Sending = Pick<S3Sending, 'headers' | 'key'>

export async function begin(house: House, path: string, sending: Sending = {}): Promise<string> {
  const answer = await s3Ok(house, 'POST', path, { query: { uploads: '' }, ...sending })
  return elementOf(answer, 'UploadId')
}

export function sendPart(
  house: House,
  path: string,
  uploadId: string,
  number: number | string,
  bytes: Buffer | string,
  sending: Sending = {},
): Promise<S3Answer> {
  const query = { partNumber: String(number), uploadId }
  return s3Call(house, 'PUT', path, { query, body: streamOf(Buffer.from(bytes)), ...sending })
}

/** What it is completed with. */
export async function putPart(
  ...[house, path, uploadId, number, bytes, sending]: Parameters<typeof sendPart>
): Promise<UploadedPart> {
  const answer = await sendPart(house, path, uploadId, number, bytes, sending)
  assert.equal(answer.status, 200, answer.text)
  return { number: Number(number), etag: answer.headers.get('etag') ?? '' }
}

export function completion(parts: readonly UploadedPart[]): string {
  const elements = parts.map(
    ({ number, etag, more = '' }) =>
      `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag>${more}</Part>`,
  )
  return `<CompleteMultipartUpload>${elements.join('')}</CompleteMultipartUpload>`
}

export function complete(
  house: House,
  path: string,
  uploadId: string,
  parts: readonly UploadedPart[],
  sending: Sending = {},
): Promise<S3Answer> {
  return s3Call(house, 'POST', path, { query: { uploadId }, body: completion(parts), ...sending })
}

export async function completeOk(...args: Parameters<typeof complete>): Promise<S3Answer> {
  const answer = await complete(...args)
  assert.equal(answer.status, 200, answer.text)
  return answer
}

/** The text of the first element of that name. */
export function elementOf({ text }: S3Answer, name: string): string {
  const found = new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1]
  assert.ok(found !== undefined, `no ${name} in ${text}`)
  return found.replaceAll('&quot;', '"').replaceAll('&amp;', '&').replaceAll('&apos;', "'")
}

export function elementsOf({ text }: S3Answer, name: string): readonly string[] {
  return [...text.matchAll(new RegExp(`<${name}>([^<]*)</${name}>`, 'g'))].map(
    ([, found = '']) => found,
  )
}

export function md5(bytes: Buffer | string): Buffer {
  return createHash('md5').update(bytes).digest()
}

/** The ETag that everybody expects of parts under SSE-S3. */
export function multipartMd5(...parts: readonly (Buffer | string)[]): string {
  return `${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}`
}
