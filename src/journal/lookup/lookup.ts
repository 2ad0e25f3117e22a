import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { internalError, ServiceError } from '../../base/errors.ts'
import type { EventLookup, LookupPage, LookupQuery } from '../port.ts'
import type { FromLookup, LookupThreadData, ToLookup } from './messages.ts'

export type LookupOptions = {
  /** The folder with a directory for each node's journal: `<data>/journal`. All of them are followed. */
  readonly journals: string
  /** `<data>/index/<node>.db`. Made anew whenever it is missing, broken or of other journals. */
  readonly file: string
  readonly clock: Clock
  /** 90 by default, as AWS keeps events. */
  readonly retentionDays?: number
}

/** Queries that the thread has at once, so that few answers wait in memory, and those that wait for their turn. */
const askedMax = 4
const waitingMax = 64

/**
 * Opens the index over the journals in a thread of its own. `find` rejects with ServiceError 'internal' when a journal
 * or the index cannot be read; the next call tries again, with a new thread if need be. It rejects with 'throttled'
 * when too many wait already.
 */
export function openLookup(options: LookupOptions): Promise<EventLookup> {
  return Promise.resolve(new ThreadLookup(options))
}

type Waiting = { readonly query: LookupQuery; readonly page: PromiseWithResolvers<LookupPage> }

class ThreadLookup implements EventLookup {
  readonly #options: LookupOptions
  readonly #asked = new Map<number, PromiseWithResolvers<LookupPage>>()
  readonly #waiting: Waiting[] = []
  #worker: Worker | undefined
  #count = 0
  #closed = false

  constructor(options: LookupOptions) {
    this.#options = options
    this.#worker = this.#start()
  }

  find(query: LookupQuery): Promise<LookupPage> {
    if (this.#closed) return Promise.reject(internalError('the event index is closed'))
    if (this.#waiting.length >= waitingMax) {
      return Promise.reject(new ServiceError('throttled', 'Rate exceeded'))
    }
    const page = Promise.withResolvers<LookupPage>()
    this.#waiting.push({ query, page })
    this.#ask(askedMax)
    return page.promise
  }

  /** Sends what waits to the thread, which then has at most so many. */
  #ask(most: number): void {
    while (this.#asked.size < most) {
      const next = this.#waiting.shift()
      if (next === undefined) return
      this.#worker ??= this.#start()
      this.#count += 1
      this.#asked.set(this.#count, next.page)
      const now = this.#options.clock.now()
      this.#send(this.#worker, { kind: 'find', id: this.#count, query: next.query, now })
    }
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
    const { journals, file, retentionDays = 90, clock } = this.#options
    const workerData: LookupThreadData = { journals, file, retentionDays, now: clock.now() }
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
    if (message.kind === 'found') asked?.resolve(message.page)
    else asked?.reject(internalError(`the event index failed: ${message.reason}`))
    this.#ask(askedMax)
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    const failed = [...this.#asked.values(), ...this.#waiting.splice(0).map(({ page }) => page)]
    this.#asked.clear()
    for (const page of failed) page.reject(internalError(`the event index failed: ${reason}`))
  }

  #send(worker: Worker, message: ToLookup): void {
    worker.postMessage(message)
  }
}
