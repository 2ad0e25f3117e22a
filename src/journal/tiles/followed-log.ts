import { type Checkpoint, parseCheckpoint, verifyCheckpoint } from '../checkpoint.ts'
import type { Files } from '../files.ts'
import { JournalReader } from '../journal-reader.ts'
import { type ReadFrame, stillHolds } from '../last-frame.ts'
import { rootOf } from '../proofs.ts'
import type { TileFile } from './tile-file.ts'
import { StaleTiles, TileTree } from './tile-tree.ts'

/** A signed checkpoint whose tree the tiles cover. */
export type Published = { readonly note: string; readonly checkpoint: Checkpoint }

/** One journal, followed into tiles. What it publishes has a root that was computed from the tiles. */
export class FollowedLog {
  readonly name: string
  readonly origin: string
  readonly tree: TileTree
  readonly #file: TileFile
  readonly #id: number
  readonly #reader: JournalReader
  readonly #publicKey: Buffer
  #published: Published | undefined
  #atTail = false

  /** Throws StaleTiles if the tiles are not of this journal. */
  constructor(options: {
    readonly name: string
    readonly directory: string
    readonly origin: string
    readonly files: Files
    readonly file: TileFile
    readonly publicKey: Buffer
  }) {
    const { name, directory, origin, files, file } = options
    const { id, row } = file.log(name, origin)
    this.name = name
    this.origin = origin
    this.#file = file
    this.#id = id
    this.#publicKey = options.publicKey
    const { cursor } = row
    if (cursor !== undefined && !stillHolds(files, directory, cursor.last)) {
      throw new StaleTiles(`${directory} went back`)
    }
    this.tree = new TileTree(file.rows(id), cursor?.position.sequence ?? 0)
    this.#reader = new JournalReader(directory, cursor?.position, files)
    if (row.checkpoint !== undefined) this.#publish(row.checkpoint)
  }

  /** The newest checkpoint that the tiles cover. */
  get published(): Published | undefined {
    return this.#published
  }

  /** Whether all that the journal had when it was looked at last is in the tiles. */
  get atTail(): boolean {
    return this.#atTail
  }

  /**
   * Takes batches into the tiles until the tail or the deadline (`performance.now()`). Answers whether there were any.
   * After an exception a new one has to be made, which goes on from what is stored. Throws StaleTiles where tiles and
   * checkpoint do not agree, JournalDamage where the journal is not what was written.
   */
  follow(until: number): boolean {
    const before = this.#reader.position.batch
    let note: string | undefined
    let last: ReadFrame | undefined
    this.#file.transaction(() => {
      for (;;) {
        this.#atTail = !this.#reader.next(false)
        if (this.#atTail) break
        for (const entry of this.#reader.treeEntries()) this.tree.append(entry)
        note = this.#reader.checkpoint() ?? note
        last = this.#reader.lastFrame()
        if (performance.now() >= until) break
      }
      if (last === undefined) return
      if (note !== undefined) this.#publish(note)
      this.tree.save()
      this.#file.store(this.#id, { position: this.#reader.position, last }, this.#published?.note)
    })
    return this.#reader.position.batch !== before
  }

  close(): void {
    this.#reader.close()
  }

  #publish(note: string): void {
    const checkpoint = parseCheckpoint(note)
    if (typeof checkpoint === 'string' || checkpoint.origin !== this.origin) {
      throw new StaleTiles(`${this.name}: a checkpoint that is none of its own`)
    }
    const { size, root } = checkpoint
    if (size > this.tree.size || size === 0 || rootOf(this.tree.subtrees, size) !== root) {
      throw new StaleTiles(`${this.name}: the tiles do not have the root of size ${size}`)
    }
    if (!verifyCheckpoint(checkpoint, this.#publicKey)) {
      throw new StaleTiles(`${this.name}: the checkpoint of size ${size} is signed by another key`)
    }
    this.#published = { note, checkpoint }
  }
}
