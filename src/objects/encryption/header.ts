import { ObjectDamage } from './damage.ts'

/** `docs/formats/object.md` */
const version = 1
const chunkBits = 16
export const chunkBytes = 1 << chunkBits
export const idBytes = 32
export const macBytes = 32
const fixedBytes = 3 + idBytes + 4 + 8
/** A wrapped data key with its ARN and context: AWS's limit of a context is 8 KiB. */
const wrappedBytesMax = 32 * 1024

/** What an object's sidecar says; nothing of it is proven before `openObject` has the keys. */
export type Header = {
  readonly objectId: Buffer
  readonly segmentCount: number
  readonly size: number
  /** One for each layer, the inner first. Opaque. */
  readonly wrapped: readonly Buffer[]
}

/** Without the MAC, which goes behind it. */
export function encodeHeader({ objectId, segmentCount, size, wrapped }: Header): Buffer {
  const fixed = Buffer.alloc(fixedBytes)
  fixed[0] = version
  fixed[1] = wrapped.length
  fixed[2] = chunkBits
  objectId.copy(fixed, 3)
  fixed.writeUInt32BE(segmentCount, 3 + idBytes)
  fixed.writeBigUInt64BE(BigInt(size), 7 + idBytes)
  return Buffer.concat([fixed, ...wrapped.flatMap(withLength)])
}

function withLength(bytes: Buffer): Buffer[] {
  if (bytes.length > wrappedBytesMax) throw new RangeError('a wrapped key is too long')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return [length, bytes]
}

/** Throws ObjectDamage 'format'. */
export function parseSidecar(
  sidecar: Buffer,
): Header & { readonly encoded: Buffer; readonly mac: Buffer } {
  const encoded = sidecar.subarray(0, Math.max(0, sidecar.length - macBytes))
  if (encoded.length < fixedBytes || encoded[0] !== version || encoded[2] !== chunkBits) {
    throw new ObjectDamage('format', 'not a header of version 1')
  }
  const layers = encoded[1] ?? 0
  const wrapped: Buffer[] = []
  let at = fixedBytes
  while (wrapped.length < layers && at + 4 <= encoded.length) {
    const end = at + 4 + encoded.readUInt32BE(at)
    if (end > encoded.length) break
    wrapped.push(encoded.subarray(at + 4, end))
    at = end
  }
  if (layers < 1 || layers > 2 || wrapped.length !== layers || at !== encoded.length) {
    throw new ObjectDamage('format', 'a header with the wrong length')
  }
  return {
    objectId: encoded.subarray(3, 3 + idBytes),
    segmentCount: encoded.readUInt32BE(3 + idBytes),
    size: Number(encoded.readBigUInt64BE(7 + idBytes)),
    wrapped,
    encoded,
    mac: sidecar.subarray(encoded.length),
  }
}
