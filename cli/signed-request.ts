import { createHash, createHmac } from 'node:crypto'

export type SigningKey = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** A request that a client is about to send; `path` and `query` as they mean, not encoded. */
export type ToSign = {
  readonly method: string
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** Undefined: a body that is not signed. */
  readonly body: Buffer | undefined
}

export type SigningScope = {
  readonly host: string
  readonly region: string
  readonly service: string
  /** ms since the epoch */
  readonly now: number
}

/** The target and all headers of a request, signed for AWS (Signature Version 4, in the header). */
export function signed(
  { method, path, query = {}, headers, body }: ToSign,
  { host, region, service, now }: SigningScope,
  { accessKeyId, secretAccessKey, sessionToken }: SigningKey,
): { readonly target: string; readonly headers: Readonly<Record<string, string>> } {
  const timestamp = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const payload = body === undefined ? 'UNSIGNED-PAYLOAD' : sha256(body)
  const all: Record<string, string> = {
    ...headers,
    host,
    'x-amz-date': timestamp,
    'x-amz-content-sha256': payload,
    ...(sessionToken === undefined ? {} : { 'x-amz-security-token': sessionToken }),
  }
  const names = Object.keys(all).sort()
  const encodedPath = path.split('/').map(encoded).join('/')
  const canonicalQuery = Object.entries(query)
    .map(([name, value]) => `${encoded(name)}=${encoded(value)}`)
    .sort()
    .join('&')
  const canonical = [
    ...[method, encodedPath, canonicalQuery],
    ...names.map((name) => `${name}:${all[name]?.trim()}`),
    ...['', names.join(';'), payload],
  ].join('\n')
  const scope = [timestamp.slice(0, 8), region, service, 'aws4_request']
  const toSign = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), sha256(canonical)].join('\n')
  const key = scope.reduce<Buffer | string>(hmac, `AWS4${secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  const authorization = `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${scope.join('/')}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return {
    target: canonicalQuery === '' ? encodedPath : `${encodedPath}?${canonicalQuery}`,
    headers: { ...all, authorization },
  }
}

/** RFC 3986's unreserved characters stay. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer | string, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
