import type { Database, Statement } from './database.ts'

/** Every statement of the rows, prepared once for its connection. */
export type Statements = Readonly<Record<keyof typeof sql, Statement>>

const bodyColumns = 'size, tags_size, body, data, chunk_tags'

const sql = {
  begin: 'BEGIN IMMEDIATE',
  beginRead: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT one',
  release: 'RELEASE one',
  rollbackToSavepoint: 'ROLLBACK TO one',

  bucket: 'SELECT id FROM bucket WHERE name = ?',
  insertBucket: 'INSERT INTO bucket (name) VALUES (?)',
  deleteBucket: 'DELETE FROM bucket WHERE id = ?',
  anyVersion: 'SELECT 1 FROM version WHERE bucket = ? LIMIT 1',

  latest: 'SELECT * FROM version WHERE bucket = ? AND key = ? AND latest = 1',
  version: 'SELECT * FROM version WHERE bucket = ? AND key = ? AND version_id = ?',
  notLatest: 'UPDATE version SET latest = 0 WHERE bucket = ? AND key = ? AND latest = 1',
  newestIsLatest: `UPDATE version SET latest = 1 WHERE sequence =
    (SELECT sequence FROM version WHERE bucket = ? AND key = ? ORDER BY sequence DESC LIMIT 1)`,
  insertVersion: `INSERT INTO version
    (bucket, key, version_id, latest, marker, size, modified, etag, attributes, tagging, sidecar)
    VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?) RETURNING sequence`,
  setTagging: 'UPDATE version SET tagging = ? WHERE sequence = ?',
  deleteVersion: 'DELETE FROM version WHERE sequence = ?',

  segments: `SELECT ordinal, start, sidecar, ${bodyColumns} FROM segment
    WHERE version = ? AND (start < ? AND start + size > ? OR ?) ORDER BY ordinal`,
  segmentCount: 'SELECT count(*) AS count FROM segment WHERE version = ?',
  insertSegment: `INSERT INTO segment (version, ordinal, start, sidecar, ${bodyColumns})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  segmentFromPart: `INSERT INTO segment (version, ordinal, start, sidecar, ${bodyColumns})
    SELECT ?3, ?4, ?5, ?6, ${bodyColumns} FROM part WHERE upload = ?1 AND number = ?2`,
  bodiesOfVersion: 'SELECT DISTINCT body FROM segment WHERE version = ? AND body IS NOT NULL',
  deleteSegments: 'DELETE FROM segment WHERE version = ?',

  listedAt: `SELECT key, etag, attributes, size, modified FROM version
    WHERE bucket = ? AND latest = 1 AND marker = 0 AND key >= ? ORDER BY key`,
  listedBehind: `SELECT key, etag, attributes, size, modified FROM version
    WHERE bucket = ? AND latest = 1 AND marker = 0 AND key > ? ORDER BY key`,
  versionsAt: `SELECT * FROM version WHERE bucket = ? AND key >= ? ORDER BY key, sequence DESC`,
  versionsBehind: `SELECT * FROM version WHERE bucket = ? AND key > ? ORDER BY key, sequence DESC`,
  versionsOlder: `SELECT * FROM version WHERE bucket = ? AND key = ? AND sequence < ?
    ORDER BY sequence DESC`,
  uploadsAt: 'SELECT * FROM upload WHERE bucket = ? AND key >= ? ORDER BY key, id',
  uploadsBehind: 'SELECT * FROM upload WHERE bucket = ? AND key > ? ORDER BY key, id',
  uploadsLater: 'SELECT * FROM upload WHERE bucket = ? AND key = ? AND id > ? ORDER BY id',

  upload: 'SELECT * FROM upload WHERE bucket = ? AND key = ? AND id = ?',
  uploadsOfBucket: 'SELECT id FROM upload WHERE bucket = ?',
  insertUpload: `INSERT INTO upload (bucket, key, id, initiated, attributes, tagging, sidecar)
    VALUES (?, ?, ?, ?, ?, ?, ?)`,
  deleteUpload: 'DELETE FROM upload WHERE bucket = ? AND key = ? AND id = ?',
  deleteUploadsOfBucket: 'DELETE FROM upload WHERE bucket = ?',
  part: 'SELECT * FROM part WHERE upload = ? AND number = ?',
  parts: `SELECT number, size, modified, etag, attributes, sidecar FROM part
    WHERE upload = ? AND number > ? ORDER BY number LIMIT ?`,
  insertPart: `INSERT INTO part (upload, number, modified, etag, attributes, sidecar, ${bodyColumns})
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  bodiesOfUpload: 'SELECT DISTINCT body FROM part WHERE upload = ? AND body IS NOT NULL',
  deletePart: 'DELETE FROM part WHERE upload = ? AND number = ?',
  deleteParts: 'DELETE FROM part WHERE upload = ?',

  isNamed: `SELECT 1 FROM segment WHERE body = ?1 UNION ALL SELECT 1 FROM part WHERE body = ?1
    LIMIT 1`,
  insertGarbage: 'INSERT INTO garbage (body, since) VALUES (?, ?)',
  lastGarbage: `SELECT seq FROM sqlite_sequence WHERE name = 'garbage'`,
  anyGarbage: 'SELECT 1 FROM garbage LIMIT 1',
  garbageUpTo: 'SELECT sequence, body FROM garbage WHERE sequence <= ? ORDER BY sequence LIMIT ?',
  deleteGarbage: 'DELETE FROM garbage WHERE sequence = ?',
  /** Bodies of one run that a row names: those that are garbage, too, which the sweep removes. */
  namedIn: `SELECT body FROM segment WHERE body >= ?1 AND body < ?2
    UNION SELECT body FROM part WHERE body >= ?1 AND body < ?2
    UNION SELECT body FROM garbage WHERE body >= ?1 AND body < ?2`,

  insertPlace: 'INSERT OR IGNORE INTO place (one, kind, id) VALUES (1, ?, ?)',
  place: 'SELECT kind, id FROM place',
  anyBody: `SELECT 1 FROM segment WHERE body IS NOT NULL
    UNION ALL SELECT 1 FROM part WHERE body IS NOT NULL
    UNION ALL SELECT 1 FROM garbage LIMIT 1`,
  insertRun: 'INSERT INTO run (node, run) VALUES (?, ?)',
  runsOf: 'SELECT run FROM run WHERE node = ?',
  deleteRun: 'DELETE FROM run WHERE run = ?',

  setProcess: `INSERT INTO process (node, needs_behind, seen) VALUES (?, ?, ?)
    ON CONFLICT (node) DO UPDATE SET needs_behind = excluded.needs_behind, seen = excluded.seen`,
  deleteProcess: 'DELETE FROM process WHERE node = ?',
  /**
   * What no process needs any more. One that there has been garbage for, and that has not been seen for all that time,
   * is gone.
   */
  needed: `SELECT min(needs_behind) AS sequence FROM process
    WHERE max(seen, (SELECT since FROM garbage ORDER BY sequence LIMIT 1)) > ?`,
} as const

export function prepareStatements(database: Database): Statements {
  const names = Object.keys(sql) as (keyof typeof sql)[]
  const entries = names.map((name) => [name, database.prepare(sql[name])])
  return Object.fromEntries(entries) as Statements
}
