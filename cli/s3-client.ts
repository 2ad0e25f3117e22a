import * as http from 'node:http'
import * as https from 'node:https'
import { setTimeout as sleep } from 'node:timers/promises'
import { percentEncodedPath } from '../src/base/percent-encoding.ts'
import { canonicalQuery, RequestSigner, sha256Hex } from '../src/base/request-signer.ts'
import { type Element, parseXml } from '../src/wire/rest-xml/xml.ts'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string | undefined
}

export type S3ClientOptions = {
  /** Scheme, host and port alone. */
  readonly endpoint: URL
  readonly region: string
  readonly credentials: AwsCredentials
  /** Connections at most. */
  readonly connections: number
}

type Service = 's3' | 'kms'

/** As it is sent, but for its signature. */
type Unsigned = {
  readonly method: string
  readonly path: string
  readonly query: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer
}

export type S3Request = {
  readonly query?: Readonly<Record<string, string>>
  /** Names in lower case. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export type S3Answer = {
  readonly headers: http.IncomingHttpHeaders
  readonly body: Buffer
}

/** An answer that is an error; `code` is its own, or stands for its status where it has no body. */
export class S3Failure extends Error {
  override readonly name = 'S3Failure'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The service was not reached, or did not answer in time. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

const answerBytesMax = 16 * 1024 * 1024
/** A copy of several gigabytes has no answer before it is done. */
const answerMs = 15 * 60_000
const attempts = 4
const firstPauseMs = 200
const passing = [429, 500, 502, 503, 504]

/** A client of S3 in path style. What may pass by itself is tried again: everything that it is used for may be. */
export class S3Client {
  readonly #options: S3ClientOptions
  readonly #agent: http.Agent
  readonly #signers: Readonly<Record<Service, RequestSigner>>

  constructor(options: S3ClientOptions) {
    this.#options = options
    const { Agent } = options.endpoint.protocol === 'https:' ? https : http
    this.#agent = new Agent({ keepAlive: true, maxSockets: options.connections })
    const { credentials, region } = options
    const signerFor = (service: Service) => {
      const secretAccessKey = Buffer.from(credentials.secretAccessKey)
      return new RequestSigner({ ...credentials, secretAccessKey }, { region, service })
    }
    this.#signers = { s3: signerFor('s3'), kms: signerFor('kms') }
  }

  close(): void {
    this.#agent.destroy()
  }

  /** Throws S3Failure, or Unreachable. */
  bucket(method: string, bucket: string, request: S3Request = {}): Promise<S3Answer> {
    return this.#send('s3', method, `/${bucket}`, request)
  }

  object(method: string, bucket: string, key: string, request: S3Request = {}): Promise<S3Answer> {
    return this.#send('s3', method, objectPath(bucket, key), request)
  }

  /** The answer of an operation of KMS at the same endpoint. */
  async kms(operation: string, input: object): Promise<Readonly<Record<string, unknown>>> {
    const { body } = await this.#send('kms', 'POST', '/', {
      headers: {
        'content-type': 'application/x-amz-json-1.1',
        'x-amz-target': `TrentService.${operation}`,
      },
      body: JSON.stringify(input),
    })
    return JSON.parse(body.toString('utf8')) as Readonly<Record<string, unknown>>
  }

  async #send(
    service: Service,
    method: string,
    path: string,
    { query = {}, headers = {}, body = '' }: S3Request,
  ): Promise<S3Answer> {
    const { host } = this.#options.endpoint
    const bytes = Buffer.from(body, 'utf8')
    const request: Unsigned = {
      ...{ method, path, query: canonicalQuery(query), body: bytes },
      headers: { ...headers, host },
    }
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#once(service, request)
      } catch (error) {
        const mayPass =
          error instanceof Unreachable ||
          (error instanceof S3Failure && passing.includes(error.status))
        if (!mayPass || attempt === attempts) throw error
        await sleep(firstPauseMs * 2 ** attempt)
      }
    }
  }

  async #once(service: Service, request: Unsigned): Promise<S3Answer> {
    const toSign = { ...request, sha256: sha256Hex(request.body) }
    const headers = this.#signers[service].sign(toSign, Date.now())
    const { status, ...answer } = await this.#exchange(request, headers)
    if (status >= 300) throw failureOf(status, answer.body, service)
    // A copy has begun its answer before it is known whether it succeeds.
    const isError = service === 's3' && rootName(answer.body) === 'Error'
    if (isError) throw failureOf(500, answer.body, service)
    return answer
  }

  #exchange(
    { method, path, query, body }: Unsigned,
    headers: Readonly<Record<string, string>>,
  ): Promise<S3Answer & { readonly status: number }> {
    const { endpoint } = this.#options
    const { request } = endpoint.protocol === 'https:' ? https : http
    return new Promise((resolve, reject) => {
      const failed = (error: Error) =>
        reject(new Unreachable(`${endpoint.origin}: ${error.message}`))
      const call = request(
        {
          agent: this.#agent,
          host: endpoint.hostname.replace(/^\[|\]$/g, ''),
          port: endpoint.port,
          method,
          path: query === '' ? path : `${path}?${query}`,
          headers: { ...headers, 'content-length': String(body.length) },
          timeout: answerMs,
        },
        (message) => {
          gather(message).then(
            (bytes) =>
              resolve({ status: message.statusCode ?? 0, headers: message.headers, body: bytes }),
            failed,
          )
        },
      )
      call.on('timeout', () => call.destroy(new Error('no answer in time')))
      call.on('error', failed)
      call.end(body)
    })
  }
}

/** Of a request, and of the header `x-amz-copy-source`. */
export function objectPath(bucket: string, key: string): string {
  return `/${bucket}/${percentEncodedPath(key)}`
}

/** Throws S3Failure for what is no XML. */
export function xmlOf({ body }: Pick<S3Answer, 'body'>): Element {
  try {
    return parseXml(body)
  } catch {
    throw new S3Failure(200, 'NotUnderstood', 'The answer is no XML.')
  }
}

/** The text of a child; undefined: it has none of that name. */
export function textIn(element: Element | undefined, name: string): string | undefined {
  return element?.children.find((child) => child.name === name)?.text
}

async function gather(message: http.IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of message as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > answerBytesMax) throw new Error('an answer that is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

/** An answer without a body, as to HEAD, has no other code. */
const codes: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  403: 'AccessDenied',
  404: 'NoSuchKey',
  412: 'PreconditionFailed',
}

function failureOf(status: number, body: Buffer, service: Service): S3Failure {
  const otherwise = codes[status] ?? `HTTP ${status}`
  if (service === 'kms') {
    const { __type: type = otherwise, message, Message } = jsonOf(body)
    return new S3Failure(status, type, message ?? Message ?? '')
  }
  if (body.length === 0) return new S3Failure(status, otherwise, '')
  const error = xmlOf({ body })
  return new S3Failure(status, textIn(error, 'Code') ?? otherwise, textIn(error, 'Message') ?? '')
}

function jsonOf(body: Buffer): Readonly<Record<string, string | undefined>> {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return {}
  }
}

function rootName(body: Buffer): string | undefined {
  return /^(?:<\?xml[^>]*>)?\s*<(\w+)/.exec(body.toString('latin1', 0, 200))?.[1]
}
