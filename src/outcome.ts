import type { Clock } from './base/clock.ts'
import { internalError } from './base/errors.ts'
import type { Random } from './base/random.ts'
import type { Journal } from './journal/port.ts'
import { type Call, decoded } from './record/call.ts'
import { requireJournallable, settle } from './record/commit.ts'
import { ownEventRecord } from './record/own-event.ts'
import { recordsOf } from './record/records.ts'
import type { Refusals } from './record/refusals.ts'
import type { OwnEvent } from './services/operation.ts'
import type { Mirror } from './storage/mirror.ts'
import { type OutboxEvent, type Store, StoreConflict } from './storage/port.ts'
import { OneByOne } from './turns.ts'

export type OutcomeOptions = {
  readonly mirror: Mirror
  readonly store: Store
  readonly journal: Journal
  readonly refusals: Refusals
  readonly clock: Clock
  readonly random: Random
  /** Larger requestParameters or responseElements are left out of a record. */
  readonly elementBytesMax: number
}

/** How often a change is decided anew because somebody else changed the same rows first. */
const commitAttemptsMax = 8

/** The stages `operate` and `record` of the pipeline: what a call brings about, and what stands on disk of it. */
export class Outcome {
  readonly #options: OutcomeOptions
  /** Resolves and authorizes a call again; throws what that refuses. */
  readonly #decideAnew: (call: Call) => void
  readonly #retries = new OneByOne()

  constructor(options: OutcomeOptions, decideAnew: (call: Call) => void) {
    this.#options = options
    this.#decideAnew = decideAnew
  }

  /**
   * Does it; a change is committed together with its record, which is then what stands in the outbox. Resolves with
   * what was committed.
   */
  async operate(call: Call): Promise<readonly OutboxEvent[] | undefined> {
    if (call.operation?.receive !== undefined) await this.#receive(call)
    let endTurn: (() => void) | undefined
    try {
      for (let attempt = 1; ; attempt++) {
        try {
          return await this.#attempt(call)
        } catch (error) {
          if (!(error instanceof StoreConflict)) throw error
          if (attempt === commitAttemptsMax) throw call.service?.contended?.() ?? error
          endTurn ??= await this.#retries.turn()
          this.#decideAnew(call)
        }
      }
    } finally {
      endTurn?.()
    }
  }

  async #receive(call: Call): Promise<void> {
    const { operation, context, input } = decoded(call)
    const value = await operation.receive?.(context, input, call.target, call.service?.deps)
    call.received = { value }
  }

  async #attempt(call: Call): Promise<readonly OutboxEvent[] | undefined> {
    const { operation, context, input } = decoded(call)
    const { target, service, received } = call
    const result = await operation.handle(context, input, target, service?.deps, received?.value)
    call.output = result.output
    if (result.dryRun !== undefined) {
      await this.#options.mirror.admit(result.changes ?? [])
      throw result.dryRun
    }
    if (result.changes === undefined || result.changes.length === 0) return undefined
    const events = [...this.#recordsOf(call), ...this.#ownEvents(result.events)]
    requireJournallable(this.#options.journal, events)
    return this.#options.mirror.commit(result.changes, events)
  }

  /**
   * Its promise, if any, resolves once the record is on disk. Throws or rejects when it cannot be: then no result
   * leaves.
   */
  record(call: Call, committed: readonly OutboxEvent[] | undefined): Promise<unknown> | undefined {
    const { journal, store, refusals } = this.#options
    if (refusals.take(call)) {
      if (!journal.healthy) throw internalError('the journal has failed')
      return undefined
    }
    if (committed !== undefined) {
      return this.#append(committed).then(() => settle(store, committed))
    }
    return this.#append(this.#recordsOf(call))
  }

  #append(events: readonly OutboxEvent[]): Promise<unknown> {
    const { journal } = this.#options
    const [first] = events
    if (first !== undefined && events.length === 1) return journal.append(first.record, first.kind)
    return Promise.all(events.map((event) => journal.append(event.record, event.kind)))
  }

  #recordsOf(call: Call): readonly OutboxEvent[] {
    const { clock, random, elementBytesMax } = this.#options
    return recordsOf(call, clock.now(), random, elementBytesMax)
  }

  #ownEvents(events: readonly OwnEvent[] = []): readonly OutboxEvent[] {
    const { clock, random } = this.#options
    return events.map((event) => ownEventRecord(event, clock.now(), random))
  }
}
