import { crc32 } from 'node:zlib'
import { isEntryFrame } from './entry.ts'

/** Byte layout of a frame; `docs/formats/journal.md` has the table. All integers are big-endian. */
export const frameHeaderBytes = 40
/** What a frame adds to its body: the header and the line feed behind the body. */
export const frameOverhead = frameHeaderBytes + 1
export const maxBodyBytes = 256 * 1024
/** A batch is one write; recovery and readers hold one batch in memory. */
export const maxBatchBytes = 1024 * 1024

/** The types of entries are in `entry.ts`. */
export const checkpointFrame = 2

const lineFeed = 0x0a

export type FrameHeader = {
  length: number
  sequence: number
  batch: number
  /** The sequence after the batch's last record. */
  batchEnd: number
  type: number
}

/** Writes the header before, and the line feed behind, the `length` bytes of body that stand at `at + 40`. */
export function sealFrame(buffer: Buffer, at: number, header: FrameHeader): void {
  const end = at + frameOverhead + header.length
  buffer.writeUInt32BE(header.length, at)
  writeUInt64(buffer, header.sequence, at + 8)
  writeUInt64(buffer, header.batch, at + 16)
  writeUInt64(buffer, header.batchEnd, at + 24)
  buffer.writeUInt32BE(header.type * 0x1000000, at + 32)
  // The header ends with a line feed, so that a body stands on a line of its own and grep can print it.
  buffer.writeUInt32BE(lineFeed, at + 36)
  buffer[end - 1] = lineFeed
  buffer.writeUInt32BE(frameCrc(buffer, at, header.length), at + 4)
}

/**
 * Reads the frame at `at` into `header`. Answers what is wrong with it, or undefined if it is whole.
 * `limit` is the end of the bytes that the frame may take.
 */
export function readFrame(
  buffer: Buffer,
  at: number,
  limit: number,
  header: FrameHeader,
): string | undefined {
  if (limit - at < frameOverhead + 1) return `${Math.max(0, limit - at)} bytes`
  const length = buffer.readUInt32BE(at)
  if (length === 0) return 'a frame length of 0'
  if (length > maxBodyBytes) return `a frame length of ${length}`
  if (limit - at < frameOverhead + length) return `a frame of ${length} bytes beyond its bounds`
  if (buffer.readUInt32BE(at + 4) !== frameCrc(buffer, at, length)) return 'a wrong checksum'
  header.length = length
  header.sequence = readUInt64(buffer, at + 8)
  header.batch = readUInt64(buffer, at + 16)
  header.batchEnd = readUInt64(buffer, at + 24)
  header.type = buffer.readUInt8(at + 32)
  return undefined
}

/** The checksum that a frame carries. */
export function frameChecksum(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at + 4)
}

/** Cheap test of the bytes that are the same in every frame, to look for frames in unknown bytes. */
export function looksLikeFrame(buffer: Buffer, at: number, limit: number): boolean {
  if (limit - at < frameOverhead + 1) return false
  const length = buffer.readUInt32BE(at)
  if (length === 0 || length > maxBodyBytes || limit - at < frameOverhead + length) return false
  const type = buffer[at + 32] ?? 0
  return (
    (type === checkpointFrame || isEntryFrame(type)) &&
    buffer.readUInt32BE(at + 36) === lineFeed &&
    buffer[at + frameHeaderBytes + length] === lineFeed
  )
}

/** The length is not among the bytes that are summed, but is what the sum begins with. */
function frameCrc(buffer: Buffer, at: number, length: number): number {
  return crc32(buffer.subarray(at + 8, at + frameOverhead + length), length)
}

/** Where the type of a frame stands in its header: whoever lays out an entry for the writer says it there. */
export const frameTypeOffset = 32

/** Below 2^53, which no count in the journal reaches. */
export function writeUInt64(buffer: Buffer, value: number, at: number): void {
  buffer.writeUInt32BE(Math.floor(value / 0x100000000), at)
  buffer.writeUInt32BE(value % 0x100000000, at + 4)
}

export function readUInt64(buffer: Buffer, at: number): number {
  return buffer.readUInt32BE(at) * 0x100000000 + buffer.readUInt32BE(at + 4)
}
