import { internalError } from '../../base/errors.ts'
import { type Put, StoreConflict, type Transaction, textDigest, type Unchanged } from '../port.ts'
import { resultCode, resultCodeOf } from './database.ts'
import type { Statements } from './statements.ts'

/** What became of one transaction of a batch: its revision, or the error that refused it alone. */
export type Outcome = { readonly revision: number } | { readonly refused: Error }

/**
 * Writes transactions, in order, and forgets settled events, inside the SQLite transaction that the caller has begun;
 * commits it. The outcomes hold only once this has returned. Throws when the database fails: the whole batch is
 * rolled back then, or its fate is unknown (a failed COMMIT may yet be found done after a restart).
 */
export function writeBatch(
  sql: Statements,
  transactions: readonly Transaction[],
  settled: readonly string[],
): Outcome[] {
  try {
    const before = readRevision(sql)
    let revision = before
    const outcomes = transactions.map((transaction) => {
      const outcome = writeOne(sql, transaction, revision)
      if ('revision' in outcome) revision = outcome.revision
      return outcome
    })
    if (revision !== before) sql.writeRevision.run(revision)
    for (const id of settled) sql.deleteEvent.run(id)
    sql.commit.run()
    return outcomes
  } catch (error) {
    rollBack(sql)
    throw error
  }
}

export function readRevision(sql: Statements): number {
  const revision = sql.readRevision.get()?.[0]
  if (typeof revision !== 'number') throw new Error('the store has lost its revision')
  return revision
}

function writeOne(sql: Statements, transaction: Transaction, revision: number): Outcome {
  const { puts, events, archive = [], unchanged } = transaction
  sql.savepoint.run()
  try {
    if (unchanged !== undefined) requireUnchanged(sql, unchanged)
    for (const put of puts) writeRow(sql, put, revision + 1)
    for (const text of archive) sql.insertText.run(textDigest(text), text)
    for (const { id, record, kind } of events) sql.insertEvent.run(id, record, kind ?? 'event')
    sql.release.run()
    return { revision: revision + 1 }
  } catch (error) {
    const refused = refusal(error)
    if (refused === undefined) throw error
    sql.rollbackToSavepoint.run()
    sql.release.run()
    return { refused }
  }
}

function requireUnchanged(sql: Statements, { kinds, since }: Unchanged): void {
  const row = sql.changedSince.get(since, JSON.stringify(kinds))
  if (row === undefined) return
  const [kind, id] = row
  throw new StoreConflict(`${kind} '${id}' has changed since revision ${since}`)
}

function writeRow(sql: Statements, put: Put, revision: number): void {
  const { kind, id, body, expected } = put
  const changed =
    expected === 0
      ? sql.insertRow.run(kind, id, revision, body)
      : sql.replaceRow.run(kind, id, revision, body, expected)
  if (changed !== 1) throw new StoreConflict(`${kind} '${id}' is not at revision ${expected}`)
}

/** The errors that speak of the transaction and not of the database: they leave the others of its batch alone. */
function refusal(error: unknown): Error | undefined {
  if (error instanceof StoreConflict) return error
  const code = resultCodeOf(error)
  const { constraint, tooBig, mismatch } = resultCode
  const ofTheTransaction =
    code === undefined || code === constraint || code === tooBig || code === mismatch
  return ofTheTransaction
    ? internalError(`the transaction cannot be stored: ${String(error)}`, error)
    : undefined
}

export function rollBack(sql: Statements): void {
  try {
    sql.rollback.run()
  } catch {
    // SQLite rolls back by itself on the worst failures; the first error is the one that counts.
  }
}
