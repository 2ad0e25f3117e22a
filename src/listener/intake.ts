import { s3Error } from '../base/errors.ts'
import type { Reply } from '../wire/protocol.ts'
import type { Deadlines } from './deadlines.ts'
import { Exchange } from './exchange.ts'
import { IncomingBody } from './incoming-body.ts'
import { bodyTooLarge, overloaded, refusalOf } from './refusals.ts'
import type { RequestHead } from './request-head.ts'
import { RequestParser } from './request-parser.ts'
import type { Share } from './share.ts'
import type { Shared } from './shared.ts'

/**
 * What the bytes that came amount to: `more` are needed; a `request` is whole, or streams from here on; one is
 * `refused`, which is answered in its turn; or they are `broken`, which is no request. Nothing is taken in behind one
 * that is refused or broken.
 */
export type Intaken = 'more' | 'request' | 'refused' | 'broken'

/** The way in: makes requests of bytes, within the limits, and counts what they hold. */
export class Intake {
  readonly #shared: Shared
  readonly #share: Share
  readonly #deadlines: Deadlines
  readonly #parser: RequestParser
  readonly #onPull: () => void
  /** The request whose head is known. */
  #coming: Exchange | undefined
  #owesContinue = false
  #refusal: Reply = overloaded

  /** `onPull` is called when more is wanted of a body that streams. */
  constructor(shared: Shared, share: Share, deadlines: Deadlines, onPull: () => void) {
    this.#shared = shared
    this.#onPull = onPull
    this.#share = share
    this.#deadlines = deadlines
    this.#parser = new RequestParser(shared.limits)
  }

  /** Takes the bytes over. */
  feed(chunk: Buffer): void {
    this.#deadlines.heard(this.#shared.tick, chunk.length)
    this.#parser.feed(chunk)
  }

  /** To be called until it needs more bytes. `due` requests of the connection are not answered yet. */
  next(due: number): Intaken {
    for (;;) {
      switch (this.#parser.next()) {
        case 'head':
          if (!this.#begin(this.#parser.head, due)) return 'refused'
          if (this.#coming?.streams === true) return this.#streamed(this.#coming)
          break
        case 'piece':
          throw new Error('nobody takes the pieces of a body')
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
    if (!exchange.streams) this.#owesContinue = false
    return exchange
  }

  /**
   * Moves what came of a body that streams to where it is pulled, as far as there is room. A body that breaks the rules
   * fails; behind it nothing can be understood.
   */
  pump(incoming: IncomingBody): void {
    while (incoming.isComing && !incoming.isFull) {
      switch (this.#parser.next()) {
        case 'piece':
          incoming.push(this.#parser.takePiece())
          break
        case 'body':
          this.#parser.takeBody()
          incoming.end()
          break
        case 'more':
          return
        default:
          incoming.fail(s3Error('IncompleteBody', undefined, { detail: 'malformed chunks' }))
      }
    }
  }

  /** Whether a next request could follow one that streamed. What came of a body that nobody wanted is dropped. */
  isReadBehind({ head, incoming }: Exchange): boolean {
    if (incoming !== undefined) {
      incoming.skip()
      this.pump(incoming)
      if (incoming.isComing || incoming.hasFailed) return false
    } else if (head !== undefined && hasBody(head)) return false
    return head?.close !== true
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
    const { limits, streams, tick } = this.#shared
    this.#deadlines.within(tick)
    this.#coming = new Exchange(this.#share, head)
    if (due >= limits.pipelined) return this.#refuse(overloaded)
    if ((head.method !== 'POST' || head.target !== '/') && !asksForHealth(head)) {
      this.#coming.streams = streams(head)
      if (this.#coming.streams) {
        this.#owesContinue = head.expectsContinue && isSigned(head) && !this.#parser.hasInput
        return true
      }
    }
    const unsignedMax = Math.min(limits.unsignedBodyBytes, limits.bodyBytes)
    if (head.contentLength > (head.signed ? limits.bodyBytes : unsignedMax)) {
      return this.#refuse(bodyTooLarge)
    }
    // Who sends the body without waiting needs no telling.
    this.#owesContinue = head.expectsContinue && head.contentLength > 0 && !this.#parser.hasInput
    return true
  }

  /**
   * Whoever streams has the connection to himself, so there is room for one at a time. What nobody signed for is handed
   * over without its body, to be refused: nothing of that is read, and no room is kept for it.
   */
  #streamed(exchange: Exchange): Intaken {
    const { head } = exchange
    this.#deadlines.served()
    this.#deadlines.streams(this.#shared.tick)
    if (head === undefined || !hasBody(head)) this.#parser.takeBody()
    else if (isSigned(head)) {
      this.#parser.stream()
      const length = head.chunked ? undefined : head.contentLength
      exchange.incoming = new IncomingBody(length, () => this.#onPull())
    }
    const room = head !== undefined && isSigned(head) ? this.#shared.limits.streamBytes : 0
    return this.#held(exchange, room) ? 'request' : 'refused'
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

/** Who signs asks a service for something: a bucket or an object of that name. */
export function asksForHealth({ method, target, signed }: RequestHead): boolean {
  return target === '/health' && (method === 'GET' || method === 'HEAD') && !signed
}

function hasBody({ chunked, contentLength }: RequestHead): boolean {
  return chunked || contentLength > 0
}

/** Whether a request that streams carries what may prove to be a signature: in a header or, presigned, in its query. */
function isSigned({ signed, target }: RequestHead): boolean {
  return signed || /[?&]X-Amz-Signature=/.test(target)
}
