import type { IncomingMessage, ServerResponse } from 'node:http'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import type { Connection } from './connection.ts'
import type { Limits } from './limits.ts'
import { bodyTooLarge, failed, overloaded } from './refusals.ts'
import type { Shared } from './shared.ts'

const noBody = Buffer.alloc(0)
/**
 * A body that is too large is read to its end, so that the client can read why it was refused (a client that is still
 * sending when the connection closes may see nothing but the reset), unless it is larger than this many bodies.
 */
const discardedBodiesMax = 8

/**
 * One request and its answer: gathers the body, hands the request over, sends the reply, and wipes what may hold
 * a secret: the request's body, and a reply's body of bytes.
 *
 * Copies that node's HTTP parser and TLS keep of what they read are out of reach and are not wiped.
 */
export class Exchange {
  /** `gone`: handed over, but the client has left since. */
  state: 'receiving' | 'answering' | 'gone' | 'sending' | 'over' = 'receiving'
  readonly #shared: Shared
  readonly #connection: Connection
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  #chunks: Buffer[] = []
  #received = 0
  #refusal: Reply | undefined
  /** What counts against the bodies of all requests together. */
  #buffered = 0
  #body: Buffer = noBody
  #replyBody: Buffer | undefined
  readonly #signed: boolean
  readonly #bodyBytesMax: number
  #began: number
  #lastTick: number

  constructor(
    shared: Shared,
    connection: Connection,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#shared = shared
    this.#connection = connection
    this.#request = request
    this.#response = response
    this.#signed = isSigned(request)
    this.#bodyBytesMax = bodyBytesMax(request, shared.limits)
    this.#began = shared.tick
    this.#lastTick = shared.tick
    response.sendDate = false
  }

  receive(): void {
    this.#request.on('data', (chunk: Buffer) => this.#take(chunk))
    this.#request.on('end', () => this.#complete())
  }

  /** Whether the request has come to its end, though not all of it may have been looked at. */
  get isWhole(): boolean {
    return this.#request.complete
  }

  isOverdue(tick: number, sweepMs: number): boolean {
    const { requestMs, bodyIdleMs, writeMs } = this.#shared.limits
    const lastMs = (tick - this.#lastTick) * sweepMs
    if (this.state === 'sending') return lastMs > writeMs
    return lastMs > bodyIdleMs || (tick - this.#began) * sweepMs > requestMs
  }

  /** Answers instead of handing the request over, and closes the connection then. */
  refuse(reply: Reply): void {
    this.#release()
    this.#connection.stopReading(this.#shared.tick)
    this.state = 'answering'
    this.reply(reply)
  }

  /** Called once for each request that was handed over, at any time, whatever became of the connection. */
  reply(reply: Reply): void {
    if (this.state !== 'answering' && this.state !== 'gone') {
      throw new Error('a request is answered once')
    }
    if (this.state === 'gone' || this.#connection.socket.destroyed) {
      this.state = 'over'
      if (typeof reply.body !== 'string') reply.body.fill(0)
      this.#release()
      return
    }
    this.state = 'sending'
    this.#lastTick = this.#shared.tick
    this.#send(reply)
    if (this.#response.writableFinished) this.#finish()
    else this.#response.once('finish', () => this.#finish())
  }

  /** The connection is gone. A request that was handed over keeps its body until it is answered. */
  abandon(): void {
    if (this.state === 'answering') this.state = 'gone'
    else {
      this.state = 'over'
      this.#release()
    }
  }

  #take(chunk: Buffer): void {
    const { limits } = this.#shared
    this.#received += chunk.length
    this.#lastTick = this.#shared.tick
    if (this.state !== 'receiving' || this.#refusal !== undefined) {
      chunk.fill(0)
      if (this.state !== 'receiving') return
      if (this.#received > limits.bodyBytes * discardedBodiesMax) this.refuse(bodyTooLarge)
      return
    }
    this.#chunks.push(chunk)
    this.#count(chunk.length)
    if (this.#received > this.#bodyBytesMax) this.#refusal = bodyTooLarge
    else if (this.#isBeyondShare()) this.#refusal = overloaded
    if (this.#refusal !== undefined) this.#release()
  }

  #count(bytes: number): void {
    this.#buffered += bytes
    this.#shared.bufferedBytes += bytes
    this.#connection.source.bufferedBytes += bytes
  }

  #isBeyondShare(): boolean {
    const { limits, bufferedBytes } = this.#shared
    const { source } = this.#connection
    if (source.limited && source.bufferedBytes > limits.bufferedBytesPerAddress) return true
    return bufferedBytes > limits.bufferedBytes
  }

  #complete(): void {
    if (this.state !== 'receiving') return
    if (this.#refusal !== undefined) {
      this.refuse(this.#refusal)
      return
    }
    this.#body = this.#joined()
    this.state = 'answering'
    const { method = '', url = '' } = this.#request
    if (url === '/health' && (method === 'GET' || method === 'HEAD')) {
      this.reply(this.#shared.health())
    } else this.#handOver(method, url)
  }

  #handOver(method: string, url: string): void {
    try {
      this.#shared.onRequest(this.#handedOver(method, url), (reply) => this.reply(reply))
    } catch (error) {
      this.#shared.log(
        `the pipeline threw: ${error instanceof Error ? error.stack : String(error)}`,
      )
      if (this.state === 'answering') this.refuse(failed)
    }
  }

  #handedOver(method: string, target: string): HttpRequest {
    const { remoteAddress, tls } = this.#connection
    const { rawHeaders } = this.#request
    const request = { method, target, rawHeaders, body: this.#body, remoteAddress }
    return tls === undefined ? request : { ...request, tls }
  }

  /** A body that came in one piece, as almost all do, is not copied. */
  #joined(): Buffer {
    const chunks = this.#chunks
    this.#chunks = []
    if (chunks.length <= 1) return chunks[0] ?? noBody
    const body = Buffer.concat(chunks, this.#received)
    for (const chunk of chunks) chunk.fill(0)
    return body
  }

  #send({ status, headers, body }: Reply): void {
    if (this.#isUnwelcome()) this.#connection.stopReading(this.#shared.tick)
    const all = headers.slice()
    all.push('Date', this.#shared.date.value())
    if (this.#isLast()) all.push('Connection', 'close')
    this.#response.writeHead(status, all)
    if (typeof body === 'string') {
      this.#response.end(body, 'latin1')
      this.#release()
    } else {
      this.#replyBody = body
      this.#response.end(body)
    }
  }

  /** Node closes the connection behind an answer that says so, so no other one may be due. */
  #isLast(): boolean {
    const { closing, newest } = this.#connection
    return (closing || this.#shared.draining) && newest === this
  }

  /** Whoever asks for health, or cannot sign, does not keep a connection from those who can. */
  #isUnwelcome(): boolean {
    const { connections, limits } = this.#shared
    if (this.#signed || this.#connection.newest !== this) return false
    return connections > limits.connectionsKeptUnsigned
  }

  #finish(): void {
    if (this.state !== 'sending') return
    this.state = 'over'
    this.#release()
    this.#connection.end(this, this.#shared.tick)
  }

  #release(): void {
    for (const chunk of this.#chunks) chunk.fill(0)
    this.#chunks = []
    this.#body.fill(0)
    this.#body = noBody
    this.#replyBody?.fill(0)
    this.#replyBody = undefined
    this.#count(-this.#buffered)
  }
}

/** Whether it carries what may prove to be a signature. */
function isSigned(request: IncomingMessage): boolean {
  return request.headers.authorization !== undefined
}

export function bodyBytesMax(request: IncomingMessage, limits: Limits): number {
  if (isSigned(request)) return limits.bodyBytes
  return Math.min(limits.unsignedBodyBytes, limits.bodyBytes)
}
