import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { internalError, ServiceError } from '../../base/errors.ts'
import type {
  ConfigurationHistory,
  ConfigurationQuery,
  EventLookup,
  GrantUse,
  GrantUseQuery,
  KeyUse,
  KeyUseQuery,
  KeyUses,
  LastEvent,
  LastEventQuery,
  LookupPage,
  LookupQuery,
  ResourceCount,
  ResourceListing,
  ResourceQuery,
  ResourceRow,
} from '../port.ts'
import type { Answer, FromLookup, LookupThreadData, Question, ToLookup } from './messages.ts'

export type LookupOptions = {
  /** The folder with a directory for each node's journal: `<data>/journal`. All of them are followed. */
  readonly journals: string
  /** `<data>/index/<node>.db`. Made anew whenever it is missing, broken or of other journals. */
  readonly file: string
  readonly clock: Clock
  /** How far back the index goes; 366 by default. What is counted of keys goes further. */
  readonly retentionDays?: number
  /** How far back LookupEvents shows; 90 by default, as with AWS. */
  readonly shownDays?: number
}

/** Queries that the thread has at once, so that few answers wait in memory, and those that wait for their turn. */
const askedMax = 4
const waitingMax = 64

/**
 * Opens the index over the journals in a thread of its own. `find` rejects with ServiceError 'internal' when a journal
 * or the index cannot be read; the next call tries again, with a new thread if need be. It rejects with 'throttled'
 * when too many wait already.
 */
export function openLookup(options: LookupOptions): Promise<OpenedLookup> {
  return Promise.resolve(new ThreadLookup(options))
}

export type OpenedLookup = EventLookup & ConfigurationHistory & KeyUses

type Waiting = { readonly question: Question; readonly answer: PromiseWithResolvers<Answer> }

class ThreadLookup implements EventLookup, ConfigurationHistory, KeyUses {
  readonly #options: LookupOptions
  readonly #asked = new Map<number, PromiseWithResolvers<Answer>>()
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #count = 0
  #closed = false

  constructor(options: LookupOptions) {
    this.#options = options
    this.#worker = this.#start()
  }

  find(query: LookupQuery): Promise<LookupPage> {
    return this.#question({ kind: 'find', query }) as Promise<LookupPage>
  }

  last(query: LastEventQuery): Promise<LastEvent | undefined> {
    return this.#question({ kind: 'last', query }) as Promise<LastEvent | undefined>
  }

  uses(query: KeyUseQuery): Promise<readonly KeyUse[]> {
    return this.#question({ kind: 'uses', query }) as Promise<readonly KeyUse[]>
  }

  grantUses(query: GrantUseQuery): Promise<readonly GrantUse[]> {
    return this.#question({ kind: 'grantUses', query }) as Promise<readonly GrantUse[]>
  }

  items(query: ConfigurationQuery): Promise<LookupPage> {
    return this.#question({ kind: 'items', query }) as Promise<LookupPage>
  }

  newest(query: readonly ResourceQuery[]): Promise<readonly (string | undefined)[]> {
    return this.#question({ kind: 'newest', query }) as Promise<readonly (string | undefined)[]>
  }

  resources(query: ResourceListing): Promise<readonly ResourceRow[]> {
    return this.#question({ kind: 'resources', query }) as Promise<readonly ResourceRow[]>
  }

  counts(account: string, region: string): Promise<readonly ResourceCount[]> {
    const query = { account, region }
    return this.#question({ kind: 'counts', query }) as Promise<readonly ResourceCount[]>
  }

  /** The kind of the answer is that of the question: the thread answers each with its own. */
  #question(question: Question): Promise<Answer> {
    if (this.#closed) return Promise.reject(internalError('the event index is closed'))
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new ServiceError('throttled', 'Rate exceeded'))
    }
    const answer = Promise.withResolvers<Answer>()
    this.#waiting.push({ question, answer })
    this.#ask(askedMax)
    return answer.promise
  }

  /** Sends what waits to the thread, which then has at most so many. */
  #ask(most: number): void {
    while (this.#asked.size < most) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      const worker = this.#running()
      if (worker === undefined) {
        next.answer.reject(internalError('the event index ended and is started with the service'))
        continue
      }
      this.#count += 1
      this.#asked.set(this.#count, next.answer)
      const now = this.#options.clock.now()
      this.#send(worker, { kind: 'ask', id: this.#count, question: next.question, now })
    }
  }

  /** Undefined where no thread may be started any more (`service.ts` drops that permission). */
  #running(): Worker | undefined {
    try {
      this.#worker ??= this.#start()
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ERR_ACCESS_DENIED'))
        throw error
    }
    return this.#worker
  }

  async close(): Promise<void> {
    this.#closed = true
    // The thread answers in order, and what it was asked before it is told to close.
    this.#ask(Number.POSITIVE_INFINITY)
    const worker = this.#worker
    if (worker === undefined) return
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    this.#send(worker, { kind: 'close' })
    await ended
  }

  #start(): Worker {
    const { journals, file, retentionDays = 366, shownDays = 90, clock } = this.#options
    const days = { retentionDays, shownDays }
    const workerData: LookupThreadData = { journals, file, ...days, now: clock.now() }
    const url = new URL('./worker.ts', import.meta.url)
    const worker = new Worker(url, { workerData, name: 'lookup' })
    worker.on('message', (message: FromLookup) => this.#handle(message))
    worker.on('error', (error) => this.#ended(worker, String(error)))
    worker.on('exit', () => this.#ended(worker, 'its thread ended'))
    return worker
  }

  #handle(message: FromLookup): void {
    const asked = this.#asked.get(message.id)
    this.#asked.delete(message.id)
    if (message.kind === 'found') asked?.resolve(message.answer)
    else asked?.reject(internalError(`the event index failed: ${message.reason}`))
    this.#ask(askedMax)
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const failed = [...this.#asked.values(), ...this.#waiting.splice(0).map(({ answer }) => answer)]
    this.#asked.clear()
    for (const answer of failed) answer.reject(internalError(`the event index failed: ${reason}`))
  }

  #send(worker: Worker, message: ToLookup): void {
    worker.postMessage(message)
  }
}
