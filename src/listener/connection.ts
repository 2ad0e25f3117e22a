import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { HttpRequest, Reply } from '../wire/protocol.ts'
import { Answers } from './answers.ts'
import { type Awaited, Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { Intake } from './intake.ts'
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

  constructor(socket: Socket, remoteAddress: string, source: Source, shared: Shared) {
    this.#socket = socket
    this.#shared = shared
    this.#share = new Share(shared, source)
    this.#deadlines = new Deadlines(shared.limits, shared.tick)
    this.#intake = new Intake(shared, this.#share, this.#deadlines)
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
    if (!this.#deadlines.isPast(awaited, tick, sweepMs)) return
    if (awaited === 'head' || awaited === 'body') this.#break(refusalOf(408))
    else this.#socket.destroy()
  }

  #awaited(): Awaited {
    if (this.#phase === 'ended') return 'close'
    if (this.#phase !== 'open') return 'nothing'
    if (this.#deadlines.isWithin) return this.#intake.isInBody ? 'body' : 'head'
    return this.#answers.due === 0 ? 'request' : 'nothing'
  }

  #take(chunk: Buffer): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') this.#discard(chunk)
    else {
      this.#intake.feed(chunk)
      this.#proceed()
    }
  }

  #discard(chunk: Buffer): void {
    chunk.fill(0)
    this.#deadlines.heard(this.#shared.tick)
    this.#discarded += chunk.length
    const { bodyBytes } = this.#shared.limits
    if (this.#discarded > bodyBytes * discardedBodiesMax) this.#socket.destroy()
  }

  #proceed(): void {
    while (this.#phase === 'open') {
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
    if (head.close) this.#close()
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
      if (typeof body !== 'string' && body !== exchange.answer?.body) body.fill(0)
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
    this.#close()
    if (this.#answers.due === 0) this.#end()
  }

  /** Takes no more requests. What came of one is wiped, and what comes from here on. */
  #close(): void {
    if (this.#phase === 'closing' || this.#phase === 'ended') return
    if (this.#phase === 'held') this.#socket.resume()
    this.#phase = 'closing'
    this.#intake.close()
  }

  #flush(): void {
    for (let next = this.#answers.takeReady(); next; next = this.#answers.takeReady()) {
      this.#send(next)
      next.end()
    }
    if (this.#answers.due > 0) return
    this.#continue()
    this.#deadlines.idle(this.#shared.tick)
    if (this.#phase === 'closing') this.#end()
  }

  #send(exchange: Exchange): void {
    if (this.#socket.destroyed) return
    if (this.#isToBeClosedBehind(exchange)) this.#close()
    const last = this.#phase === 'closing' && this.#answers.due === 0
    try {
      this.#answers.send(exchange, last)
    } catch (error) {
      this.#shared.log(`an answer cannot be sent: ${String(error)}`)
      this.#close()
      this.#socket.destroy()
    }
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
