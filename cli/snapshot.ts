import { existsSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { OperatorError } from '../src/operator/socket.ts'
import { readPlain } from './durable-files.ts'
import type { Session } from './service-session.ts'

/** What the service copied for a backup, and the hierarchy that opens it. */
export type Snapshot = {
  /** The store's copy, to be removed. */
  readonly file: string
  /** How much of the service's journal belongs to it. */
  readonly records: number
  /** Of the folder `hsm`, by name. Never the root's key. */
  readonly hierarchy: ReadonlyMap<string, Buffer>
}

const snapshotName = /^backup-[0-9a-f-]{36}\.db$/
const attemptsMax = 3

/** What backups that were interrupted have left. Only under the folder's lock. */
export function sweepSnapshots(dataDir: string): void {
  const run = join(dataDir, 'run')
  for (const name of readdirSync(run)) {
    const snapshot = name.replace(/(?:-(?:wal|shm|journal)|\.partial(?:-journal)?)$/, '')
    if (snapshotName.test(snapshot)) rmSync(join(run, name))
  }
}

/**
 * Has the service copy its store. Domain keys may be replaced at the same time, and those that nothing needs any more
 * are destroyed a minute later: so the hierarchy is read before the copy and after it, and the one is taken that holds
 * every domain key which the copy's material is under. If neither does, the copy is made again.
 */
export async function takeSnapshot(session: Pick<Session, 'dataDir' | 'send'>): Promise<Snapshot> {
  const { dataDir } = session
  for (let attempt = 1; attempt <= attemptsMax; attempt++) {
    const before = readHierarchy(dataDir)
    const { file, records } = answered(dataDir, await session.send('backup-snapshot'))
    try {
      const hierarchy = choose(before, readHierarchy(dataDir), file)
      if (hierarchy !== undefined) return { file, records, hierarchy }
    } catch (error) {
      rmSync(file, { force: true })
      throw error
    }
    rmSync(file)
  }
  throw new OperatorError(
    'Domain keys were replaced each time that the store was copied; try again in some minutes.',
  )
}

/** The service may name a file in its own folder and no other: what it names is read, and then removed. */
function answered(dataDir: string, answer: unknown): { file: string; records: number } {
  const { file, records } = Object(answer) as Record<string, unknown>
  const name = typeof file === 'string' ? (file.split('/').at(-1) ?? '') : ''
  if (!snapshotName.test(name) || typeof records !== 'number') {
    throw new OperatorError('The service answered with no copy of its store.')
  }
  return { file: join(dataDir, 'run', name), records }
}

function readHierarchy(dataDir: string): ReadonlyMap<string, Buffer> {
  const hsm = join(dataDir, 'hsm')
  const names = ['hierarchy.json', 'root.json'].filter((name) => existsSync(join(hsm, name)))
  return new Map(names.map((name) => [name, readPlain(join(hsm, name))]))
}

function choose(
  before: ReadonlyMap<string, Buffer>,
  after: ReadonlyMap<string, Buffer>,
  file: string,
): ReadonlyMap<string, Buffer> | undefined {
  const [older, newer] = [before, after].map((files) => String(files.get('hierarchy.json')))
  // Material that does not open in the folder either is no reason to refuse a backup.
  if (older === newer) return after
  const needed = domainKeysOf(file)
  return [after, before].find((files) => {
    const held = heldBy(String(files.get('hierarchy.json')))
    return needed.every((key) => held.has(key))
  })
}

/** The domain keys that a store's material is under, as `region/generation`. */
function domainKeysOf(file: string): string[] {
  const store = new DatabaseSync(file)
  try {
    // In its own mode a look at it would leave files beside it.
    store.exec('PRAGMA journal_mode = DELETE')
    const rows = store.prepare(
      `SELECT DISTINCT json_extract(body, '$.region') || '/' || json_extract(body, '$.generation') AS key
         FROM rows WHERE kind = 'material' AND body IS NOT NULL`,
    )
    return rows.all().map(({ key }) => String(key))
  } finally {
    store.close()
  }
}

function heldBy(hierarchy: string): ReadonlySet<string> {
  const { regions } = JSON.parse(hierarchy) as {
    regions: Record<string, { domainKeys: readonly { generation: number }[] }>
  }
  return new Set(
    Object.entries(regions).flatMap(([region, { domainKeys }]) =>
      domainKeys.map(({ generation }) => `${region}/${generation}`),
    ),
  )
}
