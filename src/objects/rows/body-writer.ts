import type { NewSegment } from '../port.ts'
import type { Bodies, NewBody } from './bodies.ts'
import type { Stored } from './messages.ts'

/** What is not larger lives in its row: a body of its own would cost several flushes, and a row is read at once. */
const inlineBytesMax = 16 * 1024

export type WrittenBody = {
  readonly stored: Stored
  /** Removes the body, when no row may have come to name it. */
  discard(): Promise<void>
}

/**
 * Writes bytes as they come, and behind them the chunk tags that `finish` answers once it has learned the size. When
 * it returns, all of it is durable. When anything fails, it leaves nothing behind.
 */
export async function writeBody<Finished extends NewSegment>(
  bodies: Bodies,
  data: AsyncIterable<Buffer>,
  finish: (size: number) => Finished,
): Promise<{ readonly body: WrittenBody; readonly finished: Finished }> {
  const writer = new BodyWriter(bodies)
  try {
    for await (const piece of data) await writer.add(piece)
    const { size } = writer
    const finished = finish(size)
    const stored = await writer.end(finished.chunkTags)
    return { body: { stored, discard: () => writer.discard() }, finished }
  } catch (error) {
    await writer.discard()
    throw error
  }
}

/** Begins as what may live in a row, and becomes a body when it is too large for one. */
class BodyWriter {
  size = 0
  readonly #bodies: Bodies
  readonly #inline: Buffer[] = []
  #body: NewBody | undefined
  readonly #joined = new Joining()

  constructor(bodies: Bodies) {
    this.#bodies = bodies
  }

  async add(piece: Buffer): Promise<void> {
    if (piece.length === 0) return
    this.size += piece.length
    const joined = this.#joined.add(piece)
    for (const each of joined) await this.#pass(each)
  }

  async end(chunkTags: Buffer): Promise<Stored> {
    for (const each of this.#joined.end()) await this.#pass(each)
    const sizes = { size: this.size, chunkTagsSize: chunkTags.length }
    if (this.#body === undefined && this.size + chunkTags.length <= inlineBytesMax) {
      return { ...sizes, data: Buffer.concat(this.#inline), chunkTags }
    }
    const body = await this.#begin()
    if (chunkTags.length > 0) await body.add(chunkTags)
    return { ...sizes, body: await body.end() }
  }

  async discard(): Promise<void> {
    await this.#body?.discard()
  }

  async #pass(piece: Buffer): Promise<void> {
    if (this.#body === undefined && this.size <= inlineBytesMax) this.#inline.push(piece)
    else await (await this.#begin()).add(piece)
  }

  async #begin(): Promise<NewBody> {
    if (this.#body !== undefined) return this.#body
    this.#body = this.#bodies.create()
    for (const each of this.#inline) await this.#body.add(each)
    return this.#body
  }
}

const smallBytes = 4 * 1024
const blockBytes = 64 * 1024

/** Copies small pieces together: a sender that sends byte by byte would otherwise cost a hundred times its bytes. */
class Joining {
  #block: Buffer | undefined
  #used = 0

  /** What goes on, now that there is this piece. */
  add(piece: Buffer): readonly Buffer[] {
    if (piece.length > smallBytes) return [...this.end(), piece]
    const passed = this.#used + piece.length > blockBytes ? this.end() : []
    this.#block ??= Buffer.allocUnsafeSlow(blockBytes)
    this.#used += piece.copy(this.#block, this.#used)
    return passed
  }

  end(): readonly Buffer[] {
    const passed = this.#block === undefined ? [] : [this.#block.subarray(0, this.#used)]
    this.#block = undefined
    this.#used = 0
    return passed
  }
}
