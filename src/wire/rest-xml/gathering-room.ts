import { s3Error } from '../../base/errors.ts'

/** What a connection is counted for has room for so much. */
const uncountedMax = 16 * 1024
const defaultBytesMax = 32 * 1024 * 1024

/**
 * The room for bodies that are taken in whole, from their first byte until their calls are answered: of all requests
 * together, and of one account no more than half of it, so that nobody can keep others out.
 */
export class GatheringRoom {
  readonly #bytesMax: number
  readonly #ofAccounts = new Map<string, number>()
  #bytes = 0

  constructor(bytesMax = defaultBytesMax) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Answers what gives it back, once. Throws 'SlowDown'. */
  take(bytes: number, account: string): () => void {
    if (bytes <= uncountedMax) return () => {}
    const before = this.#ofAccounts.get(account) ?? 0
    if (this.#bytes + bytes > this.#bytesMax || before + bytes > this.#bytesMax / 2) {
      throw s3Error('SlowDown')
    }
    this.#count(bytes, account)
    let isHeld = true
    return () => {
      if (isHeld) this.#count(-bytes, account)
      isHeld = false
    }
  }

  #count(bytes: number, account: string): void {
    this.#bytes += bytes
    const held = (this.#ofAccounts.get(account) ?? 0) + bytes
    if (held === 0) this.#ofAccounts.delete(account)
    else this.#ofAccounts.set(account, held)
  }
}
