import type { BodyStream } from '../wire/protocol.ts'
import type { Outbox } from './outbox.ts'

/** Sends the bytes of an answer as fast as the client takes them. */
export class OutgoingBody {
  readonly #body: BodyStream
  readonly #outbox: Outbox
  #taken: (() => void) | undefined
  #gone = false

  constructor(body: BodyStream, outbox: Outbox) {
    this.#body = body
    this.#outbox = outbox
  }

  /** Resolves when all was written. Rejects when it is not what was announced: then the answer is not complete. */
  async send(): Promise<void> {
    let left = this.#body.length
    for await (const piece of this.#body) {
      if (this.#gone) {
        piece.fill(0)
        return
      }
      left -= piece.length
      if (left < 0) {
        piece.fill(0)
        throw new Error('the body of an answer is longer than announced')
      }
      if (piece.length > 0) this.#outbox.writeSecret(piece)
      if (this.#outbox.isFull) await this.#room()
    }
    if (left > 0 && !this.#gone) throw new Error(`the body of an answer lacks ${left} bytes`)
  }

  /** The client has taken what was written. */
  drained(): void {
    const taken = this.#taken
    this.#taken = undefined
    taken?.()
  }

  /** The connection is gone. */
  abandon(): void {
    this.#gone = true
    this.drained()
  }

  #room(): Promise<void> {
    if (this.#gone) return Promise.resolve()
    return new Promise((resolve) => {
      this.#taken = resolve
    })
  }
}
