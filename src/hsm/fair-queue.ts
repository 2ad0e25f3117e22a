import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'

/**
 * What waits for its turn. Accounts take turns, one of each after the other, and what an account waits for goes in the
 * order of asking. No account may have more than half of the places, so that none shuts the others out.
 */
export class FairQueue<T> {
  readonly #placesMax: number
  readonly #share: number
  /** None is empty; whose turn is next comes first. */
  readonly #byAccount = new Map<AccountId, T[]>()
  #length = 0

  constructor(placesMax: number) {
    this.#placesMax = placesMax
    this.#share = Math.ceil(placesMax / 2)
  }

  /** Throws 'throttled' when too many wait, or too many of that account. */
  push(account: AccountId, waiting: T): void {
    const own = this.#byAccount.get(account)
    if (this.#length >= this.#placesMax || (own?.length ?? 0) >= this.#share) {
      const detail = `${own?.length ?? 0} of this account and ${this.#length} in all are waiting`
      throw new ServiceError('throttled', undefined, { detail })
    }
    this.#length += 1
    if (own === undefined) this.#byAccount.set(account, [waiting])
    else own.push(waiting)
  }

  shift(): T | undefined {
    const [turn] = this.#byAccount
    if (turn === undefined) return undefined
    const [account, own] = turn
    const next = own.shift()
    this.#length -= 1
    this.#byAccount.delete(account)
    if (own.length > 0) this.#byAccount.set(account, own)
    return next
  }
}
