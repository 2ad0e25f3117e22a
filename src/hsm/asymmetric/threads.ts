import { basename } from 'node:path'
import { Worker } from 'node:worker_threads'
import { internalError, ServiceError } from '../../base/errors.ts'
import type { AccountId } from '../../base/ids.ts'
import { FairQueue } from '../fair-queue.ts'
import type { Outcome, Task } from './task.ts'

export type ThreadsOptions = {
  readonly atMost: number
  /** How many tasks may wait for a thread; `FairQueue` shares the places out. */
  readonly waitingMax: number
}

type Waiting = {
  readonly task: Task
  readonly done: (result: Buffer | boolean) => void
  readonly failed: (error: ServiceError) => void
}

/** A thread of the pool and what it does just now. */
type Thread = { readonly worker: Worker; current: Waiting | undefined }

/**
 * Threads for what would hold up everything else. Unless all were started before, the first starts with the first task,
 * each further one when all are busy, and another takes the place of one that ended, which fails its task.
 */
export class Threads {
  readonly #entry: URL
  readonly #options: ThreadsOptions
  readonly #threads = new Set<Thread>()
  readonly #waiting: FairQueue<Waiting>
  #complete = false

  constructor(entry: URL, options: ThreadsOptions) {
    this.#entry = entry
    this.#options = options
    this.#waiting = new FairQueue(options.waitingMax)
  }

  /**
   * The task's byte strings are moved to the thread, so they must be `ownBytes`. Rejects with 'throttled' when too many
   * wait, or with what the task threw. Bytes of a result are the caller's to wipe.
   */
  run(account: AccountId, task: Task): Promise<Buffer | boolean> {
    return new Promise((done, failed) => {
      const waiting = { task, done, failed }
      const free = [...this.#threads].find((each) => each.current === undefined)
      if (free !== undefined) return start(free, waiting)
      if (this.#threads.size < this.#options.atMost) return start(this.#open(), waiting)
      this.#waiting.push(account, waiting)
    })
  }

  /**
   * Starts all of them, for a process that may start no more later. From then on a thread that ends is an exception
   * that nobody catches: the process ends with it, and its successor has all threads again.
   */
  startAll(): void {
    while (this.#threads.size < this.#options.atMost) this.#open()
    this.#complete = true
  }

  #open(): Thread {
    const thread: Thread = { worker: new Worker(this.#entry), current: undefined }
    thread.worker.on('message', (outcome: Outcome) => this.#finished(thread, outcome))
    thread.worker.on('error', (error) => this.#lost(thread, error))
    thread.worker.on('exit', () => this.#lost(thread))
    // Without a task it does not keep the process; a listener would, so this comes after them.
    thread.worker.unref()
    this.#threads.add(thread)
    return thread
  }

  #finished(thread: Thread, outcome: Outcome): void {
    const { current } = thread
    thread.current = undefined
    thread.worker.unref()
    const next = this.#waiting.shift()
    if (next !== undefined) start(thread, next)
    if (current !== undefined) settle(current, outcome)
  }

  #lost(thread: Thread, cause?: unknown): void {
    if (!this.#threads.delete(thread)) return
    const code = cause instanceof Error && 'code' in cause ? ` (${cause.code})` : ''
    const ended = internalError(`a thread, ${basename(this.#entry.pathname)}, ended${code}`)
    if (this.#complete) throw ended
    const next = this.#waiting.shift()
    if (next !== undefined) start(this.#open(), next)
    thread.current?.failed(ended)
  }
}

/** A copy that can be moved to another thread: not a piece of some larger memory. */
export function ownBytes(bytes: Buffer): Uint8Array {
  return new Uint8Array(bytes)
}

function start(thread: Thread, waiting: Waiting): void {
  const { task } = waiting
  thread.current = waiting
  thread.worker.ref()
  const moved = [task.message, ...(task.kind === 'verify' ? [task.signature] : [])]
  thread.worker.postMessage(
    task,
    moved.map((each) => each.buffer as ArrayBuffer),
  )
}

function settle({ done, failed }: Waiting, outcome: Outcome): void {
  if ('failed' in outcome) failed(new ServiceError(outcome.failed))
  else if (typeof outcome.result === 'boolean') done(outcome.result)
  else done(Buffer.from(outcome.result.buffer))
}
