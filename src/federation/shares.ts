import { ServiceError } from '../base/errors.ts'

/** Who takes a place, and how many of them at most. */
export type Sharer = { readonly name: string; readonly max: number }

/**
 * How many tokens may be looked at at once, and how many for one sharer: a source of requests, a provider that is slow
 * to answer, an account that has several of those. Anybody can send tokens, and each may cost a fetch and a signature
 * check.
 */
export class Shares {
  readonly #max: number
  readonly #taken = new Map<string, number>()
  #total = 0

  constructor(max: number) {
    this.#max = max
  }

  /** Answers what gives it back, once. Throws 'throttled'. */
  take(sharers: readonly Sharer[]): () => void {
    const full = sharers.some(({ name, max }) => (this.#taken.get(name) ?? 0) >= max)
    if (full || this.#total >= this.#max) {
      throw new ServiceError('throttled', 'Rate exceeded', { detail: 'web identities' })
    }
    this.#change(sharers, 1)
    return () => this.#change(sharers, -1)
  }

  #change(sharers: readonly Sharer[], by: 1 | -1): void {
    this.#total += by
    for (const { name } of sharers) {
      const taken = (this.#taken.get(name) ?? 0) + by
      if (taken === 0) this.#taken.delete(name)
      else this.#taken.set(name, taken)
    }
  }
}
