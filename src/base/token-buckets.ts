/** More than this at once lose their past, the oldest first, which errs on the side of who asks. */
const bucketsMax = 10_000

type Bucket = { tokens: number; at: number }

/** So many at once, and so many more each second. */
export type Allowance = { readonly burst: number; readonly rate: number }

/** Token buckets by name, of this process alone, and of a bounded number. */
export class TokenBuckets {
  readonly #buckets = new Map<string, Bucket>()

  /** Takes one; false when there is none left. `now` in ms; a clock that goes back gives nothing. */
  take(name: string, { burst, rate }: Allowance, now: number): boolean {
    const bucket = this.#bucket(name, burst, now)
    const elapsed = Math.max(0, now - bucket.at)
    bucket.tokens = Math.min(burst, bucket.tokens + (elapsed * rate) / 1000)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens -= 1
    return true
  }

  #bucket(name: string, burst: number, now: number): Bucket {
    let bucket = this.#buckets.get(name)
    if (bucket === undefined) {
      if (this.#buckets.size >= bucketsMax) this.#dropOldest()
      bucket = { tokens: burst, at: now }
      this.#buckets.set(name, bucket)
    }
    return bucket
  }

  #dropOldest(): void {
    for (const name of this.#buckets.keys()) {
      this.#buckets.delete(name)
      return
    }
  }
}
