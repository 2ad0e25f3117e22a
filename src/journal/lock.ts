import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { errorCode } from './files.ts'

/** What SQLite may leave in the directory. */
export const lockFileNames = ['lock.db', 'lock.db-journal', 'lock.db-wal', 'lock.db-shm']

const sqliteBusy = 5

export class JournalInUse extends Error {
  override readonly name = 'JournalInUse'
  constructor(directory: string) {
    super(`journal is in use by another process: ${directory}`)
  }
}

/**
 * Keeps a second writer out of the directory until the answer is called. SQLite is the way to a file lock in Node:
 * the kernel drops it when the process dies, however it dies.
 */
export function lockJournal(directory: string): () => void {
  const database = new DatabaseSync(join(directory, 'lock.db'))
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (isBusy(error)) throw new JournalInUse(directory)
    throw error
  }
  return () => database.close()
}

function isBusy(error: unknown): boolean {
  const isSqlite = errorCode(error) === 'ERR_SQLITE_ERROR'
  return isSqlite && error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
}
