import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Clock } from '../base/clock.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { endpointOf, peerOf, requireTlsBeyondLoopback } from './address.ts'
import { Connection } from './connection.ts'
import { DateHeader } from './date-header.ts'
import { defaultLimits, type Limits, sweepMsOf } from './limits.ts'
import type { RequestHead } from './request-head.ts'
import { type Certificate, createConnectionServer } from './server.ts'
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
  /** Called for each request that is complete, or of which the head is, if it streams. `reply` is called once. */
  readonly onRequest: (request: HttpRequest, reply: (reply: Reply) => void) => void
  /** Tells from the head of a request whether it is handed over before its body has come: as a stream. */
  readonly streams?: (head: RequestHead) => boolean
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
      streams: options.streams ?? (() => false),
      health: () => healthReply(options.health()),
      log: options.log,
      tick: 0,
      bufferedBytes: 0,
      connections: 0,
      draining: false,
    }
    this.#scheme = options.tls === undefined ? 'http' : 'https'
    this.#server = createConnectionServer(limits, options.tls)
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
    this.#server.close()
    for (const connection of this.#connections.values()) connection.drain()
    const deadline = setTimeout(() => {
      for (const socket of this.#sockets) socket.destroy()
    }, this.#shared.limits.drainMs)
    await closed
    // The server counts a socket as closed before the socket says so, and before its secrets are wiped.
    await Promise.all([...this.#sockets, ...this.#connections.keys()].map(closeOf))
    clearTimeout(deadline)
    clearInterval(this.#sweeper)
  }

  #attach(): void {
    const server = this.#server
    server.on('connection', (socket: Socket) => this.#accepted(socket))
    server.on('secureConnection', (socket: Socket) => {
      outliveReset(socket)
      this.#connected(socket, peerOf(socket))
    })
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy())
    server.on('error', (error) => this.#shared.log(`listener: ${error.message}`))
  }

  #accepted(socket: Socket): void {
    outliveReset(socket)
    const address = peerOf(socket)
    if (address === undefined) {
      socket.destroy()
      return
    }
    const source = this.#sources.of(address)
    this.#sockets.add(socket)
    source.connections++
    socket.once('close', () => {
      this.#sockets.delete(socket)
      source.connections--
    })
    const { connectionsPerAddress } = this.#shared.limits
    if (source.limited && source.connections > connectionsPerAddress) socket.destroy()
    else if (this.#scheme === 'http') this.#connected(socket, address)
  }

  /** Ready for requests. Who sent them must be known: policies decide by it, and the record tells it. */
  #connected(socket: Socket, address: string | undefined): void {
    // A handshake may end when it is too late for requests.
    if (this.#shared.draining || address === undefined) socket.destroy()
    if (socket.destroyed || address === undefined) return
    const source = this.#sources.of(address)
    this.#connections.set(socket, new Connection(socket, address, source, this.#shared))
    this.#shared.connections++
    socket.once('close', () => {
      this.#connections.delete(socket)
      this.#shared.connections--
    })
  }

  #sweep(): void {
    const tick = ++this.#shared.tick
    this.#sources.forgetIdle()
    for (const connection of this.#connections.values()) connection.sweep(tick, this.#sweepMs)
  }
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()))
}

/** An error that nobody listens to would end the process, and any client can cause one, at any moment. */
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
