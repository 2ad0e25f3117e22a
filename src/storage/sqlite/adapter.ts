import { setImmediate as nextTurn, setTimeout as pause } from 'node:timers/promises'
import type { EntryKind } from '../../base/entry-kind.ts'
import { internalError, type ServiceError } from '../../base/errors.ts'
import type { OutboxEvent, Row, Store, Transaction } from '../port.ts'
import { writeBackup } from './backup.ts'
import { type Outcome, readRevision, rollBack, writeBatch } from './batch.ts'
import { type Cell, type Database, isBusy, resultCodeOf } from './database.ts'
import { prepareStatements, type Statements } from './statements.ts'

/** How long SQLite itself waits for another process, blocking the event loop. */
export const busyTimeoutMs = 25
/** After that the store lets other work pass, and tries again: about six seconds in all. */
const busyPauseMs = 5
export const busyAttempts = 200

/** Settled events that no commit took along are removed after this time. */
const settleAfterMs = 200
/** The write-ahead log still holds what was deleted; it is emptied so soon after a deletion … */
const emptyLogAfterMs = 200
/** … and again so long after an attempt that met a reader, as a backup is. */
const emptyLogAgainMs = 1000

/** SQLite maps no more than this of a file, and reads the rest. */
const mappedBytes = 2 ** 31

/** How many rows `load` reads at a time: a few milliseconds. */
const pageRows = 1000

type Waiting = {
  readonly transaction: Transaction
  readonly resolve: (revision: number) => void
  readonly reject: (error: Error) => void
}

/**
 * The store over one SQLite connection. All commits asked for in one turn of the event loop are one transaction of
 * SQLite, a savepoint each. The calls are synchronous and in the event loop: a commit costs one flush of the disk.
 */
export class SqliteStore implements Store {
  readonly #file: string
  readonly #database: Database
  readonly #sql: Statements
  #waiting: Waiting[] = []
  #flushScheduled = false
  #busyAttempts = 0
  /** Told of each flush, once the store closes. */
  #flushed: (() => void) | undefined
  readonly #settled = new Set<string>()
  #settleTimer: NodeJS.Timeout | undefined
  #emptyLogTimer: NodeJS.Timeout | undefined
  #dataVersion: Cell | undefined
  #failure: string | undefined
  #closing: Promise<void> | undefined

  /** `database` is configured and migrated (`store.ts`). */
  constructor(file: string, database: Database) {
    this.#file = file
    this.#database = database
    this.#sql = prepareStatements(database)
    this.#dataVersion = this.#sql.dataVersion.get()?.[0]
    // A process that died may have left deleted bytes in the log.
    this.#emptyLogIn(emptyLogAfterMs)
  }

  get healthy(): boolean {
    return this.#failure === undefined
  }

  /** Page by page, so that other work passes, and a large table need not be in memory twice. */
  async load(visit: (row: Row) => void): Promise<number> {
    // Mapped, reading the whole file costs no system call a page; nothing else is worth a mapping.
    const revision = await this.#read(() => {
      this.#database.exec(`PRAGMA mmap_size = ${mappedBytes}`)
      return readRevision(this.#sql)
    })
    for (let kind = await this.#kindAfter(''); kind !== ''; kind = await this.#kindAfter(kind)) {
      await this.#loadKind(kind, visit)
    }
    await this.#read(() => this.#database.exec('PRAGMA mmap_size = 0'))
    return revision
  }

  /** The next kind of which there are rows, or an empty text. */
  #kindAfter(kind: string): Promise<string> {
    return this.#read(() => String(this.#sql.kindAfter.get(kind)?.[0] ?? ''))
  }

  async #loadKind(kind: string, visit: (row: Row) => void): Promise<void> {
    for (let last: Cell = ''; ; ) {
      const rows = await this.#read(() => this.#sql.liveRows.all(kind, last, pageRows))
      for (const [id = '', revision, body] of rows) {
        visit({ kind, id: String(id), revision: Number(revision), body: String(body) })
        last = id
      }
      if (rows.length < pageRows) return
      await nextTurn()
    }
  }

  changed(): boolean {
    const version = this.#readDataVersion()
    if (version === this.#dataVersion) return false
    this.#dataVersion = version
    return true
  }

  changesSince(revision: number): Promise<{ rows: Row[]; revision: number }> {
    return this.#read(() => ({
      rows: this.#sql.rowsSince.all(revision).map(toRow),
      revision: readRevision(this.#sql),
    }))
  }

  commit(transaction: Transaction): Promise<number> {
    const refusal = this.#refusal()
    if (refusal !== undefined) return Promise.reject(refusal)
    return new Promise((resolve, reject) => {
      this.#waiting.push({ transaction, resolve, reject })
      this.#scheduleFlush()
    })
  }

  archived(digest: string): Promise<string | undefined> {
    return this.#read(() => {
      const text = this.#sql.text.get(digest)?.[0]
      return text === undefined ? undefined : String(text)
    })
  }

  outbox(): Promise<OutboxEvent[]> {
    return this.#read(() =>
      this.#sql.events
        .all()
        .map(([id, record, kind]) => ({
          id: String(id),
          record: String(record),
          ...(kind === 'event' ? {} : { kind: kind as EntryKind }),
        }))
        .filter(({ id }) => !this.#settled.has(id)),
    )
  }

  /** Rides with the next commit, or is written after a moment. Lost in a crash, and then the event is shown again. */
  async settle(eventIds: readonly string[]): Promise<void> {
    const refusal = this.#refusal()
    if (refusal !== undefined) throw refusal
    for (const id of eventIds) this.#settled.add(id)
    this.#settleTimer ??= setTimeout(() => this.#scheduleFlush(), settleAfterMs).unref()
  }

  async backup(file: string, progress?: (done: number, total: number) => void): Promise<void> {
    if (this.#closing !== undefined) throw this.#closed()
    await writeBackup(this.#file, file, progress)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    if (this.healthy && (this.#waiting.length > 0 || this.#settled.size > 0)) {
      await new Promise<void>((resolve) => {
        this.#flushed = resolve
        this.#scheduleFlush()
      })
    }
    clearTimeout(this.#settleTimer)
    clearTimeout(this.#emptyLogTimer)
    this.#database.close()
  }

  #scheduleFlush(): void {
    if (this.#flushScheduled) return
    this.#flushScheduled = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    const begun = this.#begin()
    if (begun === 'later') return
    this.#flushScheduled = false
    this.#busyAttempts = 0
    clearTimeout(this.#settleTimer)
    this.#settleTimer = undefined
    if (begun === 'yes') this.#writeWaiting()
    this.#flushed?.()
  }

  #writeWaiting(): void {
    const batch = this.#waiting
    this.#waiting = []
    const settled = [...this.#settled]
    const transactions = batch.map(({ transaction }) => transaction)
    let outcomes: Outcome[]
    try {
      outcomes = writeBatch(this.#sql, transactions, settled)
    } catch (error) {
      const failure = this.#fail(error)
      for (const { reject } of batch) reject(failure)
      return
    }
    for (const id of settled) this.#settled.delete(id)
    if (transactions.some(deletes)) this.#emptyLogIn(emptyLogAfterMs)
    outcomes.forEach((outcome, index) => {
      const waiting = batch[index]
      if ('revision' in outcome) waiting?.resolve(outcome.revision)
      else waiting?.reject(outcome.refused)
    })
  }

  /** Takes the write lock. 'later': another process has it, and the flush comes back by itself. */
  #begin(): 'yes' | 'later' | 'no' {
    if (!this.healthy) return 'no'
    try {
      this.#sql.begin.run()
      return 'yes'
    } catch (error) {
      if (!isBusy(error)) {
        this.#fail(error)
        return 'no'
      }
      this.#busyAttempts += 1
      if (this.#busyAttempts < busyAttempts) {
        setTimeout(() => this.#flush(), busyPauseMs)
        return 'later'
      }
      // Nothing was written, so the store is as sound as before.
      this.#rejectWaiting(internalError(`another process keeps the store '${this.#file}' locked`))
      return 'no'
    }
  }

  /** Deleted bodies are overwritten in the file by SQLite; this takes them out of the write-ahead log. */
  #emptyLogIn(ms: number): void {
    this.#emptyLogTimer ??= setTimeout(() => {
      this.#emptyLogTimer = undefined
      if (this.healthy) this.#emptyLog()
    }, ms).unref()
  }

  #emptyLog(): void {
    try {
      const busy = this.#sql.emptyLog.get()?.[0]
      if (busy !== 0) this.#emptyLogIn(emptyLogAgainMs)
    } catch (error) {
      if (isBusy(error)) this.#emptyLogIn(emptyLogAgainMs)
      else this.#fail(error)
    }
  }

  #readDataVersion(): Cell | undefined {
    if (this.#closing !== undefined) throw this.#closed()
    try {
      return this.#sql.dataVersion.get()?.[0]
    } catch (error) {
      // Undefined is no version: it reads as a change, and so does the next one.
      if (isBusy(error)) return undefined
      throw this.#fail(error)
    }
  }

  /** Reads one snapshot. An error that is not SQLite's (the visitor's own) passes through. */
  async #read<T>(work: () => T): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (this.#closing !== undefined) throw this.#closed()
      try {
        return this.#inSnapshot(work)
      } catch (error) {
        if (!isBusy(error)) {
          throw resultCodeOf(error) === undefined ? error : this.#fail(error)
        }
        if (attempt === busyAttempts) throw internalError(`the store '${this.#file}' is locked`)
      }
      await pause(busyPauseMs)
    }
  }

  #inSnapshot<T>(work: () => T): T {
    this.#sql.beginRead.run()
    try {
      const result = work()
      this.#sql.commit.run()
      return result
    } catch (error) {
      rollBack(this.#sql)
      throw error
    }
  }

  #refusal(): ServiceError | undefined {
    if (this.#failure !== undefined) return internalError(this.#failure)
    return this.#closing === undefined ? undefined : this.#closed()
  }

  #closed(): ServiceError {
    return internalError(`the store '${this.#file}' is closed`)
  }

  /** From here on every commit is refused: what is on the disk is no longer known. */
  #fail(error: unknown): ServiceError {
    this.#failure ??= `the store '${this.#file}' failed: ${String(error)}`
    const failure = internalError(this.#failure, error)
    this.#rejectWaiting(failure)
    this.#settled.clear()
    return failure
  }

  #rejectWaiting(error: Error): void {
    const waiting = this.#waiting
    this.#waiting = []
    for (const { reject } of waiting) reject(error)
  }
}

function deletes({ puts }: Transaction): boolean {
  return puts.some(({ body }) => body === null)
}

function toRow([kind, id, revision, body]: readonly Cell[]): Row {
  return {
    kind: String(kind),
    id: String(id),
    revision: Number(revision),
    body: body === null ? null : String(body),
  }
}
