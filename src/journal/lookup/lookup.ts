import { Worker } from 'node:worker_threads'
import type { Clock } from '../../base/clock.ts'
import { internalError } from '../../base/errors.ts'
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

/**
 * Opens the index over the journals in a thread of its own. `find` rejects with ServiceError 'internal' when a journal
 * or the index cannot be read; the next call tries again, with a new thread if need be.
 */
export function openLookup(options: LookupOptions): Promise<EventLookup> {
  return Promise.resolve(new ThreadLookup(options))
}

class ThreadLookup implements EventLookup {
  readonly #options: LookupOptions
  readonly #asked = new Map<number, PromiseWithResolvers<LookupPage>>()
  #worker: Worker | undefined
  #count = 0
  #closed = false

  constructor(options: LookupOptions) {
    this.#options = options
    this.#worker = this.#start()
  }

  find(query: LookupQuery): Promise<LookupPage> {
    if (this.#closed) return Promise.reject(internalError('the event index is closed'))
    this.#worker ??= this.#start()
    const page = Promise.withResolvers<LookupPage>()
    this.#count += 1
    this.#asked.set(this.#count, page)
    const now = this.#options.clock.now()
    this.#send(this.#worker, { kind: 'find', id: this.#count, query, now })
    return page.promise
  }

  async close(): Promise<void> {
    this.#closed = true
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
  }

  #ended(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    for (const page of this.#asked.values()) {
      page.reject(internalError(`the event index failed: ${reason}`))
    }
    this.#asked.clear()
  }

  #send(worker: Worker, message: ToLookup): void {
    worker.postMessage(message)
  }
}
