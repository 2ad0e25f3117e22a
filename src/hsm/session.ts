import type { Duplex } from 'node:stream'
import { ServiceError } from '../base/errors.ts'
import type { Core } from './core.ts'
import { execute } from './dispatch.ts'
import {
  encodeFrames,
  type Field,
  FrameReader,
  heartbeatId,
  type Item,
  outcomes,
  type ReceivedItem,
} from './protocol.ts'

/** One line for the operator, without any secret. */
export type Log = (line: string) => void

/** What callers alone bring about, and may at any rate. */
const unloggedFailures: ReadonlySet<string> = new Set([
  'expired-import-token',
  'incorrect-key-material',
  'invalid-ciphertext',
  'invalid-import-token',
  'throttled',
  'validation',
])

/** Well below the time that a client leaves a silent core. */
const heartbeatMs = 5000

/**
 * While so many are still to come, a late answer waits a little for others: each message wakes the service up, and the
 * flush of its record behind it, which together take as long as a signature.
 */
const manyOutstanding = 16
const gatherMs = 4
const gatheredEnough = 16

/**
 * One client's connection, on the core's side. The answers to one frame go out in one write, and so do the late ones of
 * one turn of the event loop; while the client does not read them, nothing more is read from it.
 */
export class Session {
  readonly #core: Core
  readonly #stream: Duplex
  readonly #log: Log
  readonly #reader = new FrameReader((items) => this.#answer(items))
  /** Late answers that go out together. */
  #late: Item[] = []
  #gathering: NodeJS.Timeout | undefined
  /** How many commands are to be answered late. */
  #outstanding = 0
  #heartbeat: NodeJS.Timeout | undefined

  constructor(core: Core, stream: Duplex, log: Log) {
    this.#core = core
    this.#stream = stream
    this.#log = log
  }

  /** Bytes from the client; overwritten on return. A malformed frame ends the connection. */
  receive(chunk: Buffer): void {
    try {
      this.#reader.push(chunk)
    } catch (error) {
      this.#log(`The connection is ended: ${describe(error)}`)
      this.#stream.destroy()
    }
  }

  #answer(commands: readonly ReceivedItem[]): void {
    const answers: Item[] = []
    for (const command of commands) {
      const answer = this.#execute(command)
      if (answer !== undefined) answers.push(answer)
    }
    this.#send(answers)
  }

  #send(answers: readonly Item[]): void {
    const frames = encodeFrames(answers)
    for (const { fields } of answers) wipe(fields)
    if (frames.length === 0 || this.#stream.destroyed) {
      for (const frame of frames) frame.fill(0)
      return
    }
    this.#stream.cork()
    let flowing = true
    for (const frame of frames) flowing = this.#stream.write(frame, () => frame.fill(0))
    this.#stream.uncork()
    if (flowing) return
    this.#stream.pause()
    this.#stream.once('drain', () => this.#stream.resume())
  }

  /** Undefined: the answer comes late. */
  #execute({ code, id, fields }: ReceivedItem): Item | undefined {
    try {
      const answer = execute(this.#core, code, fields)
      if (!(answer instanceof Promise)) return { code: outcomes.done, id, fields: answer }
      this.#await(id, answer)
      return undefined
    } catch (error) {
      return this.#failure(id, error)
    }
  }

  #await(id: number, answer: Promise<readonly Field[]>): void {
    this.#outstanding += 1
    this.#heartbeat ??= setInterval(() => this.#beat(), heartbeatMs).unref()
    answer.then(
      (fields) => this.#answerLate({ code: outcomes.done, id, fields }),
      (error: unknown) => this.#answerLate(this.#failure(id, error)),
    )
  }

  #answerLate(item: Item): void {
    this.#outstanding -= 1
    if (this.#outstanding === 0) {
      clearInterval(this.#heartbeat)
      this.#heartbeat = undefined
    }
    this.#late.push(item)
    const count = this.#late.length
    if (count === 1 && this.#outstanding >= manyOutstanding) {
      this.#gathering = setTimeout(() => this.#sendLate(), gatherMs)
    } else if (this.#gathering === undefined ? count === 1 : count === gatheredEnough) {
      clearTimeout(this.#gathering)
      setImmediate(() => this.#sendLate())
    }
  }

  #sendLate(): void {
    this.#gathering = undefined
    const late = this.#late
    this.#late = []
    this.#send(late)
  }

  /** While slow work is under way, the client is told that the core is alive. */
  #beat(): void {
    this.#send([{ code: outcomes.done, id: heartbeatId, fields: [] }])
  }

  #failure(id: number, error: unknown): Item {
    const errorCode = error instanceof ServiceError ? error.code : 'internal'
    if (!unloggedFailures.has(errorCode)) this.#log(describe(error))
    return { code: outcomes.failed, id, fields: [errorCode] }
  }
}

function wipe(fields: readonly Field[]): void {
  for (const field of fields) if (typeof field !== 'string') field.fill(0)
}

/** Our own errors say what they mean; of any other the message might hold anything, and only the place is told. */
function describe(error: unknown): string {
  if (error instanceof ServiceError) return `${error.code}: ${error.detail ?? 'no detail'}`
  if (!(error instanceof Error)) return 'an unknown failure'
  const frames = (error.stack ?? '').split('\n').filter((line) => line.startsWith('    at '))
  return [error.name, ...frames.slice(0, 4).map((line) => line.trim())].join(' ')
}
