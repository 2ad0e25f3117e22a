import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HttpRequest } from '../wire/protocol.ts'
import type { Exchange } from './exchange.ts'
import type { Limits } from './limits.ts'
import type { Source } from './sources.ts'

/** One connection: its requests that were not answered to the end yet, in order, and how long it has had none. */
export class Connection {
  readonly socket: Socket
  readonly remoteAddress: string
  readonly source: Source
  readonly tls: HttpRequest['tls']
  readonly exchanges = new Set<Exchange>()
  /** Nothing more is read from it; it is closed after the answers that are still due. */
  closing = false
  /** The last request that came. */
  newest: Exchange | undefined
  #idleSince: number

  constructor(socket: Socket, source: Source, tick: number) {
    this.socket = socket
    this.source = source
    this.remoteAddress = socket.remoteAddress ?? ''
    this.tls =
      socket instanceof TLSSocket
        ? { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name }
        : undefined
    this.#idleSince = tick
  }

  begin(exchange: Exchange): void {
    this.exchanges.add(exchange)
    this.newest = exchange
  }

  end(exchange: Exchange, tick: number): void {
    this.exchanges.delete(exchange)
    this.#idleSince = tick
    if (this.closing && this.exchanges.size === 0) this.socket.destroySoon()
  }

  /** Takes no more requests. Those that were accepted are still answered. */
  stopReading(tick: number): void {
    this.closing = true
    this.#idleSince = tick
    this.socket.pause()
  }

  /** Whether the client has let a deadline pass. `tick` counts sweeps of `sweepMs`. */
  isOverdue(tick: number, sweepMs: number, limits: Limits): boolean {
    for (const exchange of this.exchanges) {
      // While an answer is being made, the client is not to blame, nor for the answers behind it.
      if (exchange.state === 'answering') return false
      if (exchange.isOverdue(tick, sweepMs)) return true
    }
    if (this.exchanges.size > 0) return false
    const idleMs = (tick - this.#idleSince) * sweepMs
    // All was said. Of a connection that is not read, and that the client has reset, TLS may never report the end.
    if (this.closing) return idleMs > 2 * sweepMs
    if (this.newest !== undefined) return idleMs > limits.keepAliveMs
    // Headers that come too slowly are node's to refuse, which it does with an answer: it goes first.
    return idleMs > limits.headerMs + 2 * sweepMs
  }
}
