import { join } from 'node:path'
import { internalError } from '../../base/errors.ts'
import type { NewSegment } from '../port.ts'
import type { Disk, OpenFile } from './disk.ts'
import type { Stored } from './messages.ts'

/** What is not larger lives in its row: a file of its own would cost several flushes, and a row is read at once. */
export const inlineBytesMax = 16 * 1024

/** Each write is on the disk when it has returned; two at a time keep the disk busy while the next one gathers. */
const pieceBytes = 1024 * 1024
const writesAtOnce = 2

export type WrittenBody = {
  readonly stored: Stored
  /** Removes the file, when no row may have come to name it. */
  discard(): Promise<void>
}

export type BodyOptions = {
  readonly disk: Disk
  /** `<data>/objects/bodies` */
  readonly bodies: string
  /** The name of a new, empty file there. */
  readonly newName: () => Promise<string>
}

/**
 * Writes bytes as they come, and behind them the chunk tags that `finish` answers once it has learned the size. When
 * it returns, all of it is durable. When anything fails, it leaves nothing behind.
 */
export async function writeBody<Finished extends NewSegment>(
  options: BodyOptions,
  data: AsyncIterable<Buffer>,
  finish: (size: number) => Finished,
): Promise<{ readonly body: WrittenBody; readonly finished: Finished }> {
  const writer = new BodyWriter(options)
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

class BodyWriter {
  size = 0
  readonly #options: BodyOptions
  #gathered: Buffer[] = []
  #gatheredBytes = 0
  #name: string | undefined
  #file: OpenFile | undefined
  #position = 0
  readonly #writes = new Set<Promise<void>>()
  #failure: unknown

  constructor(options: BodyOptions) {
    this.#options = options
  }

  async add(piece: Buffer): Promise<void> {
    if (piece.length === 0) return
    this.#gather(piece)
    this.size += piece.length
    if (this.#gatheredBytes >= pieceBytes) await this.#write()
  }

  async end(chunkTags: Buffer): Promise<Stored> {
    const sizes = { size: this.size, chunkTagsSize: chunkTags.length }
    if (this.#name === undefined && this.size + chunkTags.length <= inlineBytesMax) {
      return { ...sizes, data: Buffer.concat(this.#gathered), chunkTags }
    }
    this.#gather(chunkTags)
    await this.#write()
    await Promise.all(this.#writes)
    if (this.#failure !== undefined) throw this.#failure
    await this.#close().catch((error: unknown) => {
      throw unwritten(error)
    })
    if (this.#name === undefined) throw internalError('a body has no file')
    return { ...sizes, body: this.#name }
  }

  async discard(): Promise<void> {
    await Promise.all(this.#writes)
    await this.#close().catch(() => {})
    if (this.#name === undefined) return
    // What stays is removed at the next start.
    await this.#options.disk.remove(join(this.#options.bodies, this.#name)).catch(() => {})
  }

  #gather(piece: Buffer): void {
    this.#gathered.push(piece)
    this.#gatheredBytes += piece.length
  }

  /** Begins to write what is gathered, and waits until there is room for another one. */
  async #write(): Promise<void> {
    const file = await this.#open()
    const buffers = this.#gathered
    const position = this.#position
    this.#position += this.#gatheredBytes
    this.#gathered = []
    this.#gatheredBytes = 0
    const write = writeAll(file, buffers, position).catch((error: unknown) => {
      this.#failure ??= unwritten(error)
    })
    this.#writes.add(write)
    void write.then(() => this.#writes.delete(write))
    if (this.#writes.size >= writesAtOnce) await Promise.race(this.#writes)
    if (this.#failure !== undefined) throw this.#failure
  }

  async #open(): Promise<OpenFile> {
    if (this.#file !== undefined) return this.#file
    const { disk, bodies, newName } = this.#options
    this.#name = await newName()
    try {
      this.#file = await disk.open(join(bodies, this.#name), 'write')
    } catch (error) {
      throw unwritten(error)
    }
    return this.#file
  }

  async #close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    await file?.close()
  }
}

function unwritten(error: unknown): Error {
  return internalError(`a body cannot be written: ${String(error)}`, error)
}

/** Writes all of it, however short the single writes are. */
async function writeAll(
  file: OpenFile,
  buffers: readonly Buffer[],
  position: number,
): Promise<void> {
  let rest = buffers
  let at = position
  while (rest.length > 0) {
    // The system takes at most 1024 buffers at a time.
    const some = rest.slice(0, 1000)
    const written = await file.write(some, at)
    if (written <= 0 && some.some(({ length }) => length > 0)) {
      throw new Error('a write wrote nothing')
    }
    at += written
    rest = without(rest, written, some.length)
  }
}

/** What is left of the buffers behind the first `count` bytes, of which at most `most` buffers were offered. */
function without(buffers: readonly Buffer[], count: number, most: number): readonly Buffer[] {
  let left = count
  for (const [index, buffer] of buffers.entries()) {
    if (index === most) return buffers.slice(most)
    if (left < buffer.length) return [buffer.subarray(left), ...buffers.slice(index + 1)]
    left -= buffer.length
  }
  return []
}
