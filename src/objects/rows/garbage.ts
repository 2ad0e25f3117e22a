import { number, text } from './database.ts'
import type { Statements } from './statements.ts'

/** So many bodies are removed in one step. */
export const removedAtOnce = 64

/** A process that has not been seen for so long reads nothing any more. It says so itself much more often. */
export const processGoneMs = 60_000

export type Garbage = { readonly sequence: number; readonly body: string }

/**
 * Bodies that lost their rows, in order. A process reads what rows said some time ago, so it says up to which garbage
 * it needs none; what no process needs is due to be removed, and forgotten only then.
 */
export class GarbageRows {
  readonly #sql: Statements
  readonly #node: string

  constructor(sql: Statements, { node, now }: { readonly node: string; readonly now: number }) {
    this.#sql = sql
    this.#node = node
    sql.setProcess.run(node, number(sql.lastGarbage.get()?.['seq']), now)
  }

  /** What no process needs: some of it, the oldest first. */
  due(needsBehind: number, now: number): Garbage[] {
    if (this.#sql.anyGarbage.get() === undefined) return []
    this.#sql.setProcess.run(this.#node, needsBehind, now)
    const needed = number(this.#sql.needed.get(now - processGoneMs)?.['sequence'])
    return this.#sql.garbageUpTo
      .all(needed, removedAtOnce)
      .map((row) => ({ sequence: number(row['sequence']), body: text(row['body']) }))
  }

  forget(sequences: readonly number[]): void {
    this.#sql.begin.run()
    try {
      for (const sequence of sequences) this.#sql.deleteGarbage.run(sequence)
      this.#sql.commit.run()
    } catch (error) {
      this.#sql.rollback.run()
      throw error
    }
  }

  /** This process reads nothing any more. */
  leave(): void {
    this.#sql.deleteProcess.run(this.#node)
  }
}
