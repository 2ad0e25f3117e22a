import { s3Error } from '../../base/errors.ts'
import { headersOf } from './headers.ts'

/** Of the signature itself; of a presigned URL also the digests that its signer made of no body, which AWS ignores. */
const own =
  /^x-amz-(?:algorithm|credential|date|expires|signedheaders|signature|security-token|content-sha256|checksum-(?!mode$|type$|algorithm$).*|sdk-checksum-algorithm)$/

/**
 * Whether a parameter is a header: SDKs put those of a presigned URL into its query, so that whoever has the URL need
 * not send them.
 */
export function isHeader(name: string, query: ReadonlyMap<string, string>): boolean {
  return query.has('X-Amz-Signature') && name.toLowerCase().startsWith('x-amz-')
}

/** The headers of a request by names in lower case, those in the query of a presigned URL among them. */
export function requestHeaders(
  rawHeaders: readonly string[],
  query: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
  const sent = headersOf(rawHeaders)
  if (!query.has('X-Amz-Signature')) return sent
  const headers = new Map(sent)
  for (const [parameter, value] of query) {
    const name = parameter.toLowerCase()
    if (!isHeader(name, query) || own.test(name)) continue
    // Which one is meant would be the guess of whoever reads it.
    if (headers.has(name)) throw s3Error('InvalidArgument', { ArgumentName: name.slice(0, 64) })
    headers.set(name, value)
  }
  return headers
}
