import { availableParallelism } from 'node:os'
import { ServiceError } from '../base/errors.ts'

const waitingMax = 8

export type GenerationLimits = {
  readonly atOnce?: number
  readonly waitingMax?: number
}

/**
 * The way to RSA keys, which take up to seconds of a thread each: few are made at once, leaving a processor to
 * everything else, few more wait, and the rest is refused. One queue serves all of a core.
 */
export class GenerationQueue {
  readonly #atOnce: number
  readonly #waitingMax: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(limits: GenerationLimits = {}) {
    this.#atOnce = limits.atOnce ?? Math.max(1, availableParallelism() - 1)
    this.#waitingMax = limits.waitingMax ?? waitingMax
  }

  /** Calls `generate` when there is room, in the order of asking. Rejects with 'throttled' when too many wait. */
  async run<T>(generate: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) await this.#turn()
    else this.#running += 1
    try {
      return await generate()
    } finally {
      const next = this.#waiting.shift()
      // A waiting one takes over the place of the one that ends, so that nobody can come in between.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  #turn(): Promise<void> {
    if (this.#waiting.length >= this.#waitingMax) {
      const detail = `${this.#waitingMax} RSA keys are waiting to be made`
      throw new ServiceError('throttled', undefined, { detail })
    }
    return new Promise((resolve) => this.#waiting.push(resolve))
  }
}
