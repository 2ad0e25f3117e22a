import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/** Raise it with every change of the schema or of what is indexed: an older index is made anew. */
const schemaVersion = 2

/**
 * `id` orders events by time: the second of the event times 2^20, plus a count within the second. Every other
 * attribute is a 48-bit hash over account, Region, kind and value; `posting` has those of which an event may have
 * several. `last_event` has the newest success of each operation on each resource. Texts stay in the journal:
 * `journal`, `segment` and `offset` say where.
 */
const schema = `
  CREATE TABLE event (
    id INTEGER PRIMARY KEY,
    scope INTEGER NOT NULL,
    event_id INTEGER NOT NULL,
    event_name INTEGER NOT NULL,
    event_source INTEGER NOT NULL,
    username INTEGER,
    access_key INTEGER,
    read_only INTEGER NOT NULL,
    postings TEXT NOT NULL,
    journal INTEGER NOT NULL,
    segment INTEGER NOT NULL,
    offset INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX event_by_scope ON event (scope);
  CREATE INDEX event_by_id ON event (event_id);
  CREATE INDEX event_by_name ON event (event_name);
  CREATE INDEX event_by_user ON event (username) WHERE username IS NOT NULL;
  CREATE INDEX event_by_key ON event (access_key) WHERE access_key IS NOT NULL;
  CREATE INDEX event_by_write ON event (scope) WHERE read_only = 0;
  CREATE TABLE posting (
    value INTEGER NOT NULL,
    id INTEGER NOT NULL,
    PRIMARY KEY (value, id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE last_event (
    account TEXT NOT NULL,
    resource TEXT NOT NULL,
    name TEXT NOT NULL,
    time INTEGER NOT NULL,
    event_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    PRIMARY KEY (account, resource, name)
  ) STRICT, WITHOUT ROWID;
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
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-8192')
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
