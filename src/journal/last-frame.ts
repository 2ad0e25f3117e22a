import { join } from 'node:path'
import { type Files, readFully } from './files.ts'
import { frameChecksum, frameOverhead } from './frame.ts'
import { segmentName } from './segment.ts'

/** A frame that was read once (`JournalReader.lastFrame`), by which a follower knows its journal again. */
export type ReadFrame = {
  readonly segment: number
  readonly offset: number
  readonly checksum: number
}

/** Whether the journal still has that frame. A restored or recovered one may not. */
export function stillHolds(files: Files, directory: string, frame: ReadFrame): boolean {
  const path = join(directory, segmentName(frame.segment))
  const buffer = Buffer.alloc(frameOverhead)
  try {
    const file = files.open(path, 'read')
    try {
      readFully(files, file, buffer, 0, buffer.length, frame.offset)
    } finally {
      files.close(file)
    }
  } catch {
    return false
  }
  return frameChecksum(buffer, 0) === frame.checksum
}
