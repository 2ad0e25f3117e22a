import { type ServiceError, s3Error } from '../base/errors.ts'
import type { IncomingStream } from '../wire/protocol.ts'

/** So much waits to be pulled, at the most, and in so many pieces: a piece may be a single byte. */
const heldBytesMax = 64 * 1024
const heldPiecesMax = 64

const done = { done: true, value: undefined } as const

/**
 * The body of a request that is handed over before it has come: what came of it, until it is pulled. It is iterated
 * once. A piece is overwritten when the next one is asked for; what nobody pulls is overwritten, too.
 */
export class IncomingBody implements IncomingStream {
  readonly length: number | undefined
  readonly #pulled: () => void
  #pieces: Buffer[] = []
  #bytes = 0
  /** What was given out last. */
  #given: Buffer | undefined
  #waiting: PromiseWithResolvers<IteratorResult<Buffer, undefined>> | undefined
  #iterated = false
  #state: 'coming' | 'whole' | 'failed' = 'coming'
  #failure: ServiceError | undefined

  /** `pulled` is called when more bytes are wanted, the first time as soon as anything is. */
  constructor(length: number | undefined, pulled: () => void) {
    this.length = length
    this.#pulled = pulled
  }

  /** Whether bytes of it are still to come. */
  get isComing(): boolean {
    return this.#state === 'coming'
  }

  /** Whether somebody waits for bytes, so that it is the client's turn. */
  get isAwaited(): boolean {
    return this.#waiting !== undefined
  }

  get hasFailed(): boolean {
    return this.#state === 'failed'
  }

  get isPulled(): boolean {
    return this.#iterated
  }

  /** Whether nothing more should be taken in for now. */
  get isFull(): boolean {
    return this.#bytes >= heldBytesMax || this.#pieces.length >= heldPiecesMax
  }

  /** Takes bytes over. */
  push(piece: Buffer): void {
    if (this.#failure !== undefined) piece.fill(0)
    else if (this.#waiting !== undefined) this.#settle({ done: false, value: this.#give(piece) })
    else {
      this.#pieces.push(piece)
      this.#bytes += piece.length
    }
  }

  /** All of it has come. */
  end(): void {
    if (this.#state === 'coming') this.#state = 'whole'
    if (this.#pieces.length === 0) this.#settle(done)
  }

  /** No more of it will come, or is wanted: whoever pulls hears why. What came is overwritten. */
  fail(failure: ServiceError = s3Error('IncompleteBody')): void {
    this.skip(failure)
    if (this.#state === 'coming') this.#state = 'failed'
  }

  /** The client says no more. */
  cut(): void {
    if (this.#state === 'coming') this.fail()
  }

  /** As `fail`, but what comes of it is still taken in, and dropped: so its end is found. */
  skip(failure: ServiceError = s3Error('IncompleteBody')): void {
    this.#failure ??= failure
    this.#given?.fill(0)
    this.#given = undefined
    for (const piece of this.#pieces.splice(0)) piece.fill(0)
    this.#bytes = 0
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.reject(this.#failure)
  }

  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    if (this.#iterated) throw new Error('the body of a request is iterated once')
    this.#iterated = true
    return {
      next: () => this.#next(),
      return: async () => {
        this.skip()
        return done
      },
    }
  }

  #next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure)
    this.#given?.fill(0)
    this.#given = undefined
    const piece = this.#pieces.shift()
    if (piece !== undefined) {
      this.#bytes -= piece.length
      this.#give(piece)
      if (this.#state === 'coming' && !this.isFull) this.#pulled()
      return Promise.resolve({ done: false, value: piece })
    }
    if (this.#state === 'whole') return Promise.resolve(done)
    this.#waiting = Promise.withResolvers()
    const { promise } = this.#waiting
    this.#pulled()
    return promise
  }

  #give(piece: Buffer): Buffer {
    this.#given = piece
    return piece
  }

  #settle(result: IteratorResult<Buffer, undefined>): void {
    const waiting = this.#waiting
    this.#waiting = undefined
    waiting?.resolve(result)
  }
}
