import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { s3Error } from '../base/errors.ts'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { Answers } from './answers.ts'
import { type Awaited, Deadlines } from './deadlines.ts'
import { discard, Exchange } from './exchange.ts'
import { asksForHealth, Intake } from './intake.ts'
import { failed, refusalOf } from './refusals.ts'
import type { RequestHead } from './request-head.ts'
import { Share } from './share.ts'
import type { Shared } from './shared.ts'
import type { Source } from './sources.ts'

/**
 * What a client still sends when all was said is read and dropped, so that it can read why it was refused (a
 * connection that is closed with bytes unread is reset, and takes the answer with it), up to this many bodies.
 */
const discardedBodiesMax = 8

/**
 * One connection, from its first byte to its end: hands over the requests that its intake makes of bytes, and lets its
 * answers go out.
 *
 * What may hold a secret is wiped: bodies of requests, wherever pieces of them were, and replies of bytes. What node
 * and TLS keep of what they read and write is out of reach.
 */
export class Connection {
  readonly #socket: Socket
  readonly #shared: Shared
  readonly #share: Share
  readonly #deadlines: Deadlines
  readonly #remoteAddress: string
  readonly #tls: HttpRequest['tls']
  readonly #intake: Intake
  readonly #answers: Answers
  /**
   * `held`: the client does not take its answers, so its requests are not read. `closing`: no more requests are taken,
   * and it ends behind the answers that are due. `ended`: all was said, so far as this side goes.
   */
  #phase: 'open' | 'held' | 'closing' | 'ended' = 'open'
  #discarded = 0
  /** The exchange that has the connection to itself: what comes behind it waits until it is answered. */
  #streamed: Exchange | undefined
  #proceeding = false

  constructor(socket: Socket, remoteAddress: string, source: Source, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#share = new Share(shared, source)
    this.#deadlines = new Deadlines(shared.limits, shared.tick)
    this.#intake = new Intake(shared, this.#share, this.#deadlines, () => this.#pulled())
    this.#answers = new Answers(socket, shared)
    this.#remoteAddress = remoteAddress
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
    if (this.#phase !== 'open' || this.#answers.due > 0 || this.#intake.isWithin) return
    this.#close()
    if (this.#answers.areTaken) this.#socket.destroy()
    else this.#end()
  }

  /** Looks at the deadlines. `tick` counts sweeps of `sweepMs`. */
  sweep(tick: number, sweepMs: number): void {
    const untakenMs = (tick - this.#answers.untakenSince(tick)) * sweepMs
    if (untakenMs > this.#shared.limits.writeMs) {
      this.#socket.destroy()
      return
    }
    if (this.#phase === 'ended' && !this.#answers.areTaken) this.#deadlines.ended(tick)
    const awaited = this.#awaited()
    // The time in which the client was not waited for is not its own.
    if (this.#streamed !== undefined && awaited === 'nothing') this.#deadlines.streams(tick)
    if (!this.#deadlines.isPast(awaited, tick, sweepMs)) return
    if (awaited === 'stream') this.#streamed?.incoming?.fail(s3Error('RequestTimeout'))
    else if (awaited === 'head' || awaited === 'body') this.#break(refusalOf(408))
    else this.#socket.destroy()
  }

  #awaited(): Awaited {
    if (this.#phase === 'ended') return 'close'
    if (this.#phase !== 'open') return 'nothing'
    if (this.#streamed !== undefined) {
      return this.#streamed.incoming?.isAwaited === true ? 'stream' : 'nothing'
    }
    if (this.#deadlines.isWithin) return this.#intake.isInBody ? 'body' : 'head'
    return this.#answers.due === 0 ? 'request' : 'nothing'
  }

  #take(chunk: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') this.#discard(chunk)
    else {
      this.#intake.feed(chunk)
      if (this.#streamed === undefined) this.#proceed()
      else this.#flow(this.#streamed)
    }
  }

  #discard(chunk: Buffer): void {
    chunk.fill(0)
    this.#deadlines.heard(this.#shared.tick, chunk.length)
    this.#discarded += chunk.length
    const { bodyBytes } = this.#shared.limits
    if (this.#discarded > bodyBytes * discardedBodiesMax) this.#socket.destroy()
  }

  #proceed(): void {
    if (this.#proceeding) return
    this.#proceeding = true
    try {
      this.#takeIn()
    } finally {
      this.#proceeding = false
    }
  }

  #takeIn(): void {
    while (this.#phase === 'open' && this.#streamed === undefined) {
      if (this.#socket.writableNeedDrain) {
        this.#phase = 'held'
        this.#socket.pause()
        return
      }
      switch (this.#intake.next(this.#answers.due)) {
        case 'more':
          this.#continue()
          return
        case 'request':
          this.#serve(this.#intake.take())
          break
        case 'refused':
          this.#refuse(this.#intake.take(), this.#intake.refusal)
          break
        case 'broken':
          this.#break(this.#intake.refusal)
          break
      }
    }
  }

  #drained(): void {
    this.#answers.drained()
    if (this.#phase !== 'held') return
    this.#phase = 'open'
    this.#deadlines.resume(this.#shared.tick)
    this.#socket.resume()
    this.#proceed()
    if (this.#shared.draining) this.drain()
  }

  /** `100 Continue` must not overtake the answers that are due. */
  #continue(): void {
    if (this.#answers.due === 0 && this.#intake.takeContinue()) this.#answers.sendContinue()
  }

  #serve(exchange: Exchange): void {
    const { head } = exchange
    if (head === undefined) return
    this.#answers.expect(exchange)
    if (exchange.streams) {
      this.#streamed = exchange
      this.#flow(exchange)
    } else if (head.close) this.#close()
    if (asksForHealth(head)) {
      this.#answer(exchange, this.#shared.health())
    } else this.#handOver(exchange, head)
  }

  #handOver(exchange: Exchange, { method, target, rawHeaders }: RequestHead): void {
    const { body, incoming } = exchange
    const remoteAddress = this.#remoteAddress
    let request: HttpRequest =
      this.#tls === undefined
        ? { method, target, rawHeaders, body, remoteAddress }
        : { method, target, rawHeaders, body, remoteAddress, tls: this.#tls }
    if (incoming !== undefined) request = { ...request, stream: incoming }
    try {
      this.#shared.onRequest(request, (reply) => this.#answer(exchange, reply))
    } catch (error) {
      this.#shared.log(
        `the pipeline threw: ${error instanceof Error ? error.stack : String(error)}`,
      )
      if (exchange.state !== 'due') return
      this.#close()
      this.#answer(exchange, failed)
    }
  }

  /** Called for each request that was handed over, at any time, whatever became of the connection. */
  #answer(exchange: Exchange, reply: Reply): void {
    if (exchange.state === 'due') {
      exchange.answer = reply
      exchange.state = 'ready'
      if (this.#answers.isNext(exchange)) this.#flush()
    } else if (exchange.state === 'gone') {
      exchange.answer = reply
      exchange.end()
    } else {
      // Thrown, it would end the process, and the requests of all others with it.
      this.#shared.log('the pipeline answered a request twice; only the first answer counts')
      const { body } = reply
      if (body !== exchange.answer?.body) discard(body)
    }
  }

  /** Answers in its turn what is not taken. Nothing is taken behind it. */
  #refuse(exchange: Exchange, reply: Reply): void {
    this.#close()
    exchange.refuse(reply)
    this.#answers.expect(exchange)
    this.#flush()
  }

  /** What came is no request, or not in time. Where answers are due, the connection ends behind those. */
  #break(reply: Reply): void {
    if (this.#answers.due > 0) this.#close()
    else this.#refuse(new Exchange(this.#share), reply)
  }

  #clientEnded(): void {
    const { incoming } = this.#streamed ?? {}
    if (incoming !== undefined) {
      this.#intake.pump(incoming)
      incoming.cut()
    }
    this.#close()
    if (this.#answers.due === 0) this.#end()
  }

  /** Takes no more requests. What came of one is wiped, and what comes from here on. */
  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') return
    if (this.#phase === 'held' || this.#streamed !== undefined) this.#socket.resume()
    this.#phase = 'closing'
    this.#intake.close()
  }

  #flush(): void {
    for (let next = this.#answers.takeReady(); next; next = this.#answers.takeReady()) {
      const sending = this.#send(next)
      if (sending === undefined) this.#sent(next)
      else {
        void this.#follow(next, sending)
        return
      }
    }
    this.#pulled()
    if (this.#answers.due > 0) return
    this.#continue()
    this.#deadlines.idle(this.#shared.tick)
    if (this.#phase === 'closing') this.#end()
  }

  #send(exchange: Exchange): Promise<void> | undefined {
    if (this.#socket.destroyed) return undefined
    if (exchange === this.#streamed && !this.#intake.isReadBehind(exchange)) this.#close()
    if (this.#isToBeClosedBehind(exchange)) this.#close()
    const last = this.#phase === 'closing' && this.#answers.due === 0
    try {
      return this.#answers.send(exchange, last)
    } catch (error) {
      this.#fail(error)
      return undefined
    }
  }

  /** An answer that cannot be sent to its end must not look complete. */
  #fail(error: unknown): void {
    this.#shared.log(`an answer cannot be sent: ${String(error)}`)
    this.#close()
    this.#socket.destroy()
  }

  async #follow(exchange: Exchange, sending: Promise<void>): Promise<void> {
    exchange.answer = undefined
    try {
      await sending
    } catch (error) {
      this.#fail(error)
    }
    this.#sent(exchange)
    if (this.#socket.destroyed) return
    this.#flush()
    if (this.#shared.draining) this.drain()
  }

  #sent(exchange: Exchange): void {
    exchange.end()
    if (exchange !== this.#streamed) return
    this.#streamed = undefined
    if (this.#phase !== 'open') return
    this.#socket.resume()
    // What waited behind it has its turn, but not inside the turn of what is being sent.
    if (!this.#proceeding) queueMicrotask(() => this.#proceed())
  }

  /** More is wanted of the body that streams. The client is told so, if it waits for that. */
  #pulled(): void {
    const exchange = this.#streamed
    if (exchange?.incoming?.isPulled !== true || this.#phase !== 'open') return
    if (this.#answers.isNext(exchange) && this.#intake.takeContinue()) this.#answers.sendContinue()
    this.#flow(exchange)
  }

  /** Lets bytes come as fast as they are pulled. What comes behind the body is left to the kernel. */
  #flow({ incoming }: Exchange): void {
    if (incoming?.isComing === true) this.#intake.pump(incoming)
    const reads = incoming?.isComing === true ? !incoming.isFull : !this.#intake.hasInput
    if (reads) this.#socket.resume()
    else this.#socket.pause()
  }

  /** Whoever asks for health, or cannot sign, does not keep a connection from those who can. */
  #isToBeClosedBehind({ head }: Exchange): boolean {
    if (this.#answers.due > 0 || this.#intake.isInBody || this.#intake.hasInput) return false
    const { draining, connections, limits } = this.#shared
    return draining || (head?.signed !== true && connections > limits.connectionsKeptUnsigned)
  }

  #end(): void {
    if (this.#phase === 'ended') return
    this.#phase = 'ended'
    this.#deadlines.ended(this.#shared.tick)
    this.#socket.end()
  }

  #closed(): void {
    this.#close()
    this.#answers.abandon()
  }
}
