import { createHash, createHmac } from 'node:crypto'
import { type SignWith, signingKey } from './signer.ts'

/** Signs requests to S3, from its documentation and sharing no code with the verifier. */
export type S3ToSign = {
  readonly method: string
  /** In canonical encoding. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** The last line of the canonical request. */
  readonly contentSha256: string
}

export function signS3(request: S3ToSign, key: SignWith): string {
  const names = Object.keys(request.headers).sort()
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query ?? {}),
    ...names.map((name) => `${name}:${request.headers[name]}`),
    '',
    names.join(';'),
    request.contentSha256,
  ].join('\n')
  return hmac(keyOf(key), `AWS4-HMAC-SHA256\n${stampOf(key)}\n${sha256(canonical)}`)
}

export function authorizationOf(request: S3ToSign, key: SignWith): string {
  const names = Object.keys(request.headers).sort()
  return (
    `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scopeOf(key).join('/')},` +
    `SignedHeaders=${names.join(';')},Signature=${signS3(request, key)}`
  )
}

/** The target of a presigned URL. */
export function presigned(
  request: Omit<S3ToSign, 'contentSha256'>,
  key: SignWith,
  expires: number | string,
  contentSha256 = 'UNSIGNED-PAYLOAD',
): string {
  const query = {
    ...request.query,
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `${key.accessKeyId}/${scopeOf(key).join('/')}`,
    'X-Amz-Date': key.timestamp,
    'X-Amz-Expires': String(expires),
    'X-Amz-SignedHeaders': Object.keys(request.headers).sort().join(';'),
  }
  const signature = signS3({ ...request, query, contentSha256 }, key)
  return `${request.path}?${canonicalQuery(query)}&X-Amz-Signature=${signature}`
}

export type Chunk = { readonly data: Buffer; readonly signature: string }

/** Chunks of that size and the empty one, each signed behind the one before; the seed is the head's signature. */
export function signedChunks(body: Buffer, size: number, seed: string, key: SignWith): Chunk[] {
  const chunks: Chunk[] = []
  let previous = seed
  for (let at = 0; ; at += size) {
    const data = body.subarray(at, at + size)
    const text = `AWS4-HMAC-SHA256-PAYLOAD\n${stampOf(key)}\n${previous}\n${sha256('')}\n${sha256(data)}`
    previous = hmac(keyOf(key), text)
    chunks.push({ data, signature: previous })
    if (data.length === 0) return chunks
  }
}

export function trailerSignature(text: string, previous: string, key: SignWith): string {
  return hmac(keyOf(key), `AWS4-HMAC-SHA256-TRAILER\n${stampOf(key)}\n${previous}\n${sha256(text)}`)
}

export function encodedChunks(chunks: readonly Chunk[], trailers = ''): Buffer {
  const pieces = chunks.flatMap(({ data, signature }) => [
    Buffer.from(`${data.length.toString(16)};chunk-signature=${signature}\r\n`),
    data,
    Buffer.from(data.length === 0 ? '' : '\r\n'),
  ])
  return Buffer.concat([...pieces, Buffer.from(`${trailers}\r\n`)])
}

function canonicalQuery(query: Readonly<Record<string, string>>): string {
  return Object.entries(query)
    .map(([name, value]) => [encoded(name), encoded(value)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function scopeOf({ timestamp, region, service }: SignWith): string[] {
  return [timestamp.slice(0, 8), region, service, 'aws4_request']
}

function stampOf(key: SignWith): string {
  return `${key.timestamp}\n${scopeOf(key).join('/')}`
}

function keyOf(key: SignWith): Buffer {
  return signingKey(key.secret, scopeOf(key))
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}
