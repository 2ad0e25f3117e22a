import type { Database } from './database.ts'

/** `PRAGMA application_id` of a store: 'KAGI'. */
export const applicationId = 0x4b414749

/**
 * The page size of a store, and how many zero bytes stand before each body in its row.
 *
 * SQLite's secure_delete overwrites what is deleted, but not the places that a cell left when its page was
 * balanced with its siblings: measured, one deleted body in 600 stayed readable there. Pages of a chain of
 * overflow never move. In a table WITHOUT ROWID a row that overflows keeps at most ((1024-12)*64/255)-23 = 230
 * bytes in its cell (https://www.sqlite.org/fileformat2.html, "Cell Payload Overflow Pages"), so that a lead of
 * 230 bytes keeps all of a body out of it.
 */
export const pageSize = 1024
export const leadBytes = 230

/** Migration n brings a store from `user_version` n to n + 1. Entries are never changed, only added. */
export const migrations: readonly string[] = [
  `PRAGMA application_id = ${applicationId};

   CREATE TABLE revision (
     only INTEGER PRIMARY KEY CHECK (only = 1),
     value INTEGER NOT NULL
   ) STRICT;
   INSERT INTO revision VALUES (1, 0);

   CREATE TABLE rows (
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     revision INTEGER NOT NULL,
     lead BLOB NOT NULL,
     body TEXT,
     PRIMARY KEY (kind, id)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX rows_by_revision ON rows (revision);

   CREATE TABLE outbox (
     sequence INTEGER PRIMARY KEY,
     event_id TEXT NOT NULL UNIQUE,
     record TEXT NOT NULL
   ) STRICT;`,

  // The archive, which was rows once. It has no lead: nothing is ever deleted from it.
  `CREATE TABLE texts (digest TEXT NOT NULL PRIMARY KEY, text TEXT NOT NULL) STRICT;
   INSERT INTO texts SELECT id, body FROM rows WHERE kind = 'superseded-policy' AND body IS NOT NULL;
   DELETE FROM rows WHERE kind = 'superseded-policy';`,

  `ALTER TABLE outbox ADD COLUMN kind TEXT NOT NULL DEFAULT 'event';`,
]

/**
 * Brings a store to the newest version, each step in a transaction of its own. Processes that start at once take
 * turns: the version is read again under the write lock.
 */
export function migrate(database: Database, steps: readonly string[] = migrations): void {
  const read = database.prepare('PRAGMA user_version')
  const version = () => Number(read.get()?.[0])
  refuseNewer(version(), steps.length)
  while (version() < steps.length) {
    database.exec('BEGIN IMMEDIATE')
    try {
      const from = version()
      const step = steps[from]
      if (step !== undefined) database.exec(`${step}; PRAGMA user_version = ${from + 1}`)
      database.exec('COMMIT')
    } catch (error) {
      database.exec('ROLLBACK')
      throw error
    }
  }
  refuseNewer(version(), steps.length)
}

function refuseNewer(version: number, known: number): void {
  if (version <= known) return
  throw new Error(
    `it has version ${version}, written by a newer Kagiban; this one knows versions up to ${known}`,
  )
}
