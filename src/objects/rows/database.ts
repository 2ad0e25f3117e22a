import { DatabaseSync, type StatementSync } from 'node:sqlite'

/** The little of SQLite that the rows use. A seam: tests put a database between that fails a chosen call. */
export interface Database {
  exec(sql: string): void
  prepare(sql: string): Statement
  close(): void
}

export interface Statement {
  /** Answers the number of rows changed. */
  run(...values: readonly Cell[]): number
  get(...values: readonly Cell[]): Row | undefined
  all(...values: readonly Cell[]): readonly Row[]
  /** One by one: what is not asked for is not read. */
  iterate(...values: readonly Cell[]): Iterable<Row>
}

export type Cell = string | number | null | Uint8Array
/** Cells by the names of their columns. */
export type Row = Readonly<Record<string, Cell>>

export function openDatabase(file: string): Database {
  const database = new DatabaseSync(file)
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => wrap(database.prepare(sql)),
    close: () => database.close(),
  }
}

function wrap(statement: StatementSync): Statement {
  return {
    run: (...values) => Number(statement.run(...values).changes),
    get: (...values) => statement.get(...values) as Row | undefined,
    all: (...values) => statement.all(...values) as unknown as readonly Row[],
    iterate: (...values) => statement.iterate(...values) as Iterable<Row>,
  }
}

/** SQLite's primary result codes that are told apart (https://www.sqlite.org/rescode.html). */
const busy = 5
const full = 13
const tooBig = 18
const constraint = 19
const mismatch = 20
const notADatabase = 26
const corrupt = 11

function resultCodeOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/**
 * An error upon which it is unknown what is in the file. Not so when the disk is full, where SQLite has rolled back, or
 * when another process had the file for too long.
 */
export function isGrave(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code !== undefined && code !== full && code !== busy
}

/** An error that speaks of what was to be written alone. */
export function isOfTheStatement(error: unknown): boolean {
  const code = resultCodeOf(error)
  return code === undefined || code === tooBig || code === constraint || code === mismatch
}

export function explain(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error)
  const code = resultCodeOf(error)
  if (code === notADatabase) return 'it is not a SQLite database'
  if (code === corrupt) return `it is damaged (${text})`
  return text
}

export const text = (cell: Cell | undefined): string => (typeof cell === 'string' ? cell : '')
export const number = (cell: Cell | undefined): number => (typeof cell === 'number' ? cell : 0)

const empty = Buffer.alloc(0)

/** A view of the cell's bytes; empty for NULL. */
export function bytes(cell: Cell | undefined): Buffer {
  if (!(cell instanceof Uint8Array)) return empty
  return Buffer.from(cell.buffer, cell.byteOffset, cell.byteLength)
}
