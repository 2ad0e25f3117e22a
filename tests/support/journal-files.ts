import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs'
import { basename, join } from 'node:path'
import { everyKind, readRecords } from '../../src/journal/reader.ts'

/** The journal's files as a stranger sees them: bytes in segments, and a checkpoint that says how many records. */
export type Place = { readonly file: string; readonly offset: number }

export function segmentFiles(data: string): string[] {
  const journal = join(data, 'journal')
  return readdirSync(journal, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.seg'))
    .sort()
    .map((name) => join(journal, name))
}

/** Where a text, such as a request id, first stands in the journal. */
export function findInJournal(data: string, text: string): Place {
  for (const file of segmentFiles(data)) {
    const offset = readFileSync(file).indexOf(text)
    if (offset >= 0) return { file, offset }
  }
  throw new Error(`'${text}' stands in no segment of ${segmentFiles(data).join(', ')}`)
}

/** Just behind the last byte of a file that is not zero: the end of what was written to a zero-filled segment. */
export function endOfData(file: string): Place {
  const bytes = readFileSync(file)
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return { file, offset: end }
}

export function overwrite({ file, offset }: Place, bytes: Buffer): void {
  const descriptor = openSync(file, 'r+')
  try {
    writeSync(descriptor, bytes, 0, bytes.length, offset)
  } finally {
    closeSync(descriptor)
  }
}

export function byteAt({ file, offset }: Place): number {
  return readFileSync(file).readUInt8(offset)
}

/** The number of records that the last signed checkpoint covers: the second line of the note. */
export function checkpointSize(data: string): number {
  const journal = join(data, 'journal')
  const [name] = readdirSync(journal, { recursive: true, encoding: 'utf8' }).filter(
    (candidate) => basename(candidate) === 'checkpoint',
  )
  if (name === undefined) throw new Error('the journal has no checkpoint')
  const size = Number(readFileSync(join(journal, name), 'utf8').split('\n')[1])
  if (!Number.isSafeInteger(size)) throw new Error('the checkpoint states no size')
  return size
}

/** Of every kind: each change brings a configuration item beside its event. */
export function entriesIn(data: string, node = 'main'): number {
  return [...readRecords(join(data, 'journal', node), { kinds: everyKind })].length
}
