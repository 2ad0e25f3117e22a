import type { Reply } from '../wire/protocol.ts'
import type { RequestHead } from './request-head.ts'

const noBody = Buffer.alloc(0)

/** One request and its answer, in the queue of its connection. */
export class Exchange {
  /**
   * `receiving`: its body is to come. `answering`: handed over. `ready`: answered, waits for the answers before it.
   * `gone`: handed over, but the client has left since. `over`: nothing of it is left.
   */
  state: 'receiving' | 'answering' | 'ready' | 'gone' | 'over' = 'receiving'
  /** Undefined for an answer to what never became a request. */
  readonly head: RequestHead | undefined
  body: Buffer = noBody
  answer: Reply | undefined
  /** The client waits for `100 Continue`, which must not overtake the answers before it. */
  owesContinue = false
  /** What counts against the bodies of all requests together. */
  buffered = 0

  constructor(head: RequestHead | undefined) {
    this.head = head
  }

  /** A request that was handed over keeps its body until it is answered: it may still be being read. */
  abandon(): void {
    if (this.state === 'answering') this.state = 'gone'
    else this.wipe()
  }

  /** The end of it: what may hold a secret is overwritten. */
  wipe(): void {
    this.state = 'over'
    this.body.fill(0)
    this.body = noBody
    if (this.answer !== undefined && typeof this.answer.body !== 'string') this.answer.body.fill(0)
    this.answer = undefined
  }
}
