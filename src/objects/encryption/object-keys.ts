import { timingSafeEqual } from 'node:crypto'
import { ObjectDamage } from './damage.ts'
import { hkdf, hmac } from './hmac.ts'

/** 32 bytes for each layer, the inner first. They stay the caller's, to be wiped. */
export type DataKeys = readonly [Buffer] | readonly [Buffer, Buffer]

/** Which object it is. A version's bytes are of no other version, and of no other key. */
export type Identity = { readonly bucket: string; readonly key: string; readonly versionId: string }

export const segmentIdBytes = 16
const keyBytes = 32
const empty = Buffer.alloc(0)
const chunksInfo = (layer: number) => `kagiban/object/v1/chunks/${layer}`
const labelsInfo = 'kagiban/object/v1/labels'

/** What MACs are about; no two say the same of the same bytes. */
const about = { part: 1, segment: 2, object: 3, upload: 4 } as const

/** Where a segment is in its object. */
export type Placement = {
  readonly ordinal: number
  readonly start: number
  readonly size: number
}

/**
 * The keys of one object, out of its data keys and its random id: one for the chunks of each layer, from which each
 * segment has its own, and one for the MACs, which it takes all data keys to know.
 */
export class ObjectKeys {
  readonly #chunkRoots: readonly Buffer[]
  readonly #macKey: Buffer

  constructor(dataKeys: DataKeys, objectId: Buffer) {
    for (const key of dataKeys) {
      if (key.length !== keyBytes) throw new RangeError('a data key has 32 bytes')
    }
    const [inner, outer] = dataKeys
    const [innerRoot = empty, single = empty] = hkdf(inner, objectId, chunksInfo(0), labelsInfo)
    if (outer === undefined) {
      this.#chunkRoots = [innerRoot]
      this.#macKey = single
      return
    }
    single.fill(0)
    const [outerRoot = empty] = hkdf(outer, objectId, chunksInfo(1))
    const both = Buffer.concat(dataKeys)
    const [macKey = empty] = hkdf(both, objectId, labelsInfo)
    both.fill(0)
    this.#chunkRoots = [innerRoot, outerRoot]
    this.#macKey = macKey
  }

  get layers(): number {
    return this.#chunkRoots.length
  }

  /** AES-256 keys, one for each layer; to be wiped. */
  segmentKeys(segmentId: Buffer): Buffer[] {
    return this.#chunkRoots.map((root) => hmac(root, segmentId))
  }

  partLabel(segmentId: Buffer, number: number, size: number): Buffer {
    return this.#label(segmentId, [about.part, number, size])
  }

  requirePart(label: Buffer, number: number, size: number): Buffer {
    const segmentId = label.subarray(0, segmentIdBytes)
    this.#requireLabel(label, this.partLabel(segmentId, number, size))
    return segmentId
  }

  segmentLabel(
    segmentId: Buffer,
    { ordinal, start, size }: Placement,
    object: { readonly segmentCount: number; readonly size: number },
  ): Buffer {
    const fields = [about.segment, ordinal, start, size, object.segmentCount, object.size]
    return this.#label(segmentId, fields)
  }

  /** Answers the segment's id. Throws ObjectDamage 'segment'. */
  requireSegment(
    label: Buffer,
    placement: Placement,
    object: { readonly segmentCount: number; readonly size: number },
  ): Buffer {
    const segmentId = label.subarray(0, segmentIdBytes)
    this.#requireLabel(label, this.segmentLabel(segmentId, placement, object))
    return segmentId
  }

  objectMac(encoded: Buffer, { bucket, key, versionId }: Identity): Buffer {
    return this.#identityMac(about.object, [bucket, key, versionId], encoded)
  }

  uploadMac(encoded: Buffer, { bucket, key }: Omit<Identity, 'versionId'>): Buffer {
    return this.#identityMac(about.upload, [bucket, key], encoded)
  }

  wipe(): void {
    for (const root of this.#chunkRoots) root.fill(0)
    this.#macKey.fill(0)
  }

  #label(segmentId: Buffer, fields: readonly number[]): Buffer {
    const message = Buffer.concat([integers(fields), segmentId])
    return Buffer.concat([segmentId, this.#mac(message)])
  }

  #requireLabel(label: Buffer, expected: Buffer): void {
    if (!equal(label, expected)) throw new ObjectDamage('segment', 'a segment of something else')
  }

  #identityMac(what: number, texts: readonly string[], encoded: Buffer): Buffer {
    const parts = texts.map((text) => Buffer.from(text))
    const lengths = integers([what, ...parts.map(({ length }) => length)])
    return this.#mac(Buffer.concat([lengths, ...parts, encoded]))
  }

  #mac(message: Buffer): Buffer {
    return hmac(this.#macKey, message)
  }
}

/** Each as eight bytes, big-endian. */
function integers(values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(8 * values.length)
  for (const [index, value] of values.entries()) bytes.writeBigUInt64BE(BigInt(value), 8 * index)
  return bytes
}

/** In constant time, but for lengths. */
export function equal(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other)
}
