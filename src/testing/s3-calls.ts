import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { authorizationOf } from '../authenticate/testing/s3-signer.ts'
import type { Region } from '../base/ids.ts'
import type { AccessKey } from '../operator/accounts.ts'
import type { BodyStream, HttpRequest, IncomingStream, Reply } from '../wire/protocol.ts'
import type { House } from './house.ts'
import { region as homeRegion } from './house.ts'

export type S3Sending = {
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  /** A text is XML or the like; a stream is sent unsigned. */
  readonly body?: string | Buffer | IncomingStream
  readonly key?: AccessKey & { readonly sessionToken?: string }
  readonly region?: Region
  readonly change?: (request: HttpRequest) => HttpRequest
}

export type S3Answer = {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: Buffer
  readonly text: string
  /** The `<Code>` of a failure. */
  readonly error: string | undefined
  readonly message: string | undefined
  readonly requestId: string
}

/** A signed call of S3 in path style, through the whole pipeline of the house: `path` is `/bucket/key`, not encoded. */
export async function s3Call(
  house: House,
  method: string,
  path: string,
  sending: S3Sending = {},
): Promise<S3Answer> {
  const reply = await new Promise<Reply>((resolve) => {
    const request = s3Request(house, method, path, sending)
    house.pipeline.accept(sending.change?.(request) ?? request, resolve)
  })
  return answerOf(reply)
}

/** The same of a call that has to succeed. */
export async function s3Ok(
  house: House,
  method: string,
  path: string,
  sending?: S3Sending,
): Promise<S3Answer> {
  const answer = await s3Call(house, method, path, sending)
  assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`)
  return answer
}

export function s3Request(
  house: House,
  method: string,
  path: string,
  { query = {}, headers = {}, body = '', key = house.key, region = homeRegion }: S3Sending,
): HttpRequest {
  const timestamp = new Date(house.clock.now()).toISOString().replace(/[-:]|\.\d{3}/g, '')
  const bytes = typeof body === 'string' ? Buffer.from(body) : body
  const contentSha256 = Buffer.isBuffer(bytes)
    ? createHash('sha256').update(bytes).digest('hex')
    : 'UNSIGNED-PAYLOAD'
  const token = (key as { sessionToken?: string }).sessionToken
  const all: Record<string, string> = {
    host: 's3.test',
    'x-amz-date': timestamp,
    'x-amz-content-sha256': contentSha256,
    ...(token === undefined ? {} : { 'x-amz-security-token': token }),
    ...headers,
  }
  const encodedPath = path.split('/').map(encoded).join('/')
  const { accessKeyId, secretAccessKey: secret } = key
  const signing = { accessKeyId, secret, region, service: 's3', timestamp }
  const authorization = authorizationOf(
    { method, path: encodedPath, query, headers: all, contentSha256 },
    signing,
  )
  const parameters = Object.entries(query).map(([name, value]) =>
    value === '' ? encoded(name) : `${encoded(name)}=${encoded(value)}`,
  )
  const rawHeaders = Object.entries({ ...all, authorization }).flat()
  const length = bytes.length
  if (method === 'PUT' || method === 'POST') rawHeaders.push('content-length', String(length))
  return {
    method,
    target: parameters.length === 0 ? encodedPath : `${encodedPath}?${parameters.join('&')}`,
    rawHeaders,
    body: Buffer.alloc(0),
    stream: Buffer.isBuffer(bytes) ? streamOf(bytes) : bytes,
    remoteAddress: '127.0.0.1',
  }
}

function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** In pieces that are overwritten as those of the listener are. */
export function streamOf(bytes: Buffer, pieceBytes = 64 * 1024): IncomingStream {
  return {
    length: bytes.length,
    async *[Symbol.asyncIterator]() {
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        const piece = Buffer.from(bytes.subarray(at, at + pieceBytes))
        yield piece
        piece.fill(0)
      }
    },
  }
}

async function answerOf({ status, headers, body }: Reply): Promise<S3Answer> {
  const bytes = await gathered(body)
  const text = bytes.toString('utf8')
  const named = new Map<string, string>()
  for (let at = 0; at < headers.length; at += 2) {
    named.set((headers[at] ?? '').toLowerCase(), headers[at + 1] ?? '')
  }
  return {
    status,
    headers: named,
    body: bytes,
    text,
    error: status < 300 ? undefined : /<Code>([^<]*)<\/Code>/.exec(text)?.[1],
    message: status < 300 ? undefined : /<Message>([^<]*)<\/Message>/.exec(text)?.[1],
    requestId: named.get('x-amz-request-id') ?? '',
  }
}

async function gathered(body: string | Buffer | BodyStream): Promise<Buffer> {
  if (typeof body === 'string') return Buffer.from(body, 'latin1')
  if (Buffer.isBuffer(body)) return Buffer.from(body)
  const pieces: Buffer[] = []
  for await (const piece of body) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}
