import { type Files, readFully } from './files.ts'

const zeros = Buffer.alloc(64 * 1024)

/** A part of a segment in memory, moved along as it is read. */
export class SegmentWindow {
  readonly buffer: Buffer
  readonly #files: Files
  #file = -1
  #size = 0
  #start = 0
  #length = 0

  constructor(files: Files, capacity: number) {
    this.#files = files
    this.buffer = Buffer.allocUnsafeSlow(capacity)
  }

  get size(): number {
    return this.#size
  }

  /** Looks at another file from now on; `size` is where it ends for the reader. */
  attach(file: number, size: number): void {
    this.#file = file
    this.#size = size
    this.forget()
  }

  /** What was read may have changed: reads it again. */
  forget(): void {
    this.#length = 0
  }

  /**
   * Brings bytes from `offset` into the buffer and answers where they stand in it. At least `need` bytes, or all up
   * to the end of the file; `available` says how many. If it has to read, it reads `want`.
   */
  load(offset: number, need: number, want: number): number {
    const required = Math.min(need, this.#size - offset)
    const inside = offset >= this.#start && offset + required <= this.#start + this.#length
    if (!inside) {
      const length = Math.min(Math.max(want, need), this.buffer.length, this.#size - offset)
      this.#start = offset
      this.#length = readFully(this.#files, this.#file, this.buffer, 0, length, offset)
    }
    return offset - this.#start
  }

  /** The end of the valid bytes in the buffer. */
  get limit(): number {
    return this.#length
  }

  /** The first byte from `offset` on that is not zero, or undefined. */
  firstNonZero(offset: number): number | undefined {
    let position = offset
    while (position < this.#size) {
      const at = this.load(position, 1, this.buffer.length)
      const end = this.#length
      if (end <= at) return undefined
      for (let from = at; from < end; from += zeros.length) {
        const part = this.buffer.subarray(from, Math.min(end, from + zeros.length))
        if (part.equals(zeros.subarray(0, part.length))) continue
        return position + (from - at) + part.findIndex((byte) => byte !== 0)
      }
      position += end - at
    }
    return undefined
  }
}
