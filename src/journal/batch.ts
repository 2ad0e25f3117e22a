import { isEntryFrame } from './entry.ts'
import {
  checkpointFrame,
  type FrameHeader,
  frameHeaderBytes,
  frameOverhead,
  looksLikeFrame,
  maxBatchBytes,
  readFrame,
} from './frame.ts'
import type { SegmentWindow } from './window.ts'

/** Why there is no whole batch where one was looked for. */
export type BatchFault = {
  readonly offset: number
  readonly expected: string
  readonly found: string
  /** Not even begun: the frame length is zero. */
  readonly blank: boolean
}

const lineFeed = 0x0a

/** Reads whole batches out of a segment. What it answers is valid until the next read. */
export class BatchReader {
  readonly window: SegmentWindow
  /** Where the bodies stand in the window's buffer. */
  readonly starts: number[] = []
  readonly ends: number[] = []
  /** The types of the frames. */
  readonly types: number[] = []
  /** What to add to a place in the window's buffer to get the offset in the file. */
  base = 0
  /** Offset in the file, behind the batch. */
  end = 0
  isCheckpoint = false
  #batchEnd = 0
  readonly #want: number
  readonly #header: FrameHeader = { length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 }

  /** `want` is how much to read at a time. */
  constructor(window: SegmentWindow, want: number) {
    this.window = window
    this.#want = want
  }

  /** Reads the batch at `offset`, which must be number `batch` and begin with record `sequence`. */
  read(offset: number, sequence: number, batch: number): BatchFault | undefined {
    this.#clear()
    const expected = `batch ${batch} from sequence ${sequence}`
    const { window } = this
    let at = window.load(offset, frameOverhead + 1, this.#want)
    if (window.size - offset < frameOverhead + 1 || window.limit - at < frameOverhead + 1) {
      return { offset, expected, found: 'the end of the file', blank: true }
    }
    if (window.buffer.readUInt32BE(at) === 0) {
      return { offset, expected, found: 'a frame length of 0', blank: true }
    }
    let found = this.#frames(at, offset, sequence, batch)
    if (found !== undefined && window.limit - at < Math.min(maxBatchBytes, window.size - offset)) {
      // It may only be that the batch is not wholly in memory.
      at = window.load(offset, maxBatchBytes, this.#want)
      found = this.#frames(at, offset, sequence, batch)
    }
    if (found === undefined) return undefined
    return { offset: found.at + this.base, expected, found: found.reason, blank: false }
  }

  /** Answers where and why the batch is not whole, or undefined. */
  #frames(
    start: number,
    offset: number,
    sequence: number,
    batch: number,
  ): { at: number; reason: string } | undefined {
    this.#clear()
    this.base = offset - start
    const header = this.#header
    const { buffer } = this.window
    const limit = Math.min(this.window.limit, start + maxBatchBytes)
    let at = start
    let next = sequence
    for (;;) {
      const reason = readFrame(buffer, at, limit, header) ?? this.#misplaced(next, batch)
      if (reason !== undefined) return { at, reason }
      if (next === sequence) this.#batchEnd = header.batchEnd
      this.starts.push(at + frameHeaderBytes)
      at += frameOverhead + header.length
      this.ends.push(at - 1)
      this.types.push(header.type)
      if (header.type !== checkpointFrame) next += 1
      if (next === header.batchEnd) break
    }
    this.isCheckpoint = header.type === checkpointFrame
    this.end = at + this.base
    return undefined
  }

  #clear(): void {
    this.starts.length = 0
    this.ends.length = 0
    this.types.length = 0
  }

  /** A whole frame that does not belong here. A checkpoint is a batch of its own. */
  #misplaced(sequence: number, batch: number): string | undefined {
    const { type, batchEnd } = this.#header
    const begun = this.starts.length > 0
    if (this.#header.batch !== batch) return `a frame of batch ${this.#header.batch}`
    if (this.#header.sequence !== sequence) return `sequence ${this.#header.sequence}`
    if (isEntryFrame(type)) {
      const inBounds = begun ? batchEnd === this.#batchEnd : batchEnd > sequence
      return inBounds ? undefined : `batch end ${batchEnd}`
    }
    if (type !== checkpointFrame) return `a frame of type ${type}`
    return begun || batchEnd !== sequence ? 'a checkpoint within a batch' : undefined
  }
}

/**
 * Looks for a whole frame of a later batch than `batch` anywhere behind `offset`: one batch is in flight at most, so
 * that such a frame proves that `batch` had been written and acknowledged.
 */
export function findLaterBatch(
  window: SegmentWindow,
  offset: number,
  batch: number,
): { offset: number; batch: number } | undefined {
  const header: FrameHeader = { length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 }
  let position = offset
  while (position < window.size) {
    const at = window.load(position, maxBatchBytes, window.buffer.length)
    const limit = window.limit
    if (limit <= at) return undefined
    const last = position + (limit - at) >= window.size
    // Frames that begin further back may not be whole in the buffer: they are met again after the next load.
    const until = last ? limit : limit - maxBatchBytes / 2
    for (let feed = at; ; feed += 1) {
      feed = window.buffer.indexOf(lineFeed, feed)
      const start = feed - frameHeaderBytes + 1
      if (feed < 0 || feed >= limit || start >= until) break
      if (start < at || !looksLikeFrame(window.buffer, start, limit)) continue
      if (readFrame(window.buffer, start, limit, header) !== undefined) continue
      if (header.batch > batch) return { offset: position + (start - at), batch: header.batch }
    }
    if (last) return undefined
    position += until - at
  }
  return undefined
}
