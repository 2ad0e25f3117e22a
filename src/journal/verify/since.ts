import { join } from 'node:path'
import { JournalDamage } from '../damage.ts'
import { type Files, readFully } from '../files.ts'
import { JournalReader } from '../journal-reader.ts'
import { decodeSegmentHeader, segmentHeaderBytes, segmentName, segmentNumber } from '../segment.ts'

/**
 * The first record of the last segment that begins before `time` (ms since the epoch): every record since is in it or
 * behind it, as far as records are in the order of their times.
 */
export function firstRecordSince(files: Files, directory: string, time: number): number {
  const numbers = files.list(directory).map((name) => segmentNumber(name) ?? 0)
  numbers.sort((one, other) => other - one)
  for (const number of numbers.filter((found) => found > 1)) {
    const begun = beginning(files, directory, number)
    if (begun !== undefined && begun.time < time) return begun.sequence
  }
  return 0
}

function beginning(
  files: Files,
  directory: string,
  segment: number,
): { time: number; sequence: number } | undefined {
  const header = headerOf(files, join(directory, segmentName(segment)))
  if (typeof header === 'string') return undefined
  const { sequence, batch } = header
  const position = { segment, offset: segmentHeaderBytes, sequence, batch }
  const reader = new JournalReader(directory, position, files)
  try {
    while (reader.next(false) && reader.position.segment === segment) {
      for (const { kind, record } of reader.records()) {
        const time = kind === 'event' ? timeOf(record) : Number.NaN
        if (!Number.isNaN(time)) return { time, sequence }
      }
    }
    return undefined
  } catch (error) {
    // What is wrong with it is found when it is verified.
    if (error instanceof JournalDamage) return undefined
    throw error
  } finally {
    reader.close()
  }
}

function headerOf(files: Files, path: string): ReturnType<typeof decodeSegmentHeader> {
  const file = files.open(path, 'read')
  try {
    const buffer = Buffer.alloc(segmentHeaderBytes)
    const length = readFully(files, file, buffer, 0, buffer.length, 0)
    return decodeSegmentHeader(buffer.subarray(0, length))
  } finally {
    files.close(file)
  }
}

function timeOf(record: string): number {
  try {
    const parsed: { readonly eventTime?: unknown } | null = JSON.parse(record)
    return typeof parsed?.eventTime === 'string' ? Date.parse(parsed.eventTime) : Number.NaN
  } catch {
    return Number.NaN
  }
}
