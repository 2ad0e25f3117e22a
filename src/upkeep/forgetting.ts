import type { Hsm, WrappedMaterial } from '../hsm/port.ts'
import { type KmsState, materialIdOfRow } from '../services/kms/state.ts'

/**
 * Tells the key core to forget material that is gone. Whoever removed it, an operation, the upkeep or another process:
 * its row goes, and that is looked at here. To be made once, after the state was loaded.
 *
 * What is forgotten is what stood in that row, and nothing else: the same material that was imported again meanwhile,
 * or that a related key in another Region has, stands in a row as another wrapped form. So it does not matter when the
 * key core hears of it.
 */
export class Forgetting {
  readonly #hsm: Hsm
  /** What could not be told yet stays. */
  #untold: WrappedMaterial[] = []
  #telling: Promise<void> | undefined

  constructor({ state, hsm }: { state: KmsState; hsm: Hsm }) {
    this.#hsm = hsm
    state.materials.watchGlances((row, now, before) => {
      if (now !== undefined || before === undefined) return
      this.#untold.push({ materialId: materialIdOfRow(row), wrapped: before.wrapped })
      // A failure is the next upkeep's to meet, and to tell.
      if (this.#telling === undefined) this.flush().catch(() => {})
    })
  }

  /** Resolves when the core has forgotten all that is gone by now. */
  async flush(): Promise<void> {
    while (this.#untold.length > 0 || this.#telling !== undefined) {
      this.#telling ??= this.#tell().finally(() => {
        this.#telling = undefined
      })
      await this.#telling
    }
  }

  async #tell(): Promise<void> {
    // The rest of the commit that removed the first of them goes along.
    await Promise.resolve()
    const gone = this.#untold
    this.#untold = []
    try {
      if (gone.length > 0) await this.#hsm.forget(gone)
    } catch (error) {
      this.#untold.push(...gone)
      throw error
    }
  }
}
