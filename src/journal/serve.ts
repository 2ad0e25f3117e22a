import { JournalDamage } from './damage.ts'
import { JournalEngine } from './engine.ts'
import type { Files } from './files.ts'
import { JournalInUse, type JournalLock, lockJournal } from './lock.ts'
import type { FromJournal, JournalPort, JournalThreadData, Refusal, ToJournal } from './messages.ts'

const fileCheckIntervalMs = 1000
/** Between two steps of preparing the next segment, so that it takes a small part of the disk. */
const preparationPauseMs = 4
/** Between two attempts while there is no space. */
const preparationRetryMs = 1000

/** The journal's thread: opens the journal and serves the service's thread until it is told to close. */
export function serveJournal(port: JournalPort, data: JournalThreadData, files: Files): void {
  let lock: JournalLock | undefined
  try {
    files.makeDirectory(data.directory)
    lock = lockJournal(files, data.directory)
    const publicKey = Buffer.from(data.publicKey)
    const engine = new JournalEngine(files, { ...data, publicKey })
    new JournalThread(port, engine, lock, data.checkpointIntervalMs).start()
  } catch (error) {
    lock?.release()
    post(port, { kind: 'refused', refusal: refusal(error, data.directory) })
    port.close()
  }
}

class JournalThread {
  readonly #port: JournalPort
  readonly #engine: JournalEngine
  readonly #lock: JournalLock
  readonly #timers: NodeJS.Timeout[]
  #preparing: NodeJS.Timeout | undefined
  #waiting: string | undefined
  #signing = false
  #closing = false
  #lastSigned = false
  #failed = false
  #used: ArrayBuffer | undefined

  constructor(
    port: JournalPort,
    engine: JournalEngine,
    lock: JournalLock,
    checkpointIntervalMs: number,
  ) {
    this.#port = port
    this.#engine = engine
    this.#lock = lock
    this.#timers = [
      setInterval(() => this.#try(() => this.#sign()), checkpointIntervalMs),
      setInterval(() => this.#try(() => this.#checkFiles()), fileCheckIntervalMs),
    ]
  }

  start(): void {
    this.#port.on('message', (message: ToJournal) => this.#try(() => this.#handle(message)))
    post(this.#port, { kind: 'ready', state: this.#state(), cut: this.#engine.cut })
    this.#schedulePreparation()
  }

  #handle(message: ToJournal): void {
    switch (message.kind) {
      case 'append':
        this.#append(message.buffer, message.bytes)
        break
      case 'signature':
        this.#checkpoint(Buffer.from(message.signature))
        break
      case 'no-signature':
        this.#signed()
        break
      case 'close':
        this.#closing = true
        this.#close()
    }
  }

  #append(buffer: ArrayBuffer, bytes: number): void {
    if (this.#failed) return
    const first = this.#engine.append(Buffer.from(buffer), bytes)
    const free = this.#used
    this.#used = buffer
    post(this.#port, { kind: 'durable', first, free }, free === undefined ? [] : [free])
    this.#engine.settle()
    this.#schedulePreparation()
  }

  /** Asks for a signature if the tree grew and none is on its way. Answers whether one is awaited. */
  #sign(): boolean {
    if (this.#signing) return true
    const text = this.#failed ? undefined : this.#engine.checkpointText()
    if (text === undefined) return false
    this.#signing = true
    post(this.#port, { kind: 'sign', text })
    return true
  }

  #checkpoint(signature: Buffer): void {
    if (!this.#failed) {
      const reason = this.#engine.writeCheckpoint(signature)
      if (reason === undefined) post(this.#port, { kind: 'checkpoint', state: this.#state() })
      else post(this.#port, { kind: 'unsigned', reason })
    }
    this.#signed()
    this.#schedulePreparation()
  }

  #signed(): void {
    this.#signing = false
    if (this.#closing) this.#close()
  }

  /** Closes once the last checkpoint is written, or could not be signed. */
  #close(): void {
    if (this.#signing) return
    if (!this.#lastSigned) {
      this.#lastSigned = true
      if (this.#sign()) return
    }
    this.#stopTimers()
    this.#engine.close()
    this.#lock.release()
    post(this.#port, { kind: 'closed' })
    this.#port.close()
  }

  #schedulePreparation(): void {
    if (this.#failed || this.#closing) return
    const need = this.#engine.preparation
    if (need === 'done') return
    if (need === 'urgent' && this.#waiting === undefined) this.#prepare()
    const pause = this.#waiting === undefined ? preparationPauseMs : preparationRetryMs
    this.#preparing ??= setTimeout(() => {
      this.#preparing = undefined
      this.#try(() => {
        this.#prepare()
        this.#schedulePreparation()
      })
    }, pause)
  }

  #prepare(): void {
    const failure = this.#engine.prepare()
    if (failure === this.#waiting) return
    this.#waiting = failure
    post(this.#port, { kind: 'preparation', failure })
  }

  #checkFiles(): void {
    this.#lock.check()
    this.#engine.checkFiles()
  }

  #state() {
    const { origin, size, segment, checkpointSize } = this.#engine
    return { origin, size, segment, checkpointSize }
  }

  /** A failure of the journal is for good: what was asked for is refused from then on. */
  #try(work: () => void): void {
    try {
      work()
    } catch (error) {
      if (!this.#failed) post(this.#port, { kind: 'failed', reason: describe(error) })
      this.#failed = true
      this.#stopTimers()
      if (this.#closing) {
        this.#signing = false
        this.#lastSigned = true
        this.#close()
      }
    }
  }

  #stopTimers(): void {
    for (const timer of this.#timers) clearInterval(timer)
    clearTimeout(this.#preparing)
  }
}

function refusal(error: unknown, directory: string): Refusal {
  if (error instanceof JournalInUse) return { kind: 'in-use', directory }
  if (!(error instanceof JournalDamage)) return { kind: 'error', message: describe(error) }
  const { file, offset, expected, found } = error
  return { kind: 'damage', file, offset, expected, found }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return error.cause instanceof Error ? `${error.message}: ${error.cause.message}` : error.message
}

function post(port: JournalPort, message: FromJournal, transfer: ArrayBuffer[] = []): void {
  port.postMessage(message, transfer)
}
