import type { Worker } from 'node:worker_threads'
import type { Clock } from '../base/clock.ts'
import type { EntryKind } from '../base/entry-kind.ts'
import { internalError } from '../base/errors.ts'
import type { FromJournal, JournalState, ToJournal } from './messages.ts'
import { PendingBatch } from './pending-batch.ts'
import type { CheckpointSigner, Journal } from './port.ts'
import { maxRecordBytes } from './segment.ts'

export type JournalStatus = {
  /** The origin of its checkpoints, `kagiban/<node>/<UUID>`; it stays with the directory. */
  readonly origin: string
  readonly size: number
  /** Number of the segment that was written to at the last checkpoint. */
  readonly segment: number
  /** Tree size of the last signed checkpoint, and when it was written (ms since the epoch) if since the start. */
  readonly checkpointSize: number
  readonly checkpointAt: number | undefined
  /** Why the last attempt to sign a checkpoint came to nothing. */
  readonly signerFailure: string | undefined
  /** Why the next segment cannot be prepared: when the current one is full, the journal fails. */
  readonly preparationFailure: string | undefined
  /** Bytes of a torn, unacknowledged batch that were cut at the start. */
  readonly cut: number
}

export type OpenedJournal = Journal & { status(): JournalStatus }

type ThreadJournalOptions = {
  readonly sign: CheckpointSigner
  readonly clock: Clock
  readonly log?: (line: string) => void
}

const signTimeoutMs = 5000
/** Appended and not yet on the disk. Beyond it appends are refused: the disk is far too slow for what is asked. */
const maxQueuedBatches = 64
const maxFreeBuffers = 4

/** The service's side of the journal's thread. */
export class ThreadJournal implements OpenedJournal {
  readonly #worker: Worker
  readonly #sign: CheckpointSigner
  readonly #clock: Clock
  readonly #log: (line: string) => void
  readonly maxRecordBytes: number
  readonly #cut: number
  #state: JournalState
  #size: number
  #failure: string | undefined
  #signerFailure: string | undefined
  #preparationFailure: string | undefined
  #checkpointAt: number | undefined
  #batch: PendingBatch
  readonly #full: PendingBatch[] = []
  readonly #free: ArrayBuffer[] = []
  #flying: PendingBatch | undefined
  #gathering = false
  #closing: Promise<void> | undefined
  readonly #closed = Promise.withResolvers<void>()
  #idle: (() => void) | undefined

  constructor(
    worker: Worker,
    options: ThreadJournalOptions,
    segmentBytes: number,
    ready: FromJournal & { kind: 'ready' },
  ) {
    this.#worker = worker
    this.#sign = options.sign
    this.#clock = options.clock
    this.#log = options.log ?? (() => {})
    this.maxRecordBytes = maxRecordBytes(segmentBytes)
    this.#cut = ready.cut
    this.#state = ready.state
    this.#size = ready.state.size
    this.#batch = new PendingBatch()
    if (ready.cut > 0) {
      this.#log(
        `journal: its end was torn; ${ready.cut} bytes that nobody had an answer for are cut`,
      )
    }
    worker.on('message', (message: FromJournal) => this.#handle(message))
    worker.on('error', (error) => this.#fail(`its thread failed: ${error}`))
    worker.on('exit', () => {
      this.#fail(this.#closing === undefined ? 'its thread ended' : 'it is closed')
      this.#closed.resolve()
    })
  }

  get size(): number {
    return this.#size
  }

  get healthy(): boolean {
    return this.#failure === undefined
  }

  get failure(): string | undefined {
    return this.#failure
  }

  status(): JournalStatus {
    const { origin, segment, checkpointSize } = this.#state
    return {
      origin,
      size: this.#size,
      segment,
      checkpointSize,
      checkpointAt: this.#checkpointAt,
      signerFailure: this.#signerFailure,
      preparationFailure: this.#preparationFailure,
      cut: this.#cut,
    }
  }

  append(record: string, kind: EntryKind = 'event'): Promise<number> {
    if (this.#failure !== undefined || this.#closing !== undefined) return this.#refuse()
    let added = this.#batch.add(record, this.maxRecordBytes, kind)
    if (added === undefined) {
      if (this.#full.length >= maxQueuedBatches) return reject('the queue of the journal is full')
      this.#full.push(this.#batch)
      this.#batch = this.#newBatch()
      added = this.#batch.add(record, this.maxRecordBytes, kind)
    }
    if (added === undefined || added === 'too-large') {
      return reject(`a record must have 1 to ${this.maxRecordBytes} bytes`)
    }
    this.#gather()
    return added
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Posts at the end of the turn, so that all appends of a turn share a flush; later ones gather meanwhile. */
  #gather(): void {
    if (this.#gathering || this.#flying !== undefined) return
    this.#gathering = true
    setImmediate(() => {
      this.#gathering = false
      this.#post()
    })
  }

  /** Sends the next batch unless one is in flight. */
  #post(): void {
    if (this.#flying !== undefined || this.#failure !== undefined) return
    let next = this.#full.shift()
    if (next === undefined && this.#batch.count > 0) {
      next = this.#batch
      this.#batch = this.#newBatch()
    }
    if (next === undefined) return
    this.#flying = next
    const { memory, bytes } = next
    this.#send({ kind: 'append', buffer: memory, bytes }, [memory])
  }

  #handle(message: FromJournal): void {
    switch (message.kind) {
      case 'durable':
        this.#durable(message.first, message.free)
        break
      case 'sign':
        void this.#signText(message.text)
        break
      case 'checkpoint':
        this.#state = message.state
        this.#signing(undefined)
        this.#checkpointAt = this.#clock.now()
        break
      case 'unsigned':
        this.#signing(message.reason)
        break
      case 'preparation':
        this.#preparing(message.failure)
        break
      case 'failed':
        this.#fail(message.reason)
    }
  }

  #durable(first: number, free: ArrayBuffer | undefined): void {
    const done = this.#flying
    if (done === undefined || this.#failure !== undefined) return
    this.#flying = undefined
    if (free !== undefined && this.#free.length < maxFreeBuffers) this.#free.push(free)
    this.#size = first + done.count
    this.#post()
    done.resolve(first)
    if (this.#flying === undefined) this.#idle?.()
  }

  async #signText(text: string): Promise<void> {
    try {
      const signature = await within(signTimeoutMs, this.#sign(Buffer.from(text)))
      this.#send({ kind: 'signature', signature })
    } catch (error) {
      this.#signing(error instanceof Error ? error.message : String(error))
      this.#send({ kind: 'no-signature' })
    }
  }

  #signing(failure: string | undefined): void {
    if (failure === this.#signerFailure) return
    this.#signerFailure = failure
    this.#log(
      failure === undefined
        ? 'journal: its checkpoints are signed again'
        : `journal: its checkpoints cannot be signed: ${failure}`,
    )
  }

  #preparing(failure: string | undefined): void {
    if (failure === this.#preparationFailure) return
    this.#preparationFailure = failure
    this.#log(
      failure === undefined
        ? 'journal: its next segment could be prepared'
        : `journal: its next segment cannot be prepared, and it fails once this one is full: ${failure}`,
    )
  }

  async #close(): Promise<void> {
    if (this.#failure === undefined && (this.#flying !== undefined || this.#batch.count > 0)) {
      const idle = Promise.withResolvers<void>()
      this.#idle = idle.resolve
      await idle.promise
    }
    this.#send({ kind: 'close' })
    await this.#closed.promise
  }

  #fail(reason: string): void {
    if (this.#failure !== undefined) return
    this.#failure = reason
    if (this.#closing === undefined) this.#log(`journal: it failed: ${reason}`)
    const error = internalError(`the journal failed: ${reason}`)
    this.#flying?.reject(error)
    for (const batch of this.#full) batch.reject(error)
    this.#batch.reject(error)
    this.#full.length = 0
    this.#flying = undefined
    this.#batch = new PendingBatch()
    this.#idle?.()
  }

  #refuse(): Promise<never> {
    return reject(
      `the journal ${this.#failure === undefined ? 'is closed' : `failed: ${this.#failure}`}`,
    )
  }

  #newBatch(): PendingBatch {
    return new PendingBatch(this.#free.pop())
  }

  #send(message: ToJournal, transfer: ArrayBuffer[] = []): void {
    this.#worker.postMessage(message, transfer)
  }
}

function reject(detail: string): Promise<never> {
  return Promise.reject(internalError(detail))
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(() => late.reject(new Error(`no answer within ${ms} ms`)), ms)
  try {
    return await Promise.race([work, late.promise])
  } finally {
    clearTimeout(timer)
  }
}
