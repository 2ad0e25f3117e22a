import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { ExportState, ExportThreadData, FromExports, ToExports } from './messages.ts'
import type { ExportSettings } from './settings.ts'

export type ExportsOptions = {
  readonly exports: readonly ExportSettings[]
  readonly dataDir: string
  /** Each process exports its own journal: `<data>/journal/<node>`. */
  readonly node: string
  readonly clock: Clock
  readonly log: (line: string) => void
}

export type ExportStatus = {
  readonly name: string
  readonly type: ExportSettings['type']
  /** What the receiver has of the journal. */
  readonly delivered: number
  /** Entries of the journal that are still to be handed on, or to be passed over. */
  readonly behind: number
  /** ms since the epoch; undefined when nothing was handed on since the start. */
  readonly deliveredAt: number | undefined
  readonly failure: ExportState['failure']
}

/** How long an end may take, in ms, before what is under way is given up: it is handed on at the next start. */
const endGraceMs = 5000

/**
 * The exports of this process, in a thread of their own: whatever a receiver does, or a disk, no answer waits for it.
 * There is none without any export. Must be made before the service gives up the permission to start threads.
 */
export class Exports {
  readonly #options: ExportsOptions
  readonly #states = new Map<string, ExportState>()
  readonly #worker: Worker | undefined
  readonly #exited = Promise.withResolvers<void>()
  #ended: ExportState['failure']

  constructor(options: ExportsOptions) {
    this.#options = options
    const { exports, dataDir, node } = options
    if (exports.length === 0) return
    const workerData: ExportThreadData = {
      ...{ exports, node },
      journal: join(dataDir, 'journal', node),
      cursors: join(dataDir, 'export', node),
    }
    const worker = new Worker(new URL('./worker.ts', import.meta.url), {
      ...{ workerData, name: 'export' },
    })
    worker.on('message', ({ state }: FromExports) => this.#hear(state))
    worker.on('error', (error) => this.#failed(String(error)))
    worker.on('exit', () => this.#exited.resolve())
    this.#worker = worker
  }

  /** `size` is the number of entries in the journal. */
  status(size: number): readonly ExportStatus[] {
    return this.#options.exports.map(({ name, type }) => {
      const { next = 0, deliveredAt, failure } = this.#states.get(name) ?? {}
      const behind = Math.max(0, size - next)
      return { name, type, delivered: next, behind, deliveredAt, failure: this.#ended ?? failure }
    })
  }

  async close(): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    worker.postMessage({ kind: 'end' } satisfies ToExports)
    const timer = setTimeout(() => void worker.terminate(), endGraceMs)
    await this.#exited.promise
    clearTimeout(timer)
  }

  /** The log tells when an export begins to fail, and when it does no more. */
  #hear(state: ExportState): void {
    const { name, failure } = state
    const before = this.#states.get(name)?.failure
    this.#states.set(name, state)
    if (failure !== undefined && failure.reason !== before?.reason) {
      this.#options.log(`the export ${name} failed and is tried again: ${failure.reason}`)
    } else if (failure === undefined && before !== undefined) {
      this.#options.log(`the export ${name} works again`)
    }
  }

  #failed(reason: string): void {
    const text = `the thread of the exports ended: ${reason}`
    this.#ended = { since: this.#options.clock.now(), reason: text, attempts: 1 }
    this.#options.log(`${text}; start the service again`)
  }
}
