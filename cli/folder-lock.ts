import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { JournalInUse, type JournalLock, lockJournal } from '../src/journal/lock.ts'
import { nodeFiles } from '../src/journal/node-files.ts'
import { OperatorError } from '../src/operator/socket.ts'

/** Backups and restores of one folder keep each other out, whichever processes they are. Throws OperatorError. */
export async function withFolderLock<T>(dataDir: string, work: () => Promise<T>): Promise<T> {
  const run = join(dataDir, 'run')
  mkdirSync(run, { recursive: true, mode: 0o700 })
  const lock = lockOrRefuse(run, 'Another backup or restore of this folder is under way.')
  try {
    return await work()
  } finally {
    lock.release()
  }
}

/** Throws OperatorError with `refusal` when another process holds the directory. */
export function lockOrRefuse(directory: string, refusal: string): JournalLock {
  try {
    return lockJournal(nodeFiles, directory)
  } catch (error) {
    throw error instanceof JournalInUse ? new OperatorError(refusal) : error
  }
}
