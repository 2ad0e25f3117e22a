import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { deflateSync, inflateSync } from 'node:zlib'
import { OperatorError } from '../src/operator/socket.ts'
import { openDatabase } from '../src/storage/sqlite/database.ts'
import { applicationId, migrate, migrations } from '../src/storage/sqlite/migrations.ts'
import { type Manifest, manifestBytesMax, mayBeArchived, parseManifest } from './manifest.ts'

/**
 * A backup: the store's SQLite file with two tables more. `archive` holds files of the data folder in chunks,
 * `manifest` says what must be there. The root's key is never in it: a backup alone opens nothing.
 * `docs/formats/backup.md`
 */
const archiveTables = [
  'CREATE TABLE archive (path TEXT, chunk INTEGER, bytes BLOB, PRIMARY KEY (path, chunk))',
  'CREATE TABLE manifest (json TEXT)',
].join(';')

const chunkBytes = 4 * 1024 * 1024

export class ArchiveWriter {
  readonly #db: DatabaseSync
  readonly #files: { path: string; bytes: number; sha256: string }[] = []

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL')
    this.#db.exec(archiveTables)
    this.#db.exec('BEGIN')
  }

  add(path: string, content: Buffer): void {
    if (!mayBeArchived(path)) throw new OperatorError(`${path} does not belong in a backup.`)
    const insert = this.#db.prepare('INSERT INTO archive VALUES (?, ?, ?)')
    for (let chunk = 0; chunk * chunkBytes < Math.max(content.length, 1); chunk++) {
      const bytes = content.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)
      insert.run(path, chunk, deflateSync(bytes, { level: 3 }))
    }
    const sha256 = createHash('sha256').update(content).digest('hex')
    this.#files.push({ path, bytes: content.length, sha256 })
  }

  finish(createdAt: string, records: Readonly<Record<string, number>>): void {
    const manifest: Manifest = { format: 1, createdAt, records, files: this.#files }
    this.#db.prepare('INSERT INTO manifest VALUES (?)').run(JSON.stringify(manifest))
    this.#db.exec('COMMIT')
  }

  close(): void {
    this.#db.close()
  }
}

/** Reads a file that anybody may have written: nothing of it is believed before it was looked at. */
export class ArchiveReader {
  readonly manifest: Manifest
  readonly #db: DatabaseSync

  /** Throws OperatorError for a file that is no backup. */
  constructor(file: string) {
    try {
      this.#db = new DatabaseSync(file, { readOnly: true })
    } catch (error) {
      throw noBackup(file, error)
    }
    try {
      this.#db.exec('PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON')
      checkSchema(this.#db)
      this.manifest = this.#readManifest()
    } catch (error) {
      this.#db.close()
      throw noBackup(file, error)
    }
  }

  /** Reads every page of the file. Throws OperatorError if SQLite finds any fault. */
  checkPages(): void {
    const rows = this.#db.prepare('PRAGMA quick_check(1)').all()
    const found = String(rows[0]?.['quick_check'])
    if (found !== 'ok') throw new OperatorError(`The backup is damaged: ${found}`)
  }

  /** The file's content, piece by piece. Throws OperatorError at its end unless it is what the manifest says. */
  *content(path: string): Generator<Buffer> {
    const expected = this.manifest.files.find((entry) => entry.path === path)
    const digest = createHash('sha256')
    let bytes = 0
    let number = 0
    for (const { chunk, bytes: deflated } of this.#chunks(path)) {
      const content = inflate(deflated)
      bytes += content?.length ?? 0
      if (chunk !== number++ || content === undefined || bytes > (expected?.bytes ?? 0)) break
      digest.update(content)
      yield content
    }
    if (bytes !== expected?.bytes || digest.digest('hex') !== expected.sha256) {
      throw new OperatorError(`The backup is damaged: ${path} is not what its manifest says.`)
    }
  }

  close(): void {
    this.#db.close()
  }

  #chunks(path: string) {
    const sql = 'SELECT chunk, bytes FROM archive WHERE path = ? ORDER BY chunk'
    return this.#db.prepare(sql).iterate(path)
  }

  #readManifest(): Manifest {
    const [row, ...more] = this.#db
      .prepare('SELECT CASE WHEN length(json) <= ? THEN json END AS json FROM manifest LIMIT 2')
      .all(manifestBytesMax)
    if (typeof row?.['json'] !== 'string' || more.length > 0) throw new Error('it has no manifest')
    return parseManifest(row['json'])
  }
}

/** Turns a copy of an archive into a plain store file again. */
export function stripArchive(storeFile: string): void {
  const db = new DatabaseSync(storeFile)
  try {
    db.exec('DROP TABLE archive; DROP TABLE manifest; VACUUM')
  } finally {
    db.close()
  }
}

/**
 * The schema must be what the migrations and this page make, to the letter: a trigger or a view that somebody put in
 * would act in every store that the backup is restored to.
 */
function checkSchema(db: DatabaseSync): void {
  const version = Number(db.prepare('PRAGMA user_version').get()?.['user_version'])
  const owner = db.prepare('PRAGMA application_id').get()?.['application_id']
  if (owner !== applicationId || version < 1) throw new Error('it holds no store')
  if (version > migrations.length) throw new Error('a newer Kagiban wrote its store')
  const sql = 'SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name, tbl_name'
  const expected = openDatabase(':memory:')
  try {
    migrate(expected, migrations.slice(0, version))
    expected.exec(archiveTables)
    const wanted = expected.prepare(sql).all()
    const found = db
      .prepare(sql)
      .all()
      .map((row) => Object.values(row))
    if (JSON.stringify(found) !== JSON.stringify(wanted)) {
      throw new Error('its tables are not those of a backup')
    }
  } finally {
    expected.close()
  }
}

function inflate(bytes: unknown): Buffer | undefined {
  if (!(bytes instanceof Uint8Array)) return undefined
  try {
    return inflateSync(bytes, { maxOutputLength: chunkBytes })
  } catch {
    return undefined
  }
}

function noBackup(file: string, error: unknown): OperatorError {
  const reason = error instanceof Error ? error.message : String(error)
  return new OperatorError(`${file} is no Kagiban backup: ${reason}`)
}
