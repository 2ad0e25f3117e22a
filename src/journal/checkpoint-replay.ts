import {
  type Checkpoint,
  maxCheckpointBytes,
  parseCheckpoint,
  verifyCheckpoint,
} from './checkpoint.ts'
import { JournalDamage } from './damage.ts'
import { type Files, readSmallFile } from './files.ts'
import { rootHash, type Tree } from './merkle.ts'
import { RecentTrees } from './recent-trees.ts'

/**
 * A checkpoint stands in the stream at most this many batches behind the tree that it signs: that is how far back
 * recovery remembers, and the writer drops a signature that comes later.
 */
export const maxCheckpointLag = 16_384

export type CheckpointFile = { readonly path: string; readonly checkpoint: Checkpoint }

/** The `checkpoint` file, parsed, or undefined if there is none. */
export function readCheckpointFile(files: Files, path: string): CheckpointFile | undefined {
  const content = readSmallFile(files, path, maxCheckpointBytes)
  if (content === undefined) return undefined
  const checkpoint = parseCheckpoint(content.toString())
  if (typeof checkpoint === 'string') {
    throw new JournalDamage(path, 0, 'a signed checkpoint', checkpoint)
  }
  return { path, checkpoint }
}

/**
 * Compares the checkpoints, in the stream and in the file, with the tree as it is recomputed. Every root is compared;
 * signatures are verified of the file and of the last checkpoint in the stream only, because a signature costs as
 * much as a hundred records.
 */
export class CheckpointReplay {
  readonly #origin: string
  readonly #publicKey: Buffer
  readonly #file: CheckpointFile | undefined
  readonly #recent = new RecentTrees(maxCheckpointLag)
  #count = 0
  #fileSeen = false
  #latest: { note: string; checkpoint: Checkpoint; path: string; offset: number } | undefined

  constructor(origin: string, publicKey: Buffer, file: CheckpointFile | undefined) {
    this.#origin = origin
    this.#publicKey = publicKey
    this.#file = file
  }

  get hasFile(): boolean {
    return this.#file !== undefined
  }

  /** The last checkpoint of the stream, as it stands there. */
  get note(): string | undefined {
    return this.#latest?.note
  }

  /** The tree after a batch, by the number of the next one. */
  remember(tree: Tree, batch: number): void {
    this.#recent.remember(tree, batch)
  }

  /** The next checkpoint in the stream, where `size` records precede it. */
  add(note: string, path: string, offset: number, size: number): void {
    const checkpoint = parseCheckpoint(note)
    if (typeof checkpoint === 'string') {
      throw new JournalDamage(path, offset, 'a signed checkpoint', checkpoint)
    }
    this.#checkOrigin(checkpoint, path, offset)
    const before = this.#latest?.checkpoint.size ?? 0
    if (checkpoint.size <= before || checkpoint.size > size) {
      const expected = `a checkpoint of a tree size over ${before} and up to ${size}`
      throw new JournalDamage(path, offset, expected, `tree size ${checkpoint.size}`)
    }
    const tree = this.#recent.ofSize(checkpoint.size)
    const root = tree === undefined ? undefined : rootHash(tree)
    if (root !== checkpoint.root) {
      const expected = `root ${base64(checkpoint.root)} of tree size ${checkpoint.size}, as signed`
      throw new JournalDamage(
        path,
        offset,
        expected,
        root === undefined ? 'no such tree' : `root ${base64(root)}`,
      )
    }
    this.#count += 1
    this.#latest = { note, checkpoint, path, offset }
    if (checkpoint.text === this.#file?.checkpoint.text) this.#fileSeen = true
  }

  /** All is read: `size` records. Answers the tree size of the last checkpoint, or 0. */
  finish(size: number): number {
    const latest = this.#latest
    if (latest !== undefined) this.#checkSignature(latest.checkpoint, latest.path, latest.offset)
    if (this.#file === undefined) {
      // The file is written, durably, before the second checkpoint goes into the stream.
      if (latest === undefined || this.#count < 2) return latest?.checkpoint.size ?? 0
      const expected = `the checkpoint file beside ${this.#count} checkpoints in the segments`
      throw new JournalDamage(latest.path, latest.offset, expected, 'none')
    }
    const { path, checkpoint } = this.#file
    this.#checkOrigin(checkpoint, path, 0)
    this.#checkSignature(checkpoint, path, 0)
    if (checkpoint.size > size) {
      const expected = `${checkpoint.size} records, as the signed checkpoint says`
      throw new JournalDamage(path, 0, expected, `${size} in the segments`)
    }
    if (!this.#fileSeen) {
      const expected = `the checkpoint of tree size ${checkpoint.size} in the segments too`
      throw new JournalDamage(path, 0, expected, 'none with the same root')
    }
    return latest?.checkpoint.size ?? 0
  }

  #checkOrigin(checkpoint: Checkpoint, path: string, offset: number): void {
    if (checkpoint.origin === this.#origin) return
    const expected = `a checkpoint of ${this.#origin || 'no journal'}`
    throw new JournalDamage(path, offset, expected, `one of ${checkpoint.origin}`)
  }

  #checkSignature(checkpoint: Checkpoint, path: string, offset: number): void {
    if (verifyCheckpoint(checkpoint, this.#publicKey)) return
    const expected = 'a checkpoint signed by the checkpoint key'
    throw new JournalDamage(path, offset, expected, 'no valid signature of this key')
  }
}

const base64 = (hash: string): string => Buffer.from(hash, 'latin1').toString('base64')
