import * as fs from 'node:fs'
import { open, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/**
 * What the store needs of a file system, for bodies. A seam: tests make each call fail. What a write answered is on
 * the disk (O_DSYNC): Node's permission model forbids fsync.
 */
export interface Disk {
  open(path: string, mode: 'read' | 'write'): Promise<OpenFile>
  remove(path: string): Promise<void>
  /** The calls of the thread, which block. */
  readonly sync: SyncDisk
}

export interface OpenFile {
  /** 0 at the end; may be fewer than there is room for. */
  read(into: Buffer, offset: number, length: number, position: number): Promise<number>
  /** May write fewer than all. */
  write(buffers: readonly Buffer[], position: number): Promise<number>
  close(): Promise<void>
}

export interface SyncDisk {
  /** Makes it and its parents unless they exist, durably. */
  makeDirectory(path: string): void
  /** Makes new, empty files, whose names are durable. */
  makeFiles(directory: string, names: readonly string[]): void
  /** Empty when there is none. */
  list(directory: string): string[]
  /** No failure if there is none. */
  remove(path: string): void
  /** No failure if there is something in it. */
  removeDirectory(path: string): void
}

const { O_CREAT, O_DSYNC, O_EXCL, O_RDONLY, O_WRONLY } = fs.constants
/** A link that somebody put in the place of a body leads nowhere. Systems without the flag have it undefined. */
const noLink = fs.constants.O_NOFOLLOW ?? 0

export const nodeDisk: Disk = {
  async open(path, mode) {
    if (O_DSYNC === undefined) throw new Error('this system cannot write files synchronized')
    const file = await open(path, noLink | (mode === 'read' ? O_RDONLY : O_WRONLY | O_DSYNC))
    return {
      read: async (into, offset, length, position) =>
        (await file.read(into, offset, length, position)).bytesRead,
      write: async (buffers, position) => (await file.writev(buffers, position)).bytesWritten,
      close: () => file.close(),
    }
  },
  remove: (path) => unlink(path),
  sync: {
    makeDirectory(path) {
      const first = fs.mkdirSync(path, { recursive: true, mode: 0o700 })
      if (first === undefined) return
      for (let made = path; made.length >= first.length; made = dirname(made)) {
        flushDirectory(dirname(made))
      }
    },
    makeFiles(directory, names) {
      for (const name of names) {
        fs.closeSync(fs.openSync(join(directory, name), O_CREAT | O_EXCL | O_WRONLY, 0o600))
      }
      flushDirectory(directory)
    },
    list: (directory) => (fs.existsSync(directory) ? fs.readdirSync(directory) : []),
    remove: (path) => fs.rmSync(path, { force: true }),
    removeDirectory(path) {
      try {
        fs.rmdirSync(path)
      } catch (error) {
        if (errorCode(error) !== 'ENOTEMPTY') throw error
      }
    },
  },
}

/** Left behind in a directory only if the process dies within `flushDirectory`. */
const flushFiles = ['sync.db', 'sync.db-journal']

/**
 * SQLite with synchronous=EXTRA flushes the directory after it has removed its rollback journal, and reports a
 * failure, so one transaction there does what fsync would.
 */
function flushDirectory(path: string): void {
  const [file = '', rollback = ''] = flushFiles.map((name) => join(path, name))
  fs.rmSync(rollback, { force: true })
  fs.rmSync(file, { force: true })
  const database = new DatabaseSync(file)
  try {
    database.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA user_version=1')
  } finally {
    database.close()
  }
  fs.rmSync(file, { force: true })
}

export function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
