import { createHash, createHmac } from 'node:crypto'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

export type ToSign = {
  readonly method: string
  /** As it is sent, every byte but unreserved ones and slashes percent-encoded. */
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  /** All of them are signed. Names in lower case; values hold bytes (Latin-1). */
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type Scope = { readonly service: 's3' | 'kms'; readonly region: string; readonly at: Date }

/**
 * The headers of a request with those of Signature Version 4.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
export function signedHeaders(
  request: ToSign,
  { service, region, at }: Scope,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
): Readonly<Record<string, string>> {
  const timestamp = at.toISOString().replace(/[-:]|\.\d{3}/g, '')
  const bodyHash = sha256(request.body)
  const headers: Record<string, string> = { ...request.headers, 'x-amz-date': timestamp }
  if (service === 's3') headers['x-amz-content-sha256'] = bodyHash
  if (sessionToken !== undefined) headers['x-amz-security-token'] = sessionToken
  const names = Object.keys(headers).sort()
  const canonical = [
    request.method,
    request.path,
    queryText(request.query),
    ...names.map((name) => `${name}:${squeezed(headers[name] ?? '')}`),
    '',
    names.join(';'),
    bodyHash,
  ].join('\n')
  const scope = [timestamp.slice(0, 8), region, service, 'aws4_request']
  const text = ['AWS4-HMAC-SHA256', timestamp, scope.join('/'), sha256(latin1(canonical))]
  const key = scope.reduce(
    (before: Buffer, part) => hmac(before, part),
    Buffer.from(`AWS4${secretAccessKey}`, 'utf8'),
  )
  const signature = hmac(key, text.join('\n')).toString('hex')
  const credential = `${accessKeyId}/${scope.join('/')}`
  const authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { ...headers, authorization }
}

/** In canonical order and encoding, which is how it is sent as well. */
export function queryText(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

/** Everything but unreserved characters (RFC 3986), in UTF-8. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** Trimmed, with each run of blanks as one space. */
function squeezed(value: string): string {
  return value.replace(/[ \t]+/g, ' ').trim()
}

function latin1(text: string): Buffer {
  return Buffer.from(text, 'latin1')
}

function sha256(data: Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text, 'utf8').digest()
}
