import { basename, join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { originName } from '../directory.ts'
import { type Files, readSmallFile } from '../files.ts'
import { JournalReader, type Position } from '../journal-reader.ts'
import { type ReadFrame, stillHolds } from '../last-frame.ts'
import { maxOriginBytes } from '../segment.ts'
import { eventAttributes } from './attributes.ts'
import type { EventIndex } from './event-index.ts'
import { itemAttributes } from './item-index.ts'

/** The index was made of another journal than the one that is there now. */
export class StaleIndex extends Error {
  override readonly name = 'StaleIndex'
}

type CursorRow = Position & {
  readonly id: number
  readonly origin: string
  readonly last_segment: number
  readonly last_offset: number
  readonly last_checksum: number
}

/** One node's journal, followed with a cursor that is stored with the rows that it led to. */
export class FollowedJournal {
  readonly directory: string
  readonly id: number
  readonly #files: Files
  readonly #database: DatabaseSync
  readonly #reader: JournalReader

  /** Throws StaleIndex if the cursor does not fit the journal. */
  constructor(files: Files, database: DatabaseSync, directory: string, origin: string) {
    this.directory = directory
    this.#files = files
    this.#database = database
    const node = basename(directory)
    const row = database.prepare('SELECT * FROM journal WHERE node = ?').get(node)
    const cursor = row as CursorRow | undefined
    if (cursor === undefined) {
      const insert = database.prepare(
        'INSERT INTO journal VALUES (NULL, ?, ?, 0, 0, 0, 0, 0, 0, 0) RETURNING id',
      )
      this.id = (insert.get(node, origin) as { id: number }).id
    } else {
      this.id = cursor.id
      if (cursor.origin !== origin) throw new StaleIndex(`${directory} is another journal`)
    }
    const begun = cursor !== undefined && cursor.segment > 0
    if (begun && !stillHolds(files, directory, lastFrameOf(cursor)))
      throw new StaleIndex(`${directory} went back`)
    this.#reader = new JournalReader(directory, begun ? cursor : undefined, files)
  }

  get position(): Position {
    return this.#reader.position
  }

  /**
   * Indexes batches until the tail, the number of batches or the deadline (`performance.now()`), in one transaction.
   * Answers whether the tail was reached. Events before `oldest` (seconds) are not found any more. After an exception
   * a new one has to be made, which goes on from the stored cursor.
   */
  index(index: EventIndex, limit: { batches: number; until: number; oldest: number }): boolean {
    let last: ReturnType<JournalReader['lastFrame']> | undefined
    let atTail = false
    let damage: unknown
    this.#database.exec('BEGIN IMMEDIATE')
    index.begin()
    for (let batches = 0; batches < limit.batches; batches += 1) {
      try {
        atTail = !this.#reader.next(false)
      } catch (error) {
        // What was read before it is kept.
        damage = error
      }
      if (atTail || damage !== undefined) break
      last = this.#reader.lastFrame()
      this.#add(index, limit.oldest)
      if (performance.now() >= limit.until) break
    }
    index.store()
    if (last !== undefined) this.#store(last)
    this.#database.exec('COMMIT')
    if (damage !== undefined) throw damage
    return atTail
  }

  /** The number of records there are now. */
  tail(): number {
    const reader = new JournalReader(this.directory, this.position, this.#files)
    try {
      while (reader.next(false));
      return reader.position.sequence
    } finally {
      reader.close()
    }
  }

  close(): void {
    this.#reader.close()
  }

  #add(index: EventIndex, oldest: number): void {
    for (const { kind, record, segment, offset, index: order } of this.#reader.records()) {
      const item = kind === 'item' ? itemAttributes(record) : undefined
      if (item !== undefined) index.items.add(item, this.id, segment, offset)
      if (kind !== 'event') continue
      const event = eventAttributes(record)
      if (event === undefined) continue
      index.uses.saw(event, order)
      if (event.time < oldest) continue
      index.add(event, this.id, segment, offset)
    }
  }

  #store(last: { segment: number; offset: number; checksum: number }): void {
    const { segment, offset, sequence, batch } = this.#reader.position
    this.#database
      .prepare(
        `UPDATE journal SET segment = ?, offset = ?, sequence = ?, batch = ?,
         last_segment = ?, last_offset = ?, last_checksum = ? WHERE id = ?`,
      )
      .run(segment, offset, sequence, batch, last.segment, last.offset, last.checksum, this.id)
  }
}

function lastFrameOf({ last_segment, last_offset, last_checksum }: CursorRow): ReadFrame {
  return { segment: last_segment, offset: last_offset, checksum: last_checksum }
}

/** The origin of the journal in a directory, or undefined if there is none (yet). */
export function journalOrigin(files: Files, directory: string): string | undefined {
  return readSmallFile(files, join(directory, originName), maxOriginBytes + 1)
    ?.toString()
    .trim()
}
