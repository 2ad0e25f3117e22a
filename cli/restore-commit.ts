import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { unfinishedRestore } from '../src/supervisor.ts'
import { flush } from './durable-files.ts'
import { stagingFolder } from './restore-staging.ts'

/** While this is there, the folder is half the old and half the new one: no service starts over it. */
export function readyFolder(dataDir: string): string {
  return join(dataDir, unfinishedRestore)
}

/** From here on the restore goes through: what interrupts it, the next one finishes. */
export function commitStaging(dataDir: string): void {
  renameSync(stagingFolder(dataDir), readyFolder(dataDir))
  flush(dataDir)
}

/**
 * Moves what is staged to its place. Each step leaves its source in place until it is done, so that all of it can be
 * done again after an interruption anywhere. False if there is nothing to finish.
 */
export function finishRestore(dataDir: string): boolean {
  const ready = readyFolder(dataDir)
  if (!existsSync(ready)) return false
  for (const name of ['hsm', 'store', 'index', 'run']) {
    mkdirSync(join(dataDir, name), { recursive: true, mode: 0o700 })
  }
  for (const name of ['hsm', 'store']) {
    const target = join(dataDir, name)
    // The log belongs to the old store, and would be read into the new one.
    if (name === 'store') {
      for (const suffix of ['-wal', '-shm'])
        rmSync(join(target, `store.db${suffix}`), { force: true })
    }
    for (const file of namesIn(join(ready, name))) {
      renameSync(join(ready, name, file), join(target, file))
    }
    flush(target)
  }
  moveJournals(join(ready, 'journal'), join(dataDir, 'journal'))
  moveRootLog(join(ready, 'root-log'), join(dataDir, 'root-log'))
  flush(dataDir)
  rmSync(ready, { recursive: true })
  flush(dataDir)
  return true
}

/** All at once: there must be no journal of the folder beside those of the backup. */
function moveJournals(source: string, target: string): void {
  if (!existsSync(source)) return
  rmSync(target, { recursive: true, force: true })
  renameSync(source, target)
}

/**
 * The folder's own root log stays where there is one: its record is a beginning of the backup's, and the root log
 * may know more than the backup's did; witnesses have seen it, and would not let it go back.
 */
function moveRootLog(source: string, target: string): void {
  if (!existsSync(source) || existsSync(join(target, 'origin'))) return
  rmSync(target, { recursive: true, force: true })
  renameSync(source, target)
}

function namesIn(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : []
}
