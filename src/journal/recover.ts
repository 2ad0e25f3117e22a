import { join } from 'node:path'
import { type BatchFault, BatchReader, findLaterBatch } from './batch.ts'
import { CheckpointReplay, readCheckpointFile } from './checkpoint-replay.ts'
import { JournalDamage } from './damage.ts'
import { checkpointName, type Listing, listJournal, originName, readOrigin } from './directory.ts'
import { kindOfFrame } from './entry.ts'
import { type FileIdentity, type Files, readFully, writeAll } from './files.ts'
import { maxBatchBytes } from './frame.ts'
import { appendLeaf, emptyTree, entryLeafHash, frontierHashes, type Tree } from './merkle.ts'
import {
  decodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
} from './segment.ts'
import { SegmentWindow } from './window.ts'

const windowBytes = 4 * maxBatchBytes
const zeros = Buffer.alloc(maxBatchBytes)

/** What the directory holds, all of it verified. */
export type Recovered = {
  readonly origin: string | undefined
  /** The used segments. New frames go into the last one, from `offset` on. */
  readonly segments: readonly UsedSegment[]
  readonly offset: number
  readonly tree: Tree
  /** Number of the next batch. */
  readonly batch: number
  readonly checkpointSize: number
  /** The checkpoint that the file is to hold, if there is no file: the writer died between the two. */
  readonly missingCheckpointFile: string | undefined
  readonly hasCheckpointFile: boolean
  /** A prepared segment behind the used ones, if it has the wanted size. */
  readonly prepared: UsedSegment | undefined
  /** Bytes of a batch that was being written when the writer died; now zero. */
  readonly cut: number
}

export type UsedSegment = {
  readonly number: number
  readonly path: string
  readonly identity: FileIdentity
}

export type RecoverOptions = {
  readonly directory: string
  /** Raw Ed25519 key that signed the checkpoints. */
  readonly publicKey: Buffer
  /** Size of new segments. */
  readonly segmentBytes: number
}

/**
 * Reads and verifies every byte of the journal. Repairs what a dying writer may leave (temporary files, the torn last
 * batch, a header that was being written) and nothing else: anything other throws JournalDamage.
 */
export function recoverJournal(files: Files, options: RecoverOptions): Recovered {
  return new Recovery(files, options).run()
}

class Recovery {
  readonly #files: Files
  readonly #options: RecoverOptions
  readonly #window: SegmentWindow
  readonly #reader: BatchReader
  readonly #replay: CheckpointReplay
  readonly #origin: string | undefined
  readonly #listing: Listing
  readonly #segments: UsedSegment[] = []
  #tree = emptyTree
  #batch = 1
  #offset = segmentHeaderBytes
  #cutEnd = 0

  constructor(files: Files, options: RecoverOptions) {
    const { directory, publicKey } = options
    this.#files = files
    this.#options = options
    this.#window = new SegmentWindow(files, windowBytes)
    this.#reader = new BatchReader(this.#window, windowBytes)
    this.#listing = listJournal(files, directory)
    this.#origin = this.#readOrigin()
    const file = readCheckpointFile(files, join(directory, checkpointName))
    this.#replay = new CheckpointReplay(this.#origin ?? '', publicKey, file)
  }

  run(): Recovered {
    const { directory } = this.#options
    const headers = this.#readHeaders()
    for (const header of headers) this.#readSegment(header, header.number === headers.length)
    const checkpointSize = this.#replay.finish(this.#tree.size)
    for (const name of this.#listing.temporaries) this.#files.remove(join(directory, name))
    const cut = this.#clearTail()
    return {
      origin: this.#origin,
      segments: this.#segments,
      offset: this.#offset,
      tree: this.#tree,
      batch: this.#batch,
      checkpointSize,
      hasCheckpointFile: this.#replay.hasFile,
      missingCheckpointFile: this.#replay.hasFile ? undefined : this.#replay.note,
      prepared: this.#keepPrepared(headers.length + 1),
      cut,
    }
  }

  #readOrigin(): string | undefined {
    const { directory } = this.#options
    const origin = readOrigin(this.#files, directory)
    if (origin !== undefined || this.#listing.segments === 0) return origin
    const path = join(directory, originName)
    throw new JournalDamage(path, 0, 'the origin of the journal', 'no file')
  }

  /** The headers of the used segments: all, but for a last one that was prepared and not yet used. */
  #readHeaders(): SegmentHeader[] {
    const headers: SegmentHeader[] = []
    for (let number = 1; number <= this.#listing.segments; number += 1) {
      const path = this.#path(number)
      const header = this.#reading(path, (file, bytes) => {
        const buffer = Buffer.alloc(segmentHeaderBytes)
        const length = readFully(this.#files, file, buffer, 0, buffer.length, 0)
        const decoded = decodeSegmentHeader(buffer.subarray(0, length))
        if (typeof decoded !== 'string') return decoded
        if (number === this.#listing.segments && this.#isBlank(file, bytes)) return undefined
        throw new JournalDamage(path, 0, 'a segment header', decoded)
      })
      if (header === undefined) break
      headers.push(header)
    }
    return headers
  }

  /** Nothing behind the header. The header itself may be torn: it is flushed before the first frame is written. */
  #isBlank(file: number, bytes: number): boolean {
    this.#window.attach(file, bytes)
    return this.#window.firstNonZero(segmentHeaderBytes) === undefined
  }

  #readSegment(header: SegmentHeader, isLast: boolean): void {
    const path = this.#path(this.#segments.length + 1)
    this.#reading(path, (file, bytes) => {
      this.#checkHeader(header, path, bytes)
      this.#window.attach(file, bytes)
      this.#segments.push({
        number: header.number,
        path,
        identity: this.#files.identifyOpen(file),
      })
      this.#offset = segmentHeaderBytes
      const fault = this.#readBatches(path)
      if (isLast) this.#checkTail(fault, path)
      else this.#checkSealed(fault, path)
    })
  }

  #checkHeader(header: SegmentHeader, path: string, bytes: number): void {
    const fail = (expected: string, found: string): never => {
      throw new JournalDamage(path, 0, expected, found)
    }
    const number = this.#segments.length + 1
    if (header.number !== number) fail(`segment ${number}`, `segment ${header.number}`)
    if (header.origin !== this.#origin) fail(`origin ${this.#origin}`, `origin ${header.origin}`)
    if (header.sequence !== this.#tree.size || header.batch !== this.#batch) {
      const expected = `a segment from sequence ${this.#tree.size}, batch ${this.#batch}`
      fail(expected, `one from sequence ${header.sequence}, batch ${header.batch}`)
    }
    if (header.frontier.join() !== frontierHashes(this.#tree).join()) {
      fail('the frontier of the tree before it', 'another frontier')
    }
    if (bytes !== header.bytes) {
      throw new JournalDamage(path, bytes, `a file of ${header.bytes} bytes`, `${bytes} bytes`)
    }
  }

  /** Reads batches up to the first that is not whole, and says why it is not. */
  #readBatches(path: string): BatchFault {
    const reader = this.#reader
    const { buffer } = this.#window
    for (;;) {
      const fault = reader.read(this.#offset, this.#tree.size, this.#batch)
      if (fault !== undefined) return fault
      if (reader.isCheckpoint) {
        const note = buffer.toString('utf8', reader.starts[0], reader.ends[0])
        this.#replay.add(note, path, this.#offset, this.#tree.size)
      } else {
        let tree = this.#tree
        for (let index = 0; index < reader.starts.length; index += 1) {
          const record = buffer.subarray(reader.starts[index], reader.ends[index])
          const { leaf } = kindOfFrame(reader.types[index] ?? 0)
          tree = appendLeaf(tree, entryLeafHash(leaf, record))
        }
        this.#tree = tree
      }
      this.#batch += 1
      this.#offset = reader.end
      this.#replay.remember(this.#tree, this.#batch)
    }
  }

  /** Behind the last batch of a segment that was left for the next one there are zeros. */
  #checkSealed(fault: BatchFault, path: string): void {
    if (!fault.blank) throw new JournalDamage(path, fault.offset, fault.expected, fault.found)
    const dirt = this.#window.firstNonZero(this.#offset)
    if (dirt !== undefined) {
      throw new JournalDamage(
        path,
        this.#offset,
        fault.expected,
        `${fault.found}, then other bytes`,
      )
    }
  }

  /**
   * Behind the last whole batch of the last segment there are zeros, or what a write left that did not complete. It
   * is that only if no later batch is there: a batch is written once the one before it is on the disk.
   */
  #checkTail(fault: BatchFault, path: string): void {
    const dirt = this.#window.firstNonZero(this.#offset)
    if (dirt === undefined) return
    const later = findLaterBatch(this.#window, this.#offset, this.#batch)
    if (later !== undefined) {
      const found = `${fault.found}; batch ${later.batch} follows at byte ${later.offset}`
      throw new JournalDamage(path, fault.offset, fault.expected, found)
    }
    this.#cutEnd = this.#window.size
  }

  /** Zeros what the torn batch left, so that it cannot come back. Answers how many bytes. */
  #clearTail(): number {
    const last = this.#segments.at(-1)
    if (last === undefined || this.#cutEnd === 0) return 0
    const file = this.#files.open(last.path, 'write')
    try {
      this.#window.attach(file, this.#cutEnd)
      let end = this.#offset
      for (let at = this.#offset; at < this.#cutEnd; at += zeros.length) {
        const dirt = this.#window.firstNonZero(at)
        if (dirt === undefined) break
        const from = Math.max(at, dirt - (dirt % 512))
        const length = Math.min(zeros.length, this.#cutEnd - from)
        writeAll(this.#files, file, zeros, 0, length, from)
        this.#window.forget()
        end = from + length
        at = from
      }
      return end - this.#offset
    } finally {
      this.#files.close(file)
    }
  }

  /** A prepared segment is kept if it has the wanted size and not even a torn header. */
  #keepPrepared(number: number): UsedSegment | undefined {
    if (number > this.#listing.segments) return undefined
    const path = this.#path(number)
    const identity = this.#files.identify(path)
    const fits = identity.bytes === this.#options.segmentBytes
    const blank =
      fits &&
      this.#reading(path, (file, bytes) => {
        this.#window.attach(file, bytes)
        return this.#window.firstNonZero(0) === undefined
      })
    if (blank) return { number, path, identity }
    this.#files.remove(path)
    this.#files.flushDirectory(this.#options.directory)
    return undefined
  }

  #path(number: number): string {
    return join(this.#options.directory, segmentName(number))
  }

  #reading<T>(path: string, use: (file: number, bytes: number) => T): T {
    const file = this.#files.open(path, 'read')
    try {
      return use(file, this.#files.identifyOpen(file).bytes)
    } finally {
      this.#files.close(file)
    }
  }
}
