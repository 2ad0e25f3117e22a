import { once } from 'node:events'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { endpointOf, requireTlsBeyondLoopback } from './address.ts'
import { Connection } from './connection.ts'
import { DateHeader } from './date-header.ts'
import { bodyBytesMax, Exchange } from './exchange.ts'
import { defaultLimits, type Limits, sweepMsOf } from './limits.ts'
import { bareAnswer, bodyTooLarge, headersTooLarge, overloaded, statusOf } from './refusals.ts'
import { type Certificate, createHttpServer } from './server.ts'
import type { Shared } from './shared.ts'
import { Sources } from './sources.ts'

export type ListenerOptions = {
  readonly host: string
  /** 0 picks a free one. */
  readonly port: number
  /** PEM. With it, TLS 1.3 and nothing older is spoken. */
  readonly tls?: Certificate | undefined
  /** Allows to listen beyond loopback without TLS. */
  readonly insecurePlaintext: boolean
  readonly limits?: Partial<Limits>
  /** Called for each complete request, as it comes. `reply` is called once, then or later. */
  readonly onRequest: (request: HttpRequest, reply: (reply: Reply) => void) => void
  /** The answer to `GET /health`, which needs no signature: JSON, in ASCII. */
  readonly health: () => { readonly status: 200 | 503; readonly body: string }
  readonly clock: Clock
  /** Tells the operator what went wrong here. */
  readonly log: (line: string) => void
}

export type Listener = {
  /** As in `https://127.0.0.1:7781`. */
  readonly endpoint: string
  readonly port: number
  /** Open connections. */
  readonly connections: number
  /**
   * Stops accepting, closes idle connections, lets requests in flight be answered and resolves when the last
   * connection is closed, at the latest after `limits.drainMs`.
   */
  drain(): Promise<void>
}

/**
 * Listens for HTTP/1.1, or HTTPS with TLS 1.3, and gathers complete requests. Rejects when the address cannot be
 * bound, when the certificate does not fit, and when the address is not loopback and there is no TLS.
 */
export async function startListener(options: ListenerOptions): Promise<Listener> {
  const plaintext = options.tls === undefined && !options.insecurePlaintext
  // A name is bound first, since only then it is known what it stands for; nothing is accepted in between.
  if (plaintext && options.host !== 'localhost') requireTlsBeyondLoopback(options.host)
  const listening = new HttpListener(options)
  await listening.listen(options.host, options.port)
  if (plaintext) {
    try {
      requireTlsBeyondLoopback(listening.address)
    } catch (error) {
      await listening.drain()
      throw error
    }
  }
  return listening
}

class HttpListener implements Listener {
  readonly #shared: Shared
  readonly #server: Server
  readonly #scheme: 'http' | 'https'
  readonly #connections = new Map<Socket, Connection>()
  /** Every socket that was accepted, those in a TLS handshake included. */
  readonly #sockets = new Set<Socket>()
  readonly #sources: Sources
  readonly #sweepMs: number
  readonly #sweeper: NodeJS.Timeout
  #host = ''
  #bound: AddressInfo = { address: '', family: '', port: 0 }
  #drained: Promise<void> | undefined

  constructor(options: ListenerOptions) {
    const limits = { ...defaultLimits, ...options.limits }
    this.#sweepMs = sweepMsOf(limits)
    this.#sources = new Sources(limits.limitLoopback)
    this.#shared = {
      limits,
      date: new DateHeader(options.clock),
      onRequest: options.onRequest,
      health: () => healthReply(options.health()),
      log: options.log,
      tick: 0,
      bufferedBytes: 0,
      connections: 0,
      draining: false,
    }
    this.#scheme = options.tls === undefined ? 'http' : 'https'
    this.#server = createHttpServer(limits, this.#sweepMs, options.tls)
    this.#attach()
    this.#sweeper = setInterval(() => this.#sweep(), this.#sweepMs)
    this.#sweeper.unref()
  }

  /** The address that was bound, where a name was asked for. */
  get address(): string {
    return this.#bound.address
  }

  get port(): number {
    return this.#bound.port
  }

  get endpoint(): string {
    return endpointOf(this.#scheme, this.#host, this.port)
  }

  get connections(): number {
    return this.#connections.size
  }

  async listen(host: string, port: number): Promise<void> {
    this.#host = host
    try {
      this.#server.listen({ host, port })
      await once(this.#server, 'listening')
      this.#bound = this.#server.address() as AddressInfo
    } catch (error) {
      clearInterval(this.#sweeper)
      throw error
    }
  }

  drain(): Promise<void> {
    this.#drained ??= this.#drain()
    return this.#drained
  }

  async #drain(): Promise<void> {
    this.#shared.draining = true
    const closed = once(this.#server, 'close')
    // Closes idle connections as well.
    this.#server.close()
    const deadline = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, this.#shared.limits.drainMs)
    await closed
    clearTimeout(deadline)
    clearInterval(this.#sweeper)
  }

  #attach(): void {
    const server = this.#server
    server.on('connection', (socket: Socket) => this.#accepted(socket))
    const ready = this.#scheme === 'http' ? 'connection' : 'secureConnection'
    server.on(ready, (socket: Socket) => this.#connected(socket))
    server.on('request', (request, response) => this.#requested(request, response, false))
    server.on('checkContinue', (request, response) => this.#requested(request, response, true))
    server.on('connect', (_request, socket) => this.#endWith(405, socket as Socket))
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      this.#broken(error, socket as Socket)
    })
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
    server.on('error', (error) => this.#shared.log(`listener: ${error.message}`))
  }

  #accepted(socket: Socket): void {
    outliveReset(socket)
    const source = this.#sources.of(socket.remoteAddress ?? '')
    this.#sockets.add(socket)
    source.connections++
    socket.once('close', () => {
      this.#sockets.delete(socket)
      source.connections--
    })
    if (source.limited && source.connections > this.#shared.limits.connectionsPerAddress) {
      socket.destroy()
    }
  }

  #connected(socket: Socket): void {
    if (socket.destroyed) return
    outliveReset(socket)
    const source = this.#sources.of(socket.remoteAddress ?? '')
    const connection = new Connection(socket, source, this.#shared.tick)
    this.#connections.set(socket, connection)
    this.#shared.connections++
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#shared.connections--
      for (const exchange of connection.exchanges) exchange.abandon()
      connection.exchanges.clear()
    })
  }

  #requested(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#connections.get(request.socket)
    // What follows a refusal in the same packet is not looked at.
    if (connection === undefined || connection.closing) return
    const refusal = this.#refusalOf(request, connection, expectsContinue)
    const exchange = new Exchange(this.#shared, connection, request, response)
    connection.begin(exchange)
    if (refusal !== undefined) exchange.refuse(refusal)
    else {
      if (expectsContinue) response.writeContinue()
      exchange.receive()
    }
  }

  #refusalOf(
    request: IncomingMessage,
    connection: Connection,
    expectsContinue: boolean,
  ): Reply | undefined {
    const { limits } = this.#shared
    if (connection.exchanges.size >= limits.pipelined) return overloaded
    if (request.rawHeaders.length > limits.headers * 2) return headersTooLarge
    if (!expectsContinue) return undefined
    const length = Number(request.headers['content-length'])
    return length > bodyBytesMax(request, limits) ? bodyTooLarge : undefined
  }

  /** Bytes that are no request, or that do not come in time. Requests before them are still answered. */
  #broken(error: NodeJS.ErrnoException, socket: Socket): void {
    const status = statusOf(error)
    if (status === undefined) socket.destroy()
    else this.#endWith(status, socket)
  }

  /** Says why nothing more is taken from a connection, unless answers are due: then it ends behind those. */
  #endWith(status: number, socket: Socket): void {
    const connection = this.#connections.get(socket)
    if (connection === undefined || !socket.writable) {
      socket.destroy()
      return
    }
    if (connection.closing) return
    connection.stopReading(this.#shared.tick)
    for (const exchange of connection.exchanges) {
      if (exchange.isWhole) continue
      exchange.abandon()
      connection.exchanges.delete(exchange)
    }
    if (connection.exchanges.size > 0) return
    socket.end(bareAnswer(status, this.#shared.date.value()), () => socket.destroy())
  }

  #sweep(): void {
    const tick = ++this.#shared.tick
    this.#sources.forgetIdle()
    for (const connection of this.#connections.values()) {
      if (connection.isOverdue(tick, this.#sweepMs, this.#shared.limits))
        connection.socket.destroy()
    }
  }
}

/**
 * A reset that nobody listens to would end the process: node's own listener is gone from a socket once its connection
 * was handed over with CONNECT, and an answer to it may still fail.
 */
function outliveReset(socket: Socket): void {
  socket.on('error', () => socket.destroy())
}

function healthReply({ status, body }: { status: number; body: string }): Reply {
  const headers = [
    'Content-Type',
    'application/json',
    'Content-Length',
    String(body.length),
    'Cache-Control',
    'no-store',
  ]
  return { status, headers, body }
}
