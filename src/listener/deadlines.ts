import type { Limits } from './limits.ts'

/**
 * How long a client may take to close a connection once all was said, in ms: after its last bytes, since who still
 * sends has not read why it was refused, and in all.
 */
const lingerMs = 2000
const lingerMaxMs = 10_000

/**
 * What a connection waits for the client to do: to begin a request, to go on with a head, with a body, or with one
 * that streams, to close the connection; or nothing.
 */
export type Awaited = 'request' | 'head' | 'body' | 'stream' | 'close' | 'nothing'

/** When a client last did what was to be done by a deadline, in ticks: sweeps of `sweepMs`. */
export class Deadlines {
  readonly #limits: Limits
  #served = false
  #idleSince: number
  #began: number | undefined
  #heardAt: number
  #endedAt = 0
  /** Since when bytes of a body that streams are counted, and how many there were. */
  #streamedSince = 0
  #streamed = 0

  constructor(limits: Limits, tick: number) {
    this.#limits = limits
    this.#idleSince = tick
    this.#heardAt = tick
  }

  /** Bytes came. */
  heard(tick: number, bytes = 0): void {
    this.#heardAt = tick
    this.#streamed += bytes
  }

  /** The client is waited for from now on, for bytes of a body that streams. */
  streams(tick: number): void {
    this.#heardAt = tick
    this.#streamedSince = tick
    this.#streamed = 0
  }

  /** A request has begun, now or before. */
  within(tick: number): void {
    this.#began ??= tick
  }

  /** No request is on its way: the one that was is whole, or none has begun. */
  between(): void {
    this.#began = undefined
  }

  /** The client was kept from going on, which is not its fault: all that it began begins now. */
  resume(tick: number): void {
    this.#heardAt = tick
    if (this.#began !== undefined) this.#began = tick
  }

  /** A request is whole. */
  served(): void {
    this.#served = true
    this.#began = undefined
  }

  /** All requests are answered. */
  idle(tick: number): void {
    this.#idleSince = tick
  }

  /** All was said. */
  ended(tick: number): void {
    this.#endedAt = tick
  }

  get isWithin(): boolean {
    return this.#began !== undefined
  }

  isPast(awaited: Awaited, tick: number, sweepMs: number): boolean {
    const { keepAliveMs, headerMs, requestMs, bodyIdleMs } = this.#limits
    const isOver = (since: number, ms: number) => (tick - since) * sweepMs > ms
    const began = this.#began ?? tick
    switch (awaited) {
      case 'request':
        return isOver(this.#idleSince, this.#served ? keepAliveMs : headerMs)
      case 'head':
        return isOver(began, Math.min(headerMs, requestMs))
      case 'body':
        return isOver(this.#heardAt, bodyIdleMs) || isOver(began, requestMs)
      case 'stream':
        return isOver(this.#heardAt, bodyIdleMs) || this.#isSlow(tick, sweepMs)
      case 'close':
        return (
          isOver(Math.max(this.#endedAt, this.#heardAt), lingerMs) ||
          isOver(this.#endedAt, lingerMaxMs)
        )
      case 'nothing':
        return false
    }
  }

  /** Whether too little came in the time that a whole body would have. */
  #isSlow(tick: number, sweepMs: number): boolean {
    const { requestMs, streamedBytesMin } = this.#limits
    if ((tick - this.#streamedSince) * sweepMs <= requestMs) return false
    const slow = this.#streamed < streamedBytesMin
    this.#streamedSince = tick
    this.#streamed = 0
    return slow
  }
}
