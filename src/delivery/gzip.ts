import { createHash } from 'node:crypto'
import { constants, crc32, deflateRawSync } from 'node:zlib'

/** Compressed on their own, so that memory stays bounded however long the text is. */
const chunkBytes = 1024 * 1024

/** No name, no time, no operating system: the same text makes the same bytes. RFC 1952 §2.3 */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])

export type Gzipped = {
  readonly body: Buffer
  /** Of the text, hexadecimal. */
  readonly sha256: string
}

/**
 * Makes one gzip member out of pieces of text, with calls that block. One member alone: the AWS CLI reads no more than
 * the first. `createGzip` would work in the thread pool, where other work makes it wait.
 */
export class GzipWriter {
  readonly #parts: Buffer[] = [header]
  readonly #hash = createHash('sha256')
  #pending = ''
  #crc = 0
  #textBytes = 0
  #compressedBytes = 0

  /** Of what has been compressed so far; up to a chunk of the text is still to be. */
  get compressedBytes(): number {
    return this.#compressedBytes
  }

  add(text: string): void {
    this.#pending += text
    if (this.#pending.length >= chunkBytes) this.#compress()
  }

  finish(): Gzipped {
    this.#compress()
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(this.#crc, 0)
    trailer.writeUInt32LE(this.#textBytes % 2 ** 32, 4)
    this.#parts.push(deflateRawSync(Buffer.alloc(0)), trailer)
    return { body: Buffer.concat(this.#parts), sha256: this.#hash.digest('hex') }
  }

  #compress(): void {
    if (this.#pending === '') return
    const text = Buffer.from(this.#pending)
    this.#pending = ''
    this.#hash.update(text)
    this.#crc = crc32(text, this.#crc)
    this.#textBytes += text.length
    const part = deflateRawSync(text, { finishFlush: constants.Z_FULL_FLUSH })
    this.#compressedBytes += part.length
    this.#parts.push(part)
  }
}

export function gzipped(text: string): Gzipped {
  const writer = new GzipWriter()
  writer.add(text)
  return writer.finish()
}
