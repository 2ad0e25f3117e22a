import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { deflateSync, inflateSync } from 'node:zlib'
import { OperatorError } from '../src/operator/socket.ts'

/**
 * A backup: the store's SQLite file with two tables more. `archive` holds files of the data folder in chunks,
 * `manifest` says what must be there. The root's key is never in it: a backup alone opens nothing.
 * `docs/formats/backup.md`
 */
export type Manifest = {
  readonly format: 1
  readonly createdAt: string
  /** How many records of each journal belong to it, by the name of its process. */
  readonly records: Readonly<Record<string, number>>
  readonly files: readonly {
    readonly path: string
    readonly bytes: number
    readonly sha256: string
  }[]
}

const chunkBytes = 4 * 1024 * 1024

export class ArchiveWriter {
  readonly #db: DatabaseSync
  readonly #files: { path: string; bytes: number; sha256: string }[] = []

  constructor(file: string) {
    this.#db = new DatabaseSync(file)
    this.#db.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=FULL')
    this.#db.exec(
      'CREATE TABLE archive (path TEXT, chunk INTEGER, bytes BLOB, PRIMARY KEY (path, chunk))',
    )
    this.#db.exec('CREATE TABLE manifest (json TEXT)')
    this.#db.exec('BEGIN')
  }

  add(path: string, content: Buffer): void {
    const insert = this.#db.prepare('INSERT INTO archive VALUES (?, ?, ?)')
    for (let chunk = 0; chunk * chunkBytes < Math.max(content.length, 1); chunk++) {
      const bytes = content.subarray(chunk * chunkBytes, (chunk + 1) * chunkBytes)
      insert.run(path, chunk, deflateSync(bytes, { level: 3 }))
    }
    this.#files.push({ path, bytes: content.length, sha256: sha256(content) })
  }

  finish(createdAt: string, records: Readonly<Record<string, number>>): Manifest {
    const manifest: Manifest = { format: 1, createdAt, records, files: this.#files }
    this.#db.prepare('INSERT INTO manifest VALUES (?)').run(JSON.stringify(manifest))
    this.#db.exec('COMMIT')
    this.#db.close()
    return manifest
  }
}

export class ArchiveReader {
  readonly manifest: Manifest
  readonly #db: DatabaseSync

  constructor(file: string) {
    try {
      this.#db = new DatabaseSync(file, { readOnly: true })
      const row = this.#db.prepare('SELECT json FROM manifest').get()
      this.manifest = JSON.parse(String(row?.['json'])) as Manifest
    } catch (error) {
      throw new OperatorError(
        `${file} is no Kagiban backup: ${error instanceof Error ? error.message : error}`,
      )
    }
    if (this.manifest.format !== 1) {
      throw new OperatorError(
        `${file} has backup format ${String(this.manifest.format)}; this Kagiban knows 1.`,
      )
    }
  }

  /** The file's content, checked against the manifest. */
  read(path: string): Buffer {
    const rows = this.#db
      .prepare('SELECT bytes FROM archive WHERE path = ? ORDER BY chunk')
      .all(path)
    const content = Buffer.concat(
      rows.map((row) => inflateSync(row['bytes'] as Uint8Array, { maxOutputLength: chunkBytes })),
    )
    const expected = this.manifest.files.find((entry) => entry.path === path)
    if (expected === undefined || expected.sha256 !== sha256(content)) {
      throw new OperatorError(`The backup is damaged: ${path} is not what its manifest says.`)
    }
    return content
  }

  close(): void {
    this.#db.close()
  }
}

/** Turns a copy of an archive into a plain store file again. */
export function stripArchive(storeFile: string): void {
  const db = new DatabaseSync(storeFile)
  db.exec('DROP TABLE archive; DROP TABLE manifest; VACUUM')
  db.close()
}

function sha256(content: Buffer): string {
  return createHash('sha256').update(content).digest('hex')
}
