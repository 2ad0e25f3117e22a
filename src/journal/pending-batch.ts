import type { EntryKind } from '../base/entry-kind.ts'
import { frameTypeOf } from './entry.ts'
import { frameHeaderBytes, frameTypeOffset, maxBatchBytes } from './frame.ts'

type Waiter = { readonly resolve: (index: number) => void; readonly reject: (error: Error) => void }

/**
 * Records that go to the journal's thread in one message, laid out as `JournalEngine.append` takes them: the length,
 * the type and room for the rest of the frame's header, the text, room for a line feed. So the text is encoded once, to
 * where it is written from.
 */
export class PendingBatch {
  readonly memory: ArrayBuffer
  readonly #buffer: Buffer
  readonly #waiters: Waiter[] = []
  #bytes = 0

  constructor(memory: ArrayBuffer = new ArrayBuffer(maxBatchBytes)) {
    this.memory = memory
    this.#buffer = Buffer.from(memory)
  }

  get bytes(): number {
    return this.#bytes
  }

  get count(): number {
    return this.#waiters.length
  }

  /**
   * Takes a record if there is room for it. Answers undefined otherwise, and 'too-large' if it is empty or has more
   * than `limit` bytes.
   */
  add(record: string, limit: number, kind: EntryKind): Promise<number> | 'too-large' | undefined {
    const start = this.#bytes + frameHeaderBytes
    const room = this.#buffer.length - start - 1
    if (record.length * 3 > Math.min(room, limit)) {
      const length = Buffer.byteLength(record)
      if (length > limit) return 'too-large'
      if (length > room) return undefined
    }
    if (record === '') return 'too-large'
    const length = this.#buffer.write(record, start)
    this.#buffer.writeUInt32BE(length, this.#bytes)
    this.#buffer[this.#bytes + frameTypeOffset] = frameTypeOf(kind)
    this.#bytes = start + length + 1
    return new Promise((resolve, reject) => {
      this.#waiters.push({ resolve, reject })
    })
  }

  resolve(first: number): void {
    let index = first
    for (const { resolve } of this.#waiters) resolve(index++)
  }

  reject(error: Error): void {
    for (const { reject } of this.#waiters) reject(error)
  }
}
