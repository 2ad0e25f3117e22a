import { randomBytes } from 'node:crypto'
import { internalError } from '../base/errors.ts'
import type { AccountId, Region } from '../base/ids.ts'
import type { PairOfSpec } from './asymmetric/key-operations.ts'
import type { MaterialKey } from './cipher.ts'
import type { Hierarchy } from './hierarchy.ts'
import { isSymmetric, type KeySpec } from './key-specs.ts'
import type { MacPads } from './mac.ts'
import { MaterialCache } from './material-cache.ts'
import { parseMaterial, type WrappedForm } from './material-text.ts'
import type { OpenMaterial } from './open-material.ts'
import type { KeyName, Material } from './port.ts'
import type { Soon } from './soon.ts'

/** Key material, from the text that the caller presents (`material-text.ts`) to the form in which it is used. */
export class Materials {
  readonly #hierarchy: Hierarchy
  readonly #cache: MaterialCache

  constructor(hierarchy: Hierarchy, cacheSize: number | undefined) {
    this.#hierarchy = hierarchy
    this.#cache = new MaterialCache(cacheSize)
  }

  /** Wipes `bytes`. */
  wrapNew(name: KeyName, spec: KeySpec, bytes: Buffer): Material {
    try {
      const named = isSymmetric(spec) ? name : { ...name, keySpec: spec }
      return this.#hierarchy.wrapMaterial(named, randomBytes(32).toString('hex'), bytes)
    } finally {
      bytes.fill(0)
    }
  }

  /** By the active domain key, of its own Region or of another. */
  wrapAgain(text: string, region?: Region): Material {
    const material = this.#read(text)
    const { account, keyId, materialId, keySpec } = material
    const bytes = this.#hierarchy.unwrapMaterial(material)
    try {
      const name = {
        region: region ?? material.region,
        account,
        keyId,
        ...(keySpec && { keySpec }),
      }
      return this.#hierarchy.wrapMaterial(name, materialId, bytes)
    } finally {
      bytes.fill(0)
    }
  }

  symmetric(text: string): MaterialKey {
    const material = this.#open(text)
    if (material.kind === 'symmetric') return material.key
    throw internalError('material that does not encrypt symmetrically')
  }

  macPads(text: string): MacPads {
    const material = this.#open(text)
    if (material.kind === 'mac') return material.pads
    throw internalError('material that makes no MAC')
  }

  pair(text: string): PairOfSpec {
    const material = this.#open(text)
    if (material.kind === 'pair') return material.pair
    throw internalError('material that is no key pair')
  }

  /** Whose key it is. Throws 'key-unavailable'. */
  account(text: string): AccountId {
    return this.#read(text).account
  }

  /** A result that comes later is not given out for material that was destroyed meanwhile. */
  unlessForgotten<T>(text: string, result: Soon<T>): Soon<T> {
    if (!(result instanceof Promise)) return result
    return result.then((value) => {
      try {
        this.#read(text)
        return value
      } catch (error) {
        if (Buffer.isBuffer(value)) value.fill(0)
        throw error
      }
    })
  }

  forget(forms: readonly WrappedForm[]): void {
    this.#cache.forget(forms)
  }

  forgetOlder(region: Region, generation: number): void {
    this.#cache.forgetOlder(region, generation)
  }

  #open(text: string): OpenMaterial {
    const known = this.#cache.get(text)
    if (known !== undefined) return known
    const material = this.#read(text)
    return this.#cache.add(text, material, this.#hierarchy.unwrapMaterial(material))
  }

  #read(text: string): Material {
    const material = parseMaterial(text)
    if (material === undefined) throw internalError('not the text of a key material')
    this.#cache.refuseForgotten(material)
    return material
  }
}
