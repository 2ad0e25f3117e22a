import { hash } from 'node:crypto'
import type { Mirror, Table } from '../storage/mirror.ts'
import type { Put } from '../storage/port.ts'

/**
 * Texts of policies that are no longer in force, by the SHA-256 (hexadecimal) that records of decisions name them with.
 * Each text is kept once, for good. A row stays text in memory: it costs its own length and some 300 bytes.
 */
export class PolicyArchive {
  readonly #texts: Table<string>

  /** Declares its table: to be made before the mirror is loaded. */
  constructor(mirror: Mirror) {
    this.#texts = mirror.table('superseded-policy', { decode: (body) => body, encode: String })
  }

  get size(): number {
    return this.#texts.size
  }

  text(digest: string): string | undefined {
    return this.#texts.get(digest)
  }

  /** What keeps the texts of a record that goes: those that its successor, if there is one, no longer has. */
  supersede(before: readonly string[], after: readonly string[] = []): readonly Put[] {
    return before
      .filter((text) => !after.includes(text))
      .map((text) => ({ text, digest: policyDigest(text) }))
      .filter(({ digest }) => this.text(digest) === undefined)
      .map(({ text, digest }) => this.#texts.put(digest, text))
  }
}

/** As in `CompiledPolicy.digest`. */
export function policyDigest(text: string): string {
  return hash('sha256', text, 'hex')
}
