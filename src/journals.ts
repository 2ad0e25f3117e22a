import { join } from 'node:path'
import type { Clock } from './base/clock.ts'
import type { Random } from './base/random.ts'
import type { Config } from './config.ts'
import type { Hsm } from './hsm/port.ts'
import { type OpenedJournal, openJournal } from './journal/journal.ts'
import { everyKind, readEveryJournal, readRecords } from './journal/reader.ts'

export type JournalDeps = {
  readonly hsm: Pick<Hsm, 'checkpointPublicKey' | 'signCheckpoint'>
  readonly clock: Clock
  readonly random: Random
  readonly log: (line: string) => void
  /** The entry of the journal's thread; tests give one that makes files fail. */
  readonly journalThread?: URL
}

/** The journal of this process. */
export async function openOwnJournal(config: Config, deps: JournalDeps): Promise<OpenedJournal> {
  const { hsm, clock, random, log, journalThread } = deps
  const options = {
    directory: join(config.dataDir, 'journal', config.node),
    node: config.node,
    segmentBytes: config.segmentBytes,
    checkpointIntervalMs: 1000,
    publicKey: await hsm.checkpointPublicKey(),
    sign: (message: Buffer) => hsm.signCheckpoint(message),
    clock,
    random,
    log,
  }
  return openJournal(options, journalThread)
}

/** Every entry of the journal of this process, from that position on. */
export function* recordsFrom(config: Config, from: number): Iterable<string> {
  const directory = join(config.dataDir, 'journal', config.node)
  for (const { record } of readRecords(directory, { from, kinds: everyKind })) yield record
}

/** Of the journals of all processes that share the folder. */
export function* everyRecord({ dataDir }: Config): Iterable<string> {
  for (const { record } of readEveryJournal(join(dataDir, 'journal'))) yield record
}
