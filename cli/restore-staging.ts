import { randomUUID } from 'node:crypto'
import {
  chmodSync,
  constants,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { systemClock } from '../src/base/clock.ts'
import { systemRandom } from '../src/base/random.ts'
import { defaults } from '../src/config.ts'
import { Identities } from '../src/identities/identities.ts'
import { JournalReader } from '../src/journal/journal-reader.ts'
import { Accounts } from '../src/operator/accounts.ts'
import { operatorEvent } from '../src/operator/event.ts'
import { OperatorError } from '../src/operator/socket.ts'
import { Mirror } from '../src/storage/mirror.ts'
import { ownOutbox } from '../src/storage/own-outbox.ts'
import { openSqliteStore } from '../src/storage/sqlite/store.ts'
import { ArchiveReader, stripArchive } from './archive.ts'
import { flush, writeNew } from './durable-files.ts'
import type { Manifest } from './manifest.ts'
import { operatorName } from './service-session.ts'

/** Where a restore puts together what it will bring into the folder. Left by an interrupted one, it is only litter. */
export function stagingFolder(dataDir: string): string {
  return join(dataDir, 'restore.partial')
}

/**
 * Puts into the staging folder what the data folder is to become, all of it verified and on the disk. The copy that is
 * verified is the one that is used, whatever becomes of `file` meanwhile. Throws OperatorError.
 */
export async function stage(
  dataDir: string,
  file: string,
  rootKey: Buffer | undefined,
): Promise<void> {
  const staging = stagingFolder(dataDir)
  rmSync(staging, { recursive: true, force: true })
  for (const name of ['', 'hsm', 'journal', 'store']) {
    mkdirSync(join(staging, name), { mode: 0o700 })
  }
  const store = join(staging, 'store', 'store.db')
  copyFileSync(file, store, constants.COPYFILE_EXCL)
  chmodSync(store, 0o600)
  const manifest = unpack(store, staging)
  checkJournals(staging, manifest)
  if (rootKey !== undefined) writeNew(join(staging, 'hsm', 'root.key'), [rootKey])
  stripArchive(store)
  await addRestoreEvent(store, manifest)
  flush(store)
  for (const directory of directoriesIn(staging)) flush(directory)
}

function unpack(store: string, staging: string): Manifest {
  const archive = new ArchiveReader(store)
  try {
    archive.checkPages()
    for (const { path } of archive.manifest.files) {
      const target = join(staging, path)
      mkdirSync(dirname(target), { recursive: true, mode: 0o700 })
      writeNew(target, archive.content(path))
    }
    return archive.manifest
  } finally {
    archive.close()
  }
}

/** Whether each journal reads to its end and has its records. The next start verifies its signatures. */
function checkJournals(staging: string, { records }: Manifest): void {
  for (const [node, expected] of Object.entries(records)) {
    const found = recordsIn(join(staging, 'journal', node))
    if (found === expected) continue
    throw new OperatorError(
      `The backup is damaged: the journal of '${node}' has ${found} records, its manifest says ${expected}.`,
    )
  }
  const rootLog = join(staging, 'root-log')
  if (existsSync(rootLog)) recordsIn(rootLog)
}

function recordsIn(directory: string): number {
  const reader = new JournalReader(directory)
  try {
    while (reader.next(true));
    return reader.position.sequence
  } catch (error) {
    throw new OperatorError(`The backup is damaged: ${messageOf(error)}`)
  } finally {
    reader.close()
  }
}

/** The restore itself goes into the store's outbox: the next start puts it into the record. */
async function addRestoreEvent(file: string, { records }: Manifest): Promise<void> {
  const nodes = Object.keys(records)
  const node = nodes.includes(defaults.node) ? defaults.node : (nodes[0] ?? defaults.node)
  try {
    const store = ownOutbox(await openSqliteStore({ file }), node)
    try {
      const mirror = new Mirror(store)
      const accounts = new Accounts(mirror, new Identities(mirror))
      await mirror.load()
      const deps = { clock: systemClock, random: systemRandom, accounts }
      const action = { name: 'Restore', details: { restoreId: randomUUID() } }
      await mirror.commit([], [operatorEvent(deps, { operator: operatorName() }, action)])
    } finally {
      await store.close()
    }
  } catch (error) {
    throw new OperatorError(`The backup's store cannot be used: ${messageOf(error)}`)
  }
  if (existsSync(`${file}-wal`)) throw new OperatorError("The backup's store cannot be closed.")
}

/** The folder and all below it, the deepest first. */
function directoriesIn(folder: string): string[] {
  const below = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...below.flatMap(({ name }) => directoriesIn(join(folder, name))), folder]
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
