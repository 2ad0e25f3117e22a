import type { JournalDamage } from '../damage.ts'
import { type Files, readFully } from '../files.ts'
import { type FrameHeader, frameOverhead, maxBodyBytes, readFrame } from '../frame.ts'
import type { JournalReader } from '../journal-reader.ts'
import type { SegmentHeader } from '../segment.ts'
import { isOrAre, NotWhole, type Place, records } from './finding.ts'

/** Says what the damage is at which a reader stopped. `headers` are those of the journal's segments. */
export function diagnose(
  files: Files,
  reader: JournalReader,
  damage: JournalDamage,
  headers: readonly SegmentHeader[],
): NotWhole {
  const { position } = reader
  const record = position.sequence + reader.frames.starts.length
  const place = { file: damage.file, byte: damage.offset, record }
  const next = headers[position.segment]
  const { reason, header } = frameAt(files, damage)
  if (reason === 'a frame length of 0' || reason === 'nothing') {
    if (next === undefined) {
      const message = `zeros stand where record ${record} should, and written bytes behind them`
      return new NotWhole('erased-records', place, message)
    }
    return endedEarly(place, record, next, damage)
  }
  if (reason !== undefined) {
    return new NotWhole(
      'altered-record',
      place,
      `what stands where record ${record} should, or a checkpoint before it, is not what was written: its frame has ${reason}`,
    )
  }
  return misplaced(place, record, position.batch, header)
}

/** A segment ends, and the next one does not begin where it ended; or other bytes follow. */
function endedEarly(
  place: Place,
  record: number,
  next: SegmentHeader,
  damage: JournalDamage,
): NotWhole {
  if (next.sequence > record) {
    const what = `${records(record, next.sequence)} ${isOrAre(record, next.sequence)} missing: zeros stand in their place`
    return new NotWhole(
      'missing-records',
      place,
      `${what}, and segment ${next.number} goes on behind them`,
    )
  }
  if (next.sequence < record) {
    const message = `segment ${next.number} begins with record ${next.sequence}, which stands before it already`
    return new NotWhole('repeated-records', place, message)
  }
  if (/other bytes|follows at byte/.test(damage.found)) {
    const message = `other bytes stand behind the last record of segment ${next.number - 1}`
    return new NotWhole('bytes-behind', place, message)
  }
  const message = `a checkpoint is missing behind record ${record - 1}: batch ${next.batch} follows`
  return new NotWhole('missing-records', place, message)
}

function misplaced(place: Place, record: number, batch: number, header: FrameHeader): NotWhole {
  if (header.sequence > record) {
    const message = `${records(record, header.sequence)} ${isOrAre(record, header.sequence)} missing: record ${header.sequence} follows`
    return new NotWhole('missing-records', place, message)
  }
  if (header.sequence < record || header.batch < batch) {
    const message = `record ${header.sequence} of batch ${header.batch} stands where record ${record} of batch ${batch} should`
    return new NotWhole('repeated-records', place, message)
  }
  if (header.batch > batch) {
    const message = `a batch without records, so a checkpoint, is missing before record ${record}`
    return new NotWhole('missing-records', place, message)
  }
  const message = `the frame of record ${record} is whole, and cannot stand there`
  return new NotWhole('malformed-frame', place, message)
}

function frameAt(
  files: Files,
  { file, offset }: JournalDamage,
): { reason: string | undefined; header: FrameHeader } {
  const header = { length: 0, sequence: 0, batch: 0, batchEnd: 0, type: 0 }
  const buffer = Buffer.alloc(frameOverhead + maxBodyBytes)
  const opened = files.open(file, 'read')
  try {
    const length = readFully(files, opened, buffer, 0, buffer.length, offset)
    if (length < frameOverhead + 1) return { reason: 'nothing', header }
    return { reason: readFrame(buffer, 0, length, header), header }
  } finally {
    files.close(opened)
  }
}
