import { setImmediate } from 'node:timers'

/** More than this wait for the next turn, so that one turn stays short. */
const turnItemsMax = 256
/** So many share the price of a turn well enough: they wait for nothing. */
const turnItemsEnough = 16
/** How long a turn of fewer waits for what is slow in the one before, in ms. */
const patienceMs = 1

/**
 * Gathers what comes into turns. While the key core and the store work on one turn, the next one gathers, as records
 * gather for the journal: the busier the service, the more share a message, a flush and warm caches, and a lone caller
 * waits for nobody. What takes long must not hold up others, so a turn waits a millisecond at the most.
 */
export class Turns<Item> {
  readonly #run: (items: readonly Item[]) => void
  #waiting: Item[] = []
  #scheduled = false
  /** Items of earlier turns that the next one waits for. */
  #held = 0
  #patience: NodeJS.Timeout | undefined

  constructor(run: (items: readonly Item[]) => void) {
    this.#run = run
  }

  add(item: Item): void {
    this.#waiting.push(item)
    this.#schedule()
  }

  /** The next turn waits for `count` calls of `release`. */
  hold(count: number): void {
    this.#held += count
  }

  release(): void {
    this.#held--
    if (this.#held === 0 && this.#waiting.length > 0) this.#schedule()
  }

  #schedule(): void {
    if (this.#scheduled) return
    if (this.#held > 0 && this.#waiting.length < turnItemsEnough) {
      this.#patience ??= setTimeout(() => this.#begin(), patienceMs)
      return
    }
    this.#scheduled = true
    setImmediate(() => this.#begin())
  }

  #begin(): void {
    clearTimeout(this.#patience)
    this.#patience = undefined
    this.#scheduled = false
    const items = this.#waiting.splice(0, turnItemsMax)
    if (items.length > 0) this.#run(items)
    if (this.#waiting.length > 0) this.#schedule()
  }
}

/**
 * Calls that lost a race are decided anew one after another: of many that change the same rows at the same time, each
 * round would otherwise let one through.
 */
export class OneByOne {
  #last: Promise<void> = Promise.resolve()

  /** Resolves, when all earlier turns have ended, with what ends this one. */
  async turn(): Promise<() => void> {
    const before = this.#last
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#last = promise
    await before
    return resolve
  }
}
