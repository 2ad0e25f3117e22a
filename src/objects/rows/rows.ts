import { join } from 'node:path'
import { BodyFolders } from '../files/body-folders.ts'
import type { SyncDisk } from '../files/disk.ts'
import { ObjectRefusal } from '../port.ts'
import { makeChange } from './changes.ts'
import { type Database, isGrave, isOfTheStatement, number, openDatabase } from './database.ts'
import { type FolderLock, lockFolder } from './folder-lock.ts'
import { GarbageRows } from './garbage.ts'
import type { Errand, FromRows, Outcome, ToRows } from './messages.ts'
import { type Place, settlePlace } from './place.ts'
import { answer } from './questions.ts'
import { Runs } from './runs.ts'
import { prepareDatabase } from './schema.ts'
import { prepareStatements, type Statements } from './statements.ts'

export type RowsOptions = {
  /** `<data>/objects`; it exists. */
  readonly directory: string
  /** Without it rows are only read. */
  readonly writer?: Writer | undefined
}

export type Writer = {
  readonly node: string
  /** Not twice of one node. */
  readonly run: string
  readonly now: number
  /** Where its bodies are. */
  readonly bodies: Place['kind']
}

/** What tests put something of their own for. */
export type RowsSeams = {
  readonly disk: SyncDisk
  readonly connect?: ((file: string) => Database) | undefined
}

/**
 * The rows of the embedded store over one connection, with calls that block: in a thread of their own they hold up
 * nobody. All changes of one message are one transaction, and one flush.
 */
export class Rows {
  readonly #database: Database
  readonly #sql: Statements
  readonly #garbage: GarbageRows | undefined
  readonly #folders: BodyFolders | undefined
  readonly #runs: Runs | undefined
  readonly #lock: FolderLock | undefined
  #failure: string | undefined

  constructor({ directory, writer }: RowsOptions, { disk, connect = openDatabase }: RowsSeams) {
    this.#database = connect(join(directory, 'objects.db'))
    try {
      prepareDatabase(this.#database)
      this.#sql = prepareStatements(this.#database)
      if (writer !== undefined) {
        this.#lock = lockFolder(disk, join(directory, 'bodies', writer.node))
        this.#garbage = new GarbageRows(this.#sql, writer)
        if (writer.bodies === 's3') this.#runs = new Runs(this.#sql, writer)
        else this.#folders = new BodyFolders(this.#sql, disk, { directory, ...writer })
      }
    } catch (error) {
      this.#lock?.release()
      this.#database.close()
      throw error
    }
  }

  handle(message: ToRows): FromRows {
    if (this.#failure !== undefined) return { failed: this.#failure, lasting: true }
    try {
      return this.#answer(message)
    } catch (error) {
      // Whether a commit that failed will be found after a crash is unknown.
      const lasting = message.kind === 'write' && isGrave(error)
      const failed = String(error)
      if (lasting) this.#failure = failed
      return { failed, lasting }
    }
  }

  /** Removes some of what nobody owns; false when there is nothing left to be looked at. */
  sweepOrphans(): boolean {
    return this.#folders?.sweepOrphans() ?? false
  }

  close(): void {
    try {
      if (this.#failure === undefined) this.#garbage?.leave()
    } finally {
      this.#database.close()
      this.#lock?.release()
    }
  }

  #answer(message: ToRows): FromRows {
    const sql = this.#sql
    if (message.kind === 'errand') {
      const outcomes = [{ value: this.#run(message.errand, message.now) }]
      return { outcomes, garbage: this.#lastGarbage() }
    }
    if (message.kind === 'read') {
      return this.#within(sql.beginRead.run, () =>
        message.questions.map((question) => outcomeOf(() => answer(sql, question))),
      )
    }
    return this.#within(sql.begin.run, () =>
      message.changes.map((change) => {
        sql.savepoint.run()
        const outcome = outcomeOf(() => makeChange(sql, change, message.now))
        if (!('value' in outcome)) sql.rollbackToSavepoint.run()
        sql.release.run()
        return outcome
      }),
    )
  }

  #within(begin: () => unknown, work: () => Outcome[]): FromRows {
    begin()
    try {
      const outcomes = work()
      const garbage = this.#lastGarbage()
      this.#sql.commit.run()
      return { outcomes, garbage }
    } catch (error) {
      try {
        this.#sql.rollback.run()
      } catch {
        // SQLite rolls back by itself on the worst failures; the first error is the one that counts.
      }
      throw error
    }
  }

  #run(errand: Errand, now: number): unknown {
    switch (errand.kind) {
      case 'place':
        return settlePlace(this.#sql, errand.proposed)
      case 'new-names':
        return this.#folders?.makeNames()
      case 'garbage':
        return this.#garbage?.due(errand.needsBehind, now)
      case 'forget-garbage':
        return this.#garbage?.forget(errand.sequences)
      case 'former-runs':
        return this.#runs?.former()
      case 'named':
        return this.#runs?.named(errand.first, errand.last)
      case 'forget-run':
        return this.#runs?.forget(errand.run)
    }
  }

  #lastGarbage(): number {
    return number(this.#sql.lastGarbage.get()?.['seq'])
  }
}

function outcomeOf(work: () => unknown): Outcome {
  try {
    return { value: work() }
  } catch (error) {
    if (error instanceof ObjectRefusal) return { refused: error.code, message: error.message }
    if (isOfTheStatement(error)) return { failed: String(error) }
    throw error
  }
}
