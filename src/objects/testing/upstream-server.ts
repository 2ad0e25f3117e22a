import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signS3 } from '../../authenticate/testing/s3-signer.ts'

/**
 * What becomes of a request instead of its answer: `reset` breaks before anything is done, `lost` behind it, `short`
 * and `hang` in the middle of the answer's body, or without one; `half` says that all is well and has only half.
 */
export type UpstreamFault = number | 'reset' | 'lost' | 'short' | 'hang' | 'half'

export type UpstreamRequest = {
  readonly method: string
  /** Decoded, without the bucket. */
  readonly key: string
  readonly query: URLSearchParams
}

export const upstreamBucket = 'bodies'
export const upstreamKey = {
  accessKeyId: 'UPSTREAMKEY',
  secret: 'a secret of the upstream',
  region: 'here-1',
}

type Upload = { readonly key: string; readonly parts: Map<number, Buffer> }

/** An S3 engine in memory with one bucket: the least that the store needs, and strict about it. */
export class UpstreamServer {
  readonly bucket = upstreamBucket
  readonly objects = new Map<string, Buffer>()
  readonly uploads = new Map<string, Upload>()
  readonly requests: UpstreamRequest[] = []
  fault: (request: UpstreamRequest) => UpstreamFault | undefined = () => undefined
  readonly #server: Server

  constructor() {
    this.#server = createServer({ keepAliveTimeout: 1000 }, (request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!response.destroyed) response.destroy(error instanceof Error ? error : undefined)
      })
    })
  }

  async start(): Promise<this> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return this
  }

  get endpoint(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}`
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', 'http://upstream')
    const [, first, ...rest] = url.pathname.split('/')
    const asked = { method: request.method ?? '', key: rest.join('/'), query: url.searchParams }
    this.requests.push(asked)
    const fault = this.fault(asked)
    if (fault === 'reset') return void request.socket.destroy()
    const pieces: Buffer[] = []
    for await (const piece of request) pieces.push(piece)
    const body = Buffer.concat(pieces)
    if (typeof fault === 'number') return refuse(response, fault, `Status${fault}`)
    const wrong = wrongSignature(request, url, body)
    if (wrong !== undefined) return refuse(response, 403, wrong)
    if (first !== upstreamBucket) return refuse(response, 404, 'NoSuchBucket')
    const answer = this.#answer(asked, request, body)
    if (fault === 'lost') return void request.socket.destroy()
    deliver(response, asked.method, answer, fault)
  }

  #answer(asked: UpstreamRequest, request: IncomingMessage, body: Buffer): Answer {
    const { method, key, query } = asked
    const uploadId = query.get('uploadId')
    if (method === 'GET' && key === '') {
      return query.has('uploads') ? this.#listUploads(query) : this.#list(query)
    }
    if (method === 'POST' && query.has('uploads')) {
      const id = randomBytes(8).toString('hex')
      this.uploads.set(id, { key, parts: new Map() })
      return { status: 200, body: xml(`<I><UploadId>${id}</UploadId></I>`) }
    }
    if (uploadId !== null) return this.#withUpload(asked, uploadId, body)
    if (method === 'PUT') {
      this.objects.set(key, body)
      return { status: 200, headers: { etag: etagOf(body) }, body: none }
    }
    if (method === 'DELETE') {
      this.objects.delete(key)
      return { status: 204, body: none }
    }
    const object = this.objects.get(key)
    if (object === undefined) return error(404, 'NoSuchKey')
    return ranged(object, request.headers.range)
  }

  #withUpload({ method, key, query }: UpstreamRequest, id: string, body: Buffer): Answer {
    const upload = this.uploads.get(id)
    if (upload === undefined || upload.key !== key) return error(404, 'NoSuchUpload')
    if (method === 'DELETE') {
      this.uploads.delete(id)
      return { status: 204, body: none }
    }
    if (method === 'PUT') {
      upload.parts.set(Number(query.get('partNumber')), body)
      return { status: 200, headers: { etag: etagOf(body) }, body: none }
    }
    const text = body.toString().replaceAll('&#34;', '"')
    const chosen = [...text.matchAll(/<PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)</g)]
    const parts = chosen.map(([, number, etag]) => {
      const part = upload.parts.get(Number(number))
      return part !== undefined && etagOf(part) === etag ? part : undefined
    })
    const found = parts.filter((part) => part !== undefined)
    if (found.length === 0 || found.length < parts.length) return error(400, 'InvalidPart')
    if (found.slice(0, -1).some(({ length }) => length < 5 * 1024 * 1024)) {
      return error(400, 'EntityTooSmall')
    }
    this.objects.set(key, Buffer.concat(found))
    this.uploads.delete(id)
    return { status: 200, body: xml(`<C><ETag>"x-${found.length}"</ETag></C>`) }
  }

  /** In short pages, so that there are several. */
  #list(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? ''
    const after = query.get('start-after') ?? ''
    const keys = [...this.objects.keys()].sort()
    const all = keys.filter((key) => key.startsWith(prefix) && key > after)
    const shown = all.slice(0, 3).map((key) => `<Contents><Key>${key}</Key></Contents>`)
    const truncated = `<IsTruncated>${all.length > 3}</IsTruncated>`
    return { status: 200, body: xml(`<L>${truncated}${shown.join('')}</L>`) }
  }

  #listUploads(query: URLSearchParams): Answer {
    const prefix = query.get('prefix') ?? ''
    const all = [...this.uploads].filter(([, { key }]) => key.startsWith(prefix))
    const shown = all
      .slice(0, 2)
      .map(([id, { key }]) => `<Upload><Key>${key}</Key><UploadId>${id}</UploadId></Upload>`)
    const truncated = `<IsTruncated>${all.length > 2}</IsTruncated>`
    return { status: 200, body: xml(`<L>${truncated}${shown.join('')}</L>`) }
  }
}

type Answer = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: Buffer
}

const none = Buffer.alloc(0)
const xml = (text: string) => Buffer.from(`<?xml version="1.0" encoding="UTF-8"?>\n${text}`)
const etagOf = (body: Buffer) => `"${createHash('md5').update(body).digest('hex')}"`
const errorBody = (code: string) =>
  xml(`<Error><Code>${code}</Code><Message>It is &quot;so&quot;.</Message></Error>`)
const error = (status: number, code: string): Answer => ({ status, body: errorBody(code) })

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status).end(errorBody(code))
}

function ranged(object: Buffer, range: string | undefined): Answer {
  if (range === undefined) return { status: 200, body: object }
  const [, first = '', last = ''] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
  const body = object.subarray(Number(first), Number(last) + 1)
  if (body.length === 0) return error(416, 'InvalidRange')
  const end = Number(first) + body.length - 1
  return {
    status: 206,
    headers: { 'content-range': `bytes ${first}-${end}/${object.length}` },
    body,
  }
}

function deliver(
  response: ServerResponse,
  method: string,
  answer: Answer,
  fault: UpstreamFault | undefined,
): void {
  const { status, headers = {}, body } = answer
  const sent = fault === 'half' ? body.subarray(0, body.length >> 1) : body
  if (fault === 'hang' && (body.length === 0 || method === 'HEAD')) return
  const length = status === 204 ? {} : { 'content-length': String(sent.length) }
  response.writeHead(status, { ...headers, ...length })
  if (method === 'HEAD' || fault === undefined || fault === 'half') {
    response.end(method === 'HEAD' ? undefined : sent)
    return
  }
  response.write(body.subarray(0, body.length >> 1), () => {
    if (fault === 'short') response.destroy()
  })
  if (body.length === 0 && fault === 'short') response.destroy()
}

/** By an implementation that shares nothing with the store's: the S3 error code, or undefined. */
function wrongSignature(request: IncomingMessage, url: URL, body: Buffer): string | undefined {
  const { authorization = '', 'x-amz-content-sha256': sha256 = '' } = request.headers
  const match = /Credential=([^/]+)\/([^,]+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/.exec(
    authorization,
  )
  const [, accessKeyId = '', scope = '', names = '', signature] = match ?? []
  if (accessKeyId !== upstreamKey.accessKeyId) return 'InvalidAccessKeyId'
  if (!scope.endsWith(`/${upstreamKey.region}/s3/aws4_request`)) {
    return 'AuthorizationHeaderMalformed'
  }
  const headers = Object.fromEntries(
    names.split(';').map((name) => [name, String(request.headers[name] ?? '')]),
  )
  const timestamp = headers['x-amz-date'] ?? ''
  const skew = Math.abs(Date.parse(isoOf(timestamp)) - Date.now())
  if (!(skew < 15 * 60_000)) return 'RequestTimeTooSkewed'
  const expected = signS3(
    {
      ...{ method: request.method ?? '', path: url.pathname, headers },
      ...{ query: Object.fromEntries(url.searchParams), contentSha256: String(sha256) },
    },
    { ...upstreamKey, service: 's3', timestamp },
  )
  if (expected !== signature || !('host' in headers)) return 'SignatureDoesNotMatch'
  const digest = createHash('sha256').update(body).digest('hex')
  return digest === sha256 ? undefined : 'XAmzContentSHA256Mismatch'
}

function isoOf(timestamp: string): string {
  return timestamp.replace(/^(\d{4})(\d\d)(\d\dT\d\d)(\d\d)(\d\dZ)$/, '$1-$2-$3:$4:$5')
}
