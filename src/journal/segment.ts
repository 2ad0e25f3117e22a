import { crc32 } from 'node:zlib'
import { frameOverhead, maxBodyBytes, readUInt64, writeUInt64 } from './frame.ts'
import { frontierHashes, hashBytes, type Tree } from './merkle.ts'

/** Byte layout of a segment's header; `docs/formats/journal.md` has the table. */
export const segmentHeaderBytes = 4096
export const minSegmentBytes = 16 * 1024
export const maxSegmentBytes = 1024 * 1024 * 1024
export const defaultSegmentBytes = 64 * 1024 * 1024
export const maxOriginBytes = 255

const magic = Buffer.from('KAGIBANJ', 'latin1')
const version = 1
const originAt = 64
const frontierAt = 512
const crcAt = segmentHeaderBytes - 4

export type SegmentHeader = {
  readonly number: number
  /** Size of the file, fixed from the beginning. */
  readonly bytes: number
  /** Sequence of the first record in it: the size of the tree before it. */
  readonly sequence: number
  /** Number of the first batch in it. */
  readonly batch: number
  readonly origin: string
  /** The tree's frontier before it, the largest subtree first. */
  readonly frontier: readonly string[]
}

/** The largest record that a segment of `bytes` can hold. */
export function maxRecordBytes(bytes: number): number {
  return Math.min(maxBodyBytes, bytes - segmentHeaderBytes - frameOverhead)
}

export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.seg`
}

/** The segment's number, or undefined if the name is not a segment's. */
export function segmentNumber(name: string): number | undefined {
  return /^\d{8}\.seg$/.test(name) ? Number(name.slice(0, 8)) : undefined
}

export function encodeSegmentHeader(
  header: Omit<SegmentHeader, 'sequence' | 'frontier'>,
  tree: Tree,
): Buffer {
  const buffer = Buffer.alloc(segmentHeaderBytes)
  const frontier = frontierHashes(tree)
  magic.copy(buffer)
  buffer.writeUInt32BE(version, 8)
  buffer.writeUInt32BE(header.number, 12)
  writeUInt64(buffer, header.bytes, 16)
  writeUInt64(buffer, tree.size, 24)
  writeUInt64(buffer, header.batch, 32)
  buffer.writeUInt16BE(frontier.length, 40)
  buffer.writeUInt16BE(Buffer.byteLength(header.origin), 42)
  buffer.write(header.origin, originAt, maxOriginBytes)
  frontier.forEach((hash, index) => {
    buffer.write(hash, frontierAt + index * hashBytes, 'latin1')
  })
  buffer.writeUInt32BE(crc32(buffer.subarray(0, crcAt)), crcAt)
  return buffer
}

/** Answers the header, or what is wrong with it. */
export function decodeSegmentHeader(buffer: Buffer): SegmentHeader | string {
  if (buffer.length < segmentHeaderBytes) return `${buffer.length} bytes`
  if (!buffer.subarray(0, magic.length).equals(magic)) return 'other first bytes'
  if (buffer.readUInt32BE(crcAt) !== crc32(buffer.subarray(0, crcAt))) return 'a wrong checksum'
  if (buffer.readUInt32BE(8) !== version) return `format version ${buffer.readUInt32BE(8)}`
  const frontier: string[] = []
  for (let index = 0; index < buffer.readUInt16BE(40); index += 1) {
    const at = frontierAt + index * hashBytes
    frontier.push(buffer.toString('latin1', at, at + hashBytes))
  }
  return {
    number: buffer.readUInt32BE(12),
    bytes: readUInt64(buffer, 16),
    sequence: readUInt64(buffer, 24),
    batch: readUInt64(buffer, 32),
    origin: buffer.toString('utf8', originAt, originAt + buffer.readUInt16BE(42)),
    frontier,
  }
}
