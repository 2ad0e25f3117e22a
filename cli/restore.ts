import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { everyKind, readRecords, type StoredRecord } from '../src/journal/reader.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { ArchiveReader } from './archive.ts'
import { type CommandLine, dataDirectory, parse } from './command-line.ts'
import { lockOrRefuse, withFolderLock } from './folder-lock.ts'
import type { Manifest } from './manifest.ts'
import { commitStaging, finishRestore, readyFolder } from './restore-commit.ts'
import { stage, stagingFolder } from './restore-staging.ts'
import { isRunning } from './service-session.ts'

export const restore: CommandLine = {
  words: ['restore'],
  synopsis: 'restore FILE',
  summary: 'bring a backup back; refused where it would roll the record back',
  help: `Usage: kagiban restore FILE [--data DIR] [--root-key FILE]

Brings a backup back into a folder whose service is stopped. The folder is empty, or its audit
record is a beginning of the backup's; over a record that has gone on it is refused. If it is
interrupted, the service does not start until the same command has been given again.

  --data DIR                   data folder [KAGIBAN_DATA] (./data)
  --root-key FILE              the root's key (hsm/root.key of the old folder), if the folder has none
`,
  async run(invocation) {
    const { values, positionals } = parse(
      invocation,
      { data: { type: 'string' }, 'root-key': { type: 'string' } },
      ['FILE'],
    )
    const file = resolve(positionals[0] ?? '')
    const dataDir = dataDirectory(values.data, invocation.env)
    const rootKey = values['root-key'] === undefined ? undefined : resolve(values['root-key'])
    if (!existsSync(file)) throw new OperatorError(`There is no file ${file}.`)
    const manifest = manifestOf(file)
    await refuseWhileRunning(dataDir)
    const key = rootFor(dataDir, manifest, rootKey)
    await withFolderLock(dataDir, () => restoreFolder(dataDir, file, key))
    process.stdout.write(`Restored the backup of ${manifest.createdAt} into ${dataDir}.\n`)
    return 0
  },
}

/** Until all of the backup is staged and looked at, nothing in the folder changes. */
async function restoreFolder(
  dataDir: string,
  file: string,
  rootKey: Buffer | undefined,
): Promise<void> {
  if (finishRestore(dataDir)) {
    process.stderr.write('An earlier restore was interrupted; it is finished now.\n')
  }
  try {
    await stage(dataDir, file, rootKey)
    refuseRollBack(dataDir)
    // Staging takes its time.
    await refuseWhileRunning(dataDir)
  } catch (error) {
    rmSync(stagingFolder(dataDir), { recursive: true, force: true })
    throw error
  }
  commitStaging(dataDir)
  finishRestore(dataDir)
}

function manifestOf(file: string): Manifest {
  const archive = new ArchiveReader(file)
  archive.close()
  return archive.manifest
}

async function refuseWhileRunning(dataDir: string): Promise<void> {
  const refusal = 'The service is running over this folder: stop it first.'
  const run = join(dataDir, 'run')
  if (existsSync(run)) {
    for (const name of readdirSync(run)) {
      if (name.endsWith('.sock') && (await isRunning(run, name))) throw new OperatorError(refusal)
    }
  }
  // One that is just starting, or hangs, answers nobody.
  for (const directory of journalsOf(dataDir)) lockOrRefuse(directory, refusal).release()
}

function journalsOf(dataDir: string): string[] {
  const journals = join(dataDir, 'journal')
  if (!existsSync(journals)) return []
  return readdirSync(journals, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(journals, name))
}

/** Whatever the folder's record says has to be said by the backup's record as well. */
function refuseRollBack(dataDir: string): void {
  for (const directory of journalsOf(dataDir)) {
    refuseUnlessContinued(directory, join(stagingFolder(dataDir), 'journal', basename(directory)))
  }
}

/** Record by record: bytes would differ by the checkpoints that stand between them. */
function refuseUnlessContinued(directory: string, staged: string): void {
  const archived = existsSync(staged)
    ? readRecords(staged, { kinds: everyKind })
    : ([] as StoredRecord[]).values()
  let present = 0
  let continued = 0
  for (const { record } of readRecords(directory, { kinds: everyKind })) {
    present++
    const next = archived.next()
    if (next.done === true) continue
    continued++
    if (next.value.record !== record) {
      throw new OperatorError(
        `The folder's audit record is not the one that the backup continues: record ${present - 1} differs. ` +
          'Restore into an empty folder, and keep this one.',
      )
    }
  }
  if (present > continued) {
    throw new OperatorError(
      `This would roll the audit record back: the folder's record has ${present} entries, the backup's ${continued}. ` +
        'Restore into an empty folder, and keep this one.',
    )
  }
}

/** The root's key, if it has to be brought into the folder. Throws OperatorError unless there will be one root. */
function rootFor(
  dataDir: string,
  manifest: Manifest,
  rootKey: string | undefined,
): Buffer | undefined {
  const inFolder = (name: string) =>
    [dataDir, readyFolder(dataDir)].map((each) => join(each, 'hsm', name)).find(existsSync)
  if (manifest.files.some(({ path }) => path === 'hsm/root.json')) {
    if (rootKey !== undefined) {
      throw new OperatorError('The root of this backup has a passphrase, not a key file.')
    }
    if (inFolder('root.key') !== undefined) throw otherRoot('a passphrase', 'a key file')
    return undefined
  }
  if (inFolder('root.json') !== undefined) throw otherRoot('a key file', 'a passphrase')
  const present = inFolder('root.key')
  if (rootKey === undefined) {
    if (present !== undefined) return undefined
    throw new OperatorError('A backup does not hold the root: give its key with --root-key FILE.')
  }
  const key = readRootKey(rootKey)
  if (present === undefined) return key
  // The same command may be given again.
  if (readFileSync(present).equals(key)) return undefined
  throw new OperatorError(
    'The folder has a root key already; leave --root-key away, or restore into an empty folder.',
  )
}

function otherRoot(backup: string, folder: string): OperatorError {
  return new OperatorError(
    `The backup's root is ${backup}, the folder's ${folder}; restore into an empty folder.`,
  )
}

const rootKeyBytes = 32

function readRootKey(path: string): Buffer {
  const size = statSync(path, { throwIfNoEntry: false })?.size
  const key = size === rootKeyBytes ? readFileSync(path) : undefined
  if (key?.length !== rootKeyBytes) {
    throw new OperatorError(`${path} is no root key: that is a file of ${rootKeyBytes} bytes.`)
  }
  return key
}
