import { parseCheckpoint } from '../journal/checkpoint.ts'
import { JournalEngine } from '../journal/engine.ts'
import { frameTypeOf } from '../journal/entry.ts'
import type { Files } from '../journal/files.ts'
import { frameHeaderBytes, frameOverhead, frameTypeOffset } from '../journal/frame.ts'
import { JournalInUse, type JournalLock, lockJournal } from '../journal/lock.ts'
import { rootOf } from '../journal/proofs.ts'
import { readRecords } from '../journal/reader.ts'
import type { FollowedLog, Published } from '../journal/tiles/followed-log.ts'
import type { Finding } from './messages.ts'

export type RootLogOptions = {
  readonly directory: string
  readonly newOrigin: string
  readonly publicKey: Buffer
  readonly segmentBytes: number
  readonly files: Files
  /** The Ed25519 signature of a checkpoint's text. */
  readonly sign: (text: string) => Promise<Buffer>
  readonly found: (finding: Finding) => void
}

type Entered = { readonly origin: string; readonly size: number; readonly root: string }

/**
 * The writer of the root log: a log like that of a node, whose entries are the signed checkpoints of the nodes' logs.
 * One process of a data folder has it at a time, by the lock of its directory.
 */
export class RootLog {
  readonly #options: RootLogOptions
  readonly #lock: JournalLock
  readonly #engine: JournalEngine
  /** What was entered last of each node. */
  readonly #entered = new Map<string, Entered>()
  readonly #refused = new Map<string, string>()

  private constructor(options: RootLogOptions, lock: JournalLock, engine: JournalEngine) {
    this.#options = options
    this.#lock = lock
    this.#engine = engine
    const { directory, files } = options
    for (const { record } of readRecords(directory, { files, kinds: ['checkpoint'] })) {
      const checkpoint = parseCheckpoint(record)
      if (typeof checkpoint === 'string') continue
      const { origin, size, root } = checkpoint
      this.#entered.set(nodeOf(origin), { origin, size, root })
    }
  }

  /** Undefined while another process writes it. Throws JournalDamage if it is not what was written. */
  static open(options: RootLogOptions): RootLog | undefined {
    const { directory, files } = options
    files.makeDirectory(directory)
    let lock: JournalLock
    try {
      lock = lockJournal(files, directory)
    } catch (error) {
      if (error instanceof JournalInUse) return undefined
      throw error
    }
    try {
      return new RootLog(options, lock, new JournalEngine(files, options))
    } catch (error) {
      lock.release()
      throw error
    }
  }

  /** Nodes whose logs are not entered any more, and why. */
  refusals(): Readonly<Record<string, string>> {
    return Object.fromEntries(this.#refused)
  }

  /** Enters what is new of each log, and has the tree signed if it grew. Throws once the root log has failed. */
  async enter(logs: readonly FollowedLog[]): Promise<void> {
    this.#lock.check()
    this.#engine.checkFiles()
    const notes = logs.flatMap((log) => this.#newOf(log) ?? [])
    if (notes.length > 0) {
      const buffer = framesOf(notes)
      this.#engine.append(buffer, buffer.length)
    }
    const text = this.#engine.checkpointText()
    if (text !== undefined) {
      const refused = this.#engine.writeCheckpoint(await this.#options.sign(text))
      if (refused !== undefined) throw new Error(`the root log's checkpoint: ${refused}`)
    }
    if (this.#engine.preparation !== 'done') this.#engine.prepare()
  }

  close(): void {
    this.#engine.close()
    this.#lock.release()
  }

  /** The note to enter, if there is a new one that goes on from the last. */
  #newOf(log: FollowedLog): string | undefined {
    const { published } = log
    if (published === undefined) return undefined
    const { origin, size, root } = published.checkpoint
    const last = this.#entered.get(log.name)
    if (last !== undefined && last.origin !== origin) this.#newEpoch(log.name, last, published)
    if (last !== undefined && last.origin === origin) {
      if (last.size === size && last.root === root) return undefined
      // A log that is still being followed to its end may seem to have gone back.
      if (size < last.size && !log.atTail) return undefined
      if (size < last.size || rootOf(log.tree.subtrees, last.size) !== last.root) {
        this.#refuse(log.name, last, published)
        return undefined
      }
    }
    this.#refused.delete(log.name)
    this.#entered.set(log.name, { origin, size, root })
    return published.note
  }

  #newEpoch(node: string, last: Entered, { checkpoint }: Published): void {
    const { origin: formerOrigin, size: formerSize } = last
    const { origin } = checkpoint
    this.#options.found({ kind: 'new-epoch', node, origin, formerOrigin, formerSize })
  }

  #refuse(node: string, last: Entered, { checkpoint }: Published): void {
    const { origin, size } = checkpoint
    const reason =
      size < last.size
        ? `it went back: ${size} records are signed, of ${last.size} that the root log has seen`
        : `it was rewritten: its first ${last.size} records are not those that the root log has seen`
    if (!this.#refused.has(node)) {
      this.#options.found({ kind: 'went-back', node, origin, seenSize: last.size, size })
    }
    this.#refused.set(node, reason)
  }
}

/** Of `kagiban/<node>/<UUID>`. */
export function nodeOf(origin: string): string {
  return origin.split('/')[1] ?? ''
}

/** As the engine takes entries: each with its length, its type, and room for the rest of a frame. */
function framesOf(notes: readonly string[]): Buffer {
  return Buffer.concat(
    notes.map((note) => {
      const body = Buffer.from(note)
      const frame = Buffer.alloc(frameOverhead + body.length)
      frame.writeUInt32BE(body.length, 0)
      frame.writeUInt8(frameTypeOf('checkpoint'), frameTypeOffset)
      body.copy(frame, frameHeaderBytes)
      return frame
    }),
  )
}
