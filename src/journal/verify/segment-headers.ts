import { join } from 'node:path'
import { type Files, readFully } from '../files.ts'
import { frontierHashes, type Tree } from '../merkle.ts'
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
  type SegmentHeader,
  segmentHeaderBytes,
  segmentName,
} from '../segment.ts'
import { printable } from './checkpoint-chain.ts'
import { NotWhole } from './finding.ts'

export type ReadHeader = { readonly header: SegmentHeader; readonly bytes: Buffer }

/**
 * The headers of the used segments, each of the journal, in its place and of the size of its file. The last segment may
 * be one that is prepared, or whose header is being written. Throws NotWhole.
 */
export function readHeaders(
  files: Files,
  directory: string,
  origin: string,
  segments: number,
): ReadHeader[] {
  const headers: ReadHeader[] = []
  for (let number = 1; number <= segments; number += 1) {
    const path = join(directory, segmentName(number))
    const { bytes, size } = readHead(files, path)
    const header = decodeSegmentHeader(bytes.subarray(0, segmentHeaderBytes))
    if (typeof header === 'string') {
      if (number === segments && isUnused(bytes)) break
      const message = `segment ${number} has no header of a segment, but ${header}`
      throw new NotWhole('segment-header', { file: path, byte: 0 }, message)
    }
    checkHeader(header, { number, origin, size, path, last: headers.at(-1)?.header })
    headers.push({ header, bytes: bytes.subarray(0, segmentHeaderBytes) })
  }
  return headers
}

/** Compares the whole header with the one that a journal with that tree before it writes. Throws NotWhole. */
export function checkAgainstTree({ header, bytes }: ReadHeader, tree: Tree, path: string): void {
  if (header.sequence === tree.size && bytes.equals(encodeSegmentHeader(header, tree))) return
  const place = { file: path, byte: 0, record: header.sequence }
  if (header.frontier.join() !== frontierHashes(tree).join() || header.sequence !== tree.size) {
    const message = `the header of segment ${header.number} was written over other records than the ${tree.size} before it`
    throw new NotWhole('segment-header', place, message)
  }
  const message = `the header of segment ${header.number} has bytes that no journal writes`
  throw new NotWhole('segment-header', place, message)
}

type Expected = {
  readonly number: number
  readonly origin: string
  readonly size: number
  readonly path: string
  readonly last: SegmentHeader | undefined
}

function checkHeader(header: SegmentHeader, expected: Expected): void {
  const { number, origin, size, path, last } = expected
  const place = { file: path, byte: 0 }
  if (header.origin !== origin) {
    const whose = `${printable(header.origin)}, and the journal is ${printable(origin)}`
    throw new NotWhole('origin', place, `segment ${number} is of ${whose}`)
  }
  const isBehind =
    last === undefined || (header.sequence >= last.sequence && header.batch > last.batch)
  if (header.number !== number || !isBehind) {
    const what = `segment ${header.number}, from record ${header.sequence} on`
    throw new NotWhole('other-segment', place, `where segment ${number} should be is ${what}`)
  }
  if (header.bytes === size) return
  const sizes = `segment ${number} has ${size} bytes instead of ${header.bytes}`
  throw new NotWhole('file-size', { file: path, byte: Math.min(size, header.bytes) }, sizes)
}

function readHead(files: Files, path: string): { bytes: Buffer; size: number } {
  const file = files.open(path, 'read')
  try {
    // Behind the header the first frame, which is there only if the header is whole.
    const buffer = Buffer.alloc(segmentHeaderBytes + 64)
    const length = readFully(files, file, buffer, 0, buffer.length, 0)
    return { bytes: buffer.subarray(0, length), size: files.identifyOpen(file).bytes }
  } finally {
    files.close(file)
  }
}

function isUnused(bytes: Buffer): boolean {
  return (
    bytes.length > segmentHeaderBytes &&
    bytes.subarray(segmentHeaderBytes).every((byte) => byte === 0)
  )
}
