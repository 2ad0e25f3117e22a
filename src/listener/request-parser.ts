import { ChunkedBody } from './chunked-body.ts'
import {
  carriageReturn,
  holdsForbiddenBytes,
  parseHead,
  type RefusalStatus,
  type RequestHead,
} from './request-head.ts'

export type ParserLimits = {
  /** Bytes of a head, the empty line that ends it included. */
  readonly headerBytes: number
  /** Header lines. */
  readonly headers: number
}

/**
 * What the bytes fed so far come to: `more` are needed; the `head` of a request is known, its body is to come; of a
 * body that streams there is a `piece`; its `body` is whole; or the bytes are `refused`, and nothing after them can be
 * understood.
 */
export type Step = 'more' | 'head' | 'piece' | 'body' | 'refused'

const none = Buffer.alloc(0)
const emptyLine = Buffer.from('\r\n\r\n')
/** As much of a body is made room for at once, however little of it has come. */
const bodyRoomMin = 64 * 1024

/**
 * Cuts a stream of bytes into requests: HTTP/1.1 with origin-form targets and bodies by Content-Length, those that
 * stream in chunks as well, and nothing else. Pure: bytes are fed in arbitrary pieces, `next` is called until it
 * needs more of them, and the outcome does not depend on where the pieces were cut.
 *
 * Whoever drives it looks at `head.contentLength` before going on: the parser takes a body of any length.
 */
export class RequestParser {
  readonly #limits: ParserLimits
  #input: Buffer = none
  #at = 0
  /** The beginning of a head that came in more than one piece. */
  #partial: Buffer = none
  #partialLength = 0
  #head: RequestHead | undefined
  #body: Buffer = none
  #filled = 0
  #streams = false
  #chunks: ChunkedBody | undefined
  #piece: Buffer = none
  #refusal: RefusalStatus | undefined

  constructor(limits: ParserLimits) {
    this.#limits = limits
  }

  /** Takes the next piece, which is the parser's from here on. */
  feed(chunk: Buffer): void {
    this.#input = this.hasInput ? this.#joined(chunk) : chunk
    this.#at = 0
  }

  next(): Step {
    const step = this.#step()
    // A piece that is used up is not kept: nothing would count it.
    if (!this.hasInput) {
      this.#input = none
      this.#at = 0
    }
    return step
  }

  /** The request that `next` spoke of last. */
  get head(): RequestHead {
    if (this.#head === undefined) throw new Error('there is no head')
    return this.#head
  }

  get refusal(): RefusalStatus {
    return this.#refusal ?? 400
  }

  /** After the step `head`: the body is not gathered but handed over in pieces as it comes. */
  stream(): void {
    this.#streams = true
    this.#chunks = this.head.chunked ? new ChunkedBody() : undefined
  }

  /** The bytes that the step `piece` spoke of. */
  takePiece(): Buffer {
    const piece = this.#piece
    this.#piece = none
    return piece
  }

  /** The whole body, after the step `body`; empty if it streamed. The next request begins behind it. */
  takeBody(): Buffer {
    const body = this.#body
    this.#head = undefined
    this.#streams = false
    this.#chunks = undefined
    this.#body = none
    this.#filled = 0
    return body
  }

  /** Bytes of memory that are held for a body, filled or not. */
  get bodyRoom(): number {
    return this.#body.length
  }

  /** Whether a request has begun and is not whole. */
  get isWithin(): boolean {
    return this.#head !== undefined || this.#partialLength > 0
  }

  /** Whether there are bytes that `next` has not looked at. */
  get hasInput(): boolean {
    return this.#at < this.#input.length
  }

  /**
   * Overwrites what is held of a body, of a head that is not whole, which may prove to be none, and what was not looked
   * at. Nothing can be fed any more.
   */
  wipe(): void {
    this.#input.fill(0, this.#at)
    this.#partial.fill(0, 0, this.#partialLength)
    this.#body.fill(0)
    this.#input = none
    this.#at = 0
    this.#body = none
    this.#filled = 0
    this.#partial = none
    this.#partialLength = 0
    this.#head = undefined
    this.#refusal = 400
  }

  #joined(chunk: Buffer): Buffer {
    const rest = this.#input.subarray(this.#at)
    const both = Buffer.concat([rest, chunk])
    rest.fill(0)
    chunk.fill(0)
    return both
  }

  #step(): Step {
    if (this.#refusal !== undefined) return 'refused'
    if (this.#head !== undefined) return this.#nextBehind(this.#head)
    return this.hasInput ? this.#nextOfHead() : 'more'
  }

  #nextBehind({ chunked, contentLength }: RequestHead): Step {
    if (this.#streams) return this.#chunks?.isWhole ? 'body' : this.#nextPiece(contentLength)
    return chunked ? this.#refuse(411) : this.#nextOfBody(contentLength)
  }

  #nextPiece(length: number): Step {
    const chunks = this.#chunks
    if (chunks !== undefined) {
      this.#at = chunks.read(this.#input, this.#at)
      if (chunks.isBroken) return this.#refuse(400)
      if (chunks.piece === undefined) return chunks.isWhole ? 'body' : 'more'
      this.#piece = chunks.piece
      return 'piece'
    }
    const taken = Math.min(this.#input.length - this.#at, length - this.#filled)
    if (taken === 0) return this.#filled === length ? 'body' : 'more'
    this.#piece = this.#input.subarray(this.#at, this.#at + taken)
    this.#at += taken
    this.#filled += taken
    return 'piece'
  }

  #nextOfHead(): Step {
    if (this.#partialLength > 0) return this.#gatherHead()
    const end = this.#input.indexOf(emptyLine, this.#at)
    const length = end + emptyLine.length - this.#at
    if (end === -1 || length > this.#limits.headerBytes) return this.#gatherHead()
    const from = this.#at
    this.#at += length
    return this.#readHead(this.#input, from, from + length)
  }

  /** Forbidden bytes are refused as soon as they come: such a head may never have an end. */
  #gatherHead(): Step {
    const { headerBytes } = this.#limits
    if (this.#partialLength === 0) this.#partial = Buffer.allocUnsafeSlow(headerBytes)
    const before = this.#partialLength
    const taken = this.#input.copy(this.#partial, before, this.#at)
    const gathered = this.#partial.subarray(0, before + taken)
    const end = gathered.indexOf(emptyLine, Math.max(0, before - emptyLine.length + 1))
    const length = end === -1 ? gathered.length : end + emptyLine.length
    // What is moved is wiped where it was, and what was copied but belongs to the body is wiped here.
    this.#input.fill(0, this.#at, this.#at + length - before)
    this.#at += length - before
    gathered.fill(0, length)
    if (end !== -1) {
      this.#partial = none
      this.#partialLength = 0
      return this.#readHead(gathered, 0, length)
    }
    this.#partialLength = length
    const undecided = gathered[before - 1] === carriageReturn ? 1 : 0
    if (holdsForbiddenBytes(gathered, before - undecided, length)) return this.#refuse(400)
    return length === headerBytes ? this.#refuse(431) : 'more'
  }

  #readHead(bytes: Buffer, from: number, to: number): Step {
    const head = holdsForbiddenBytes(bytes, from, to)
      ? 400
      : parseHead(bytes.toString('latin1', from, to - emptyLine.length), this.#limits.headers)
    if (typeof head === 'number') {
      // What is no head may be a body.
      bytes.fill(0, from, to)
      return this.#refuse(head)
    }
    this.#head = head
    return 'head'
  }

  /** A body that lies in one piece, as almost all do, is not copied. */
  #nextOfBody(length: number): Step {
    const available = this.#input.length - this.#at
    const missing = length - this.#filled
    const taken = Math.min(available, missing)
    if (this.#filled === 0 && taken === length) {
      this.#body = length === 0 ? none : this.#input.subarray(this.#at, this.#at + length)
    } else if (taken > 0) {
      this.#gatherBody(length, taken)
    }
    this.#at += taken
    this.#filled += taken
    return taken === missing ? 'body' : 'more'
  }

  /**
   * Room grows with what has come, not with what was announced, so that announcing costs a client as much as it
   * costs the server. What is moved is wiped where it was.
   */
  #gatherBody(length: number, taken: number): void {
    const needed = this.#filled + taken
    if (needed > this.#body.length) {
      const room = Buffer.allocUnsafeSlow(Math.min(length, Math.max(bodyRoomMin, needed * 2)))
      this.#body.copy(room, 0, 0, this.#filled)
      this.#body.fill(0)
      this.#body = room
    }
    this.#input.copy(this.#body, this.#filled, this.#at, this.#at + taken)
    this.#input.fill(0, this.#at, this.#at + taken)
  }

  #refuse(status: RefusalStatus): Step {
    this.#refusal = status
    this.#partial.fill(0, 0, this.#partialLength)
    this.#partial = none
    this.#partialLength = 0
    return 'refused'
  }
}
