import { join } from 'node:path'
import { JournalDamage } from '../damage.ts'
import { type Listing, listJournal, originName, readOrigin } from '../directory.ts'
import type { Files } from '../files.ts'
import { type Tree, treeOf } from '../merkle.ts'
import { type SegmentHeader, segmentNumber } from '../segment.ts'
import { NotWhole } from './finding.ts'

export function treeBefore({ sequence, frontier, number }: SegmentHeader, path: string): Tree {
  try {
    return treeOf(sequence, frontier)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    const message = `the header of segment ${number} has no tree of ${sequence} records`
    throw new NotWhole('segment-header', { file: path, byte: 0 }, message)
  }
}

export function listed(files: Files, directory: string): Listing {
  try {
    return listJournal(files, directory)
  } catch (error) {
    if (!(error instanceof JournalDamage)) throw error
    const { file } = error
    const name = file.slice(directory.length + 1)
    const place = { file }
    throw segmentNumber(name) === undefined
      ? new NotWhole('foreign-file', place, 'no such file belongs in a journal')
      : new NotWhole(
          'missing-file',
          place,
          `segment ${segmentNumber(name)} is missing, and later ones are there`,
        )
  }
}

export function originOf(files: Files, directory: string, segments: number): string {
  try {
    const origin = readOrigin(files, directory)
    if (origin !== undefined || segments === 0) return origin ?? ''
  } catch (error) {
    if (!(error instanceof JournalDamage)) throw error
    throw new NotWhole(
      'origin',
      { file: error.file },
      'the file does not hold the origin of a journal',
    )
  }
  const place = { file: join(directory, originName) }
  throw new NotWhole('missing-file', place, 'the file with the origin of the journal is missing')
}
