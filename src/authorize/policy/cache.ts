import { type CompiledPolicy, compilePolicy } from './compile.ts'

/** Characters of policy text of which the compiled form is kept. */
const charactersMaxDefault = 8 * 1024 * 1024
/** What an entry costs besides its text. */
const entryCharacters = 512

/**
 * Key policies, compiled once per text and shared by all keys that have the same text. Bounded: when the young half is
 * full it becomes the old half, and the former old half is forgotten; a policy in use moves back to the young half.
 */
export class PolicyCache {
  readonly #halfMax: number
  #young = new Map<string, CompiledPolicy>()
  #old = new Map<string, CompiledPolicy>()
  #youngCharacters = 0

  constructor(charactersMax = charactersMaxDefault) {
    this.#halfMax = charactersMax / 2
  }

  /** Throws as `compilePolicy` does; failures are not kept. */
  get(text: string): CompiledPolicy {
    const young = this.#young.get(text)
    if (young !== undefined) return young
    const policy = this.#old.get(text) ?? compilePolicy(text)
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

  /** How many compiled policies are held. A policy in both halves is the same object, and counted once. */
  get size(): number {
    return new Set([...this.#young.keys(), ...this.#old.keys()]).size
  }
}
