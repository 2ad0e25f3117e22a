import type { Clock } from '../base/clock.ts'
import type { Region } from '../base/ids.ts'
import type { Hsm, Material } from '../hsm/port.ts'
import type { Mirror, Table } from '../storage/mirror.ts'
import { type Put, StoreConflict } from '../storage/port.ts'

/**
 * Keeps key material wrapped under the active domain key of its Region. Nothing here needs to be remembered: what is
 * still under an older key is found by its generation, so a kill in the middle costs nothing but the rest of the work.
 */
export type DomainKeysOptions = {
  readonly hsm: Hsm
  readonly mirror: Mirror
  readonly materials: Table<Material, Pick<Material, 'region' | 'generation'>>
  /** The row id of a material. */
  readonly materialRow: (material: Material) => string
  readonly clock: Clock
  /** An active domain key older than this is replaced. */
  readonly rotateAfterMs: number
  readonly recordRotation: (region: Region, generation: number) => Promise<void>
}

const batchSize = 100
/** Requests that read a material before it was re-wrapped must be over before its old domain key goes. */
const retireAfterMs = 60_000

export class DomainKeys {
  readonly #options: DomainKeysOptions

  constructor(options: DomainKeysOptions) {
    this.#options = options
  }

  /** Rotates what is due, re-wraps what is left over, retires what nothing needs. */
  async upkeep(): Promise<void> {
    const { hsm, clock, rotateAfterMs } = this.#options
    for (const { region, activeSince, activeGeneration, generations } of (await hsm.status())
      .regions) {
      const age = clock.now() - activeSince
      if (age >= rotateAfterMs) {
        await this.#options.recordRotation(region, await hsm.rotateDomainKey(region))
      }
      const rewrapped = await this.rewrap(region, () => {})
      const settled = rewrapped === 0 && age >= retireAfterMs && age < rotateAfterMs
      if (settled && generations.length > 1) await hsm.retireDomainKeys(region, activeGeneration)
    }
  }

  /** Re-wraps every material of the Region that is not under the active key. Answers how many. */
  async rewrap(region: Region, progress: (done: number, total: number) => void): Promise<number> {
    const { hsm, mirror } = this.#options
    await mirror.refresh()
    const active = (await hsm.status()).regions.find((entry) => entry.region === region)
    if (active === undefined) return 0
    const isOutdated = (material: Pick<Material, 'region' | 'generation'>) =>
      material.region === region && material.generation < active.activeGeneration
    const outdated = [...this.#options.materials.values(isOutdated)]
    for (let start = 0; start < outdated.length; start += batchSize) {
      await this.#rewrapBatch(outdated.slice(start, start + batchSize))
      progress(Math.min(start + batchSize, outdated.length), outdated.length)
    }
    return outdated.length
  }

  async #rewrapBatch(batch: readonly Material[]): Promise<void> {
    const { mirror, materials, materialRow } = this.#options
    const rewrapped = await Promise.all(batch.map((material) => this.#rewrapOne(material)))
    const puts: Put[] = rewrapped
      .filter((material) => material !== undefined)
      .filter((material) => materials.get(materialRow(material)) !== undefined)
      .map((material) => materials.put(materialRow(material), material))
    try {
      if (puts.length > 0) await mirror.commit(puts, [])
    } catch (error) {
      // Another process re-wrapped or deleted one of them: the next upkeep finds what is left.
      if (!(error instanceof StoreConflict)) throw error
    }
  }

  /** Undefined when the material was destroyed meanwhile, which the key core then refuses to open. */
  async #rewrapOne(material: Material): Promise<Material | undefined> {
    const { hsm, materials, materialRow } = this.#options
    try {
      return await hsm.rewrap(material)
    } catch (error) {
      if (materials.get(materialRow(material)) === undefined) return undefined
      throw error
    }
  }
}
