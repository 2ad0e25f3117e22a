import { join } from 'node:path'
import { type Checkpoint, maxCheckpointBytes, parseCheckpoint } from '../checkpoint.ts'
import { JournalDamage } from '../damage.ts'
import { checkpointName } from '../directory.ts'
import { kindOfFrame } from '../entry.ts'
import { type Files, readSmallFile } from '../files.ts'
import { frameHeaderBytes } from '../frame.ts'
import { JournalReader, type Position } from '../journal-reader.ts'
import { appendLeaf, emptyTree, entryLeafHash, rootHash, type Tree } from '../merkle.ts'
import type { VerifierKey } from '../note-keys.ts'
import { segmentHolding } from '../reader.ts'
import { segmentName } from '../segment.ts'
import { CheckpointChain } from './checkpoint-chain.ts'
import { checkUnfiled, compareFile, type Extent } from './checkpoint-file.ts'
import { diagnose } from './diagnosis.ts'
import { type CheckpointCheck, EntryCheck } from './entry-check.ts'
import { NotWhole, type Place } from './finding.ts'
import { listed, originOf, treeBefore } from './journal-files.ts'
import { checkAgainstTree, type ReadHeader, readHeaders } from './segment-headers.ts'
import { bytesBehind } from './tail.ts'

/** A checkpoint of the journal that stands elsewhere, its signature verified. */
export type HeldCheckpoint = { readonly checkpoint: Checkpoint; readonly file: string }

export type JournalToVerify = {
  readonly files: Files
  readonly directory: string
  /** The keys of the journal's checkpoints, under the name of its origin. */
  readonly keys: readonly VerifierKey[]
  readonly held: readonly HeldCheckpoint[]
  /** Records before the segment that has this one are not read; what the checkpoints say of them counts. */
  readonly from: number
  /** Parse every record, and look for ids that stand twice. */
  readonly thorough: boolean
  /** Of the root log alone: looks at the checkpoints of other logs, which are its entries. */
  readonly checkpoints: CheckpointCheck | undefined
  /** Told now and then how many bytes were read since the last time, and of which record. */
  readonly progress: (bytes: number, record: number) => void
  /** Waits a little for the service to write; false if that was long enough. */
  readonly wait: () => boolean
}

export type VerifiedJournal = {
  readonly origin: string
  /** How many there are, and the first that was read. */
  readonly records: number
  readonly firstRead: number
  readonly segments: number
  /** How many signed checkpoints stand in what was read, and what the last covers. */
  readonly checkpoints: number
  readonly signed: number
  /** What a write that did not come to its end has left. No record that was acknowledged can be in it. */
  readonly torn: { readonly file: string; readonly byte: number } | undefined
}

const lineFeed = 0x0a
const progressBytes = 32 * 1024 * 1024
/** How often the checkpoint file is read again while the service replaces it. */
const looksMax = 20

/**
 * Reads all of a journal, which may be written meanwhile. Changes nothing. Throws NotWhole at the first thing wrong.
 */
export function verifyJournal(options: JournalToVerify): VerifiedJournal {
  return new Verification(options).run()
}

class Verification {
  readonly #options: JournalToVerify
  readonly #origin: string
  readonly #chain: CheckpointChain
  readonly #entries: EntryCheck
  readonly #reader: JournalReader
  readonly #held: HeldCheckpoint[]
  readonly #firstRead: number
  #headers: readonly ReadHeader[]
  #tree: Tree
  /** The segment whose header was compared with the tree. */
  #segment = 0
  #unreported = 0

  constructor(options: JournalToVerify) {
    const { files, directory, keys, held } = options
    this.#options = options
    const { segments } = listed(files, directory)
    this.#origin = originOf(files, directory, segments)
    this.#headers = readHeaders(files, directory, this.#origin, segments)
    this.#held = [...held].sort((one, other) => one.checkpoint.size - other.checkpoint.size)
    const start = this.#start()
    const { header } = this.#headers[(start?.segment ?? 1) - 1] ?? {}
    this.#tree =
      header === undefined || start === undefined
        ? emptyTree
        : treeBefore(header, this.#path(header.number))
    this.#firstRead = this.#tree.size
    this.#chain = new CheckpointChain(this.#origin, keys, this.#tree)
    this.#chain.remember(this.#tree, start?.batch ?? 1)
    const { thorough, checkpoints } = options
    this.#entries = new EntryCheck({ thorough, checkpoints })
    this.#reader = new JournalReader(directory, start, files)
  }

  run(): VerifiedJournal {
    try {
      this.#meetHeld()
      this.#readToTail()
      this.#checkFile()
      this.#checkHeldBeyond()
      const torn = this.#torn()
      const { segment } = this.#reader.position
      this.#report()
      return {
        origin: this.#origin,
        records: this.#tree.size,
        firstRead: this.#firstRead,
        segments: this.#headers.length === 0 ? 0 : segment,
        checkpoints: this.#chain.count,
        signed: this.#chain.last?.size ?? 0,
        torn,
      }
    } finally {
      this.#reader.close()
    }
  }

  /** The beginning of a segment, where the header has the tree; undefined for that of the journal. */
  #start(): Position | undefined {
    const { files, directory, from } = this.#options
    if (from === 0) return undefined
    // At least one signature has to vouch for what is not read: that of the file.
    const note = this.#readFile(join(directory, checkpointName)) ?? ''
    const filed = parseCheckpoint(note)
    const signed = typeof filed === 'string' ? 0 : filed.size - 1
    const first = Math.min(from, signed, ...this.#held.map(({ checkpoint }) => checkpoint.size))
    return first <= 0 ? undefined : segmentHolding(files, directory, first)
  }

  #readToTail(): void {
    const { files } = this.#options
    const reader = this.#reader
    try {
      while (reader.next(true)) this.#takeBatch()
      if (this.#headers.length > 0) this.#enterSegment()
    } catch (error) {
      if (!(error instanceof JournalDamage)) throw error
      const headers = this.#headers.map(({ header }) => header)
      throw diagnose(files, reader, error, headers)
    }
  }

  #takeBatch(): void {
    const { frames, position } = this.#reader
    const { buffer } = frames.window
    this.#enterSegment()
    if (frames.isCheckpoint) {
      const note = buffer.toString('utf8', frames.starts[0], frames.ends[0])
      const { file, byte } = this.#place(0)
      this.#checkFrame(0)
      this.#chain.add(note, file, byte, this.#tree.size)
    } else {
      for (let index = 0; index < frames.starts.length; index += 1) this.#takeEntry(index)
    }
    this.#chain.remember(this.#tree, position.batch)
    const first = frames.starts[0] ?? 0
    this.#unreported += (frames.ends.at(-1) ?? first) - first
    if (this.#unreported >= progressBytes) this.#report()
  }

  #takeEntry(index: number): void {
    const { frames } = this.#reader
    const { buffer } = frames.window
    const start = frames.starts[index] ?? 0
    const end = frames.ends[index] ?? 0
    const type = frames.types[index] ?? 0
    this.#checkFrame(index)
    const { kind, leaf } = kindOfFrame(type)
    const text = buffer.subarray(start, end)
    const fault = this.#entries.check(kind, text)
    if (fault !== undefined) {
      throw new NotWhole(
        fault.kind,
        this.#place(index),
        `record ${this.#tree.size}: ${fault.message}`,
      )
    }
    this.#tree = appendLeaf(this.#tree, entryLeafHash(leaf, text))
    if (this.#held[0]?.checkpoint.size === this.#tree.size) this.#meetHeld()
  }

  /** What stands in a frame beside its body and is covered by its checksum alone. */
  #checkFrame(index: number): void {
    const { frames } = this.#reader
    const { buffer } = frames.window
    const start = frames.starts[index] ?? 0
    const type = frames.types[index] ?? 0
    const isPlain =
      buffer.readUInt32BE(start - 8) === type * 0x1000000 &&
      buffer.readUInt32BE(start - 4) === lineFeed &&
      buffer[frames.ends[index] ?? 0] === lineFeed
    if (isPlain) return
    const message = `the frame of record ${this.#tree.size} has bytes that no journal writes`
    throw new NotWhole('malformed-frame', this.#place(index), message)
  }

  #place(index: number): Place & { byte: number } {
    const { frames, position } = this.#reader
    return {
      file: this.#path(position.segment),
      byte: (frames.starts[index] ?? 0) + frames.base - frameHeaderBytes,
      record: this.#tree.size,
    }
  }

  #enterSegment(): void {
    const { segment } = this.#reader.position
    if (segment === this.#segment) return
    if (segment > this.#headers.length) {
      // The journal went on meanwhile.
      const { files, directory } = this.#options
      const { segments } = listed(files, directory)
      this.#headers = readHeaders(files, directory, this.#origin, segments)
    }
    const header = this.#headers[segment - 1]
    if (header === undefined) return
    checkAgainstTree(header, this.#tree, this.#path(segment))
    this.#segment = segment
  }

  /** The held checkpoints of the tree as it is now. */
  #meetHeld(): void {
    while (this.#held[0]?.checkpoint.size === this.#tree.size) {
      const { checkpoint, file } = this.#held.shift() as HeldCheckpoint
      if (rootHash(this.#tree) === checkpoint.root) continue
      const message = `the first ${checkpoint.size} records are not those of the signed checkpoint in ${file}: this journal is a fork, or was rewritten and signed anew`
      throw new NotWhole('fork', { file: this.#options.directory }, message)
    }
  }

  #checkHeldBeyond(): void {
    const held = this.#held.at(-1)
    if (held === undefined) return
    const message = `the signed checkpoint in ${held.file} is of ${held.checkpoint.size} records, and the journal has ${this.#tree.size}: it was rolled back`
    throw new NotWhole('rolled-back', { file: this.#options.directory }, message)
  }

  /** The file is as the last checkpoint of the stream, or the one before if the writer was between the two. */
  #checkFile(): void {
    const path = join(this.#options.directory, checkpointName)
    let note = this.#readFile(path)
    while (
      this.#chain.last === undefined &&
      this.#tree.size > this.#firstRead &&
      note === undefined
    ) {
      if (!this.#options.wait()) break
      this.#readToTail()
      note = this.#readFile(path)
    }
    const place = { file: path }
    if (note === undefined) {
      checkUnfiled(this.#chain, this.#extent, place)
      return
    }
    for (let looks = 0; ; looks += 1) {
      const checkpoint = this.#chain.verified(note, place)
      // The frame is written before the file: it is there now if it was not when the tail was read.
      this.#readToTail()
      const now = this.#readFile(path)
      if (now === undefined || now === note || looks === looksMax) {
        this.#compareFile(checkpoint, place)
        return
      }
      // The service has signed another one meanwhile.
      note = now
    }
  }

  /** What the file covers was on the disk before it: bytes that are not whole there are no write that was cut short. */
  #compareFile(checkpoint: Checkpoint, place: Place): void {
    try {
      compareFile(checkpoint, this.#chain, this.#extent, place)
    } catch (error) {
      const torn = error instanceof NotWhole ? this.#torn() : undefined
      if (torn === undefined || !(error instanceof NotWhole)) throw error
      const message = `what stands behind the last whole record is not whole, and was: ${error.message}`
      throw new NotWhole('altered-record', { ...torn, record: this.#tree.size }, message)
    }
  }

  #torn(): VerifiedJournal['torn'] {
    if (this.#headers.length === 0) return undefined
    const { segment, offset } = this.#reader.position
    const path = this.#path(segment)
    if (!bytesBehind(this.#options.files, path, offset)) return undefined
    // A write that was under way may have come to its end.
    const { batch } = this.#reader.position
    this.#readToTail()
    return this.#reader.position.batch > batch ? undefined : { file: path, byte: offset }
  }

  get #extent(): Extent {
    return { firstRead: this.#firstRead, records: this.#tree.size }
  }

  #readFile(path: string): string | undefined {
    return readSmallFile(this.#options.files, path, maxCheckpointBytes)?.toString()
  }

  #report(): void {
    this.#options.progress(this.#unreported, this.#tree.size)
    this.#unreported = 0
  }

  #path(segment: number): string {
    return join(this.#options.directory, segmentName(segment))
  }
}
