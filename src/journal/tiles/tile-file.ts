import { mkdirSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { Position } from '../journal-reader.ts'
import type { ReadFrame } from '../last-frame.ts'
import type { TileRows } from './tile-tree.ts'

/** Raise it with every change of the schema: an older file is made anew. */
const schemaVersion = 1

/** `level` and `number` as `TileRows` has them; `cursor` is how far the journal was read, as JSON. */
const schema = `
  CREATE TABLE log (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    origin TEXT NOT NULL,
    cursor TEXT,
    checkpoint TEXT
  ) STRICT;
  CREATE TABLE tile (
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    UNIQUE (log, level, number)
  ) STRICT;
  PRAGMA user_version = ${schemaVersion};
`

/** How far a journal was read, and how that place can be recognized. */
export type Cursor = { readonly position: Position; readonly last: ReadFrame }

export type LogRow = {
  readonly origin: string
  readonly cursor: Cursor | undefined
  /** The last signed checkpoint that the tiles cover. */
  readonly checkpoint: string | undefined
}

/**
 * The tiles of several logs in one SQLite file. They follow from the journals, and are made anew when the file is
 * missing, broken or of other journals. With WAL and synchronous=NORMAL a power cut takes whole transactions, cursor
 * and tiles alike.
 */
export class TileFile {
  readonly #path: string
  #database: DatabaseSync
  #get: StatementSync
  #put: StatementSync

  constructor(path: string) {
    this.#path = path
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    this.#database = open(path)
    ;[this.#get, this.#put] = prepare(this.#database)
  }

  /** What is known of a log of that name and origin; of another origin nothing is kept. */
  log(name: string, origin: string): { id: number; row: LogRow } {
    const found = this.#database.prepare('SELECT * FROM log WHERE name = ?').get(name)
    if (found !== undefined && found['origin'] === origin) {
      const { id, cursor, checkpoint } = found
      const row = {
        origin,
        cursor: typeof cursor === 'string' ? (JSON.parse(cursor) as Cursor) : undefined,
        checkpoint: typeof checkpoint === 'string' ? checkpoint : undefined,
      }
      return { id: Number(id), row }
    }
    this.forget(name)
    const insert = 'INSERT INTO log VALUES (NULL, ?, ?, NULL, NULL) RETURNING id'
    const made = this.#database.prepare(insert).get(name, origin)
    return { id: Number(made?.['id']), row: { origin, cursor: undefined, checkpoint: undefined } }
  }

  forget(name: string): void {
    this.transaction(() => {
      this.#database
        .prepare('DELETE FROM tile WHERE log = (SELECT id FROM log WHERE name = ?)')
        .run(name)
      this.#database.prepare('DELETE FROM log WHERE name = ?').run(name)
    })
  }

  rows(log: number): TileRows {
    return {
      get: (level, number) => {
        const bytes = this.#get.get(log, level, number)?.['bytes']
        return bytes instanceof Uint8Array
          ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
          : undefined
      },
      put: (level, number, bytes) => {
        this.#put.run(log, level, number, bytes)
      },
    }
  }

  store(log: number, cursor: Cursor, checkpoint: string | undefined): void {
    this.#database
      .prepare('UPDATE log SET cursor = ?, checkpoint = ? WHERE id = ?')
      .run(JSON.stringify(cursor), checkpoint ?? null, log)
  }

  transaction(work: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      work()
      this.#database.exec('COMMIT')
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      throw error
    }
  }

  /** Removes the file and makes an empty one. */
  renew(): void {
    this.close()
    removeFile(this.#path)
    this.#database = open(this.#path)
    ;[this.#get, this.#put] = prepare(this.#database)
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close()
  }
}

/** SQLITE_ERROR (a schema that is not ours), SQLITE_CORRUPT and SQLITE_NOTADB: what a new file cures. */
export function isBrokenFile(error: unknown): boolean {
  if (!(error instanceof Error) || !('errcode' in error)) return false
  return typeof error.errcode === 'number' && [1, 11, 26].includes(error.errcode & 0xff)
}

function open(path: string): DatabaseSync {
  const database = new DatabaseSync(path)
  try {
    const version = Number(database.prepare('PRAGMA user_version').get()?.['user_version'])
    if (version !== 0 && version !== schemaVersion) throw new Error('another version')
    database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-4096')
    if (version === 0) database.exec(`BEGIN IMMEDIATE; ${schema} COMMIT`)
    return database
  } catch (error) {
    database.close()
    if (!isBrokenFile(error) && !(error instanceof Error && error.message === 'another version')) {
      throw error
    }
    removeFile(path)
    return open(path)
  }
}

function prepare(database: DatabaseSync): [StatementSync, StatementSync] {
  return [
    database.prepare('SELECT bytes FROM tile WHERE log = ? AND level = ? AND number = ?'),
    database.prepare(
      `INSERT INTO tile (log, level, number, bytes) VALUES (?, ?, ?, ?)
       ON CONFLICT (log, level, number) DO UPDATE SET bytes = excluded.bytes`,
    ),
  ]
}

function removeFile(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(path + suffix, { force: true })
}
