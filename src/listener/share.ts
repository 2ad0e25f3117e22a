import type { Shared } from './shared.ts'
import type { Source } from './sources.ts'

/** The part of a connection in what is held for all requests, and for all of those of its address. */
export class Share {
  readonly #shared: Shared
  readonly #source: Source

  constructor(shared: Shared, source: Source) {
    this.#shared = shared
    this.#source = source
  }

  take(bytes: number): void {
    this.#shared.bufferedBytes += bytes
    this.#source.bufferedBytes += bytes
  }

  giveBack(bytes: number): void {
    this.#shared.bufferedBytes -= bytes
    this.#source.bufferedBytes -= bytes
  }

  get isExceeded(): boolean {
    const { limits, bufferedBytes } = this.#shared
    const { limited, bufferedBytes: ofSource } = this.#source
    if (limited && ofSource > limits.bufferedBytesPerAddress) return true
    return bufferedBytes > limits.bufferedBytes
  }
}
