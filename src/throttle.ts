import { ServiceError } from './base/errors.ts'
import type { AccountId } from './base/ids.ts'
import { TokenBuckets } from './base/token-buckets.ts'

/**
 * Request quotas: so many requests a second for each account and group of operations, with room for one second's worth
 * at once. A token bucket of this process alone: several processes over one data folder allow as much each.
 * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
export class Throttle {
  readonly #rateOf: (account: AccountId, group: string) => number | undefined
  readonly #buckets = new TokenBuckets()

  /** `rateOf` answers requests a second, or undefined where there is no limit. */
  constructor(rateOf: (account: AccountId, group: string) => number | undefined) {
    this.#rateOf = rateOf
  }

  /** `now` in ms. Throws 'throttled' with the text that is given, which makes SDKs wait and try again. */
  admit(account: AccountId, group: string, now: number, text: string): void {
    const rate = this.#rateOf(account, group)
    if (rate === undefined) return
    const burst = rate === 0 ? 0 : Math.max(rate, 1)
    if (this.#buckets.take(`${account}/${group}`, { burst, rate }, now)) return
    throw new ServiceError('throttled', text, {
      detail: `${group} of account ${account}: ${rate} requests a second`,
    })
  }
}
