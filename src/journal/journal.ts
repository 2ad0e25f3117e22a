import { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { Random } from '../base/random.ts'
import { JournalDamage } from './damage.ts'
import { JournalInUse } from './lock.ts'
import type { FromJournal, JournalThreadData, Refusal } from './messages.ts'
import type { CheckpointSigner } from './port.ts'
import { defaultSegmentBytes, maxSegmentBytes, minSegmentBytes } from './segment.ts'
import { type OpenedJournal, ThreadJournal } from './thread-journal.ts'

export type { Journal } from './port.ts'
export type { JournalStatus, OpenedJournal } from './thread-journal.ts'
export type JournalOptions = {
  /** `<data>/journal/<node>`; made unless it exists. */
  readonly directory: string
  /** Name of the node, for the origin of a new journal: letters, digits, dot, dash, underscore. */
  readonly node: string
  readonly sign: CheckpointSigner
  /** The raw 32-byte Ed25519 key that belongs to `sign`. */
  readonly publicKey: Buffer
  readonly clock: Clock
  readonly random: Random
  /** Tells the operator what goes wrong without ending it, and when that is over. */
  readonly log?: (line: string) => void
  /** Of new segments; a multiple of 4096 from 16 KiB to 1 GiB, by default 64 MiB. It bounds the largest record. */
  readonly segmentBytes?: number
  /** 1 to 1000, the default. */
  readonly checkpointIntervalMs?: number
}

/**
 * Opens the journal of a directory in a thread of its own, after verifying all of it. Rejects with JournalDamage if it
 * is not what was written, with JournalInUse if another journal holds the directory.
 * `thread` is the entry of the thread; tests give one that makes files fail.
 */
export function openJournal(
  options: JournalOptions,
  thread: URL = new URL('./worker.ts', import.meta.url),
): Promise<OpenedJournal> {
  const { directory, segmentBytes = defaultSegmentBytes, checkpointIntervalMs = 1000 } = options
  requireInteger('segmentBytes', segmentBytes, minSegmentBytes, maxSegmentBytes)
  requireInteger('checkpointIntervalMs', checkpointIntervalMs, 1, 1000)
  if (segmentBytes % 4096 !== 0) throw new RangeError('segmentBytes must be a multiple of 4096')
  if (!/^[\w.-]{1,64}$/.test(options.node)) throw new RangeError('node is not a name')
  if (options.publicKey.length !== 32) throw new RangeError('publicKey must have 32 bytes')
  const workerData: JournalThreadData = {
    directory,
    newOrigin: `kagiban/${options.node}/${options.random.uuid()}`,
    publicKey: options.publicKey,
    segmentBytes,
    checkpointIntervalMs,
  }
  const worker = new Worker(thread, { workerData, name: 'journal' })
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error('the thread of the journal ended'))
    worker.once('error', reject)
    worker.once('exit', ended)
    worker.once('message', (message: FromJournal) => {
      worker.off('error', reject)
      worker.off('exit', ended)
      if (message.kind === 'refused') reject(notOpened(message.refusal))
      else if (message.kind !== 'ready') reject(new Error(`the thread answered '${message.kind}'`))
      else resolve(new ThreadJournal(worker, options, segmentBytes, message))
    })
  })
}

function requireInteger(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return
  throw new RangeError(`${name} must be an integer from ${least} to ${most}`)
}

function notOpened(refusal: Refusal): Error {
  if (refusal.kind === 'in-use') return new JournalInUse(refusal.directory)
  if (refusal.kind === 'error') return new Error(`the journal does not open: ${refusal.message}`)
  return new JournalDamage(refusal.file, refusal.offset, refusal.expected, refusal.found)
}
