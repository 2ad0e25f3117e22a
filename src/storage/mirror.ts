import { type Codec, MirrorTable, type Table } from './mirror-table.ts'
import {
  type OutboxEvent,
  type Put,
  type Row,
  type Store,
  StoreConflict,
  type Unchanged,
} from './port.ts'

export type { Codec, Table, TextsOf, Watcher } from './mirror-table.ts'
export { jsonCodec } from './mirror-table.ts'

/**
 * The control plane's records in memory: tables over the rows of a `Store`, kept up to date by its revisions.
 * Tables are declared before `load`; values are frozen in spirit: nobody changes them in place.
 *
 * A row is kept as its text until somebody asks for its value: a start decodes nothing but what indexes need. A text
 * that cannot be decoded is an 'internal' error for whoever asks for it, and concerns no other row.
 */
export class Mirror {
  readonly #store: Store
  readonly #tables = new Map<string, MirrorTable<unknown, unknown>>()
  /** Everything up to here is in the tables, from whichever process. Own commits may stand above it. */
  #revision = 0
  /** Whether the store has shown a change that no completed read has brought. */
  #behind = false
  #reading: Promise<void> = Promise.resolve()
  #guard: CommitGuard | undefined
  #derive: DeriveEntries | undefined

  constructor(store: Store) {
    this.#store = store
  }

  /** Declares the table of one kind of row. */
  table<T extends G, G = T>(kind: string, codec: Codec<T, G>): Table<T, G> {
    if (this.#tables.has(kind)) throw new Error(`two tables of kind '${kind}'`)
    const table = new MirrorTable<T, G>(kind, codec)
    this.#tables.set(kind, table as MirrorTable<unknown, unknown>)
    return table
  }

  /** Whom every commit is shown before it is made, whoever asks for it. */
  guard(guard: CommitGuard): void {
    if (this.#guard !== undefined) throw new Error('there is a guard')
    this.#guard = guard
  }

  /** What each commit brings into the journal beside the events that it was asked with. */
  derive(derive: DeriveEntries): void {
    if (this.#derive !== undefined) throw new Error('there is something that derives')
    this.#derive = derive
  }

  /** What the tables show is of this revision or of a greater one. */
  get revision(): number {
    return this.#revision
  }

  async load(): Promise<void> {
    const revision = await this.#store.load((row) => this.#applyRow(row))
    this.#advance(revision)
    // What other processes changed while the store was read may have been seen in part.
    await this.refresh()
  }

  /** Makes every commit of other processes visible that was acknowledged before this call. Once a turn. */
  async refresh(): Promise<void> {
    if (this.#store.changed()) this.#behind = true
    if (this.#behind) this.#reading = this.#catchUp()
    // A read that an earlier call began is waited for: it brings what `changed` will not report again.
    await this.#reading
  }

  /**
   * Commits, then shows the change. Resolves with what stands in the outbox now: the events, then what was derived.
   * Throws StoreConflict after having refreshed, or what the guard refuses it with.
   */
  async commit(
    asked: readonly Put[],
    events: readonly OutboxEvent[],
  ): Promise<readonly OutboxEvent[]> {
    const derived = this.#derive?.(asked, events) ?? []
    return this.#make(asked, events, derived)
  }

  /** Commits entries that belong to `puts` beside those that are derived of them. Otherwise as `commit`. */
  commitEntries(
    puts: readonly Put[],
    entries: readonly DerivedEntry[],
  ): Promise<readonly OutboxEvent[]> {
    return this.#make(puts, [], [...entries, ...(this.#derive?.(puts, []) ?? [])])
  }

  async #make(
    asked: readonly Put[],
    events: readonly OutboxEvent[],
    derived: readonly DerivedEntry[],
  ): Promise<readonly OutboxEvent[]> {
    const all = derived.length === 0 ? events : [...events, ...derived]
    const texts = derived.flatMap(({ archive }) => archive)
    if (this.#guard === undefined) await this.#commit(asked, all, texts)
    else {
      await this.#guard(asked, (terms) => this.#commit(asked, all, texts, terms), events)
    }
    return all
  }

  /** Throws what `commit` would be refused with by the guard, and changes nothing. */
  async admit(puts: readonly Put[]): Promise<void> {
    await this.#guard?.(puts, async () => {}, [])
  }

  /** What `read` says once these changes are made; then they are taken back. Throws StoreConflict as `commit` would. */
  supposing<T>(puts: readonly Put[], read: () => T): T {
    const takeBack: (() => void)[] = []
    try {
      for (const put of puts) {
        const table = this.#tables.get(put.kind)
        if (table !== undefined) takeBack.push(table.suppose(put))
      }
      return read()
    } finally {
      for (const each of takeBack.reverse()) each()
    }
  }

  /** False for a row that goes along with a commit as it is. */
  alters({ kind, id, body }: Put): boolean {
    return this.#tables.get(kind)?.alters(id, body) ?? true
  }

  async #commit(
    asked: readonly Put[],
    events: readonly OutboxEvent[],
    texts: readonly string[],
    { unchanged, also = nothing }: CommitTerms = {},
  ): Promise<void> {
    const puts = also.length === 0 ? asked : [...asked, ...also]
    const archive = [...this.#superseded(puts), ...texts]
    let revision: number
    try {
      revision = await this.#store.commit({ puts, events, archive, unchanged })
    } catch (error) {
      if (error instanceof StoreConflict) await this.#catchUp()
      throw error
    }
    for (const put of puts) this.#applyRow({ ...put, revision })
    // With a gap, rows of other processes between the two revisions are still to be read: #revision stays.
    if (revision === this.#revision + 1) this.#advance(revision)
  }

  #superseded(puts: readonly Put[]): readonly string[] {
    return puts.flatMap((put) => this.#tables.get(put.kind)?.superseded(put) ?? [])
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

/**
 * Entries of the journal that follow from a change: they go into its commit. Called with the rows as they were before,
 * and throws what the commit is then refused with. Must be of records that the journal can hold.
 */
export type DeriveEntries = (
  puts: readonly Put[],
  events: readonly OutboxEvent[],
) => readonly DerivedEntry[]

/** An entry, and texts that it tells only the SHA-256 of: they are archived with it. */
export type DerivedEntry = OutboxEvent & { readonly archive: readonly string[] }

/** Calls `commit` once, or throws why the change must not be made. `events`: the records of the change. */
export type CommitGuard = (
  puts: readonly Put[],
  commit: (terms?: CommitTerms) => Promise<void>,
  events: readonly OutboxEvent[],
) => Promise<void>

export type CommitTerms = {
  readonly unchanged?: Unchanged | undefined
  /** Rows that go into the commit beside those that were asked for. */
  readonly also?: readonly Put[]
}

const nothing: readonly Put[] = []
