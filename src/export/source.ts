import type { Files } from '../journal/files.ts'
import { JournalReader, type Position, type StoredRecord } from '../journal/journal-reader.ts'
import type { ReadFrame } from '../journal/last-frame.ts'
import type { Place } from './cursor.ts'
import type { ExportedKind } from './settings.ts'
import type { Entry } from './sink.ts'

/** What goes to a receiver at once; a single entry is never longer than the bytes. */
export const batchEntriesMax = 1000
export const batchBytesMax = 1024 * 1024

export type Batch = {
  readonly entries: readonly Entry[]
  /** Behind it. */
  readonly place: Place
  /** There may be more already. */
  readonly isFull: boolean
}

/**
 * The entries of one journal from a place on, batch by batch, also while it is written. Memory is bounded by what
 * JournalReader takes and a batch. After an exception another one has to be made.
 */
export class EntrySource {
  readonly #reader: JournalReader
  readonly #kinds: readonly ExportedKind[]
  readonly #start: number
  /** Of the batch of the journal that is being handed on: what is left of it, and where it begins. */
  #left: StoredRecord[] = []
  #before: Position
  #last: ReadFrame | undefined

  constructor(
    journal: { readonly files: Files; readonly directory: string },
    place: Place | undefined,
    kinds: readonly ExportedKind[],
  ) {
    this.#reader = new JournalReader(journal.directory, place?.position, journal.files)
    this.#kinds = kinds
    this.#start = place?.next ?? 0
    this.#before = this.#reader.position
    this.#last = place?.last
  }

  /** Undefined when nothing has been added. Throws JournalDamage. */
  next(): Batch | undefined {
    const entries: Entry[] = []
    let bytes = 0
    let read = 0
    for (;;) {
      while (this.#left.length > 0) {
        const [first] = this.#left
        if (first === undefined || first.index < this.#start || !this.#wants(first.kind)) {
          this.#left.shift()
          continue
        }
        const { index, kind, record } = first
        bytes += Buffer.byteLength(record) + 1
        const isFull = entries.length === batchEntriesMax || bytes > batchBytesMax
        if (isFull && entries.length > 0) return { entries, place: this.#place(), isFull: true }
        entries.push({ index, kind: kind as ExportedKind, record })
        this.#left.shift()
      }
      // Of a stretch with nothing that is wanted, the cursor goes along now and then.
      if (read === batchEntriesMax) return { entries, place: this.#place(), isFull: true }
      if (!this.#read()) {
        return read === 0 && entries.length === 0
          ? undefined
          : { entries, place: this.#place(), isFull: false }
      }
      read += 1
    }
  }

  close(): void {
    this.#reader.close()
  }

  #read(): boolean {
    const before = this.#reader.position
    if (!this.#reader.next(false)) return false
    this.#before = before
    this.#left = this.#reader.records()
    this.#last = this.#reader.lastFrame()
    return true
  }

  #place(): Place {
    const [next] = this.#left
    return next === undefined
      ? { position: this.#reader.position, next: this.#reader.position.sequence, last: this.#last }
      : { position: this.#before, next: next.index, last: this.#last }
  }

  #wants(kind: StoredRecord['kind']): boolean {
    return (this.#kinds as readonly string[]).includes(kind)
  }
}
