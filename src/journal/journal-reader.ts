import { hash } from 'node:crypto'
import { join } from 'node:path'
import type { EntryKind } from '../base/entry-kind.ts'
import { type BatchFault, BatchReader, findLaterBatch } from './batch.ts'
import { JournalDamage } from './damage.ts'
import { kindOfFrame } from './entry.ts'
import { errorCode, type Files, readFully } from './files.ts'
import { frameChecksum, frameHeaderBytes, maxBatchBytes } from './frame.ts'
import { nodeFiles } from './node-files.ts'
import {
  decodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
  segmentNumber,
} from './segment.ts'
import { SegmentWindow } from './window.ts'

export type StoredRecord = {
  readonly index: number
  readonly kind: EntryKind
  /** The exact text that was appended. */
  readonly record: string
  readonly segment: number
  /** Of the record's frame in the segment's file; the text begins 40 bytes further. */
  readonly offset: number
}

/** Between two batches. */
export type Position = {
  readonly segment: number
  readonly offset: number
  /** Index of the next record. */
  readonly sequence: number
  /** Number of the next batch. */
  readonly batch: number
}

export const firstPosition: Position = {
  segment: 1,
  offset: segmentHeaderBytes,
  sequence: 0,
  batch: 1,
}
/** What is read at a time: little enough to be in the processor's cache when it is hashed. */
const readBytes = 64 * 1024

/**
 * Reads a journal batch by batch, also while another thread or process writes to it. It answers whole batches only:
 * a torn one at the tail may be cut by the next start. It verifies checksums and order, not the tree. Memory is
 * bounded by two batches.
 */
export class JournalReader {
  readonly #files: Files
  readonly #directory: string
  readonly #window: SegmentWindow
  readonly #reader: BatchReader
  #position: Position
  #file = -1

  constructor(directory: string, position: Position = firstPosition, files: Files = nodeFiles) {
    this.#files = files
    this.#directory = directory
    this.#position = position
    this.#window = new SegmentWindow(files, 2 * maxBatchBytes)
    this.#reader = new BatchReader(this.#window, readBytes)
  }

  /** Behind the batch that was read last. */
  get position(): Position {
    return this.#position
  }

  /**
   * Reads the next batch. False at the tail; a later call looks again. `thorough` makes sure of the tail by looking
   * for batches and segments behind it, which costs reading the rest of the last segment.
   * Throws JournalDamage where the journal is not what was written.
   */
  next(thorough: boolean): boolean {
    while (this.#attach(thorough)) {
      if (this.#read() === undefined) return this.#pass()
      // What follows is looked at before the batch is read again: the writer may have been between the two.
      const following = this.#header(this.#position.segment + 1)
      const later = this.#laterWrite(thorough, following === undefined)
      this.#window.forget()
      const fault = this.#read()
      if (fault === undefined) return this.#pass()
      this.#window.forget()
      if (later !== undefined) throw this.#damage(fault, later)
      if (following === undefined) return false
      this.#advance(fault, following)
    }
    return false
  }

  /** The records of the batch that was read last; none if it is a checkpoint. */
  records(): StoredRecord[] {
    const { starts, ends, types, base, isCheckpoint } = this.#reader
    if (isCheckpoint) return []
    const first = this.#position.sequence - starts.length
    return starts.map((start, count) => ({
      index: first + count,
      kind: kindOfFrame(types[count] ?? 0).kind,
      record: this.#window.buffer.toString('utf8', start, ends[count]),
      segment: this.#position.segment,
      offset: start - frameHeaderBytes + base,
    }))
  }

  /** The frames of the batch that was read last, or of the one that could not be read; valid until the next read. */
  get frames(): Pick<
    BatchReader,
    'window' | 'starts' | 'ends' | 'types' | 'base' | 'isCheckpoint'
  > {
    return this.#reader
  }

  /** The tree entries (33 bytes each) of the batch that was read last; none if it is a checkpoint. */
  treeEntries(): Buffer[] {
    const { starts, ends, types, isCheckpoint } = this.#reader
    if (isCheckpoint) return []
    return starts.map((start, count) => {
      const digest = hash('sha256', this.#window.buffer.subarray(start, ends[count]), 'buffer')
      return Buffer.concat([Buffer.of(kindOfFrame(types[count] ?? 0).leaf), digest])
    })
  }

  /** The last frame that was read, to recognize it later. */
  lastFrame(): { segment: number; offset: number; checksum: number } {
    const at = (this.#reader.starts.at(-1) ?? frameHeaderBytes) - frameHeaderBytes
    return {
      segment: this.#position.segment,
      offset: at + this.#reader.base,
      checksum: frameChecksum(this.#window.buffer, at),
    }
  }

  /** The signed note, if the batch that was read last is a checkpoint. */
  checkpoint(): string | undefined {
    const { starts, ends, isCheckpoint } = this.#reader
    return isCheckpoint ? this.#window.buffer.toString('utf8', starts[0], ends[0]) : undefined
  }

  close(): void {
    if (this.#file >= 0) this.#files.close(this.#file)
    this.#file = -1
  }

  /** Opens the segment of the position. False if there is none yet, or none that is used. */
  #attach(thorough: boolean): boolean {
    if (this.#file >= 0) return true
    const { segment } = this.#position
    const header = this.#header(segment)
    if (header === undefined) {
      if (thorough) this.#expectNoSegmentBehind(segment)
      return false
    }
    this.#file = this.#files.open(this.#path(segment), 'read')
    const { bytes } = this.#files.identifyOpen(this.#file)
    this.#window.attach(this.#file, Math.min(bytes, header.bytes))
    return true
  }

  #read(): BatchFault | undefined {
    const { offset, sequence, batch } = this.#position
    return this.#reader.read(offset, sequence, batch)
  }

  #pass(): true {
    const { segment, sequence, batch } = this.#position
    const count = this.#reader.isCheckpoint ? 0 : this.#reader.starts.length
    const offset = this.#reader.end
    this.#position = { segment, offset, sequence: sequence + count, batch: batch + 1 }
    return true
  }

  /** Something that a later write left, which proves that the batch had been whole. */
  #laterWrite(thorough: boolean, isLast: boolean): string | undefined {
    const { segment, offset, batch } = this.#position
    if (thorough && isLast) this.#expectNoSegmentBehind(segment + 1)
    if (!thorough && this.#read()?.blank === true) return undefined
    const later = findLaterBatch(this.#window, offset, batch)
    return later && `batch ${later.batch} follows at byte ${later.offset}`
  }

  /** Goes to the next segment, if this one ends as a segment does that was left for the next. */
  #advance(fault: BatchFault, following: SegmentHeader): void {
    const { segment, offset, sequence, batch } = this.#position
    if (following.sequence !== sequence || following.batch !== batch) {
      throw this.#damage(fault, `the next segment begins at sequence ${following.sequence}`)
    }
    if (this.#window.firstNonZero(offset) !== undefined) {
      throw this.#damage(fault, 'other bytes behind the last batch')
    }
    this.close()
    this.#position = { segment: segment + 1, offset: segmentHeaderBytes, sequence, batch }
  }

  /** The header of a segment, or undefined if there is no such file or it is not used yet. */
  #header(number: number): SegmentHeader | undefined {
    const path = this.#path(number)
    let file: number
    try {
      file = this.#files.open(path, 'read')
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return undefined
      throw error
    }
    try {
      const buffer = Buffer.alloc(segmentHeaderBytes + frameHeaderBytes)
      const length = readFully(this.#files, file, buffer, 0, buffer.length, 0)
      const header = decodeSegmentHeader(buffer.subarray(0, Math.min(length, segmentHeaderBytes)))
      if (typeof header !== 'string') return header
      // A frame is written behind a whole header only: with none, the header may be on its way.
      if (buffer.subarray(segmentHeaderBytes).every((byte) => byte === 0)) return undefined
      throw new JournalDamage(path, 0, 'a segment header', header)
    } finally {
      this.#files.close(file)
    }
  }

  #expectNoSegmentBehind(number: number): void {
    for (const name of this.#files.list(this.#directory)) {
      if ((segmentNumber(name) ?? 0) <= number) continue
      // Unless the writer has gone on since.
      if (this.#header(number) !== undefined) continue
      throw new JournalDamage(this.#path(number), 0, 'a used segment', `none, but ${name}`)
    }
  }

  #damage(fault: BatchFault, behind: string): JournalDamage {
    const path = this.#path(this.#position.segment)
    return new JournalDamage(path, fault.offset, fault.expected, `${fault.found}; ${behind}`)
  }

  #path(number: number): string {
    return join(this.#directory, segmentName(number))
  }
}
