import { ServiceError } from '../base/errors.ts'

export type ShareLimits = { readonly total: number; readonly each: number }

/**
 * How many tokens may be looked at at once, and how many for one sharer: a source of requests, or a provider that is
 * slow to answer. Anybody can send tokens, and each may cost a fetch and a signature check.
 */
export class Shares {
  readonly #limits: ShareLimits
  readonly #taken = new Map<string, number>()
  #total = 0

  constructor(limits: ShareLimits) {
    this.#limits = limits
  }

  /** Answers what gives it back, once. Throws 'throttled'. */
  take(sharers: readonly string[]): () => void {
    const full = sharers.some((name) => (this.#taken.get(name) ?? 0) >= this.#limits.each)
    if (full || this.#total >= this.#limits.total) {
      throw new ServiceError('throttled', 'Rate exceeded', { detail: 'web identities' })
    }
    this.#change(sharers, 1)
    return () => this.#change(sharers, -1)
  }

  #change(sharers: readonly string[], by: 1 | -1): void {
    this.#total += by
    for (const name of sharers) {
      const taken = (this.#taken.get(name) ?? 0) + by
      if (taken === 0) this.#taken.delete(name)
      else this.#taken.set(name, taken)
    }
  }
}
