import { randomFillSync } from 'node:crypto'

const poolBytes = 4096

/**
 * Cryptographic randomness in small pieces: one call to the generator for many. What was handed out is overwritten in
 * the pool at once, so that the memory of the process does not tell past nonces or data keys.
 */
export class RandomPool {
  readonly #pool = Buffer.allocUnsafeSlow(poolBytes)
  #used = poolBytes

  /** Fills `target` from `start` to `end`. */
  fill(target: Buffer, start: number, end: number): void {
    const count = end - start
    if (count > poolBytes) {
      randomFillSync(target, start, count)
      return
    }
    if (this.#used + count > poolBytes) {
      randomFillSync(this.#pool)
      this.#used = 0
    }
    this.#pool.copy(target, start, this.#used, this.#used + count)
    this.#pool.fill(0, this.#used, this.#used + count)
    this.#used += count
  }

  /** `count` random bytes, the caller's to wipe. */
  bytes(count: number): Buffer {
    const bytes = Buffer.allocUnsafe(count)
    this.fill(bytes, 0, count)
    return bytes
  }
}
