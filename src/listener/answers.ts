import type { Socket } from 'node:net'
import type { BodyStream } from '../wire/protocol.ts'
import { headOf, inOnePiece } from './answer.ts'
import type { Exchange } from './exchange.ts'
import { Outbox } from './outbox.ts'
import { OutgoingBody } from './outgoing-body.ts'
import type { Shared } from './shared.ts'

const continueAnswer = 'HTTP/1.1 100 Continue\r\n\r\n'

/**
 * The way out: what is to be answered, in the order of the requests, and each answer in one write, unless it streams.
 */
export class Answers {
  readonly #shared: Shared
  readonly #outbox: Outbox
  #queue: Exchange[] = []
  /** The answer that is under way, behind which all others wait. */
  #outgoing: OutgoingBody | undefined

  constructor(socket: Socket, shared: Shared) {
    this.#shared = shared
    this.#outbox = new Outbox(socket, shared.tick)
  }

  /** Requests that were not answered yet. */
  get due(): number {
    return this.#outgoing === undefined ? this.#queue.length : this.#queue.length + 1
  }

  /** Whether the kernel has all that was written. */
  get areTaken(): boolean {
    return this.#outbox.isEmpty
  }

  /** The tick at which something had been written that the client has not taken to this day. To be asked each tick. */
  untakenSince(tick: number): number {
    return this.#outbox.untakenSince(tick)
  }

  expect(exchange: Exchange): void {
    this.#queue.push(exchange)
  }

  isNext(exchange: Exchange): boolean {
    return this.#queue[0] === exchange && this.#outgoing === undefined
  }

  /** The next one to send, if its turn has come. */
  takeReady(): Exchange | undefined {
    if (this.#outgoing !== undefined) return undefined
    return this.#queue[0]?.state === 'ready' ? this.#queue.shift() : undefined
  }

  /**
   * `last`: the client is told that the connection ends. Throws when the answer cannot be sent as it is. Of one that
   * streams the promise tells when its last byte is written; it rejects when that cannot be.
   */
  send({ head: request, answer }: Exchange, last: boolean): Promise<void> | undefined {
    if (answer === undefined) return undefined
    const head = headOf(answer, this.#shared.date.value(), last)
    // RFC 9110 §9.3.2: an answer to HEAD says how long it would be, and ends there.
    const body = request?.method === 'HEAD' ? '' : answer.body
    if (typeof body === 'string') this.#outbox.write(head + body)
    else if (Buffer.isBuffer(body)) this.#outbox.writeSecret(inOnePiece(head, body))
    else return this.#stream(head, body)
    return undefined
  }

  /** The client has taken what was written. */
  drained(): void {
    this.#outgoing?.drained()
  }

  #stream(head: string, body: BodyStream): Promise<void> {
    this.#outbox.write(head)
    const outgoing = new OutgoingBody(body, this.#outbox)
    this.#outgoing = outgoing
    return outgoing.send().finally(() => {
      this.#outgoing = undefined
    })
  }

  sendContinue(): void {
    this.#outbox.write(continueAnswer)
  }

  /** The connection is gone. */
  abandon(): void {
    for (const exchange of this.#queue) exchange.abandon()
    this.#queue = []
    this.#outgoing?.abandon()
    this.#outbox.wipe()
  }
}
