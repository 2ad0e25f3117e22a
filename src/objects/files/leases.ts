import type { RowsClient } from './rows-client.ts'

const sweepEveryMs = 2_000

/**
 * Which garbage the readers of this process may still need: what became garbage after a reader asked for its rows.
 * Says so regularly, and has the rest swept.
 */
export class Leases {
  readonly #rows: RowsClient
  /** For each reader, the garbage that there was before it read its rows: none of that is its. */
  readonly #held = new Set<{ readonly behind: number }>()
  readonly #everyMs: number
  #timer: NodeJS.Timeout
  #sweeping: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(rows: RowsClient, everyMs = sweepEveryMs) {
    this.#rows = rows
    this.#everyMs = everyMs
    this.#timer = this.#later(everyMs)
  }

  take(): () => void {
    const lease = { behind: this.#rows.garbage }
    this.#held.add(lease)
    return () => void this.#held.delete(lease)
  }

  stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#timer)
    return this.#sweeping
  }

  #later(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#sweeping = this.#sweep()
    }, ms).unref()
  }

  async #sweep(): Promise<void> {
    let more: unknown = false
    try {
      const held = [...this.#held].map(({ behind }) => behind)
      const needsBehind = held.reduce(
        (least, behind) => Math.min(least, behind),
        this.#rows.garbage,
      )
      more = await this.#rows.run({ kind: 'sweep', needsBehind })
    } catch {
      // What cannot be removed now is tried again.
    }
    if (!this.#stopped) this.#timer = this.#later(more === true ? 0 : this.#everyMs)
  }
}
