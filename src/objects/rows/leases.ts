import type { Bodies } from './bodies.ts'
import { type Garbage, removedAtOnce } from './garbage.ts'
import type { RowsClient } from './rows-client.ts'

const sweepEveryMs = 2_000
const removalsAtOnce = 8

/**
 * Which garbage the readers of this process may still need: what became garbage after a reader asked for its rows.
 * Says so regularly, and has the rest swept.
 */
export class Leases {
  readonly #rows: RowsClient
  readonly #bodies: Pick<Bodies, 'remove'>
  /** For each reader, the garbage that there was before it read its rows: none of that is its. */
  readonly #held = new Set<{ readonly behind: number }>()
  readonly #everyMs: number
  #timer: NodeJS.Timeout
  #sweeping: Promise<void> = Promise.resolve()
  #stopped = false

  constructor(rows: RowsClient, bodies: Pick<Bodies, 'remove'>, everyMs = sweepEveryMs) {
    this.#rows = rows
    this.#bodies = bodies
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
    let more = false
    try {
      const held = [...this.#held].map(({ behind }) => behind)
      more = await this.#remove(
        held.reduce((least, behind) => Math.min(least, behind), this.#rows.garbage),
      )
    } catch {
      // What cannot be removed now is tried again.
    }
    if (!this.#stopped) this.#timer = this.#later(more ? 0 : this.#everyMs)
  }

  /** Whether there is more that can be removed at once. */
  async #remove(needsBehind: number): Promise<boolean> {
    const due = await this.#rows.run({ kind: 'garbage', needsBehind })
    if (!Array.isArray(due) || due.length === 0) return false
    const sequences: number[] = []
    const waiting: Garbage[] = [...due]
    const remove = async () => {
      for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
        if (this.#stopped) return
        const { body, sequence } = each
        await this.#bodies.remove(body).then(
          () => sequences.push(sequence),
          () => {},
        )
      }
    }
    await Promise.all(Array.from({ length: removalsAtOnce }, remove))
    if (sequences.length > 0) await this.#rows.run({ kind: 'forget-garbage', sequences })
    return sequences.length === removedAtOnce
  }
}
