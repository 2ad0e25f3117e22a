import { type Database, openDatabase, type Statement } from '../database.ts'

/**
 * A database whose calls can be made to fail: `fault(sql)` is asked before each call, and what it answers is thrown,
 * either instead of the call or after it was done.
 */
export type Fault = (
  sql: string,
) => { readonly error: Error; readonly afterwards: boolean } | undefined

export function faultyDatabase(fault: Fault): (file: string) => Database {
  return (file) => {
    const database = openDatabase(file)
    const guard = <T>(sql: string, call: () => T): T => {
      const failing = fault(sql)
      if (failing === undefined) return call()
      if (failing.afterwards) call()
      throw failing.error
    }
    return {
      exec: (sql) => guard(sql, () => database.exec(sql)),
      prepare: (sql) => guardStatement(database.prepare(sql), (call) => guard(sql, call)),
      close: () => database.close(),
    }
  }
}

function guardStatement(statement: Statement, guard: <T>(call: () => T) => T): Statement {
  return {
    run: (...values) => guard(() => statement.run(...values)),
    get: (...values) => guard(() => statement.get(...values)),
    all: (...values) => guard(() => statement.all(...values)),
  }
}

/** An error as `node:sqlite` raises it. */
export function sqliteError(errcode: number, message: string): Error {
  return Object.assign(new Error(message), { code: 'ERR_SQLITE_ERROR', errcode })
}
