import type { SigningScope } from '../hsm/port.ts'
import { SigningKey } from './signing-key.ts'

/**
 * Signing keys that were derived, one for each access key, day, Region and service. The least recently used one is
 * wiped when there are too many. A key is found only with the sealed secret it was derived from.
 */
export class SigningKeys {
  readonly #derive: (scope: SigningScope) => Promise<Buffer>
  readonly #max: number
  readonly #keys = new Map<string, SigningKey>()
  /** The last of the keys in the map's order. */
  #newest: SigningKey | undefined
  readonly #pending = new Map<string, Promise<SigningKey>>()

  constructor(derive: (scope: SigningScope) => Promise<Buffer>, max: number) {
    this.#derive = derive
    this.#max = max
  }

  get size(): number {
    return this.#keys.size
  }

  /** `credential` is the Credential parameter: the access key id and the scope. */
  find(credential: string, sealedSecret: string): SigningKey | undefined {
    const key = this.#keys.get(credential)
    if (key === undefined || key.sealedSecret !== sealedSecret) return undefined
    if (key !== this.#newest) {
      this.#keys.delete(credential)
      this.#keys.set(credential, key)
      this.#newest = key
    }
    return key
  }

  /** Callers that ask for the same key at once share one derivation. Rejects as the key core does. */
  derive(credential: string, scope: SigningScope): Promise<SigningKey> {
    const name = `${credential}\n${scope.sealedSecret}`
    let pending = this.#pending.get(name)
    if (pending === undefined) {
      pending = this.#deriveNew(credential, scope).finally(() => this.#pending.delete(name))
      this.#pending.set(name, pending)
    }
    return pending
  }

  async #deriveNew(credential: string, scope: SigningScope): Promise<SigningKey> {
    const bytes = await this.#derive(scope)
    const scopeText = credential.slice(scope.accessKeyId.length + 1)
    const key = new SigningKey(bytes, scopeText, scope.sealedSecret)
    this.#drop(credential)
    this.#keys.set(credential, key)
    this.#newest = key
    if (this.#keys.size > this.#max) {
      for (const oldest of this.#keys.keys()) {
        this.#drop(oldest)
        break
      }
    }
    return key
  }

  #drop(credential: string): void {
    this.#keys.get(credential)?.wipe()
    this.#keys.delete(credential)
  }
}
