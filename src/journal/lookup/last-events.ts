import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { LastEvent, LastEventQuery } from '../port.ts'
import type { EventAttributes } from './attributes.ts'

/**
 * The newest success of each operation on each resource, as each account was told of it. Unlike the events themselves
 * these are kept for ever: there are no more of them than resources times operations.
 */
export class LastEvents {
  readonly #insert: StatementSync
  readonly #find: StatementSync
  /** What the transaction under way has seen: a busy resource is written once. */
  readonly #seen = new Map<string, EventAttributes>()

  constructor(database: DatabaseSync) {
    this.#insert = database.prepare(
      `INSERT INTO last_event VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET time = excluded.time, event_id = excluded.event_id,
       request_id = excluded.request_id WHERE excluded.time >= last_event.time`,
    )
    this.#find = database.prepare(
      'SELECT name, time, event_id, request_id FROM last_event WHERE account = ? AND resource = ?',
    )
  }

  saw(event: EventAttributes): void {
    if (event.failed) return
    for (const resource of event.resourceNames) {
      const key = `${event.account}\n${resource}\n${event.eventName}`
      const before = this.#seen.get(key)
      if (before === undefined || before.time <= event.time) this.#seen.set(key, event)
    }
  }

  /** Writes what was seen, within the transaction of its cursor. */
  store(): void {
    for (const [key, { time, eventId, requestId }] of this.#seen) {
      this.#insert.run(...(key.split('\n') as [string, string, string]), time, eventId, requestId)
    }
    this.#seen.clear()
  }

  find({ account, resource, names }: LastEventQuery): LastEvent | undefined {
    let last: LastEvent | undefined
    for (const row of this.#find.iterate(account, resource)) {
      const { name, time, event_id: eventId, request_id: requestId } = row as Row
      if (!names.includes(name)) continue
      if (last === undefined || time * 1000 > last.time) {
        last = { name, time: time * 1000, eventId, requestId }
      }
    }
    return last
  }
}

type Row = { name: string; time: number; event_id: string; request_id: string }
