import { createHash, createHmac } from 'node:crypto'

/**
 * A small Signature Version 4 signer, written from the specification and sharing no code with the server, for
 * requests that an SDK would never send.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html
 */
export type Credentials = { readonly accessKeyId: string; readonly secretAccessKey: string }

export type Header = readonly [name: string, value: string]

export type UnsignedRequest = {
  readonly method: string
  /** The absolute path; empty segments and percent-encoding are taken as they are. */
  readonly path: string
  /** Without the question mark, already in canonical order and encoding. */
  readonly query?: string
  /** All of them are signed. `host` and `x-amz-date` are added. */
  readonly headers: readonly Header[]
  readonly body: Buffer
  /** In the place of the body's SHA-256. */
  readonly payloadHash?: string
}

export type SigningTarget = {
  readonly host: string
  readonly region: string
  readonly service: string
  readonly date: Date
}

/** The request's headers together with `host`, `x-amz-date` and `authorization`. */
export function signedHeaders(
  request: UnsignedRequest,
  target: SigningTarget,
  credentials: Credentials,
): Header[] {
  const timestamp = target.date.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const headers: Header[] = [['host', target.host], ...request.headers, ['x-amz-date', timestamp]]
  const canonical = canonicalHeaders(headers)
  const names = canonical.map(([name]) => name).join(';')
  const canonicalRequest = [
    request.method,
    request.path,
    request.query ?? '',
    ...canonical.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    request.payloadHash ?? sha256(request.body),
  ].join('\n')
  const day = timestamp.slice(0, 8)
  const scope = `${day}/${target.region}/${target.service}/aws4_request`
  const stringToSign = ['AWS4-HMAC-SHA256', timestamp, scope, sha256(canonicalRequest)].join('\n')
  const key = [day, target.region, target.service, 'aws4_request'].reduce(
    (previous: Buffer | string, part) => hmac(previous, part),
    `AWS4${credentials.secretAccessKey}`,
  )
  const signature = hmac(key, stringToSign).toString('hex')
  const credential = `${credentials.accessKeyId}/${scope}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names}, Signature=${signature}`
  return [...headers, ['authorization', authorization]]
}

/** Lower-case names in order, values trimmed, repeated names joined in the order of arrival. */
function canonicalHeaders(headers: readonly Header[]): Header[] {
  const values = new Map<string, string[]>()
  for (const [name, value] of headers) {
    const key = name.toLowerCase()
    values.set(key, [...(values.get(key) ?? []), value.trim().replace(/ +/g, ' ')])
  }
  return [...values].map(([name, all]): Header => [name, all.join(',')]).sort(byName)
}

function byName([a]: Header, [b]: Header): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function sha256(data: Buffer | string): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
