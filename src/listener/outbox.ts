import type { Socket } from 'node:net'

/** Waiting for the kernel, of one connection: what waits together goes out in one call. */
const waitingBytesMax = 256 * 1024

/** What is on its way to the client, and since when the client has not taken it. */
export class Outbox {
  readonly #socket: Socket
  /** Bytes to be wiped once they are sent, in the order in which they were written. */
  #secrets: Buffer[] = []
  /** Characters written in all, and how many of them had been written at the tick. */
  #written = 0
  #mark = 0
  #markedAt: number

  constructor(socket: Socket, tick: number) {
    this.#socket = socket
    this.#markedAt = tick
  }

  /** Latin-1. */
  write(text: string): void {
    this.#written += text.length
    this.#socket.write(text, 'latin1')
  }

  /** Takes the bytes over: they are overwritten once they are sent, and when they cannot be. */
  writeSecret(bytes: Buffer): void {
    this.#written += bytes.length
    this.#secrets.push(bytes)
    this.#socket.write(bytes, this.#wipeFirst)
  }

  /** Whether nothing more should be written until the socket says `drain`. */
  get isFull(): boolean {
    return this.#socket.writableNeedDrain && this.#socket.writableLength >= waitingBytesMax
  }

  /** Whether the kernel has all of it. */
  get isEmpty(): boolean {
    return this.#socket.writableLength === 0
  }

  /** The tick at which something had been written that the client has not taken to this day. To be asked each tick. */
  untakenSince(tick: number): number {
    if (this.#written - this.#socket.writableLength >= this.#mark) {
      this.#mark = this.#written
      this.#markedAt = tick
    }
    return this.#markedAt
  }

  /** The connection is gone. */
  wipe(): void {
    for (const bytes of this.#secrets) bytes.fill(0)
    this.#secrets = []
  }

  /** One function for all writes of a connection: they end in the order in which they began. */
  readonly #wipeFirst = (): void => {
    this.#secrets.shift()?.fill(0)
  }
}
