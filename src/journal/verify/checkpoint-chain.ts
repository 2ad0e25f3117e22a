import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { maxCheckpointLag } from '../checkpoint-replay.ts'
import { rootHash, type Tree } from '../merkle.ts'
import { isBy, signatureTypes, type VerifierKey, verifyLine } from '../note-keys.ts'
import { RecentTrees } from '../recent-trees.ts'
import { isOrAre, NotWhole, type Place, records } from './finding.ts'

/**
 * The checkpoints of one journal as they stand in its segments, each compared with the tree, and its signature
 * verified.
 */
export class CheckpointChain {
  readonly #origin: string
  readonly #keys: readonly VerifierKey[]
  readonly #start: number
  readonly #recent = new RecentTrees(maxCheckpointLag)
  #count = 0
  #last: Checkpoint | undefined
  #before: Checkpoint | undefined

  /** `start` is the tree before the first record that is read. */
  constructor(origin: string, keys: readonly VerifierKey[], start: Tree) {
    this.#origin = origin
    this.#keys = keys
    this.#start = start.size
  }

  get count(): number {
    return this.#count
  }

  /** The last one that was read. */
  get last(): Checkpoint | undefined {
    return this.#last
  }

  /** The last but one. */
  get before(): Checkpoint | undefined {
    return this.#before
  }

  remember(tree: Tree, batch: number): void {
    this.#recent.remember(tree, batch)
  }

  /** The next checkpoint in the stream, where `read` records precede it. Throws NotWhole. */
  add(note: string, file: string, byte: number, read: number): void {
    const place = { file, byte }
    const checkpoint = this.verified(note, place)
    const from = this.#last?.size ?? 0
    if (checkpoint.size <= from) {
      const message = `a signed checkpoint of ${checkpoint.size} records stands behind one of ${from}`
      throw new NotWhole('checkpoint-order', place, message)
    }
    if (checkpoint.size > read) {
      const missing = `${checkpoint.size - read} of ${records(from, checkpoint.size)} missing`
      const message = `${missing}: a signed checkpoint of ${checkpoint.size} stands behind ${read}`
      throw new NotWhole('missing-records', { ...place, record: from }, message)
    }
    if (checkpoint.size < this.#start) return
    const tree = this.#recent.ofSize(checkpoint.size)
    if (tree === undefined || rootHash(tree) !== checkpoint.root) {
      throw new NotWhole(
        'signed-root',
        { ...place, record: from },
        `${records(from, checkpoint.size)} ${isOrAre(from, checkpoint.size)} not what was signed: the root of the tree of ${checkpoint.size} records is another than the one in the checkpoint`,
      )
    }
    this.#count += 1
    this.#before = this.#last
    this.#last = checkpoint
  }

  /** A checkpoint of this journal that is signed by its key. Throws NotWhole. */
  verified(note: string, place: Place): Checkpoint {
    const checkpoint = parseCheckpoint(note)
    if (typeof checkpoint === 'string') {
      throw new NotWhole(
        'checkpoint-form',
        place,
        `what should be a signed checkpoint has ${checkpoint}`,
      )
    }
    if (checkpoint.origin !== this.#origin) {
      const whose = `the checkpoint is of ${printable(checkpoint.origin)}, and the journal is ${this.#origin}`
      throw new NotWhole('origin', place, whose)
    }
    const wrong = signatureFault(checkpoint, this.#keys)
    if (wrong === undefined) return checkpoint
    throw new NotWhole(
      'checkpoint-signature',
      place,
      `the checkpoint of ${checkpoint.size} records ${wrong}`,
    )
  }
}

/**
 * Why a checkpoint does not count as signed by `keys`, or undefined. Each of its lines that belongs to one of the keys
 * has to verify, and an Ed25519 signature of the log has to be there; lines of others say nothing here.
 */
export function signatureFault(
  checkpoint: Checkpoint,
  keys: readonly VerifierKey[],
): string | undefined {
  let isSigned = false
  for (const line of checkpoint.signatures) {
    const key = keys.find((candidate) => isBy(line, candidate))
    if (key === undefined) continue
    if (!verifyLine(checkpoint, line, key)) return `has a wrong signature by ${key.name}`
    if (key.type === signatureTypes.ed25519) isSigned = true
  }
  return isSigned ? undefined : 'is not signed by the key'
}

/** For a terminal. */
export function printable(text: string): string {
  return JSON.stringify(text.slice(0, 300)).slice(1, -1)
}
