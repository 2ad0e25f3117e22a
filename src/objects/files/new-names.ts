import { internalError } from '../../base/errors.ts'
import type { RowsClient } from '../rows/rows-client.ts'

/** With fewer left, more are made meanwhile. */
const refillBelow = 64

/** Names of new, empty files that are durable already. None are made before the first is asked for. */
export class NewNames {
  readonly #rows: RowsClient
  readonly #names: string[] = []
  #making: Promise<void> | undefined

  constructor(rows: RowsClient) {
    this.#rows = rows
  }

  async take(): Promise<string> {
    if (this.#names.length < refillBelow) void this.#refill()
    while (this.#names.length === 0) await this.#refill()
    const name = this.#names.shift()
    if (name === undefined) throw internalError('there is no new file for a body')
    return name
  }

  #refill(): Promise<void> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined
    })
    // Whoever needs a name waits for it and hears of a failure; who only refills does not.
    this.#making.catch(() => {})
    return this.#making
  }

  async #make(): Promise<void> {
    const names = await this.#rows.run({ kind: 'new-names' })
    if (!Array.isArray(names)) throw internalError('no new files for bodies')
    this.#names.push(...names)
  }
}
