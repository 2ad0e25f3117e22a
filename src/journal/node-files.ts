import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { FileIdentity, Files } from './files.ts'

/** Left behind in a directory only if the process dies within `flushDirectory`. */
export const flushFileNames = ['sync.db', 'sync.db-journal']

const { O_CREAT, O_DSYNC, O_RDWR, O_TRUNC } = fs.constants

const identity = (stat: fs.Stats): FileIdentity => ({
  device: stat.dev,
  inode: stat.ino,
  bytes: stat.size,
})

export const nodeFiles: Files = {
  makeDirectory(path) {
    const first = fs.mkdirSync(path, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = path; made.length >= first.length; made = dirname(made)) {
      nodeFiles.flushDirectory(dirname(made))
    }
  },
  list: (directory) => fs.readdirSync(directory),
  open(path, mode) {
    if (mode === 'read') return fs.openSync(path, 'r')
    if (O_DSYNC === undefined) throw new Error('this system cannot write files synchronized')
    const create = mode === 'create' ? O_CREAT | O_TRUNC : 0
    return fs.openSync(path, O_RDWR | O_DSYNC | create, 0o600)
  },
  close: (file) => fs.closeSync(file),
  read: (file, into, offset, length, position) => fs.readSync(file, into, offset, length, position),
  write: (file, from, offset, length, position) =>
    fs.writeSync(file, from, offset, length, position),
  identifyOpen: (file) => identity(fs.fstatSync(file)),
  identify: (path) => identity(fs.statSync(path)),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  flushDirectory(path) {
    // Node's permission model forbids fsync. SQLite with synchronous=EXTRA flushes the directory after it has
    // removed its rollback journal, and reports a failure, so one transaction there does what fsync would.
    const [file = '', rollback = ''] = flushFileNames.map((name) => join(path, name))
    nodeFiles.remove(rollback)
    nodeFiles.remove(file)
    const database = new DatabaseSync(file)
    try {
      database.exec('PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA; PRAGMA user_version=1')
    } finally {
      database.close()
    }
    nodeFiles.remove(file)
  },
}
