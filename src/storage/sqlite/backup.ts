import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { internalError, ServiceError } from '../../base/errors.ts'

/** Pages a step; between steps the event loop does other work. */
const pagesPerStep = 2048

/**
 * Copies the store as it stands at this call. A connection of its own holds a read transaction, so that commits made
 * meanwhile stay out of the copy. The copy is complete and flushed before it bears its name.
 *
 * Throws 'already-exists' rather than replace a file, 'internal' when the copy cannot be written.
 */
export async function writeBackup(
  source: string,
  target: string,
  progress?: (done: number, total: number) => void,
): Promise<void> {
  refuseExisting(target)
  const partial = `${target}.partial`
  const snapshot = openSnapshot(source)
  try {
    makeFile(partial)
    try {
      await backup(snapshot, partial, {
        rate: pagesPerStep,
        progress: ({ totalPages, remainingPages }) =>
          progress?.(totalPages - remainingPages, totalPages),
      })
      flush(partial, 'r+')
      refuseExisting(target)
      renameSync(partial, target)
      flush(dirname(target), 'r')
    } catch (error) {
      rmSync(partial, { force: true })
      throw error
    }
  } catch (error) {
    if (error instanceof ServiceError) throw error
    throw internalError(`the backup '${target}' cannot be written: ${String(error)}`, error)
  } finally {
    snapshot.close()
  }
}

function openSnapshot(file: string): DatabaseSync {
  const database = new DatabaseSync(file, { readOnly: true, timeout: 1000 })
  try {
    // BEGIN alone takes no snapshot; the first read does.
    database.exec('BEGIN; SELECT value FROM revision')
    return database
  } catch (error) {
    database.close()
    throw internalError(`the store '${file}' cannot be read: ${String(error)}`, error)
  }
}

function refuseExisting(target: string): void {
  if (existsSync(target)) throw new ServiceError('already-exists', `'${target}' exists already`)
}

/** Readable by its owner alone, from its first byte on. */
function makeFile(partial: string): void {
  try {
    closeSync(openSync(partial, 'wx', 0o600))
  } catch (error) {
    if (!existsSync(partial)) throw error
    throw new ServiceError(
      'already-exists',
      `'${partial}' exists: another backup writes it, or one was interrupted; delete it then`,
    )
  }
}

/** Node's permission model forbids fsync: there, whoever asked for the copy flushes it. */
function flush(path: string, flags: 'r' | 'r+'): void {
  if (process.permission !== undefined) return
  const descriptor = openSync(path, flags)
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}
