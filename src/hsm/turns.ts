import type { AccountId } from '../base/ids.ts'
import { FairQueue } from './fair-queue.ts'

export type TurnsOptions = {
  readonly atOnce: number
  /** How many may wait; `FairQueue` shares the places out. */
  readonly waitingMax: number
}

/** The way to what takes long: few run at once, more wait for their turn, and the rest is refused. */
export class Turns {
  readonly #atOnce: number
  readonly #waiting: FairQueue<() => void>
  #running = 0

  constructor({ atOnce, waitingMax }: TurnsOptions) {
    this.#atOnce = atOnce
    this.#waiting = new FairQueue(waitingMax)
  }

  /** Calls `work` when its turn has come, at once where there is room. Rejects with 'throttled' when too many wait. */
  async run<T>(account: AccountId, work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#atOnce) this.#running += 1
    else await new Promise<void>((resolve) => this.#waiting.push(account, resolve))
    try {
      return await work()
    } finally {
      const next = this.#waiting.shift()
      // A waiting one takes over the place of the one that ends, so that nobody can come in between.
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
