import { DatabaseSync, type StatementSync } from 'node:sqlite'

/**
 * The little of SQLite that the store uses. A seam: tests put a database between that fails a chosen call.
 */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Statement {
  /** Answers the number of rows changed. */
  run(...values: readonly Cell[]): number
  get(...values: readonly Cell[]): readonly Cell[] | undefined
  all(...values: readonly Cell[]): readonly (readonly Cell[])[]
}

export type Cell = string | number | null

export function openDatabase(file: string): Database {
  const database = new DatabaseSync(file)
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => wrap(database.prepare(sql, { returnArrays: true })),
    close: () => database.close(),
  }
}

function wrap(statement: StatementSync): Statement {
  // With returnArrays a row is an array of cells, which the type declarations do not know.
  const row = (values: unknown) => values as readonly Cell[] | undefined
  return {
    run: (...values) => Number(statement.run(...values).changes),
    get: (...values) => row(statement.get(...values)),
    all: (...values) => statement.all(...values) as unknown as readonly (readonly Cell[])[],
  }
}

/** SQLite's primary result codes that are told apart (https://www.sqlite.org/rescode.html). */
export const resultCode = {
  busy: 5,
  corrupt: 11,
  cannotOpen: 14,
  tooBig: 18,
  constraint: 19,
  mismatch: 20,
  notADatabase: 26,
} as const

/** The primary result code of an error that SQLite raised; undefined for any other error. */
export function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

export function isBusy(error: unknown): boolean {
  return resultCodeOf(error) === resultCode.busy
}
