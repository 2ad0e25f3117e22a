import type { Database, Statement } from './database.ts'
import { leadBytes } from './migrations.ts'

/** Every statement of the store, prepared once for its connection. */
export type Statements = Readonly<Record<keyof typeof sql, Statement>>

const lead = `CASE WHEN ?4 IS NULL THEN x'' ELSE zeroblob(${leadBytes}) END`

const sql = {
  begin: 'BEGIN IMMEDIATE',
  beginRead: 'BEGIN',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT one',
  release: 'RELEASE one',
  rollbackToSavepoint: 'ROLLBACK TO one',

  /** Changes with each commit of another connection, and with none of our own. */
  dataVersion: 'PRAGMA data_version',
  readRevision: 'SELECT value FROM revision',
  writeRevision: 'UPDATE revision SET value = ?',

  /** Changes no row when there is a live one. */
  insertRow: `INSERT INTO rows (kind, id, revision, lead, body) VALUES (?1, ?2, ?3, ${lead}, ?4)
    ON CONFLICT (kind, id) DO UPDATE SET revision = ?3, lead = ${lead}, body = ?4 WHERE rows.body IS NULL`,
  /** Changes no row when the live one has another revision than ?5. */
  replaceRow: `UPDATE rows SET revision = ?3, lead = ${lead}, body = ?4
    WHERE kind = ?1 AND id = ?2 AND revision = ?5 AND body IS NOT NULL`,
  kindAfter: 'SELECT min(kind) FROM rows WHERE kind > ?',
  liveRows: `SELECT id, revision, body FROM rows
    WHERE kind = ? AND id > ? AND body IS NOT NULL ORDER BY id LIMIT ?`,
  /** A row of one of the kinds, a JSON list, that has changed since. The index has the kinds. */
  changedSince: `SELECT kind, id FROM rows
    WHERE revision > ?1 AND kind IN (SELECT value FROM json_each(?2)) LIMIT 1`,
  rowsSince: 'SELECT kind, id, revision, body FROM rows WHERE revision > ? ORDER BY revision',

  insertText: 'INSERT INTO texts (digest, text) VALUES (?, ?) ON CONFLICT (digest) DO NOTHING',
  text: 'SELECT text FROM texts WHERE digest = ?',

  insertEvent: 'INSERT INTO outbox (event_id, record, kind) VALUES (?, ?, ?)',
  deleteEvent: 'DELETE FROM outbox WHERE event_id = ?',
  events: 'SELECT event_id, record, kind FROM outbox ORDER BY sequence',

  emptyLog: 'PRAGMA wal_checkpoint(TRUNCATE)',
} as const

export function prepareStatements(database: Database): Statements {
  const names = Object.keys(sql) as (keyof typeof sql)[]
  const entries = names.map((name) => [name, database.prepare(sql[name])])
  return Object.fromEntries(entries) as Statements
}
