import { internalError } from '../../base/errors.ts'
import type { OpenObject, Segment, Version } from '../port.ts'
import type { Bodies, OpenBody } from './bodies.ts'
import type { Opened, StoredSegment } from './messages.ts'

/** An object's bytes. Bodies are opened as they are needed, and one is open at a time. */
export class BodyReader implements OpenObject {
  readonly version: Version
  readonly segmentCount: number
  readonly segments: readonly StoredSegment[]
  readonly #bodies: Bodies
  readonly #release: () => void
  #open: { readonly name: string; readonly body: OpenBody } | undefined
  #closed = false

  /** `release` is called once nothing of the object is needed any more. */
  constructor(opened: Opened, bodies: Bodies, release: () => void) {
    this.version = opened.version
    this.segmentCount = opened.segmentCount
    this.segments = opened.segments
    this.#bodies = bodies
    this.#release = release
  }

  async *data({ ordinal }: Segment, start: number, end: number): AsyncIterable<Buffer> {
    const segment = this.#segment(ordinal)
    checkRange(start, end, segment.size)
    if (end === start) return
    if (segment.body === undefined) yield segment.data.subarray(start, end)
    else yield* (await this.#bodyOf(segment.body)).read(start, end)
  }

  async chunkTags({ ordinal }: Segment, start: number, end: number): Promise<Buffer> {
    const segment = this.#segment(ordinal)
    checkRange(start, end, segment.chunkTagsSize)
    if (segment.body === undefined) return segment.chunkTags.subarray(start, end)
    const body = await this.#bodyOf(segment.body)
    const pieces: Buffer[] = []
    for await (const piece of body.read(segment.size + start, segment.size + end)) {
      pieces.push(piece)
    }
    const [only] = pieces
    return only !== undefined && pieces.length === 1 ? only : Buffer.concat(pieces)
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#open?.body.close()
    this.#release()
  }

  #segment(ordinal: number): StoredSegment {
    const [first] = this.segments
    const segment = this.segments[ordinal - (first?.ordinal ?? 0)]
    if (segment === undefined) throw internalError('a segment is not of this object')
    return segment
  }

  async #bodyOf(name: string): Promise<OpenBody> {
    if (this.#closed) throw internalError('the object is closed')
    if (this.#open?.name === name) return this.#open.body
    const former = this.#open?.body
    this.#open = undefined
    await former?.close()
    const body = await this.#bodies.open(name)
    this.#open = { name, body }
    return body
  }
}

function checkRange(start: number, end: number, size: number): void {
  if (start >= 0 && start <= end && end <= size) return
  throw internalError(`bytes ${start} to ${end} of ${size}`)
}
