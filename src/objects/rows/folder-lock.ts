import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { SyncDisk } from '../files/disk.ts'

const sqliteBusy = 5

export type FolderLock = { release(): void }

/**
 * Keeps a second process of the same node out: it would take the files that this one writes for those of an earlier
 * run. SQLite is the way to a file lock in Node; the kernel drops it when the process dies, however it dies.
 */
export function lockFolder(disk: SyncDisk, folder: string): FolderLock {
  disk.makeDirectory(folder)
  const database = new DatabaseSync(join(folder, 'lock.db'))
  try {
    database.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    const isBusy = error instanceof Error && 'errcode' in error && error.errcode === sqliteBusy
    throw isBusy ? new Error(`${folder} is in use by another process`) : error
  }
  return { release: () => database.close() }
}
