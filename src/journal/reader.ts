import { join } from 'node:path'
import type { EntryKind } from '../base/entry-kind.ts'
import { type Files, readFully } from './files.ts'
import { JournalReader, type Position, type StoredRecord } from './journal-reader.ts'
import type { ReadFrame } from './last-frame.ts'
import { nodeFiles } from './node-files.ts'
import { decodeSegmentHeader, segmentHeaderBytes, segmentName, segmentNumber } from './segment.ts'

const onlyEvents: readonly EntryKind[] = ['event']
export const everyKind: readonly EntryKind[] = ['event', 'digest', 'checkpoint', 'item']

export type { StoredRecord } from './journal-reader.ts'

/**
 * The events from index `from` on (0), up to the tail, or other kinds of entries. Reads a stopped journal and one that
 * is being written, from any process, in bounded memory. Throws JournalDamage on anything but a torn batch at the
 * tail.
 */
export function* readRecords(
  directory: string,
  options: {
    readonly from?: number
    readonly files?: Files
    readonly kinds?: readonly EntryKind[]
  } = {},
): Generator<StoredRecord> {
  const { from = 0, files = nodeFiles, kinds = onlyEvents } = options
  const reader = new JournalReader(directory, segmentHolding(files, directory, from), files)
  try {
    while (reader.next(true)) {
      if (reader.position.sequence <= from) continue
      for (const record of reader.records()) {
        if (record.index >= from && kinds.includes(record.kind)) yield record
      }
    }
  } finally {
    reader.close()
  }
}

/** The records of every process that has a journal in the folder `journals`, one journal after the other. */
export function* readEveryJournal(
  journals: string,
  files: Files = nodeFiles,
): Generator<StoredRecord> {
  for (const node of [...files.list(journals)].sort()) {
    yield* readRecords(join(journals, node), { files })
  }
}

/** Where the next record of a journal goes: the number of records, the segment and the offset in it. */
export function journalPosition(
  directory: string,
  files: Files = nodeFiles,
): { records: number; segment: number; offset: number } {
  const { sequence, segment, offset } = journalTail(directory, true, files).position
  return { records: sequence, segment, offset }
}

/** Behind the last whole batch, and the last frame before that. `thorough` as in `JournalReader.next`. */
export function journalTail(
  directory: string,
  thorough: boolean,
  files: Files = nodeFiles,
): { readonly position: Position; readonly last: ReadFrame | undefined } {
  const start = segmentHolding(files, directory, Number.POSITIVE_INFINITY)
  const reader = new JournalReader(directory, start, files)
  try {
    let last: ReadFrame | undefined
    while (reader.next(thorough)) last = reader.lastFrame()
    return { position: reader.position, last }
  } finally {
    reader.close()
  }
}

/**
 * The last signed checkpoint that stands in the segments before record `records`: what the `checkpoint` file of a
 * copy has to say that ends there.
 */
export function lastCheckpoint(
  directory: string,
  records: number,
  files: Files = nodeFiles,
): string | undefined {
  const reader = new JournalReader(directory, undefined, files)
  let last: string | undefined
  try {
    while (reader.next(true) && reader.position.sequence <= records) {
      last = reader.checkpoint() ?? last
    }
    return last
  } finally {
    reader.close()
  }
}

/** The beginning of the last segment that begins at or before record `index`. */
export function segmentHolding(
  files: Files,
  directory: string,
  index: number,
): Position | undefined {
  const numbers = files
    .list(directory)
    .map((name) => segmentNumber(name) ?? 0)
    .sort((one, other) => other - one)
  for (const number of numbers) {
    const header = number === 0 ? 'none' : readHeader(files, join(directory, segmentName(number)))
    if (typeof header === 'string' || header.sequence > index) continue
    const { sequence, batch } = header
    return { segment: number, offset: segmentHeaderBytes, sequence, batch }
  }
  return undefined
}

function readHeader(files: Files, path: string): ReturnType<typeof decodeSegmentHeader> {
  const file = files.open(path, 'read')
  try {
    const buffer = Buffer.alloc(segmentHeaderBytes)
    const length = readFully(files, file, buffer, 0, buffer.length, 0)
    return decodeSegmentHeader(buffer.subarray(0, length))
  } finally {
    files.close(file)
  }
}
