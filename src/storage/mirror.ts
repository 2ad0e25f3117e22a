import { type OutboxEvent, type Put, type Row, type Store, StoreConflict } from './port.ts'

/**
 * The control plane's records in memory: tables over the rows of a `Store`, kept up to date by its revisions.
 * Tables are declared before `load`; values are frozen in spirit: nobody changes them in place.
 */
export class Mirror {
  readonly #store: Store
  readonly #tables = new Map<string, MirrorTable<unknown>>()
  /** Everything up to here is in the tables, from whichever process. Own commits may stand above it. */
  #revision = 0
  /** Whether the store has shown a change that no completed read has brought. */
  #behind = false
  #reading: Promise<void> = Promise.resolve()

  constructor(store: Store) {
    this.#store = store
  }

  /** Declares the table of one kind of row. `decode` reads a row's body; `encode` writes it. */
  table<T>(kind: string, codec: Codec<T>): Table<T> {
    if (this.#tables.has(kind)) throw new Error(`two tables of kind '${kind}'`)
    const table = new MirrorTable<T>(kind, codec)
    this.#tables.set(kind, table as MirrorTable<unknown>)
    return table
  }

  async load(): Promise<void> {
    const revision = await this.#store.load((row) => this.#applyRow(row))
    this.#advance(revision)
  }

  /** Makes every commit of other processes visible that was acknowledged before this call. Once a turn. */
  async refresh(): Promise<void> {
    if (this.#store.changed()) this.#behind = true
    if (this.#behind) this.#reading = this.#catchUp()
    // A read that an earlier call began is waited for: it brings what `changed` will not report again.
    await this.#reading
  }

  /** Commits, then shows the change. Throws StoreConflict after having refreshed. */
  async commit(puts: readonly Put[], events: readonly OutboxEvent[]): Promise<void> {
    let revision: number
    try {
      revision = await this.#store.commit({ puts, events })
    } catch (error) {
      if (error instanceof StoreConflict) await this.#catchUp()
      throw error
    }
    for (const put of puts) this.#applyRow({ ...put, revision })
    // With a gap, rows of other processes between the two revisions are still to be read: #revision stays.
    if (revision === this.#revision + 1) this.#advance(revision)
  }

  async #catchUp(): Promise<void> {
    this.#behind = false
    try {
      const { rows, revision } = await this.#store.changesSince(this.#revision)
      for (const row of rows) {
        // Rows that became known while this read was under way may be older here.
        if (row.revision > this.#revision) this.#applyRow(row)
      }
      this.#advance(revision)
    } catch (error) {
      this.#behind = true
      throw error
    }
  }

  #applyRow(row: Row): void {
    this.#tables.get(row.kind)?.apply(row)
  }

  #advance(revision: number): void {
    if (revision <= this.#revision) return
    this.#revision = revision
    for (const table of this.#tables.values()) table.forgetDeleted(revision)
  }
}

export type Codec<T> = { decode(body: string): T; encode(value: T): string }

export const jsonCodec = <T>(): Codec<T> => ({
  decode: (body) => JSON.parse(body) as T,
  encode: (value) => JSON.stringify(value),
})

export type Watcher<T> = (id: string, now: T | undefined, before: T | undefined) => void

export interface Table<T> {
  readonly size: number
  get(id: string): T | undefined
  values(): Iterable<T>
  /** Called after each change of a row, and for each row at `load`: for indexes. */
  watch(watcher: Watcher<T>): void
  /** The change that writes `value` over the row as it is now. */
  put(id: string, value: T): Put
  /** The change that deletes the row as it is now. */
  remove(id: string): Put
}

type Entry<T> = { value: T; revision: number }

class MirrorTable<T> implements Table<T> {
  readonly #kind: string
  readonly #codec: Codec<T>
  readonly #entries = new Map<string, Entry<T>>()
  /** Revisions of deletions that a read under way may not know yet: it must not bring the rows back. */
  readonly #deleted = new Map<string, number>()
  readonly #watchers: Watcher<T>[] = []

  constructor(kind: string, codec: Codec<T>) {
    this.#kind = kind
    this.#codec = codec
  }

  get size(): number {
    return this.#entries.size
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.value
  }

  *values(): Iterable<T> {
    for (const entry of this.#entries.values()) yield entry.value
  }

  watch(watcher: Watcher<T>): void {
    this.#watchers.push(watcher)
  }

  put(id: string, value: T): Put {
    const expected = this.#entries.get(id)?.revision ?? 0
    return { kind: this.#kind, id, body: this.#codec.encode(value), expected }
  }

  remove(id: string): Put {
    const expected = this.#entries.get(id)?.revision ?? 0
    return { kind: this.#kind, id, body: null, expected }
  }

  /** Rows may arrive twice and out of order (our own commit, then the refresh): the greater revision wins. */
  apply(row: Row): void {
    const before = this.#entries.get(row.id)
    const known = before?.revision ?? this.#deleted.get(row.id) ?? 0
    if (known >= row.revision) return
    const now = row.body === null ? undefined : this.#codec.decode(row.body)
    if (now === undefined) {
      this.#entries.delete(row.id)
      this.#deleted.set(row.id, row.revision)
    } else {
      this.#entries.set(row.id, { value: now, revision: row.revision })
      this.#deleted.delete(row.id)
    }
    if (now === undefined && before === undefined) return
    for (const watcher of this.#watchers) watcher(row.id, now, before?.value)
  }

  /** No row of a revision up to `revision` will arrive any more. */
  forgetDeleted(revision: number): void {
    for (const [id, deletedAt] of this.#deleted) {
      if (deletedAt <= revision) this.#deleted.delete(id)
    }
  }
}
