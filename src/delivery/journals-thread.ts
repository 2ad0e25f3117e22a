import { Worker } from 'node:worker_threads'
import { internalError } from '../base/errors.ts'
import type { Collected, CollectRequest } from './journals.ts'
import type { Asks, DeliveryThreadData, FromThread, Kind } from './messages.ts'

type Waiting = {
  readonly kind: Kind
  readonly question: unknown
  readonly answer: PromiseWithResolvers<unknown>
}

/** The journals in a thread of their own. Everything rejects with 'internal' once that has ended: with the service. */
export class JournalsThread {
  readonly #worker: Worker
  readonly #waiting: Waiting[] = []
  #asked: Waiting | undefined
  #ended: string | undefined

  constructor(data: DeliveryThreadData) {
    this.#worker = new Worker(new URL('./worker.ts', import.meta.url), {
      workerData: data,
      name: 'delivery',
    })
    this.#worker.on('message', (message: FromThread) => this.#answered(message))
    this.#worker.on('error', (error) => this.#end(String(error)))
    this.#worker.on('exit', () => this.#end('its thread ended'))
  }

  /** Before all else that waits: a change of a trail waits for it. */
  positions(): Promise<Asks['positions']['answer']> {
    return this.#ask('positions', undefined, true)
  }

  find(origin: string, from: number, to: number, eventId: string): Promise<number | undefined> {
    return this.#ask('find', { origin, from, to, eventId })
  }

  collect(request: CollectRequest): Promise<Collected> {
    return this.#ask('collect', request)
  }

  checkpoint(): Promise<string | undefined> {
    return this.#ask('checkpoint', undefined)
  }

  lock(): Promise<boolean> {
    return this.#ask('lock', undefined)
  }

  get ended(): string | undefined {
    return this.#ended
  }

  async close(): Promise<void> {
    if (this.#ended !== undefined) return
    const ended = new Promise((resolve) => this.#worker.once('exit', resolve))
    this.#worker.postMessage({ kind: 'close' })
    await ended
  }

  #ask<K extends Kind>(
    kind: K,
    question: Asks[K]['question'],
    isUrgent = false,
  ): Promise<Asks[K]['answer']> {
    if (this.#ended !== undefined) return Promise.reject(this.#failure(this.#ended))
    const answer = Promise.withResolvers<unknown>()
    const waiting = { kind, question, answer }
    if (isUrgent) this.#waiting.unshift(waiting)
    else this.#waiting.push(waiting)
    this.#next()
    return answer.promise as Promise<Asks[K]['answer']>
  }

  #next(): void {
    if (this.#asked !== undefined) return
    this.#asked = this.#waiting.shift()
    if (this.#asked === undefined) return
    const { kind, question } = this.#asked
    this.#worker.postMessage({ kind, question })
  }

  #answered(message: FromThread): void {
    const asked = this.#asked
    this.#asked = undefined
    if ('failure' in message) asked?.answer.reject(this.#failure(message.failure))
    else asked?.answer.resolve(message.answer)
    this.#next()
  }

  #end(reason: string): void {
    if (this.#ended !== undefined) return
    this.#ended = reason
    const failed = [this.#asked, ...this.#waiting.splice(0)]
    this.#asked = undefined
    for (const waiting of failed) waiting?.answer.reject(this.#failure(reason))
  }

  #failure(reason: string): Error {
    return internalError(`the journals cannot be read for the delivery to trails: ${reason}`)
  }
}
