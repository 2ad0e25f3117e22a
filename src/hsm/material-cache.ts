import { ServiceError } from '../base/errors.ts'
import { formOf, type WrappedForm } from './material-text.ts'
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
 * What is to be forgotten is gone from the store: a call that was on its way meanwhile does not bring it back, because
 * the last ten thousand forms are remembered. Only the very form that went is refused: the same material that comes in
 * again, here or through another process, has the same id, but was wrapped anew.
 */
export class MaterialCache {
  readonly #entries = new Map<string, Entry>()
  /** Digests of forms, the oldest first. */
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

  /** Wipes the material in whatever form it was opened: what still has another one opens it again. */
  forget(forms: readonly WrappedForm[]): void {
    const ids = new Set(forms.map(({ materialId }) => materialId))
    for (const [name, entry] of this.#entries) {
      if (ids.has(entry.materialId)) this.#drop(name, entry)
    }
    for (const { digest } of forms) {
      this.#forgotten.delete(digest)
      this.#forgotten.add(digest)
    }
    for (const digest of this.#forgotten) {
      if (this.#forgotten.size <= forgottenMax) break
      this.#forgotten.delete(digest)
    }
  }

  /** Throws 'key-unavailable'. To be asked before material is unwrapped. */
  refuseForgotten(material: Material): void {
    if (this.#forgotten.size === 0 || !this.#forgotten.has(formOf(material).digest)) return
    const detail = `the material of ${material.keyId} was destroyed`
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
