import { createHash, type Hash } from 'node:crypto'
import type { Sent } from './engine.ts'
import type { PartBuffers } from './part-buffers.ts'

/** What is smaller is kept as it came: most bodies never need the memory of a part. */
const looseBytesMax = 512 * 1024

/** Bytes that will be sent at once, a part at the most, hashed as they come. `release` in any case. */
export class Gathering {
  size = 0
  readonly #buffers: PartBuffers
  readonly #hash: Hash = createHash('sha256')
  #loose: Buffer[] = []
  #part: Buffer | undefined

  constructor(buffers: PartBuffers) {
    this.#buffers = buffers
  }

  add(piece: Buffer): void {
    this.#hash.update(piece)
    if (this.#part === undefined && this.size + piece.length > looseBytesMax) this.#becomePart()
    if (this.#part === undefined) this.#loose.push(piece)
    else piece.copy(this.#part, this.size)
    this.size += piece.length
  }

  end(): Sent {
    const pieces = this.#part === undefined ? this.#loose : [this.#part.subarray(0, this.size)]
    return { pieces, size: this.size, sha256: this.#hash.digest('hex') }
  }

  /** Nothing of it is being sent any more. */
  release(): void {
    if (this.#part !== undefined) this.#buffers.giveBack(this.#part)
    this.#part = undefined
    this.#loose = []
  }

  #becomePart(): void {
    const part = this.#buffers.take()
    let at = 0
    for (const piece of this.#loose) at += piece.copy(part, at)
    this.#part = part
    this.#loose = []
  }
}
