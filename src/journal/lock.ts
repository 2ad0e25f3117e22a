import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { errorCode, type Files, sameFile } from './files.ts'

/** What SQLite may leave in the directory. */
export const lockFileNames = ['lock.db', 'lock.db-journal', 'lock.db-wal', 'lock.db-shm']

const sqliteBusy = 5

export class JournalInUse extends Error {
  override readonly name = 'JournalInUse'
  constructor(directory: string) {
    super(`journal is in use by another process: ${directory}`)
  }
}

export type JournalLock = {
  /** Throws if the lock's file is no longer the one that is locked: a second writer may have come in. */
  check(): void
  release(): void
}

/**
 * Keeps a second writer out of the directory. SQLite is the way to a file lock in Node: the kernel drops it when the
 * process dies, however it dies. Throws JournalInUse.
 */
export function lockJournal(files: Files, directory: string): JournalLock {
  const path = join(directory, 'lock.db')
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) throw new JournalInUse(directory)
    throw error
  }
  const locked = files.identify(path)
  return {
    check() {
      if (!sameFile(files.identify(path), locked)) throw new Error(`${path} was replaced`)
    },
    release: () => database.close(),
  }
}

function isBusy(error: unknown): boolean {
  const isSqlite = errorCode(error) === 'ERR_SQLITE_ERROR'
  return isSqlite && error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
}
