import { internalError } from '../base/errors.ts'
import { type Put, type Row, StoreConflict } from './port.ts'

/** How the values of a table stand in its rows. `G` is the part of a value that indexes are made of. */
export type Codec<T extends G, G = T> = {
  decode(body: string): T
  encode(value: T): string
  /**
   * Reads that part alone, much faster than `decode`; undefined where it cannot, and then the whole value is decoded.
   * Its texts may be parts of the body: whoever keeps one keeps all of the body in memory.
   */
  glance?(body: string): G | undefined
}

export const jsonCodec = <T>(): Codec<T> => ({
  decode: (body) => JSON.parse(body) as T,
  encode: (value) => JSON.stringify(value),
})

export type TextsOf<T> = (value: T) => readonly string[]

export type Watcher<T> = (id: string, now: T | undefined, before: T | undefined) => void

export interface Table<T, G = T> {
  readonly size: number
  /** The same object until the row changes. Throws 'internal' when the row cannot be decoded. */
  get(id: string): T | undefined
  /** The values of which `test` holds; the others are not decoded. */
  values(test?: (glance: G) => boolean): Iterable<T>
  /** Called after each change of a row, and for each row at `load`, which decodes all of them. */
  watch(watcher: Watcher<T>): void
  /** The same without decoding: for indexes. */
  watchGlances(watcher: Watcher<G>): void
  /**
   * Every commit that replaces or deletes a row archives those of its texts that it no longer has, so that nobody who
   * makes such a change can forget it. They are in the store alone (`Store.archived`).
   */
  archive(textsOf: TextsOf<T>): void
  /** The change that writes `value` over the row as it is now. */
  put(id: string, value: T): Put
  /** The change that deletes the row as it is now. */
  remove(id: string): Put
}

/** One of `body` and `value` is there: the text gives way to the value once that was asked for. */
type Entry<T> = { body: string | undefined; value: T | undefined; readonly revision: number }

/** The rows of one kind in memory, as `Mirror` keeps them. */
export class MirrorTable<T extends G, G> implements Table<T, G> {
  readonly #kind: string
  readonly #codec: Codec<T, G>
  readonly #entries = new Map<string, Entry<T>>()
  /** Revisions of deletions that a read under way may not know yet: it must not bring the rows back. */
  readonly #deleted = new Map<string, number>()
  readonly #watchers: Watcher<T>[] = []
  readonly #glanceWatchers: Watcher<G>[] = []
  #archivedTexts: TextsOf<T> | undefined

  constructor(kind: string, codec: Codec<T, G>) {
    this.#kind = kind
    this.#codec = codec
  }

  get size(): number {
    return this.#entries.size
  }

  get(id: string): T | undefined {
    const entry = this.#entries.get(id)
    return entry && this.#value(id, entry)
  }

  *values(test: (glance: G) => boolean = () => true): Iterable<T> {
    for (const [id, entry] of this.#entries) {
      if (!test(this.#glance(id, entry))) continue
      yield this.#value(id, entry)
    }
  }

  watch(watcher: Watcher<T>): void {
    this.#watchers.push(watcher)
  }

  watchGlances(watcher: Watcher<G>): void {
    this.#glanceWatchers.push(watcher)
  }

  archive(textsOf: TextsOf<T>): void {
    if (this.#archivedTexts !== undefined) throw new Error(`'${this.#kind}' is archived already`)
    this.#archivedTexts = textsOf
  }

  /** The texts that go when the row is written over. */
  superseded({ id, body }: Put): readonly string[] {
    const textsOf = this.#archivedTexts
    const before = textsOf === undefined ? undefined : this.get(id)
    if (textsOf === undefined || before === undefined) return []
    const after = body === null ? [] : textsOf(this.#codec.decode(body))
    return textsOf(before).filter((text) => !after.includes(text))
  }

  put(id: string, value: T): Put {
    const expected = this.#entries.get(id)?.revision ?? 0
    return { kind: this.#kind, id, body: this.#codec.encode(value), expected }
  }

  remove(id: string): Put {
    const expected = this.#entries.get(id)?.revision ?? 0
    return { kind: this.#kind, id, body: null, expected }
  }

  /** Shows the row as a put would make it. What is returned shows it as it was. */
  suppose({ id, body, expected }: Put): () => void {
    const before = this.#entries.get(id)
    if ((before?.revision ?? 0) !== expected) {
      throw new StoreConflict(`${this.#kind} '${id}' is not at revision ${expected}`)
    }
    const now = body === null ? undefined : { body, value: undefined, revision: expected }
    this.#replace(id, now, before)
    return () => this.#replace(id, before, now)
  }

  alters(id: string, body: string | null): boolean {
    const entry = this.#entries.get(id)
    if (entry === undefined || body === null) return true
    return body !== (entry.body ?? this.#codec.encode(this.#value(id, entry)))
  }

  #replace(id: string, now: Entry<T> | undefined, before: Entry<T> | undefined): void {
    if (now === undefined) this.#entries.delete(id)
    else this.#entries.set(id, now)
    this.#tell(id, now, before)
  }

  /** Rows may arrive twice and out of order (our own commit, then the refresh): the greater revision wins. */
  apply({ id, body, revision }: Row): void {
    const before = this.#entries.get(id)
    // At a load nothing is deleted, and each look-up counts.
    const anyDeleted = this.#deleted.size > 0
    const known = before?.revision ?? (anyDeleted ? this.#deleted.get(id) : undefined) ?? 0
    if (known >= revision) return
    if (body === null) {
      this.#entries.delete(id)
      this.#deleted.set(id, revision)
      if (before !== undefined) this.#tell(id, undefined, before)
    } else {
      const now = { body, value: undefined, revision }
      this.#entries.set(id, now)
      if (anyDeleted) this.#deleted.delete(id)
      this.#tell(id, now, before)
    }
  }

  #tell(id: string, now: Entry<T> | undefined, before: Entry<T> | undefined): void {
    if (this.#glanceWatchers.length > 0) {
      const seen = now && this.#glance(id, now)
      const seenBefore = before && this.#glance(id, before)
      for (const watcher of this.#glanceWatchers) watcher(id, seen, seenBefore)
    }
    if (this.#watchers.length > 0) {
      const value = now && this.#value(id, now)
      const valueBefore = before && this.#value(id, before)
      for (const watcher of this.#watchers) watcher(id, value, valueBefore)
    }
  }

  #glance(id: string, entry: Entry<T>): G {
    const glance = entry.body === undefined ? undefined : this.#codec.glance?.(entry.body)
    return glance ?? this.#value(id, entry)
  }

  #value(id: string, entry: Entry<T>): T {
    if (entry.body === undefined) return entry.value as T
    try {
      entry.value = this.#codec.decode(entry.body)
      entry.body = undefined
      return entry.value
    } catch (error) {
      throw internalError(`the ${this.#kind} '${id}' of the store cannot be read`, error)
    }
  }

  /** No row of a revision up to `revision` will arrive any more. */
  forgetDeleted(revision: number): void {
    for (const [id, deletedAt] of this.#deleted) {
      if (deletedAt <= revision) this.#deleted.delete(id)
    }
  }
}
