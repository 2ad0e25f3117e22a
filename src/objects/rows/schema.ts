import type { Database } from './database.ts'

/** `PRAGMA application_id`: 'KAGO'. */
const applicationId = 0x4b41474f

/**
 * Keys are BLOBs: SQLite compares them byte by byte, as S3 orders keys, and a NUL in one is a byte like any other.
 *
 * The bytes of a segment or part are in `data` and `chunk_tags`, or in the body `body`, first the
 * bytes, then the tags. Several segments may share a body. `garbage` has bodies that nothing names any more and some
 * reader may still read; `process` says up to which of them each process needs none (`garbage.ts`). `place` has one
 * row: where bodies are. `run` has the processes whose bodies are elsewhere and were not swept since (`runs.ts`).
 *
 * Sequences are never given again, so that a greater one is a later one for good.
 */
export const migrations: readonly string[] = [
  `PRAGMA application_id = ${applicationId};

   CREATE TABLE bucket (
     id INTEGER PRIMARY KEY AUTOINCREMENT,
     name TEXT NOT NULL UNIQUE
   ) STRICT;

   CREATE TABLE version (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     bucket INTEGER NOT NULL REFERENCES bucket,
     key BLOB NOT NULL,
     version_id TEXT NOT NULL,
     latest INTEGER NOT NULL,
     marker INTEGER NOT NULL,
     size INTEGER NOT NULL,
     modified INTEGER NOT NULL,
     etag TEXT NOT NULL,
     attributes TEXT NOT NULL,
     tagging TEXT NOT NULL,
     sidecar BLOB NOT NULL
   ) STRICT;
   CREATE UNIQUE INDEX version_by_id ON version (bucket, key, version_id);
   CREATE INDEX version_by_age ON version (bucket, key, sequence DESC);
   CREATE UNIQUE INDEX latest ON version (bucket, key) WHERE latest = 1;
   CREATE INDEX listed ON version (bucket, key) WHERE latest = 1 AND marker = 0;

   CREATE TABLE segment (
     version INTEGER NOT NULL REFERENCES version,
     ordinal INTEGER NOT NULL,
     start INTEGER NOT NULL,
     size INTEGER NOT NULL,
     sidecar BLOB NOT NULL,
     tags_size INTEGER NOT NULL,
     body TEXT,
     data BLOB,
     chunk_tags BLOB,
     PRIMARY KEY (version, ordinal)
   ) STRICT;
   CREATE INDEX segment_by_body ON segment (body) WHERE body IS NOT NULL;

   CREATE TABLE upload (
     bucket INTEGER NOT NULL REFERENCES bucket,
     key BLOB NOT NULL,
     id TEXT NOT NULL,
     initiated INTEGER NOT NULL,
     attributes TEXT NOT NULL,
     tagging TEXT NOT NULL,
     sidecar BLOB NOT NULL,
     PRIMARY KEY (bucket, key, id)
   ) STRICT, WITHOUT ROWID;

   CREATE TABLE part (
     upload TEXT NOT NULL,
     number INTEGER NOT NULL,
     size INTEGER NOT NULL,
     modified INTEGER NOT NULL,
     etag TEXT NOT NULL,
     attributes TEXT NOT NULL,
     sidecar BLOB NOT NULL,
     tags_size INTEGER NOT NULL,
     body TEXT,
     data BLOB,
     chunk_tags BLOB,
     PRIMARY KEY (upload, number)
   ) STRICT;
   CREATE INDEX part_by_body ON part (body) WHERE body IS NOT NULL;

   CREATE TABLE garbage (
     sequence INTEGER PRIMARY KEY AUTOINCREMENT,
     body TEXT NOT NULL,
     since INTEGER NOT NULL
   ) STRICT;

   CREATE TABLE process (
     node TEXT NOT NULL PRIMARY KEY,
     needs_behind INTEGER NOT NULL,
     seen INTEGER NOT NULL
   ) STRICT;`,

  // Bodies were in files alone.
  `CREATE TABLE place (
     one INTEGER PRIMARY KEY CHECK (one = 1),
     kind TEXT NOT NULL,
     id TEXT NOT NULL
   ) STRICT;
   INSERT INTO place SELECT 1, 'files', '' WHERE EXISTS (
     SELECT 1 FROM segment WHERE body IS NOT NULL
     UNION ALL SELECT 1 FROM part WHERE body IS NOT NULL
     UNION ALL SELECT 1 FROM garbage
   );

   CREATE TABLE run (
     run TEXT NOT NULL PRIMARY KEY,
     node TEXT NOT NULL
   ) STRICT;`,
]

/** Several processes may do so at once. Throws an Error that says what is wrong with the file. */
export function prepareDatabase(database: Database, steps: readonly string[] = migrations): void {
  database.exec('PRAGMA busy_timeout = 10000')
  const pragma = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  const tables = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()?.['count']
  const owner = pragma('application_id')
  if (owner !== applicationId && !(owner === 0 && tables === 0)) {
    throw new Error('it belongs to another application')
  }
  if (pragma('journal_mode = WAL') !== 'wal') {
    throw new Error('its file system allows no write-ahead log')
  }
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA temp_store = MEMORY;
    PRAGMA cache_size = -32000;
    PRAGMA wal_autocheckpoint = 4000;
  `)
  database.exec('BEGIN IMMEDIATE')
  try {
    const version = Number(pragma('user_version'))
    if (version > steps.length) {
      throw new Error(`it has version ${version}, written by a newer Kagiban`)
    }
    for (const step of steps.slice(version)) database.exec(step)
    if (version < steps.length) database.exec(`PRAGMA user_version = ${steps.length}`)
    database.exec('COMMIT')
  } catch (error) {
    database.exec('ROLLBACK')
    throw error
  }
}
