import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { itemSchema } from './item-index.ts'
import { keyUseSchema } from './key-uses.ts'
import { postingSchema } from './posting-lists.ts'

/** Raise it with every change of the schema or of what is indexed: an older index is made anew. */
const schemaVersion = 5

/**
 * `id` orders events by time (`event-id.ts`). Every attribute is a 48-bit hash over account, Region, kind and value, in
 * `posting`; the ids of events have a table of their own, since each has one event. Texts stay in the journal:
 * `journal`, `segment` and `offset` say where.
 */
const schema = `
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    journal INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE event_id (
    day INTEGER NOT NULL,
    value INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (day, value, id)
  ) STRICT, WITHOUT ROWID;
  ${postingSchema}
  ${keyUseSchema}
  CREATE TABLE journal (
    id INTEGER PRIMARY KEY,
    node TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    sequence INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    last_segment INTEGER NOT NULL,
    last_offset INTEGER NOT NULL,
    last_checksum INTEGER NOT NULL
  ) STRICT;
  ${itemSchema}
  PRAGMA user_version = ${schemaVersion};
`

/**
 * Opens the index's file, made anew if there is none or one of another version.
 *
 * WAL with synchronous=NORMAL rather than OFF: a power cut then takes the last transactions, cursor and rows alike,
 * and never leaves a file that looks whole and lacks rows. It costs a flush every few megabytes, in a thread that
 * nobody waits for.
 */
export function openIndexFile(path: string): DatabaseSync {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const database = new DatabaseSync(path)
  try {
    const row = database.prepare('PRAGMA user_version').get() as { user_version: number }
    const version = row.user_version
    if (version !== schemaVersion && version !== 0) {
      database.close()
      removeIndexFile(path)
      return openIndexFile(path)
    }
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-32768')
    if (version === 0) database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`)
    return database
  } catch (error) {
    if (database.isOpen) database.close()
    throw error
  }
}

export function removeIndexFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
}

/** SQLITE_ERROR (a schema that is not ours), SQLITE_CORRUPT and SQLITE_NOTADB: what a new file cures. */
export function isBrokenIndex(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  return typeof error.errcode === 'number' && [1, 11, 26].includes(error.errcode & 0xff)
}
