import { copyFileSync, existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { JournalReader, type Position } from '../src/journal/journal-reader.ts'
import { lastCheckpoint } from '../src/journal/reader.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { ArchiveWriter } from './archive.ts'
import { type CommandLine, parse, serviceOptions, serviceOptionsHelp } from './command-line.ts'
import { withService } from './service-session.ts'

type Snapshot = { readonly file: string; readonly records: number }

export const backup: CommandLine = {
  words: ['backup'],
  synopsis: 'backup FILE',
  summary: 'write a backup while the service runs',
  help: `Usage: kagiban backup FILE [options]

Writes one file with the store, the audit record and the wrapped key hierarchy, as they stand at
one moment; requests go on meanwhile. The root's key is NOT in it (hsm/root.key, or your
passphrase): keep that elsewhere. Without it the backup opens nothing, and with both anyone does.

${serviceOptionsHelp}`,
  async run(invocation) {
    const { values, positionals } = parse(invocation, serviceOptions, ['FILE'])
    const target = resolve(positionals[0] ?? '')
    if (existsSync(target))
      throw new OperatorError(`${target} exists already; a backup replaces no file.`)
    const records = await withService(values, invocation.env, async ({ send, dataDir }) => {
      const snapshot = (await send('backup-snapshot')) as Snapshot
      const partial = `${target}.partial`
      copyFileSync(snapshot.file, partial)
      rmSync(snapshot.file)
      const node = values.node ?? 'main'
      archiveFolder(partial, dataDir, { [node]: snapshot.records })
      renameSync(partial, target)
      return snapshot.records
    })
    process.stdout.write(
      `${target}: backup with ${records} audit records.\nThe root's key is not in it: keep hsm/root.key (or the passphrase) in another place.\n`,
    )
    return 0
  },
}

function archiveFolder(
  file: string,
  dataDir: string,
  known: Readonly<Record<string, number>>,
): void {
  const archive = new ArchiveWriter(file)
  for (const name of readdirSync(join(dataDir, 'hsm')).sort()) {
    if (name.endsWith('.json')) archive.add(`hsm/${name}`, readFileSync(join(dataDir, 'hsm', name)))
  }
  const records: Record<string, number> = {}
  for (const node of readdirSync(join(dataDir, 'journal')).sort()) {
    records[node] = archiveJournal(archive, dataDir, node, known[node])
  }
  archive.finish(new Date().toISOString(), records)
}

/**
 * Adds a journal up to its first `records` records (all there are, when undefined): what the store's copy belongs to.
 * What follows in the last segment is left as zeros, which is how a segment ends.
 */
function archiveJournal(
  archive: ArchiveWriter,
  dataDir: string,
  node: string,
  records: number | undefined,
): number {
  const directory = join(dataDir, 'journal', node)
  // The checkpoint first: one that is written meanwhile must not be in the archive without its place in the segments.
  const checkpoint = lastCheckpoint(directory, records ?? Number.POSITIVE_INFINITY)
  const end = endOf(directory, records ?? Number.POSITIVE_INFINITY)
  for (const name of readdirSync(directory).sort()) {
    const segment = Number(/^(\d{8})\.seg$/.exec(name)?.[1] ?? 0)
    if (segment === 0 || segment > end.segment) continue
    const content = readFileSync(join(directory, name))
    if (segment === end.segment) content.fill(0, end.offset)
    archive.add(`journal/${node}/${name}`, content)
  }
  archive.add(`journal/${node}/origin`, readFileSync(join(directory, 'origin')))
  if (checkpoint !== undefined) archive.add(`journal/${node}/checkpoint`, Buffer.from(checkpoint))
  return end.sequence
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
