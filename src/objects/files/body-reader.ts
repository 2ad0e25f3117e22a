import { join } from 'node:path'
import { internalError } from '../../base/errors.ts'
import type { OpenObject, Segment, Version } from '../port.ts'
import type { Disk, OpenFile } from './disk.ts'
import type { Opened, StoredSegment } from './messages.ts'

/** Large enough that a read costs little beside its bytes, small enough that many readers fit into memory. */
const pieceBytes = 256 * 1024

/** An object's bytes. Files are opened as they are needed, and one is open at a time. */
export class BodyReader implements OpenObject {
  readonly version: Version
  readonly segmentCount: number
  readonly segments: readonly StoredSegment[]
  readonly #disk: Disk
  readonly #bodies: string
  readonly #release: () => void
  #open: { readonly body: string; readonly file: OpenFile } | undefined
  #closed = false

  /** `release` is called once nothing of the object is needed any more. */
  constructor(opened: Opened, disk: Disk, bodies: string, release: () => void) {
    this.version = opened.version
    this.segmentCount = opened.segmentCount
    this.segments = opened.segments
    this.#disk = disk
    this.#bodies = bodies
    this.#release = release
  }

  async *data({ ordinal }: Segment, start: number, end: number): AsyncIterable<Buffer> {
    const segment = this.#segment(ordinal)
    checkRange(start, end, segment.size)
    if (segment.body === undefined) {
      if (end > start) yield segment.data.subarray(start, end)
      return
    }
    const file = await this.#fileOf(segment.body)
    const read = (at: number) =>
      at < end ? readFully(file, Math.min(pieceBytes, end - at), at) : undefined
    // One piece is read ahead while the reader has the one before.
    let next = read(start)
    try {
      for (let at = start; next !== undefined; ) {
        const piece = await next
        at += piece.length
        next = read(at)
        yield piece
      }
    } finally {
      // A reader that leaves early leaves no read behind that would fail unseen, or meet a closed file.
      await next?.catch(() => {})
    }
  }

  async chunkTags({ ordinal }: Segment, start: number, end: number): Promise<Buffer> {
    const segment = this.#segment(ordinal)
    checkRange(start, end, segment.chunkTagsSize)
    if (segment.body === undefined) return segment.chunkTags.subarray(start, end)
    return readFully(await this.#fileOf(segment.body), end - start, segment.size + start)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    // Of a file that was only read nothing is lost when closing it fails.
    await this.#open?.file.close().catch(() => {})
    this.#release()
  }

  #segment(ordinal: number): StoredSegment {
    const [first] = this.segments
    const segment = this.segments[ordinal - (first?.ordinal ?? 0)]
    if (segment === undefined) throw internalError('a segment is not of this object')
    return segment
  }

  async #fileOf(body: string): Promise<OpenFile> {
    if (this.#closed) throw internalError('the object is closed')
    if (this.#open?.body === body) return this.#open.file
    const former = this.#open?.file
    this.#open = undefined
    try {
      await former?.close()
      const file = await this.#disk.open(join(this.#bodies, body), 'read')
      this.#open = { body, file }
      return file
    } catch (error) {
      throw unread(error)
    }
  }
}

function checkRange(start: number, end: number, size: number): void {
  if (start >= 0 && start <= end && end <= size) return
  throw internalError(`bytes ${start} to ${end} of ${size}`)
}

function unread(error: unknown): Error {
  return internalError(`a body cannot be read: ${String(error)}`, error)
}

async function readFully(file: OpenFile, length: number, position: number): Promise<Buffer> {
  const into = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const count = await file.read(into, done, length - done, position + done).catch((error) => {
      throw unread(error)
    })
    if (count === 0) throw internalError('the file of a body is shorter than its row says')
    done += count
  }
  return into
}
