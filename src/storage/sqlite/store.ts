import { chmodSync, closeSync, existsSync, fsyncSync, openSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { Store } from '../port.ts'
import { busyAttempts, busyTimeoutMs, SqliteStore } from './adapter.ts'
import { type Database, isBusy, openDatabase, resultCode, resultCodeOf } from './database.ts'
import { applicationId, migrate, pageSize } from './migrations.ts'

export type SqliteStoreOptions = {
  /** Made, readable by its owner alone, unless it exists. Its directory must exist. */
  readonly file: string
  /** Tests put a database of their own here. */
  readonly connect?: (file: string) => Database
}

/**
 * Opens the default store. Several processes may have the same file open.
 *
 * Throws an Error whose message names the file and says what is wrong with it: not a database, another
 * application's, written by a newer version, damaged, locked.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { file, connect = openDatabase } = options
  try {
    prepareFile(file)
    const database = connect(file)
    try {
      await retryWhileBusy(() => {
        database.exec(`PRAGMA busy_timeout = ${busyTimeoutMs}`)
        checkOwner(database)
        configure(database)
        migrate(database)
      })
      return new SqliteStore(file, database)
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw new Error(`The store '${file}' cannot be opened: ${explain(error)}.`, { cause: error })
  }
}

/** The file exists and is nobody else's to read; SQLite gives its companions (`-wal`, `-shm`) the same mode. */
function prepareFile(file: string): void {
  // The log is looked at first: another process that makes the store now writes the file before the log.
  const log = `${file}-wal`
  const logHasContent = existsSync(log) && statSync(log).size > 0
  if (!existsSync(file) || statSync(file).size === 0) {
    // SQLite would delete such a log, and with it the last commits.
    if (logHasContent) throw new Error(`it is missing or empty, but its log '${log}' is not`)
    closeSync(openSync(file, 'a', 0o600))
    flushDirectory(dirname(file))
  }
  for (const path of [file, log, `${file}-shm`]) {
    if (existsSync(path) && (statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  }
}

/**
 * Node's permission model forbids fsync. There SQLite does it: with the first flush of a new log it flushes the
 * directory too, and with it the name of the store's file.
 */
function flushDirectory(directory: string): void {
  if (process.permission !== undefined) return
  const descriptor = openSync(directory, 'r')
  try {
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
}

function checkOwner(database: Database): void {
  const [tables] = database.prepare('SELECT count(*) FROM sqlite_schema').get() ?? []
  const [owner] = database.prepare('PRAGMA application_id').get() ?? []
  const unclaimed = owner === 0 && tables === 0
  if (owner !== applicationId && !unclaimed) throw new Error('it belongs to another application')
}

/** No PRAGMA quick_check (0.2 s for 100,000 rows): `load` reads every row, and so finds their damaged pages. */
function configure(database: Database): void {
  database.exec(`PRAGMA page_size = ${pageSize}`)
  const [mode] = database.prepare('PRAGMA journal_mode = WAL').get() ?? []
  if (mode !== 'wal') throw new Error(`its file system allows no write-ahead log (${mode})`)
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -16000;
    PRAGMA wal_autocheckpoint = 4000;
  `)
}

async function retryWhileBusy(work: () => void): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      work()
      return
    } catch (error) {
      if (!isBusy(error) || attempt === busyAttempts) throw error
    }
    await pause(busyTimeoutMs)
  }
}

function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const code = resultCodeOf(error)
  if (code === resultCode.notADatabase) return 'it is not a SQLite database'
  if (code === resultCode.corrupt) return `it is damaged (${text}); restore a backup`
  if (code === resultCode.busy) return 'another process keeps it locked'
  return text
}
