import { join } from 'node:path'
import { type Checkpoint, parseCheckpoint } from '../checkpoint.ts'
import { JournalDamage } from '../damage.ts'
import { originName, readOrigin } from '../directory.ts'
import { errorCode, type Files } from '../files.ts'
import type { VerifierKey } from '../note-keys.ts'
import { printable, signatureFault } from './checkpoint-chain.ts'
import { NotWhole } from './finding.ts'
import { ed25519Of, keysIn, underName } from './journal-keys.ts'
import { type HeldCheckpoint, type VerifiedJournal, verifyJournal } from './journal-verification.ts'
import { SeenLogs } from './seen-logs.ts'
import { firstRecordSince } from './since.ts'

/** Of what is in a data folder, the journals of its processes. */
export type FolderToVerify = {
  readonly files: Files
  /** The folder that has a folder for each process. */
  readonly journals: string
  /** The folder of the root log, if there is one. */
  readonly rootLog: string | undefined
  /** Keys from outside; without any, those that stand beside the journals count. */
  readonly keys: readonly VerifierKey[]
  /** Signed checkpoints that were kept elsewhere. */
  readonly held: readonly { readonly file: string; readonly note: string }[]
  /** The first record, or ms since the epoch. */
  readonly since: { readonly record: number } | { readonly time: number } | undefined
  readonly thorough: boolean
  readonly progress: (journal: string, bytes: number, record: number) => void
  readonly wait: () => boolean
}

export type FolderReport = {
  readonly journals: readonly JournalReport[]
  /** The keys that counted; the first is an Ed25519 key. */
  readonly keys: readonly VerifierKey[]
  /** The file in the folder that the keys were taken from, if none came from outside. */
  readonly keyFile: string | undefined
  /** What is wrong beside the journals themselves: a held checkpoint that is of none, a strange file. */
  readonly findings: readonly NotWhole[]
}

export type JournalReport = {
  readonly name: string
  readonly outcome: VerifiedJournal | NotWhole
}

/** There is nothing to verify with. */
export class NoKey extends Error {
  override readonly name = 'NoKey'
}

/**
 * Verifies every journal, each up to the first thing wrong in it. Throws NoKey, NotWhole if a public key
 * is the first thing wrong, and what the file system throws.
 */
export function verifyFolder(folder: FolderToVerify): FolderReport {
  const names = [...folder.files.list(folder.journals)].sort()
  const findings: NotWhole[] = []
  const { keys, keyFile } = keysOf(folder, names, findings)
  const known: HeldCheckpoint[] = []
  for (const held of folder.held) {
    const found = heldCheckpoint(held, keys)
    if (found instanceof NotWhole) findings.push(found)
    else known.push(found)
  }
  const origins = new Set<string>()
  const journals: JournalReport[] = []
  const seen = new SeenLogs(keys)
  if (folder.rootLog !== undefined) {
    journals.push(verifyOne(folder, { name: rootLogName, seen }, keys, known, origins))
  }
  for (const [origin, checkpoint] of seen.last) {
    known.push({ checkpoint, file: `${folder.rootLog} (${printable(origin)})` })
  }
  for (const name of names) {
    journals.push(verifyOne(folder, { name, seen: undefined }, keys, known, origins))
  }
  for (const { checkpoint, file } of known) {
    if (!origins.has(checkpoint.origin)) findings.push(lost(checkpoint, file))
  }
  return { journals, keys, keyFile, findings }
}

const rootLogName = 'root-log'

function lost({ origin, size }: Checkpoint, file: string): NotWhole {
  const whose = `${size} records of ${printable(origin)} were signed`
  const message = `${whose}, and no journal here is that one: it was removed, or begun anew`
  return new NotWhole('unknown-origin', { file }, message)
}

type Log = { readonly name: string; readonly seen: SeenLogs | undefined }

function verifyOne(
  folder: FolderToVerify,
  { name, seen }: Log,
  keys: readonly VerifierKey[],
  known: readonly HeldCheckpoint[],
  origins: Set<string>,
): JournalReport {
  const { files, since, thorough, wait } = folder
  const isRoot = seen !== undefined && folder.rootLog !== undefined
  const directory = isRoot ? folder.rootLog : join(folder.journals, name)
  const outcome = trying(() => {
    const origin = originIn(files, directory)
    origins.add(origin)
    if (origin !== '' && origin.split('/')[1] !== name) {
      const message = `the journal in the folder of process '${name}' is ${printable(origin)}`
      throw new NotWhole('origin', { file: join(directory, originName) }, message)
    }
    return verifyJournal({
      files,
      directory,
      keys: underName(origin, keys),
      held: known.filter(({ checkpoint }) => checkpoint.origin === origin),
      // All of the root log is read: what it has seen of the others, it may have seen long ago.
      from: since === undefined || isRoot ? 0 : firstRecord(files, directory, since),
      thorough,
      checkpoints: seen === undefined ? undefined : (checkpoint) => seen.add(checkpoint),
      progress: (bytes, record) => folder.progress(name, bytes, record),
      wait,
    })
  })
  return { name, outcome }
}

function firstRecord(
  files: Files,
  directory: string,
  since: { readonly record: number } | { readonly time: number },
): number {
  return 'record' in since ? since.record : firstRecordSince(files, directory, since.time)
}

/** Empty if there is none or it cannot be read: verifying the journal says so. */
function originIn(files: Files, directory: string): string {
  try {
    return readOrigin(files, directory) ?? ''
  } catch (error) {
    if (error instanceof JournalDamage) return ''
    if (errorCode(error) !== 'ENOTDIR') throw error
    throw new NotWhole(
      'foreign-file',
      { file: directory },
      'no such file belongs beside the journals',
    )
  }
}

/** One key core signs all journals of a folder, so that the keys beside them are the same. */
function keysOf(
  folder: FolderToVerify,
  names: readonly string[],
  findings: NotWhole[],
): { keys: readonly VerifierKey[]; keyFile: string | undefined } {
  let chosen: readonly VerifierKey[] = folder.keys
  let keyFile: string | undefined
  for (const name of names) {
    const directory = join(folder.journals, name)
    const keys = trying(() => keysBeside(folder.files, directory))
    if (keys instanceof NotWhole) {
      findings.push(keys)
      continue
    }
    if (keys.length === 0) continue
    const file = join(directory, 'vkey')
    if (chosen.length === 0) [chosen, keyFile] = [keys, file]
    else if (!isSame(ed25519Of(keys), ed25519Of(chosen))) {
      const other = keyFile === undefined ? 'the one that was given' : `the one in ${keyFile}`
      const message = `the public key of this journal is another than ${other}`
      findings.push(new NotWhole('other-key', { file }, message))
    }
  }
  if (chosen.length === 0) throw findings[0] ?? new NoKey()
  return { keys: chosen, keyFile }
}

function keysBeside(files: Files, directory: string): VerifierKey[] {
  try {
    return keysIn(files, directory)
  } catch (error) {
    if (errorCode(error) === 'ENOTDIR') return []
    throw error
  }
}

function isSame(one: VerifierKey | undefined, other: VerifierKey | undefined): boolean {
  return one !== undefined && other !== undefined && one.publicKey.equals(other.publicKey)
}

function heldCheckpoint(
  { file, note }: { readonly file: string; readonly note: string },
  keys: readonly VerifierKey[],
): HeldCheckpoint | NotWhole {
  const checkpoint: Checkpoint | string = parseCheckpoint(note)
  if (typeof checkpoint === 'string') {
    const message = `the held file is no signed checkpoint: it has ${checkpoint}`
    return new NotWhole('checkpoint-form', { file }, message)
  }
  const fault = signatureFault(checkpoint, underName(checkpoint.origin, keys))
  if (fault === undefined) return { checkpoint, file }
  const message = `the held checkpoint of ${checkpoint.size} records ${fault}: it was altered, or is of another key than these journals`
  return new NotWhole('checkpoint-signature', { file }, message)
}

function trying<T>(work: () => T): T | NotWhole {
  try {
    return work()
  } catch (error) {
    if (error instanceof NotWhole) return error
    throw error
  }
}
