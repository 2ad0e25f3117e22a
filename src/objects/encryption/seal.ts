import type { Random } from '../../base/random.ts'
import { ChunkSealer } from './chunks.ts'
import { ObjectDamage } from './damage.ts'
import { encodeHeader, type Header, idBytes, parseSidecar } from './header.ts'
import { equal, type Identity, Labels, segmentIdBytes } from './labels.ts'
import { type DataKeys, ObjectKeys } from './object-keys.ts'

/** What the encryption of an object begins with. `wrapped`: for each data key, what brings it back; opaque. */
export type SealOptions = {
  readonly dataKeys: DataKeys
  readonly wrapped: readonly Buffer[]
  readonly random: Random
}

export type SealedSegment = { readonly segmentSidecar: Buffer; readonly chunkTags: Buffer }

/** Encrypts one run of bytes, which keep their length. `wipe` in any case. */
export class SegmentSealer {
  readonly id: Buffer
  readonly #chunks: ChunkSealer

  constructor(keys: ObjectKeys, random: Random) {
    this.id = random.bytes(segmentIdBytes)
    this.#chunks = new ChunkSealer(keys.segmentKeys(this.id))
  }

  async *encrypt(data: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of data) yield* this.#chunks.add(piece)
  }

  /** The tags of its chunks. Throws RangeError when it was not as many bytes. */
  finish(size: number): Buffer {
    if (size !== this.#chunks.size) throw new RangeError('not the bytes that were encrypted')
    return this.#chunks.finish()
  }

  wipe(): void {
    this.#chunks.wipe()
  }
}

/** An object that is put at once: one segment. The data keys may be wiped as soon as this is made. */
export class ObjectSealer {
  readonly #keys: ObjectKeys
  readonly #segment: SegmentSealer
  readonly #header: Pick<Header, 'objectId' | 'wrapped'>

  constructor({ dataKeys, wrapped, random }: SealOptions) {
    requireWrapped(dataKeys, wrapped)
    const objectId = random.bytes(idBytes)
    this.#header = { objectId, wrapped }
    this.#keys = new ObjectKeys(dataKeys, objectId)
    this.#segment = new SegmentSealer(this.#keys, random)
  }

  encrypt(data: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    return this.#segment.encrypt(data)
  }

  /** Once all was encrypted. */
  finish(identity: Identity, size: number): SealedSegment & { readonly sidecar: Buffer } {
    const header = { ...this.#header, segmentCount: 1, size }
    const placement = { ordinal: 0, start: 0, size }
    return {
      chunkTags: this.#segment.finish(size),
      segmentSidecar: this.#keys.segmentLabel(this.#segment.id, placement, header),
      sidecar: sealHeader(this.#keys, header, identity),
    }
  }

  /** In any case, when it is done or has failed. */
  wipe(): void {
    this.#segment.wipe()
    this.#keys.wipe()
  }
}

function sealHeader(keys: Labels, header: Header, identity: Identity): Buffer {
  const encoded = encodeHeader(header)
  return Buffer.concat([encoded, keys.objectMac(encoded, identity)])
}

function requireWrapped(dataKeys: DataKeys, wrapped: readonly Buffer[]): void {
  if (dataKeys.length !== wrapped.length) throw new RangeError('a wrapped key for each data key')
}

type UploadIdentity = Omit<Identity, 'versionId'>

/** The sidecar of a new multipart upload. */
export function sealUpload(
  { dataKeys, wrapped, random }: SealOptions,
  identity: UploadIdentity,
): Buffer {
  requireWrapped(dataKeys, wrapped)
  const objectId = random.bytes(idBytes)
  const keys = new ObjectKeys(dataKeys, objectId)
  const encoded = encodeHeader({ objectId, wrapped, segmentCount: 0, size: 0 })
  const sidecar = Buffer.concat([encoded, keys.uploadMac(encoded, identity)])
  keys.wipe()
  return sidecar
}

type SealedPart = {
  readonly number: number
  readonly size: number
  readonly segmentSidecar: Buffer
}

/** A multipart upload, with its data keys. `wipe` in any case. */
export class UploadSealer {
  readonly #keys: ObjectKeys
  readonly #header: Header

  /** Throws ObjectDamage 'format' or 'header'. */
  constructor(sidecar: Buffer, dataKeys: DataKeys, identity: UploadIdentity) {
    const { encoded, mac, ...header } = parseSidecar(sidecar)
    requireLayers(header, dataKeys)
    this.#header = header
    this.#keys = new ObjectKeys(dataKeys, header.objectId)
    if (equal(mac, this.#keys.uploadMac(encoded, identity))) return
    this.#keys.wipe()
    throw new ObjectDamage('header', 'these keys are not those of this upload')
  }

  /** A part has a segment of its own, also when one of the same number is there already. */
  newSegment(random: Random): SegmentSealer {
    return new SegmentSealer(this.#keys, random)
  }

  /** Once all of the part was encrypted. */
  finishPart(segment: SegmentSealer, number: number, size: number): SealedSegment {
    const chunkTags = segment.finish(size)
    return { chunkTags, segmentSidecar: this.#keys.partLabel(segment.id, number, size) }
  }

  /** As `completeUpload`. */
  complete(parts: readonly SealedPart[], identity: Identity): CompletedUpload {
    return completed(this.#keys, this.#header, parts, identity)
  }

  /** For `completeUpload`; a copy, to be wiped. */
  labelsKey(): Buffer {
    return this.#keys.key()
  }

  wipe(): void {
    this.#keys.wipe()
  }
}

export type CompletedUpload = {
  readonly sidecar: Buffer
  readonly segmentSidecars: readonly Buffer[]
}

/**
 * The parts in order become the segments of an object, without its data keys: by the upload's labels key, which stays
 * the caller's. Throws ObjectDamage 'format' or 'header' for what is no such upload, 'segment' for what is no such
 * part.
 */
export function completeUpload(
  sidecar: Buffer,
  labelsKey: Buffer,
  parts: readonly SealedPart[],
  identity: Identity,
): CompletedUpload {
  const { encoded, mac, ...header } = parseSidecar(sidecar)
  const labels = new Labels(Buffer.from(labelsKey))
  try {
    if (!equal(mac, labels.uploadMac(encoded, identity))) {
      throw new ObjectDamage('header', 'this key is not that of this upload')
    }
    return completed(labels, header, parts, identity)
  } finally {
    labels.wipe()
  }
}

function completed(
  labels: Labels,
  { objectId, wrapped }: Pick<Header, 'objectId' | 'wrapped'>,
  parts: readonly SealedPart[],
  identity: Identity,
): CompletedUpload {
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const header = { objectId, wrapped, segmentCount: parts.length, size }
  let start = 0
  const segmentSidecars = parts.map((part, ordinal) => {
    const id = labels.requirePart(part.segmentSidecar, part.number, part.size)
    const label = labels.segmentLabel(id, { ordinal, start, size: part.size }, header)
    start += part.size
    return label
  })
  return { sidecar: sealHeader(labels, header, identity), segmentSidecars }
}

/** Throws ObjectDamage 'header'. */
export function requireLayers(header: Header, dataKeys: DataKeys): void {
  if (header.wrapped.length === dataKeys.length) return
  throw new ObjectDamage('header', `${header.wrapped.length} layers of encryption`)
}
