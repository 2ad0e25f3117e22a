import type { Reply } from '../wire/protocol.ts'
import type { Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { bodyTooLarge, overloaded, refusalOf } from './refusals.ts'
import type { RequestHead } from './request-head.ts'
import { RequestParser } from './request-parser.ts'
import type { Share } from './share.ts'
import type { Shared } from './shared.ts'

/**
 * What the bytes that came amount to: `more` are needed; a `request` is whole; one is `refused`, which is answered in
 * its turn; or they are `broken`, which is no request. Nothing is taken in behind one that is refused or broken.
 */
export type Intaken = 'more' | 'request' | 'refused' | 'broken'

/** The way in: makes requests of bytes, within the limits, and counts what they hold. */
export class Intake {
  readonly #shared: Shared
  readonly #share: Share
  readonly #deadlines: Deadlines
  readonly #parser: RequestParser
  /** The request whose head is known. */
  #coming: Exchange | undefined
  #owesContinue = false
  #refusal: Reply = overloaded

  constructor(shared: Shared, share: Share, deadlines: Deadlines) {
    this.#shared = shared
    this.#share = share
    this.#deadlines = deadlines
    this.#parser = new RequestParser(shared.limits)
  }

  /** Takes the bytes over. */
  feed(chunk: Buffer): void {
    this.#deadlines.heard(this.#shared.tick)
    this.#parser.feed(chunk)
  }

  /** To be called until it needs more bytes. `due` requests of the connection are not answered yet. */
  next(due: number): Intaken {
    for (;;) {
      switch (this.#parser.next()) {
        case 'head':
          if (!this.#begin(this.#parser.head, due)) return 'refused'
          break
        case 'body':
          return this.#whole()
        case 'more':
          return this.#partly()
        case 'refused':
          this.#refusal = refusalOf(this.#parser.refusal)
          return 'broken'
      }
    }
  }

  /** The request that is whole, or refused. It is the caller's from here on. */
  take(): Exchange {
    const exchange = this.#coming
    if (exchange === undefined) throw new Error('there is no request')
    this.#coming = undefined
    this.#owesContinue = false
    return exchange
  }

  /** The answer to what is refused or broken. */
  get refusal(): Reply {
    return this.#refusal
  }

  /** Whether the client waits to be told that it may send the body. It is to be told once. */
  takeContinue(): boolean {
    const owed = this.#owesContinue
    this.#owesContinue = false
    return owed
  }

  /** Whether the head of a request is known, and its body is to come. */
  get isInBody(): boolean {
    return this.#coming !== undefined
  }

  /** Whether a request has begun and is not whole. */
  get isWithin(): boolean {
    return this.#parser.isWithin
  }

  /** Whether there are bytes that nobody has looked at. */
  get hasInput(): boolean {
    return this.#parser.hasInput
  }

  /** Takes nothing any more. What came of a request is wiped. */
  close(): void {
    this.#coming?.end()
    this.#coming = undefined
    this.#owesContinue = false
    this.#parser.wipe()
  }

  #begin(head: RequestHead, due: number): boolean {
    const { limits, tick } = this.#shared
    this.#deadlines.within(tick)
    this.#coming = new Exchange(this.#share, head)
    if (due >= limits.pipelined) return this.#refuse(overloaded)
    const unsignedMax = Math.min(limits.unsignedBodyBytes, limits.bodyBytes)
    if (head.contentLength > (head.signed ? limits.bodyBytes : unsignedMax)) {
      return this.#refuse(bodyTooLarge)
    }
    // Who sends the body without waiting needs no telling.
    this.#owesContinue = head.expectsContinue && head.contentLength > 0 && !this.#parser.hasInput
    return true
  }

  #whole(): Intaken {
    this.#deadlines.served()
    const exchange = this.#coming
    if (exchange === undefined) throw new Error('a body without a head')
    exchange.body = this.#parser.takeBody()
    return this.#held(exchange, exchange.body.length) ? 'request' : 'refused'
  }

  /** All that came is used up. */
  #partly(): Intaken {
    if (!this.#parser.isWithin) {
      this.#deadlines.between()
      return 'more'
    }
    this.#deadlines.within(this.#shared.tick)
    const exchange = this.#coming
    if (exchange === undefined) return 'more'
    return this.#held(exchange, this.#parser.bodyRoom) ? 'more' : 'refused'
  }

  #held(exchange: Exchange, bodyRoom: number): boolean {
    return exchange.hold(bodyRoom) || this.#refuse(overloaded)
  }

  #refuse(reply: Reply): false {
    this.#refusal = reply
    return false
  }
}
