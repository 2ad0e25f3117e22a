import type { Codec } from '../../storage/mirror.ts'

/**
 * Keeps one copy of each text for all who hold an equal one: a hundred thousand keys with the default policy share
 * its text. Counted, so that a text nobody holds is let go.
 */
export class SharedTexts {
  readonly #texts = new Map<string, { readonly text: string; holders: number }>()

  get size(): number {
    return this.#texts.size
  }

  take(text: string): string {
    const known = this.#texts.get(text)
    if (known === undefined) {
      this.#texts.set(text, { text, holders: 1 })
      return text
    }
    known.holders++
    return known.text
  }

  release(text: string): void {
    const known = this.#texts.get(text)
    if (known === undefined) return
    known.holders--
    if (known.holders === 0) this.#texts.delete(text)
  }
}

/** JSON, with the named members of every decoded record shared. `release` gives back those of a record that is gone. */
export class SharingCodec<T extends object> implements Codec<T> {
  readonly #texts: SharedTexts
  readonly #shared: readonly (keyof T)[]

  constructor(texts: SharedTexts, shared: readonly (keyof T)[]) {
    this.#texts = texts
    this.#shared = shared
  }

  decode(body: string): T {
    const record = JSON.parse(body) as Record<keyof T, unknown>
    for (const name of this.#shared) {
      const text = record[name]
      if (typeof text === 'string') record[name] = this.#texts.take(text)
    }
    return record as T
  }

  encode(record: T): string {
    return JSON.stringify(record)
  }

  release(record: T): void {
    for (const name of this.#shared) {
      const text = record[name]
      if (typeof text === 'string') this.#texts.release(text)
    }
  }
}
