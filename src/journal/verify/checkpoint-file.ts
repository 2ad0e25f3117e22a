import type { Checkpoint } from '../checkpoint.ts'
import type { CheckpointChain } from './checkpoint-chain.ts'
import { NotWhole, type Place } from './finding.ts'

/** How many records the journal has, and the first that was read. */
export type Extent = { readonly firstRead: number; readonly records: number }

/**
 * The file is as the last checkpoint of the stream, or as the one before if the writer was between the two. Throws
 * NotWhole.
 */
export function compareFile(
  checkpoint: Checkpoint,
  { last, before }: CheckpointChain,
  { firstRead, records }: Extent,
  place: Place,
): void {
  if (checkpoint.size > records) {
    const gone = `the last ${checkpoint.size - records} are gone`
    const message = `the journal has ${records} records, and its signed checkpoint covers ${checkpoint.size}: ${gone}`
    throw new NotWhole('rolled-back', { ...place, record: records }, message)
  }
  const inStream = [last, before].find((candidate) => candidate?.size === checkpoint.size)
  if (inStream?.root === checkpoint.root) return
  // It may stand before the first record that was read.
  if (before === undefined && checkpoint.size <= firstRead) return
  if (last === undefined || checkpoint.size > last.size || inStream !== undefined) {
    const message = `the signed checkpoint of ${checkpoint.size} records is not in the segments`
    throw new NotWhole('signed-root', place, message)
  }
  const older = `the checkpoint is of ${checkpoint.size} records, and the segments have one of ${last.size}`
  const message = `${older}: the file was put back to an older one, which a power cut can do, too`
  throw new NotWhole('older-checkpoint', place, message)
}

/** There is no file: the writer may have died before it wrote the first. Throws NotWhole. */
export function checkUnfiled(
  { count }: CheckpointChain,
  { firstRead, records }: Extent,
  place: Place,
): void {
  if (count > 1 || (count === 1 && firstRead > 0)) {
    const message = `the file is missing beside ${count} signed checkpoints in the segments`
    throw new NotWhole('missing-file', place, message)
  }
  if (count === 1 || records === 0) return
  const message = `no signed checkpoint covers any of the ${records} records: nothing shows whose they are`
  throw new NotWhole('unsigned', place, message)
}
