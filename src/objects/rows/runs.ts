import { text } from './database.ts'
import type { Statements } from './statements.ts'

/**
 * The runs of processes whose bodies are elsewhere. Names of bodies begin with their run, so that what a crash left is
 * found by asking for the former runs of a node, and nothing is ever touched that another store made.
 */
export class Runs {
  readonly #sql: Statements
  readonly #node: string
  readonly #run: string

  constructor(sql: Statements, { node, run }: { readonly node: string; readonly run: string }) {
    this.#sql = sql
    this.#node = node
    this.#run = run
    sql.insertRun.run(node, run)
  }

  former(): string[] {
    const all = this.#sql.runsOf.all(this.#node).map((row) => text(row['run']))
    return all.filter((run) => run !== this.#run)
  }

  /** Bodies from `first` to `last` that a row names: garbage, too, which is removed in its own time. */
  named(first: string, last: string): string[] {
    // No name has another one for its beginning.
    return this.#sql.namedIn.all(first, `${last}!`).map((row) => text(row['body']))
  }

  forget(run: string): void {
    if (run !== this.#run) this.#sql.deleteRun.run(run)
  }
}
