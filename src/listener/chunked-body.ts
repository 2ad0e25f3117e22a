import { carriageReturn } from './request-head.ts'

/** More digits than any length that could be counted; fewer than would lose precision as a number. */
const sizeDigitsMax = 12

const lineFeed = 0x0a

type State =
  | 'size'
  | 'size-end'
  | 'data'
  | 'data-cr'
  | 'data-lf'
  | 'last-cr'
  | 'last-lf'
  | 'whole'
  | 'broken'

/**
 * Reads a body in the chunked transfer coding (RFC 9112 §7.1), the strict half of it: sizes in hexadecimal, no chunk
 * extensions, no trailers, CRLF alone. Pure, and the outcome does not depend on where its pieces were cut.
 */
export class ChunkedBody {
  #state: State = 'size'
  #digits = 0
  #left = 0
  /** Bytes of the body that the last `read` found. */
  piece: Buffer | undefined

  get isWhole(): boolean {
    return this.#state === 'whole'
  }

  get isBroken(): boolean {
    return this.#state === 'broken'
  }

  /** Reads until it finds a piece of the body, its end or a fault, or has read all. Answers where it stands then. */
  read(input: Buffer, from: number): number {
    this.piece = undefined
    let at = from
    while (at < input.length && this.#state !== 'whole' && this.#state !== 'broken') {
      if (this.#state === 'data') {
        const taken = Math.min(this.#left, input.length - at)
        this.piece = input.subarray(at, at + taken)
        this.#left -= taken
        if (this.#left === 0) this.#state = 'data-cr'
        return at + taken
      }
      this.#state = this.#next(input[at] as number)
      at++
    }
    return at
  }

  #next(byte: number): State {
    switch (this.#state) {
      case 'size':
        return byte === carriageReturn && this.#digits > 0 ? 'size-end' : this.#digit(byte)
      case 'size-end':
        if (byte !== lineFeed) return 'broken'
        this.#digits = 0
        return this.#left === 0 ? 'last-cr' : 'data'
      case 'data-cr':
        return byte === carriageReturn ? 'data-lf' : 'broken'
      case 'data-lf':
        return byte === lineFeed ? 'size' : 'broken'
      case 'last-cr':
        return byte === carriageReturn ? 'last-lf' : 'broken'
      case 'last-lf':
        return byte === lineFeed ? 'whole' : 'broken'
      default:
        return 'broken'
    }
  }

  #digit(byte: number): State {
    const digit = hexadecimal(byte)
    if (digit < 0 || this.#digits === sizeDigitsMax) return 'broken'
    this.#digits++
    this.#left = this.#left * 16 + digit
    return 'size'
  }
}

function hexadecimal(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
