import type { BodyStream, Reply } from '../wire/protocol.ts'
import type { IncomingBody } from './incoming-body.ts'
import type { RequestHead } from './request-head.ts'
import type { Share } from './share.ts'

const noBody = Buffer.alloc(0)
/** About what a request takes from here to its answer besides its head and its body. */
const requestBytes = 2048

/**
 * One request and its answer. From its head to the end of it, it counts in the share of its connection, whether or not
 * the client is still there.
 */
export class Exchange {
  /**
   * `due`: not answered. `ready`: answered, waits for the answers before it. `gone`: handed over, but the client has
   * left since. `over`: nothing of it is left.
   */
  state: 'due' | 'ready' | 'gone' | 'over' = 'due'
  /** Undefined for an answer to what never became a request. */
  readonly head: RequestHead | undefined
  body: Buffer = noBody
  /** The connection is all its own, from its head to the last byte of its answer. */
  streams = false
  /** Of one that streams, and has a body. */
  incoming: IncomingBody | undefined
  answer: Reply | undefined
  readonly #share: Share
  #held = 0

  constructor(share: Share, head?: RequestHead) {
    this.#share = share
    this.head = head
  }

  /** Counts it, with so much room for its body. False when that is more than its share. */
  hold(bodyRoom: number): boolean {
    const grown = requestBytes + (this.head?.bytes ?? 0) + bodyRoom - this.#held
    if (grown <= 0) return true
    this.#held += grown
    this.#share.take(grown)
    return !this.#share.isExceeded
  }

  /** Settles what the answer is, where that is not for those to say who are handed requests. */
  refuse(reply: Reply): void {
    this.end()
    this.answer = reply
    this.state = 'ready'
  }

  /** A request that was handed over keeps its body until it is answered: it may still be being read. */
  abandon(): void {
    this.incoming?.fail()
    if (this.state === 'due') this.state = 'gone'
    else this.end()
  }

  /** What may hold a secret is overwritten, and nothing counts any more. To be called as often as one likes. */
  end(): void {
    this.state = 'over'
    this.#share.giveBack(this.#held)
    this.#held = 0
    this.body.fill(0)
    this.body = noBody
    this.incoming?.fail()
    if (this.answer !== undefined) discard(this.answer.body)
    this.answer = undefined
  }
}

/** Of an answer that is not sent, or was: bytes are overwritten, and what would stream does not. */
export function discard(body: string | Buffer | BodyStream): void {
  if (Buffer.isBuffer(body)) body.fill(0)
  else if (typeof body !== 'string') body.cancel?.()
}
