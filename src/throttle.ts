import { ServiceError } from './base/errors.ts'
import type { AccountId } from './base/ids.ts'

/** More accounts and groups than this at once lose their past, which errs on the side of the caller. */
const bucketsMax = 10_000

type Bucket = { tokens: number; at: number }

/**
 * Request quotas: so many requests a second for each account and group of operations, with room for one second's worth
 * at once. A token bucket of this process alone: several processes over one data folder allow as much each.
 * https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
export class Throttle {
  readonly #rateOf: (account: AccountId, group: string) => number | undefined
  readonly #buckets = new Map<string, Bucket>()

  /** `rateOf` answers requests a second, or undefined where there is no limit. */
  constructor(rateOf: (account: AccountId, group: string) => number | undefined) {
    this.#rateOf = rateOf
  }

  /** `now` in ms. Throws 'throttled' in AWS's words, which makes SDKs wait and try again. */
  admit(account: AccountId, group: string, now: number): void {
    const rate = this.#rateOf(account, group)
    if (rate === undefined) return
    const bucket = this.#bucket(`${account}/${group}`, rate, now)
    const elapsed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(Math.max(rate, 1), bucket.tokens + (elapsed * rate) / 1000)
    bucket.at = now
    if (bucket.tokens < 1 || rate === 0) {
      throw new ServiceError(
        'throttled',
        'You have exceeded the rate at which you may call KMS. Reduce the frequency of your calls.',
        { detail: `${group} of account ${account}: ${rate} requests a second` },
      )
    }
    bucket.tokens -= 1
  }

  #bucket(name: string, rate: number, now: number): Bucket {
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      if (this.#buckets.size >= bucketsMax) this.#buckets.clear()
      bucket = { tokens: Math.max(rate, 1), at: now }
      this.#buckets.set(name, bucket)
    }
    return bucket
  }
}
