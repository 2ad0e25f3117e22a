import type { Region } from '../base/ids.ts'
import type { Hsm } from '../hsm/port.ts'
import { type KmsState, materialOfRow } from '../services/kms/state.ts'

/**
 * Tells the key core to forget material that is gone. Whoever removed it, an operation, the upkeep or another process:
 * its row goes, and that is looked at here. To be made once, after the state was loaded.
 */
export class Forgetting {
  readonly #state: KmsState
  readonly #hsm: Hsm
  readonly #regions: readonly Region[]
  /** Rows. What could not be told yet stays. */
  readonly #untold = new Set<string>()
  #telling: Promise<void> | undefined

  constructor(deps: { state: KmsState; hsm: Hsm; regions: readonly Region[] }) {
    this.#state = deps.state
    this.#hsm = deps.hsm
    this.#regions = deps.regions
    this.#state.materials.watchGlances((row, now) => {
      if (now !== undefined) return
      this.#untold.add(row)
      // A failure is the next upkeep's to meet, and to tell.
      if (this.#telling === undefined) this.flush().catch(() => {})
    })
  }

  /** Resolves when the core has forgotten all that is gone by now. */
  async flush(): Promise<void> {
    while (this.#untold.size > 0 || this.#telling !== undefined) {
      this.#telling ??= this.#tell().finally(() => {
        this.#telling = undefined
      })
      await this.#telling
    }
  }

  async #tell(): Promise<void> {
    // The rest of the commit that removed the first of them goes along.
    await Promise.resolve()
    const rows = [...this.#untold]
    this.#untold.clear()
    const gone = rows.map(materialOfRow).filter((material) => !this.#isUsed(material))
    const ids = new Set(gone.map(({ materialId }) => materialId))
    try {
      if (ids.size > 0) await this.#hsm.forget([...ids])
    } catch (error) {
      for (const row of rows) this.#untold.add(row)
      throw error
    }
  }

  /** It was imported again, or a related key in another Region has it still. */
  #isUsed({ keyId, materialId }: { keyId: string; materialId: string }): boolean {
    return this.#regions.some((region) => this.#state.hasMaterial(region, keyId, materialId))
  }
}
