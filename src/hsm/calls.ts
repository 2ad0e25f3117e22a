import type { Duplex } from 'node:stream'
import { type ErrorCode, errorCodes, internalError, ServiceError } from '../base/errors.ts'
import {
  encodeFrames,
  type Field,
  FrameReader,
  fieldsMax,
  frameBytesMax,
  heartbeatId,
  type Item,
  itemBytes,
  outcomes,
  ProtocolError,
  type ReceivedItem,
} from './protocol.ts'

export type CallsOptions = {
  /** How long calls wait for another core when there is none, in ms. */
  readonly reattachMs?: number
  /** How long a core may leave calls without any answer before its socket is destroyed, in ms. */
  readonly silenceMs?: number
  /** How many calls may wait for their answers. */
  readonly pendingMax?: number
}

type Pending = Item & {
  readonly done: (fields: readonly Buffer[]) => void
  readonly failed: (error: ServiceError) => void
  sends: number
}

/** A call that every core dies of must not go on killing them. */
const sendsMax = 5

/**
 * Calls to the core: gathers those of one turn of the event loop into one message, matches the answers, and keeps what
 * is not answered for the next core.
 */
export class Calls {
  readonly #reattachMs: number
  readonly #silenceMs: number
  readonly #pendingMax: number
  /** By id, in the order in which the calls were made. */
  readonly #pending = new Map<number, Pending>()
  #unsent: Pending[] = []
  #flushing = false
  #lastId = 0
  #stream: Duplex | undefined
  #outage: NodeJS.Timeout | undefined
  #silence: NodeJS.Timeout | undefined
  /** No core came back in time: calls fail at once until one does. */
  #givenUp = false
  #closed = false

  constructor({ reattachMs = 10_000, silenceMs = 30_000, pendingMax = 8192 }: CallsOptions) {
    this.#reattachMs = reattachMs
    this.#silenceMs = silenceMs
    this.#pendingMax = pendingMax
  }

  /**
   * `fields` must not change before the promise has settled. `read` makes the result of the answer's fields, which are
   * overwritten afterwards.
   */
  call<T>(
    code: number,
    fields: readonly Field[],
    read: (fields: readonly Buffer[]) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const id = this.#nextId()
      const done = (answer: readonly Buffer[]) => {
        try {
          resolve(read(answer))
        } catch (error) {
          reject(error)
        }
      }
      const pending: Pending = { code, id, fields, done, failed: reject, sends: 0 }
      const refusal = this.#refusalOf(pending)
      if (refusal !== undefined) return reject(refusal)
      if (this.#pending.size === 0) this.#silence?.refresh()
      this.#pending.set(id, pending)
      this.#unsent.push(pending)
      if (this.#stream === undefined) this.#awaitCore()
      else this.#flushSoon()
    })
  }

  attach(stream: Duplex): void {
    if (this.#closed) {
      stream.destroy()
      return
    }
    const former = this.#stream
    this.#stream = stream
    former?.destroy()
    clearTimeout(this.#outage)
    this.#outage = undefined
    this.#givenUp = false
    this.#listen(stream)
    if (stream.destroyed) this.#lost(stream)
    else this.#sendAgain()
  }

  get attached(): boolean {
    return this.#stream !== undefined
  }

  close(): void {
    this.#closed = true
    this.#giveUp()
    const stream = this.#stream
    this.#stream = undefined
    clearTimeout(this.#silence)
    stream?.destroy()
  }

  #refusalOf(call: Item): ServiceError | undefined {
    if (this.#givenUp) return unavailable('there is no key core')
    if (this.#pending.size >= this.#pendingMax) return unavailable('too many calls are waiting')
    if (call.fields.length > fieldsMax || itemBytes(call) > frameBytesMax) {
      return internalError('a call that does not fit into a frame')
    }
    return undefined
  }

  #listen(stream: Duplex): void {
    const reader = new FrameReader((items) => this.#receive(items))
    stream.on('data', (chunk: Buffer) => {
      if (stream !== this.#stream) {
        chunk.fill(0)
        return
      }
      try {
        reader.push(chunk)
      } catch {
        stream.destroy()
      }
    })
    stream.on('error', () => {})
    stream.on('end', () => stream.destroy())
    stream.on('close', () => this.#lost(stream))
    clearTimeout(this.#silence)
    this.#silence = setTimeout(() => {
      if (this.#pending.size > 0) stream.destroy()
    }, this.#silenceMs).unref()
  }

  #lost(stream: Duplex): void {
    if (stream !== this.#stream) return
    this.#stream = undefined
    clearTimeout(this.#silence)
    if (this.#pending.size > 0) this.#awaitCore()
  }

  #awaitCore(): void {
    this.#outage ??= setTimeout(() => this.#giveUp(), this.#reattachMs)
  }

  #giveUp(): void {
    clearTimeout(this.#outage)
    this.#outage = undefined
    this.#givenUp = true
    const calls = [...this.#pending.values()]
    this.#pending.clear()
    this.#unsent = []
    for (const call of calls) call.failed(unavailable('no key core came back in time'))
  }

  #sendAgain(): void {
    this.#unsent = []
    for (const call of this.#pending.values()) {
      if (call.sends < sendsMax) {
        this.#unsent.push(call)
      } else {
        this.#pending.delete(call.id)
        call.failed(internalError(`the key core died ${sendsMax} times during a call`))
      }
    }
    this.#flushSoon()
  }

  /**
   * Not a microtask: calls that follow from promises settled in this turn would miss the message, and one message for
   * a few calls costs more than the calls.
   */
  #flushSoon(): void {
    if (this.#flushing) return
    this.#flushing = true
    setImmediate(() => this.#flush())
  }

  #flush(): void {
    this.#flushing = false
    const stream = this.#stream
    if (stream === undefined || this.#unsent.length === 0) return
    const calls = this.#unsent
    this.#unsent = []
    for (const call of calls) call.sends += 1
    stream.cork()
    for (const frame of encodeFrames(calls)) stream.write(frame, () => frame.fill(0))
    stream.uncork()
  }

  #receive(answers: readonly ReceivedItem[]): void {
    this.#silence?.refresh()
    for (const { code, id, fields } of answers) {
      const call = this.#pending.get(id)
      if (call === undefined) continue
      this.#pending.delete(id)
      if (code === outcomes.done) call.done(fields)
      else call.failed(failureOf(fields))
      if (code !== outcomes.done && code !== outcomes.failed) throw new ProtocolError('outcome')
    }
  }

  #nextId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#lastId === heartbeatId || this.#pending.has(this.#lastId))
    return this.#lastId
  }
}

function failureOf(fields: readonly Buffer[]): ServiceError {
  const code = fields[0]?.toString('latin1')
  const known = errorCodes.find((each) => each === code)
  const detail = 'the key core answered with a failure'
  return new ServiceError(known ?? ('internal' satisfies ErrorCode), undefined, { detail })
}

function unavailable(detail: string): ServiceError {
  return new ServiceError('unavailable', undefined, { detail })
}
