import { headerPrefix } from './blob.ts'
import type { MaterialKey } from './cipher.ts'
import { padsOf } from './kdf.ts'
import type { Material } from './port.ts'

export const materialCacheSize = 10_000

type Entry = MaterialKey & Pick<Material, 'region' | 'materialId' | 'generation'>

/**
 * Material in clear, ready for use, least recently used last out. An entry's name is the whole of what the caller
 * presented, wrapped bytes included: material under another key's name is not found here, so that it meets the check
 * that refuses it. What leaves the cache is overwritten.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>()
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

  get(name: string): MaterialKey | undefined {
    const entry = this.#entries.get(name)
    if (entry !== undefined && entry !== this.#newest) {
      this.#entries.delete(name)
      this.#entries.set(name, entry)
      this.#newest = entry
    }
    return entry
  }

  /** Wipes `material`. */
  add(
    name: string,
    { keyId, materialId, region, generation }: Material,
    material: Buffer,
  ): MaterialKey {
    const pads = padsOf(material)
    material.fill(0)
    const entry = { prefix: headerPrefix(keyId, materialId), pads, region, materialId, generation }
    const [oldest] = this.#entries
    if (this.#entries.size >= this.#size && oldest !== undefined) this.#drop(...oldest)
    this.#entries.set(name, entry)
    this.#newest = entry
    return entry
  }

  forget(materialIds: ReadonlySet<string>): void {
    for (const [name, entry] of this.#entries) {
      if (materialIds.has(entry.materialId)) this.#drop(name, entry)
    }
  }

  /** Forgets what older domain keys than `generation` have wrapped. */
  forgetOlder(region: string, generation: number): void {
    for (const [name, entry] of this.#entries) {
      if (entry.region === region && entry.generation < generation) this.#drop(name, entry)
    }
  }

  #drop(name: string, entry: Entry): void {
    this.#entries.delete(name)
    entry.pads.fill(0)
    if (this.#newest === entry) this.#newest = undefined
  }
}
