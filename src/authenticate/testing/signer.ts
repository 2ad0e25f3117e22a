import { createHash, createHmac } from 'node:crypto'
import type { HttpRequest } from '../../wire/protocol.ts'

/**
 * A signer for tests, written from the specification with createHmac and sharing no code with the verifier.
 * Headers are pairs; all are signed unless `signed` names which.
 */
export type ToSign = {
  readonly method?: string
  /** Already in canonical encoding: its segments and parameters are taken as they are. */
  readonly path?: string
  readonly query?: readonly (readonly [name: string, value: string])[]
  readonly headers?: readonly (readonly [name: string, value: string])[]
  readonly body?: Buffer
  readonly signed?: readonly string[]
}

export type SignWith = {
  readonly accessKeyId: string
  readonly secret: string
  readonly region: string
  readonly service: string
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string
}

export function sign(request: ToSign, key: SignWith): HttpRequest {
  const { method = 'POST', path = '/', query = [], body = Buffer.from('{}') } = request
  const headers = [['Host', 'kms.test'], ['X-Amz-Date', key.timestamp], ...(request.headers ?? [])]
  const byName = new Map<string, string[]>()
  for (const [name = '', value = ''] of headers) {
    const lower = name.toLowerCase()
    byName.set(lower, [...(byName.get(lower) ?? []), value.trim().split(/ +/).join(' ')])
  }
  const names = [...(request.signed ?? byName.keys())].sort()
  const pairs = query.map(([name, value]) => [percentEncoded(name), percentEncoded(value)] as const)
  const sorted = [...pairs].sort((a, b) => compare(a[0], b[0]) || compare(a[1], b[1]))
  const canonical = [
    method,
    path.split('/').map(percentEncoded).join('/'),
    sorted.map(([name, value]) => `${name}=${value}`).join('&'),
    ...names.map((name) => `${name}:${(byName.get(name) ?? []).join(',')}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n')
  const scope = [key.timestamp.slice(0, 8), key.region, key.service, 'aws4_request']
  const toSign = ['AWS4-HMAC-SHA256', key.timestamp, scope.join('/'), sha256(canonical)].join('\n')
  const signature = hmac(signingKey(key.secret, scope), toSign).toString('hex')
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope.join('/')}, ` +
    `SignedHeaders=${names.join(';')}, Signature=${signature}`
  return {
    method,
    target: path + (pairs.length === 0 ? '' : `?${pairs.map((pair) => pair.join('=')).join('&')}`),
    rawHeaders: [...headers.flat(), 'Authorization', authorization],
    body,
    remoteAddress: '127.0.0.1',
  }
}

/** What the key core answers. */
export function signingKey(secret: string, scope: readonly string[]): Buffer {
  return scope.reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secret}`))
}

/** One header's value replaced; `value` undefined removes the header. */
export function withHeader(
  request: HttpRequest,
  name: string,
  change: (value: string) => string | undefined,
): HttpRequest {
  const rawHeaders: string[] = []
  for (let index = 0; index < request.rawHeaders.length; index += 2) {
    const [header = '', value = ''] = request.rawHeaders.slice(index, index + 2)
    const changed = header.toLowerCase() === name ? change(value) : value
    if (changed !== undefined) rawHeaders.push(header, changed)
  }
  return { ...request, rawHeaders }
}

function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

function compare(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}
