import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { headOf, inOnePiece } from './answer.ts'
import { type Awaited, Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { Outbox } from './outbox.ts'
import { refusalReply } from './refusal-replies.ts'
import { bodyTooLarge, failed, overloaded } from './refusals.ts'
import type { RequestHead } from './request-head.ts'
import { RequestParser } from './request-parser.ts'
import { Share } from './share.ts'
import type { Shared } from './shared.ts'
import type { Source } from './sources.ts'

/**
 * What a client still sends when all was said is read and dropped, so that it can read why it was refused (a
 * connection that is closed with bytes unread is reset, and takes the answer with it), up to this many bodies.
 */
const discardedBodiesMax = 8
const continueAnswer = 'HTTP/1.1 100 Continue\r\n\r\n'

/**
 * One connection: cuts what comes into requests, hands them over, and sends the answers in the order of the requests,
 * each in one write.
 *
 * It wipes what may hold a secret: bodies of requests, wherever pieces of them were, and replies of bytes. What node
 * and TLS keep of what they read and write is out of reach.
 */
export class Connection {
  readonly #socket: Socket
  readonly #shared: Shared
  readonly #share: Share
  readonly #deadlines: Deadlines
  readonly #remoteAddress: string
  readonly #tls: HttpRequest['tls']
  readonly #parser: RequestParser
  /** Requests that were not answered yet, in order. The last may still be coming. */
  #queue: Exchange[] = []
  readonly #outbox: Outbox
  /** What is counted of the body that is coming. */
  #counted = 0
  /** It takes no more requests. It ends behind the answers that are due. */
  #closing = false
  /** All was said, so far as this side goes. */
  #ended = false
  /** The client does not take its answers, so its requests are not read. */
  #held = false
  #discarded = 0

  constructor(socket: Socket, source: Source, shared: Shared) {
    this.#socket = socket
    this.#share = new Share(shared, source)
    this.#deadlines = new Deadlines(shared.limits, shared.tick)
    this.#shared = shared
    this.#parser = new RequestParser(shared.limits)
    this.#outbox = new Outbox(socket, shared.tick)
    this.#remoteAddress = socket.remoteAddress ?? ''
    this.#tls =
      socket instanceof TLSSocket
        ? { version: socket.getProtocol() ?? '', cipher: socket.getCipher().name }
        : undefined
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.#clientEnded())
    socket.on('drain', () => this.#drained())
    socket.on('close', () => this.#closed())
  }

  /** Closes it unless there is something to answer; then it closes behind that. */
  drain(): void {
    if (this.#closing || this.#queue.length > 0 || this.#parser.isWithin || this.#held) return
    this.#stop()
    if (this.#outbox.isEmpty) this.#socket.destroy()
    else this.#end()
  }

  /** Looks at the deadlines. `tick` counts sweeps of `sweepMs`. */
  sweep(tick: number, sweepMs: number): void {
    const untakenMs = (tick - this.#outbox.untakenSince(tick)) * sweepMs
    if (untakenMs > this.#shared.limits.writeMs) {
      this.#socket.destroy()
      return
    }
    if (this.#ended && !this.#outbox.isEmpty) this.#deadlines.ended(tick)
    const awaited = this.#awaited()
    if (!this.#deadlines.isPast(awaited, tick, sweepMs)) return
    if (awaited === 'head' || awaited === 'body') this.#break(refusalReply(408))
    else this.#socket.destroy()
  }

  #awaited(): Awaited {
    if (this.#ended) return 'close'
    if (this.#closing || this.#held) return 'nothing'
    if (this.#deadlines.isWithin) {
      return this.#queue.at(-1)?.state === 'receiving' ? 'body' : 'head'
    }
    return this.#queue.length === 0 ? 'request' : 'nothing'
  }

  #take(chunk: Buffer): void {
    if (this.#closing) {
      chunk.fill(0)
      this.#discarded += chunk.length
      const { bodyBytes } = this.#shared.limits
      if (this.#discarded > bodyBytes * discardedBodiesMax) this.#socket.destroy()
      return
    }
    this.#deadlines.heard(this.#shared.tick)
    this.#parser.feed(chunk)
    this.#proceed()
  }

  #proceed(): void {
    while (!this.#closing) {
      if (this.#socket.writableNeedDrain) {
        this.#held = true
        this.#socket.pause()
        return
      }
      switch (this.#parser.next()) {
        case 'more':
          this.#await()
          return
        case 'head':
          this.#begin(this.#parser.head)
          break
        case 'body':
          this.#complete()
          break
        case 'refused':
          this.#break(refusalReply(this.#parser.refusal))
      }
    }
  }

  #drained(): void {
    if (!this.#held) return
    this.#held = false
    const { tick, draining } = this.#shared
    this.#deadlines.resume(tick)
    this.#proceed()
    if (this.#held) return
    this.#socket.resume()
    if (draining) this.drain()
  }

  /** All that came is used up. */
  #await(): void {
    if (!this.#parser.isWithin) {
      this.#deadlines.between()
      return
    }
    this.#deadlines.within(this.#shared.tick)
    const more = this.#parser.held - this.#counted
    if (more === 0) return
    this.#counted += more
    this.#share.count(more)
    if (this.#share.isExceeded) this.#refuse(overloaded)
  }

  #begin(head: RequestHead): void {
    const { limits } = this.#shared
    this.#deadlines.within(this.#shared.tick)
    const exchange = new Exchange(head)
    this.#queue.push(exchange)
    if (this.#queue.length > limits.pipelined) {
      this.#refuse(overloaded)
      return
    }
    const unsignedMax = Math.min(limits.unsignedBodyBytes, limits.bodyBytes)
    if (head.contentLength > (head.signed ? limits.bodyBytes : unsignedMax)) {
      this.#refuse(bodyTooLarge)
      return
    }
    // Who sends the body without waiting needs no telling.
    if (!head.expectsContinue || head.contentLength === 0 || this.#parser.hasInput) return
    exchange.owesContinue = true
    this.#continue()
  }

  #continue(): void {
    const first = this.#queue[0]
    if (first?.owesContinue !== true) return
    first.owesContinue = false
    if (first.state === 'receiving') this.#outbox.write(continueAnswer)
  }

  #complete(): void {
    const exchange = this.#queue.at(-1)
    if (exchange?.head === undefined) return
    const { head } = exchange
    exchange.body = this.#parser.takeBody()
    exchange.buffered = exchange.body.length
    this.#share.count(exchange.buffered - this.#counted)
    this.#counted = 0
    this.#deadlines.served()
    if (this.#share.isExceeded) {
      this.#refuse(overloaded)
      return
    }
    if (head.close) this.#stop()
    exchange.state = 'answering'
    if (head.target === '/health' && (head.method === 'GET' || head.method === 'HEAD')) {
      this.#answer(exchange, this.#shared.health())
    } else this.#handOver(exchange, head)
  }

  #handOver(exchange: Exchange, { method, target, rawHeaders }: RequestHead): void {
    const { body } = exchange
    const remoteAddress = this.#remoteAddress
    const request: HttpRequest =
      this.#tls === undefined
        ? { method, target, rawHeaders, body, remoteAddress }
        : { method, target, rawHeaders, body, remoteAddress, tls: this.#tls }
    try {
      this.#shared.onRequest(request, (reply) => this.#answer(exchange, reply))
    } catch (error) {
      this.#shared.log(
        `the pipeline threw: ${error instanceof Error ? error.stack : String(error)}`,
      )
      if (exchange.state !== 'answering') return
      this.#stop()
      this.#answer(exchange, failed)
    }
  }

  /** Called once for each request that was handed over, at any time, whatever became of the connection. */
  #answer(exchange: Exchange, reply: Reply): void {
    if (exchange.state !== 'answering' && exchange.state !== 'gone') {
      throw new Error('a request is answered once')
    }
    exchange.answer = reply
    if (exchange.state === 'gone') {
      this.#dismiss(exchange)
      return
    }
    exchange.state = 'ready'
    if (this.#queue[0] === exchange) this.#flush()
  }

  /** Answers the request that is coming instead of taking it. */
  #refuse(reply: Reply): void {
    const exchange = this.#queue.at(-1)
    this.#stop()
    if (exchange === undefined) return
    exchange.answer = reply
    exchange.state = 'ready'
    this.#flush()
  }

  /** What came is no request, or not in time. Where answers are due, the connection ends behind those. */
  #break(reply: Reply): void {
    this.#dropReceiving()
    if (this.#queue.length > 0) {
      this.#stop()
      return
    }
    this.#queue.push(new Exchange(undefined))
    this.#refuse(reply)
  }

  #clientEnded(): void {
    this.#dropReceiving()
    this.#stop()
    if (this.#queue.length === 0) this.#end()
  }

  #dropReceiving(): void {
    if (this.#queue.at(-1)?.state === 'receiving') this.#queue.pop()?.wipe()
  }

  /** Takes no more requests. What came of one is wiped, and what comes from here on. */
  #stop(): void {
    if (this.#closing) return
    this.#closing = true
    this.#share.count(-this.#counted)
    this.#counted = 0
    this.#parser.wipe()
    if (this.#held) this.#socket.resume()
    this.#held = false
  }

  #flush(): void {
    for (let first = this.#queue[0]; first?.state === 'ready'; first = this.#queue[0]) {
      this.#queue.shift()
      this.#send(first)
    }
    if (this.#queue.length > 0) {
      this.#continue()
      return
    }
    this.#deadlines.idle(this.#shared.tick)
    if (this.#closing) this.#end()
  }

  #send(exchange: Exchange): void {
    const reply = exchange.answer
    if (reply === undefined || this.#socket.destroyed) {
      this.#dismiss(exchange)
      return
    }
    if (this.#isToBeClosedBehind(exchange)) this.#stop()
    const last = this.#closing && this.#queue.length === 0
    let head: string
    try {
      head = headOf(reply, this.#shared.date.value(), last)
    } catch (error) {
      this.#shared.log(`an answer cannot be sent: ${String(error)}`)
      this.#dismiss(exchange)
      this.#stop()
      this.#socket.destroy()
      return
    }
    // RFC 9110 §9.3.2: an answer to HEAD says how long it would be, and ends there.
    const body = exchange.head?.method === 'HEAD' ? '' : reply.body
    if (typeof body === 'string') this.#outbox.write(head + body)
    else this.#outbox.writeSecret(inOnePiece(head, body))
    this.#dismiss(exchange)
  }

  /** Whoever asks for health, or cannot sign, does not keep a connection from those who can. */
  #isToBeClosedBehind({ head }: Exchange): boolean {
    if (this.#queue.length > 0 || this.#parser.hasInput) return false
    const { draining, connections, limits } = this.#shared
    return draining || (head?.signed !== true && connections > limits.connectionsKeptUnsigned)
  }

  #dismiss(exchange: Exchange): void {
    this.#share.count(-exchange.buffered)
    exchange.buffered = 0
    exchange.wipe()
  }

  #end(): void {
    if (this.#ended) return
    this.#ended = true
    this.#deadlines.ended(this.#shared.tick)
    this.#socket.end()
  }

  #closed(): void {
    this.#stop()
    for (const exchange of this.#queue) {
      exchange.abandon()
      if (exchange.state === 'over') this.#dismiss(exchange)
    }
    this.#queue = []
    this.#outbox.wipe()
  }
}
