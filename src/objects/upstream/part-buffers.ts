/** Kept when nobody has them. */
const freeMax = 4

/**
 * The memory of parts on their way, used again. Pieces that are kept one by one until a part is sent outlive the
 * collections that free young memory, and make a process several times as large.
 */
export class PartBuffers {
  readonly bytes: number
  readonly #free: Buffer[] = []

  constructor(bytes: number) {
    this.bytes = bytes
  }

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.bytes)
  }

  /** Its bytes may be overwritten from now on. */
  giveBack(buffer: Buffer): void {
    if (this.#free.length < freeMax) this.#free.push(buffer)
  }
}
