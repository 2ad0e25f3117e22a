import { type Database, openDatabase, type Statement } from '../../rows/database.ts'
import { type Disk, nodeDisk, type OpenFile, type SyncDisk } from '../disk.ts'

/** Asked before each call, by its name; what it answers is thrown instead. */
export type Fault = (call: string) => Error | undefined

/** A disk whose calls fail, and which writes and reads less than it is asked to, as it may. */
export function faultyDisk(fault: Fault): Disk {
  const check = (call: string) => {
    const error = fault(call)
    if (error !== undefined) throw error
  }
  const guarded = (file: OpenFile): OpenFile => ({
    async read(into, offset, length, position) {
      check('read')
      return file.read(into, offset, Math.min(length, 100_000), position)
    },
    async write(buffers, position) {
      check('write')
      const [first, ...rest] = buffers.filter(({ length }) => length > 0)
      if (first === undefined) return 0
      if (rest.length === 0) return file.write([first.subarray(0, 300_000)], position)
      return file.write([first], position)
    },
    async close() {
      await file.close()
      check('close')
    },
  })
  const { sync } = nodeDisk
  const names = Object.keys(sync) as (keyof SyncDisk)[]
  const guardedSync = Object.fromEntries(
    names.map((name) => [
      name,
      (...args: [never, never]) => {
        check(name)
        return (sync[name] as (...args: never[]) => unknown)(...args)
      },
    ]),
  ) as unknown as SyncDisk
  return {
    async open(path, mode) {
      check(`open to ${mode}`)
      return guarded(await nodeDisk.open(path, mode))
    },
    async remove(path) {
      check('remove')
      await nodeDisk.remove(path)
    },
    sync: guardedSync,
  }
}

/** A database whose statements fail, by their text. */
export function faultyDatabase(fault: Fault): (file: string) => Database {
  const guard = <T>(sql: string, call: () => T): T => {
    const error = fault(sql)
    if (error !== undefined) throw error
    return call()
  }
  const guardStatement = (sql: string, statement: Statement): Statement => ({
    run: (...values) => guard(sql, () => statement.run(...values)),
    get: (...values) => guard(sql, () => statement.get(...values)),
    all: (...values) => guard(sql, () => statement.all(...values)),
    iterate: (...values) => guard(sql, () => statement.iterate(...values)),
  })
  return (file) => {
    const database = openDatabase(file)
    return {
      exec: (sql) => guard(sql, () => database.exec(sql)),
      prepare: (sql) => guardStatement(sql, database.prepare(sql)),
      close: () => database.close(),
    }
  }
}

export function systemError(code: 'EIO' | 'ENOSPC'): Error {
  return Object.assign(new Error(`${code}: it fails`), { code })
}

/** As `node:sqlite` raises it: 10 is an I/O error, 13 a full disk. */
export function sqliteError(errcode: 10 | 13): Error {
  return Object.assign(new Error('it fails'), { code: 'ERR_SQLITE_ERROR', errcode })
}
