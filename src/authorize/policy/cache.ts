import { type CompiledPolicy, compilePolicy } from './compile.ts'
import type { PolicyKind } from './document.ts'

/** Characters of policy text of which the compiled form is kept. */
const charactersMaxDefault = 8 * 1024 * 1024
/** What an entry costs besides its text. */
const entryCharacters = 512

/** Policies, compiled once per text and shared by all that have the same text. Bounded for each kind. */
export class PolicyCache {
  readonly #charactersMax: number
  readonly #kinds = new Map<PolicyKind, KindCache>()

  constructor(charactersMax = charactersMaxDefault) {
    this.#charactersMax = charactersMax
  }

  /** Throws as `compilePolicy` does; failures are not kept. */
  get(text: string, kind: PolicyKind = 'key'): CompiledPolicy {
    let cache = this.#kinds.get(kind)
    if (cache === undefined) {
      cache = new KindCache(kind, this.#charactersMax)
      this.#kinds.set(kind, cache)
    }
    return cache.get(text)
  }

  /** How many compiled policies are held. A policy in both halves is the same object, and counted once. */
  get size(): number {
    return [...this.#kinds.values()].reduce((sum, { size }) => sum + size, 0)
  }
}

/**
 * When the young half is full it becomes the old half, and the former old half is forgotten; a policy in use moves back
 * to the young half.
 */
class KindCache {
  readonly #kind: PolicyKind
  readonly #halfMax: number
  #young = new Map<string, CompiledPolicy>()
  #old = new Map<string, CompiledPolicy>()
  #youngCharacters = 0

  constructor(kind: PolicyKind, charactersMax: number) {
    this.#kind = kind
    this.#halfMax = charactersMax / 2
  }

  get(text: string): CompiledPolicy {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const policy = this.#old.get(text) ?? compilePolicy(text, this.#kind)
    const cost = text.length + entryCharacters
    if (this.#youngCharacters + cost > this.#halfMax) {
      this.#old = this.#young
      this.#young = new Map()
      this.#youngCharacters = 0
    }
    this.#young.set(text, policy)
    this.#youngCharacters += cost
    return policy
  }

  get size(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size
  }
}
