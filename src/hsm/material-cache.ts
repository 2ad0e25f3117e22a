import { ServiceError } from '../base/errors.ts'
import { type OpenMaterial, openMaterial, wipeMaterial } from './open-material.ts'
import type { Material } from './port.ts'

export const materialCacheSize = 10_000
/** As many as calls that are still under way could bring back. */
export const forgottenMax = 10_000

type Entry = Pick<Material, 'region' | 'materialId' | 'generation'> & {
  readonly open: OpenMaterial
}

/**
 * Material in clear, ready for use, least recently used last out. An entry's name is the whole of what the caller
 * presented, wrapped bytes included: material under another key's name is not found here, so that it meets the check
 * that refuses it. What leaves the cache is overwritten, as far as it is ours to overwrite.
 *
 * What is to be forgotten belongs to a key that was destroyed: a call that was on its way meanwhile does not bring it
 * back, because the ids of the last ten thousand are remembered.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>()
  /** Ids, the oldest first. */
  readonly #forgotten = new Set<string>()
  readonly #size: number
  #newest: Entry | undefined

  /** At least two: re-encryption holds two at once. */
  constructor(size = materialCacheSize) {
    if (size < 2) throw new RangeError('a material cache of less than two entries')
    this.#size = size
  }

  get size(): number {
    return this.#entries.size
  }

  get(name: string): OpenMaterial | undefined {
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry !== this.#newest) {
      this.#entries.delete(name)
      this.#entries.set(name, entry)
      this.#newest = entry
    }
    return entry?.open
  }

  /** Wipes `bytes`, the material in clear. Throws 'key-unavailable' for what is no material of its spec. */
  add(name: string, material: Material, bytes: Buffer): OpenMaterial {
    const { region, materialId, generation } = material
    const entry = { open: openMaterial(material, bytes), region, materialId, generation }
    const [oldest] = this.#entries
    if (this.#entries.size >= this.#size && oldest !== undefined) this.#drop(...oldest)
    this.#entries.set(name, entry)
    this.#newest = entry
    return entry.open
  }

  forget(materialIds: ReadonlySet<string>): void {
    for (const [name, entry] of this.#entries) {
      if (materialIds.has(entry.materialId)) this.#drop(name, entry)
    }
    for (const id of materialIds) {
      this.#forgotten.delete(id)
      this.#forgotten.add(id)
    }
    for (const id of this.#forgotten) {
      if (this.#forgotten.size <= forgottenMax) break
      this.#forgotten.delete(id)
    }
  }

  /** The same material came back from outside, and has the same id. */
  remember(materialId: string): void {
    this.#forgotten.delete(materialId)
  }

  /** Throws 'key-unavailable'. To be asked before material is unwrapped. */
  refuseForgotten({ keyId, materialId }: Material): void {
    if (!this.#forgotten.has(materialId)) return
    const detail = `the material of ${keyId} was destroyed`
    throw new ServiceError('key-unavailable', undefined, { detail })
  }

  /** Forgets what older domain keys than `generation` have wrapped. */
  forgetOlder(region: string, generation: number): void {
    for (const [name, entry] of this.#entries) {
      if (entry.region === region && entry.generation < generation) this.#drop(name, entry)
    }
  }

  #drop(name: string, entry: Entry): void {
    this.#entries.delete(name)
    wipeMaterial(entry.open)
    if (this.#newest === entry) this.#newest = undefined
  }
}
