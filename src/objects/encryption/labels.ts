import { timingSafeEqual } from 'node:crypto'
import { ObjectDamage } from './damage.ts'
import { hmac } from './hmac.ts'

/** Which object it is. A version's bytes are of no other version, and of no other key. */
export type Identity = { readonly bucket: string; readonly key: string; readonly versionId: string }

export const segmentIdBytes = 16

/** What MACs are about; no two say the same of the same bytes. */
const about = { part: 1, segment: 2, object: 3, upload: 4 } as const

/** Where a segment is in its object. */
export type Placement = {
  readonly ordinal: number
  readonly start: number
  readonly size: number
}

/**
 * What says that a segment is where it is, and a sidecar whose it is: MACs under the labels key of one object, which
 * opens no byte of it.
 */
export class Labels {
  readonly #key: Buffer

  /** The key is wiped with this. */
  constructor(key: Buffer) {
    this.#key = key
  }

  /** A copy, to be wiped. */
  key(): Buffer {
    return Buffer.from(this.#key)
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
    this.#key.fill(0)
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
    return hmac(this.#key, message)
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
