import {
  constants,
  copyFileSync,
  existsSync,
  lstatSync,
  readdirSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { defaults } from '../src/config.ts'
import { parseCheckpoint } from '../src/journal/checkpoint.ts'
import { JournalReader, type Position } from '../src/journal/journal-reader.ts'
import { lastCheckpoint, readRecords } from '../src/journal/reader.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { ArchiveWriter } from './archive.ts'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { flush, readPlain } from './durable-files.ts'
import { withFolderLock } from './folder-lock.ts'
import { isNodeName } from './manifest.ts'
import { type Session, withService } from './service-session.ts'
import { type Snapshot, sweepSnapshots, takeSnapshot } from './snapshot.ts'

export const backup: CommandLine = {
  words: ['backup'],
  synopsis: 'backup FILE',
  summary: 'write a backup while the service runs',
  help: `Usage: kagiban backup FILE [options]

Writes one file with the store, the audit record and the wrapped key hierarchy, as they stand at
one moment; requests go on meanwhile. The root's key is NOT in it (hsm/root.key, or your
passphrase): keep that elsewhere. Without it the backup opens nothing, and with both anyone does.
Objects are NOT in it either: copy the folder objects/ while the service is stopped.

${serviceOptionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, serviceOptions, ['FILE'])
    const target = resolve(positionals[0] ?? '')
    refuseExisting(target)
    const node = values.node ?? defaults.node
    const records = await withService(values, invocation.env, (session) =>
      withFolderLock(session.dataDir, () => writeBackup(session, node, target)),
    )
    process.stdout.write(
      `${target}: backup with ${records} audit records.\nThe root's key is not in it: keep hsm/root.key (or the passphrase) in another place.\n`,
    )
    return 0
  },
}

/** Under the folder's lock. Answers how many records of the service's journal are in it. */
export async function writeBackup(
  session: Pick<Session, 'dataDir' | 'send'>,
  node: string,
  target: string,
): Promise<number> {
  sweepSnapshots(session.dataDir)
  const snapshot = await takeSnapshot(session)
  const partial = `${target}.partial`
  try {
    copyNew(snapshot.file, partial)
    try {
      archiveFolder(partial, session.dataDir, snapshot, node)
      flush(partial)
      refuseExisting(target)
      renameSync(partial, target)
      flush(dirname(target))
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  } finally {
    rmSync(snapshot.file, { force: true })
  }
  return snapshot.records
}

/** A link exists, too, wherever it leads. */
function refuseExisting(target: string): void {
  if (lstatSync(target, { throwIfNoEntry: false }) === undefined) return
  throw new OperatorError(`${target} exists already; a backup replaces no file.`)
}

/** What an interrupted backup has left is replaced; a link that somebody put there is not followed. */
function copyNew(source: string, target: string): void {
  const there = lstatSync(target, { throwIfNoEntry: false })
  if (!lstatSync(source).isFile() || there?.isFile() === false) {
    throw new OperatorError(`${there ? target : source} is not a regular file.`)
  }
  rmSync(target, { force: true })
  copyFileSync(source, target, constants.COPYFILE_EXCL)
}

function archiveFolder(file: string, dataDir: string, snapshot: Snapshot, node: string): void {
  const archive = new ArchiveWriter(file)
  try {
    for (const [name, content] of snapshot.hierarchy) archive.add(`hsm/${name}`, content)
    const records: Record<string, number> = {}
    for (const name of journalsOf(dataDir)) {
      const known = name === node ? snapshot.records : Number.POSITIVE_INFINITY
      records[name] = archiveJournal(archive, `journal/${name}`, dataDir, known)
    }
    archiveRootLog(archive, dataDir, records)
    archive.finish(new Date().toISOString(), records)
  } finally {
    archive.close()
  }
}

/** The names of the processes that have a journal. */
function journalsOf(dataDir: string): string[] {
  const journals = readdirSync(join(dataDir, 'journal'), { withFileTypes: true })
  return journals
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => {
      if (!isNodeName(name)) throw new OperatorError(`journal/${name} is no journal of Kagiban's.`)
      return name
    })
    .sort()
}

/**
 * Adds a journal up to its first `records` records: what the store's copy belongs to. What follows in the last segment
 * is left as zeros, which is how a segment ends.
 */
function archiveJournal(
  archive: ArchiveWriter,
  path: string,
  dataDir: string,
  records: number,
): number {
  const directory = join(dataDir, path)
  // The checkpoint first: one that is written meanwhile must not be in the archive without its place in the segments.
  const checkpoint = lastCheckpoint(directory, records)
  const end = endOf(directory, records)
  for (const name of readdirSync(directory).sort()) {
    const segment = Number(/^(\d{8})\.seg$/.exec(name)?.[1] ?? 0)
    if (segment === 0 || segment > end.segment) continue
    const content = readPlain(join(directory, name))
    if (segment === end.segment) content.fill(0, end.offset)
    archive.add(`${path}/${name}`, content)
  }
  archive.add(`${path}/origin`, readPlain(join(directory, 'origin')))
  if (checkpoint !== undefined) archive.add(`${path}/checkpoint`, Buffer.from(checkpoint))
  return end.sequence
}

/**
 * Adds the root log up to the first of its entries that says more of a node's log than is in the backup: after a
 * restore, that log would seem to have gone back.
 */
function archiveRootLog(
  archive: ArchiveWriter,
  dataDir: string,
  records: Readonly<Record<string, number>>,
): void {
  const directory = join(dataDir, 'root-log')
  if (!existsSync(join(directory, 'origin'))) return
  const origins = new Map(
    Object.entries(records).map(([node, count]) => {
      return [
        readPlain(join(dataDir, 'journal', node, 'origin'))
          .toString()
          .trim(),
        count,
      ]
    }),
  )
  let entries = 0
  for (const { index, record } of readRecords(directory, { kinds: ['checkpoint'] })) {
    const checkpoint = parseCheckpoint(record)
    if (typeof checkpoint === 'string') break
    if (checkpoint.size > (origins.get(checkpoint.origin) ?? Number.POSITIVE_INFINITY)) break
    entries = index + 1
  }
  archiveJournal(archive, 'root-log', dataDir, entries)
}

/** Behind the last batch with which the journal has at most `records` records. */
function endOf(directory: string, records: number): Position {
  const reader = new JournalReader(directory)
  try {
    let end = reader.position
    while (reader.next(true) && reader.position.sequence <= records) end = reader.position
    return end
  } finally {
    reader.close()
  }
}
