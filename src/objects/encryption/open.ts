import type { OpenObject, Segment } from '../port.ts'
import { ChunkOpener, chunkCount, tagBytes } from './chunks.ts'
import { ObjectDamage } from './damage.ts'
import { chunkBytes, type Header, parseSidecar } from './header.ts'
import { equal, type Identity } from './labels.ts'
import { type DataKeys, ObjectKeys } from './object-keys.ts'
import { requireLayers } from './seal.ts'

/** Tags are read for so many chunks at a time: those of 64 MiB. */
const chunksTogether = 1024

/** What has to be unwrapped to open an object: one for each layer. Not proven yet. Throws ObjectDamage 'format'. */
export function wrappedKeysOf(sidecar: Buffer): readonly Buffer[] {
  return parseSidecar(sidecar).wrapped
}

/** An object whose keys have been shown to be its own. `wipe` in any case, once nothing is being read any more. */
export class ObjectOpener {
  readonly size: number
  readonly #keys: ObjectKeys
  readonly #header: Header

  /** Throws ObjectDamage 'format' or 'header'. */
  constructor(sidecar: Buffer, dataKeys: DataKeys, identity: Identity) {
    const { encoded, mac, ...header } = parseSidecar(sidecar)
    requireLayers(header, dataKeys)
    this.#header = header
    this.size = header.size
    this.#keys = new ObjectKeys(dataKeys, header.objectId)
    if (equal(mac, this.#keys.objectMac(encoded, identity))) return
    this.#keys.wipe()
    throw new ObjectDamage('header', 'these keys are not those of this object')
  }

  /**
   * The plaintext of a range, the end excluded, of an object that was opened for that range or a larger one. Yields
   * nothing that was not verified; throws ObjectDamage at the first chunk or segment that is not what was put.
   */
  async *decrypt(object: OpenObject, start = 0, end = this.size): AsyncIterable<Buffer> {
    if (!(start >= 0 && start <= end && end <= this.size)) throw new RangeError('no such range')
    const placed = this.#requireSegments(object, start, end)
    for (const { segment, id } of placed) {
      const from = Math.max(0, start - segment.start)
      const to = Math.min(segment.size, end - segment.start)
      yield* this.#decryptSegment(object, segment, id, from, to)
    }
  }

  wipe(): void {
    this.#keys.wipe()
  }

  /** The segments of the range, each proven to be where it is, with none between them missing. */
  #requireSegments(object: OpenObject, start: number, end: number) {
    const { size, segmentCount } = this.#header
    if (object.version.size !== size || object.segmentCount !== segmentCount) {
      throw new ObjectDamage('segment', 'not as many bytes or segments as were put')
    }
    const wanted = object.segments.filter(
      (segment) => segment.start < end && segment.start + segment.size > start,
    )
    let covered = wanted[0]?.start ?? start
    const placed = wanted.map((segment) => {
      if (segment.start !== covered) throw missing()
      covered += segment.size
      return { segment, id: this.#keys.requireSegment(segment.sidecar, segment, this.#header) }
    })
    if ((wanted[0]?.start ?? start) > start || covered < end) throw missing()
    return placed
  }

  async *#decryptSegment(
    object: OpenObject,
    segment: Segment,
    id: Buffer,
    from: number,
    to: number,
  ): AsyncIterable<Buffer> {
    const tagsEach = this.#keys.layers * tagBytes
    if (segment.chunkTagsSize !== chunkCount(segment.size) * tagsEach) {
      throw new ObjectDamage('chunk', 'not one tag for each chunk')
    }
    const lastChunk = chunkCount(to)
    let chunk = Math.floor(from / chunkBytes)
    const opener = new ChunkOpener(this.#keys.segmentKeys(id), chunk)
    try {
      let position = chunk * chunkBytes
      while (chunk < lastChunk) {
        const first = chunk
        const behind = Math.min(lastChunk, first + chunksTogether)
        const tags = await object.chunkTags(segment, first * tagsEach, behind * tagsEach)
        const tagsOf = (each: number) =>
          tags.subarray((each - first) * tagsEach, (each - first + 1) * tagsEach)
        const dataEnd = Math.min(segment.size, behind * chunkBytes)
        for await (const piece of object.data(segment, first * chunkBytes, dataEnd)) {
          for (const plaintext of opener.add(piece, segment.size, tagsOf)) {
            const wanted = within(plaintext, position, from, to)
            position += plaintext.length
            if (wanted.length > 0) yield wanted
          }
        }
        if (position !== dataEnd) throw new ObjectDamage('chunk', 'bytes are missing')
        chunk = behind
      }
    } finally {
      opener.wipe()
    }
  }
}

function missing(): ObjectDamage {
  return new ObjectDamage('segment', 'a segment is missing')
}

/** What of a piece at `position` is in the range. */
function within(piece: Buffer, position: number, from: number, to: number): Buffer {
  return piece.subarray(Math.max(0, from - position), Math.max(0, to - position))
}
