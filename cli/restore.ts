import { randomUUID } from 'node:crypto'
import {
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { systemRandom } from '../src/base/random.ts'
import { defaults } from '../src/config.ts'
import { readRecords, type StoredRecord } from '../src/journal/reader.ts'
import { Accounts } from '../src/operator/accounts.ts'
import { operatorEvent } from '../src/operator/event.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { Mirror } from '../src/storage/mirror.ts'
import { ownOutbox } from '../src/storage/own-outbox.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'
import { ArchiveReader, type Manifest, stripArchive } from './archive.ts'
import { type CommandLine, dataDirectory, parse } from './command-line.ts'
import { isRunning, operatorName } from './service-session.ts'

export const restore: CommandLine = {
  words: ['restore'],
  synopsis: 'restore FILE',
  summary: 'bring a backup back; refused where it would roll the record back',
  help: `Usage: kagiban restore FILE [--data DIR] [--root-key FILE]

Brings a backup back into a folder whose service is stopped. The folder is empty, or its audit
record is a beginning of the backup's; over a record that has gone on it is refused.

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
    await refuseWhileRunning(dataDir)
    const archive = new ArchiveReader(file)
    for (const entry of archive.manifest.files) archive.read(entry.path)
    refuseRollBack(dataDir, archive)
    requireRoot(dataDir, archive.manifest, rootKey)
    writeFolder(dataDir, archive, rootKey)
    archive.close()
    await restoreStore(file, dataDir)
    process.stdout.write(`Restored the backup of ${archive.manifest.createdAt} into ${dataDir}.\n`)
    return 0
  },
}

async function refuseWhileRunning(dataDir: string): Promise<void> {
  const run = join(dataDir, 'run')
  if (!existsSync(run)) return
  for (const name of readdirSync(run)) {
    if (name.endsWith('.sock') && (await isRunning(run, name))) {
      throw new OperatorError('The service is running over this folder: stop it first.')
    }
  }
}

/** Whatever the folder's record says has to be said by the backup's record as well. */
function refuseRollBack(dataDir: string, archive: ArchiveReader): void {
  const journals = join(dataDir, 'journal')
  if (!existsSync(journals)) return
  for (const node of readdirSync(journals)) {
    const unpacked = join(dataDir, 'run', `restore-${randomUUID()}`)
    try {
      for (const { path } of archive.manifest.files) {
        if (!path.startsWith(`journal/${node}/`)) continue
        mkdirSync(unpacked, { recursive: true, mode: 0o700 })
        writeFileSync(join(unpacked, basename(path)), archive.read(path), { mode: 0o600 })
      }
      refuseUnlessContinued(join(journals, node), unpacked)
    } finally {
      rmSync(unpacked, { recursive: true, force: true })
    }
  }
}

/** Record by record: bytes would differ by the checkpoints that stand between them. */
function refuseUnlessContinued(directory: string, unpacked: string): void {
  const archived = existsSync(unpacked) ? readRecords(unpacked) : ([] as StoredRecord[]).values()
  let present = 0
  let continued = 0
  for (const { record } of readRecords(directory)) {
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
      `This would roll the audit record back: the folder's record has ${present} events, the backup's ${continued}. ` +
        'Restore into an empty folder, and keep this one.',
    )
  }
}

function requireRoot(dataDir: string, manifest: Manifest, rootKey: string | undefined): void {
  const hasPassphrase = manifest.files.some((entry) => entry.path === 'hsm/root.json')
  const present = existsSync(join(dataDir, 'hsm', 'root.key'))
  if (hasPassphrase) {
    if (rootKey !== undefined)
      throw new OperatorError('The root of this backup has a passphrase, not a key file.')
    return
  }
  if (present && rootKey !== undefined) {
    throw new OperatorError(
      'The folder has a root key already; leave --root-key away, or restore into an empty folder.',
    )
  }
  if (!present && rootKey === undefined) {
    throw new OperatorError('A backup does not hold the root: give its key with --root-key FILE.')
  }
}

function writeFolder(dataDir: string, archive: ArchiveReader, rootKey: string | undefined): void {
  for (const name of ['hsm', 'store', 'journal', 'index', 'run']) {
    mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 })
  }
  if (rootKey !== undefined) writeDurably(join(dataDir, 'hsm', 'root.key'), readFileSync(rootKey))
  const journals = join(dataDir, 'journal')
  for (const node of readdirSync(journals)) rmSync(join(journals, node), { recursive: true })
  for (const { path } of archive.manifest.files) {
    const target = join(dataDir, path)
    if (!resolve(target).startsWith(`${resolve(dataDir)}/`)) {
      throw new OperatorError(`The backup names a path outside the folder: ${path}`)
    }
    mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
    writeDurably(target, archive.read(path))
  }
}

/** The store, with the restore itself in its outbox: the next start puts it into the record. */
async function restoreStore(file: string, dataDir: string): Promise<void> {
  const target = join(dataDir, 'store', 'store.db')
  const partial = `${target}.partial`
  copyFileSync(file, partial)
  stripArchive(partial)
  for (const suffix of ['-wal', '-shm']) rmSync(`${target}${suffix}`, { force: true })
  renameSync(partial, target)
  const store = ownOutbox(await openSqliteStore({ file: target }), defaults.node)
  const mirror = new Mirror(store)
  const accounts = new Accounts(mirror)
  await mirror.load()
  const deps = { clock: systemClock, random: systemRandom, accounts }
  const event = operatorEvent(
    deps,
    { operator: operatorName() },
    { name: 'Restore', details: { restoreId: randomUUID() } },
  )
  await mirror.commit([], [event])
  await store.close()
}

function writeDurably(path: string, content: Buffer): void {
  const partial = `${path}.partial`
  writeFileSync(partial, content, { mode: 0o600 })
  const file = openSync(partial, 'r')
  fsyncSync(file)
  closeSync(file)
  renameSync(partial, path)
}
