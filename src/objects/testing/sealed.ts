import type { Random } from '../../base/random.ts'
import { systemRandom } from '../../base/random.ts'
import type { Identity } from '../encryption/labels.ts'
import type { DataKeys } from '../encryption/object-keys.ts'
import { ObjectOpener } from '../encryption/open.ts'
import { ObjectSealer, sealUpload, UploadSealer } from '../encryption/seal.ts'
import type { ObjectStore, OpenObject, Version } from '../port.ts'
import { gather, inPieces } from './pieces.ts'

export const identity: Identity = { bucket: 'b', key: 'k', versionId: 'null' }
export const keysOf = (...fills: [number] | [number, number]): DataKeys => {
  const [inner, outer] = fills.map((fill) => Buffer.alloc(32, fill))
  if (inner === undefined) throw new Error('a key at least')
  return outer === undefined ? [inner] : [inner, outer]
}
const wrappedOf = (keys: DataKeys) => keys.map((_, layer) => Buffer.from(`wrapped ${layer}`))

/** An encrypted object as a store would keep it, each part open to be tampered with. */
export type Sealed = {
  sidecar: Buffer
  size: number
  segmentCount: number
  segments: { ordinal: number; start: number; data: Buffer; chunkTags: Buffer; sidecar: Buffer }[]
}

export async function seal(
  bytes: Buffer,
  keys: DataKeys = keysOf(1),
  of: Identity = identity,
  random: Random = systemRandom,
): Promise<Sealed> {
  const sealer = new ObjectSealer({ dataKeys: keys, wrapped: wrappedOf(keys), random })
  const data = await gather(sealer.encrypt(inPieces(bytes, 50_000)))
  const { sidecar, segmentSidecar, chunkTags } = sealer.finish(of, data.length)
  sealer.wipe()
  const only = { ordinal: 0, start: 0, data, chunkTags, sidecar: segmentSidecar }
  return { sidecar, size: data.length, segmentCount: 1, segments: [only] }
}

/** An upload, its parts encrypted. */
export async function sealParts(
  parts: readonly Buffer[],
  keys: DataKeys = keysOf(1),
  of: Identity = identity,
  random: Random = systemRandom,
) {
  const upload = sealUpload({ dataKeys: keys, wrapped: wrappedOf(keys), random }, of)
  const sealer = new UploadSealer(upload, keys, of)
  const sealed: {
    number: number
    size: number
    data: Buffer
    chunkTags: Buffer
    segmentSidecar: Buffer
  }[] = []
  for (const [index, bytes] of parts.entries()) {
    const segment = sealer.newSegment(random)
    const data = await gather(segment.encrypt(inPieces(bytes, 70_000)))
    const number = index + 1
    const size = data.length
    sealed.push({ number, size, data, ...sealer.finishPart(segment, number, size) })
  }
  return { upload, sealer, parts: sealed }
}

export async function sealMultipart(
  parts: readonly Buffer[],
  keys: DataKeys = keysOf(1),
  of: Identity = identity,
  random: Random = systemRandom,
): Promise<Sealed> {
  const { sealer, parts: sealed } = await sealParts(parts, keys, of, random)
  const { sidecar, segmentSidecars } = sealer.complete(sealed, of)
  let start = 0
  const segments = sealed.map(({ data, chunkTags }, ordinal) => {
    const segment = { ordinal, start, data, chunkTags, sidecar: segmentSidecars[ordinal] ?? data }
    start += data.length
    return segment
  })
  return { sidecar, size: start, segmentCount: segments.length, segments }
}

/** What a store that keeps exactly this would open. */
export function opened({ sidecar, size, segmentCount, segments }: Sealed): OpenObject {
  const version = { sidecar, size } as Version
  return {
    version,
    segmentCount,
    segments: segments.map((each) => ({
      ...{ ordinal: each.ordinal, start: each.start, size: each.data.length },
      ...{ sidecar: each.sidecar, chunkTagsSize: each.chunkTags.length },
    })),
    data: ({ ordinal }, start, end) =>
      inPieces((segments[ordinal]?.data ?? sidecar).subarray(start, end), 100_001),
    chunkTags: async ({ ordinal }, start, end) =>
      (segments[ordinal]?.chunkTags ?? sidecar).subarray(start, end),
    close: async () => undefined,
  }
}

export async function unseal(
  sealed: Sealed,
  keys: DataKeys = keysOf(1),
  of: Identity = identity,
  range: readonly number[] = [],
): Promise<Buffer> {
  const opener = new ObjectOpener(sealed.sidecar, keys, of)
  try {
    return await gather(opener.decrypt(opened(sealed), ...(range as [])))
  } finally {
    opener.wipe()
  }
}

/** A copy of everything, so that a tampering stays alone. */
export function copyOf(sealed: Sealed): Sealed {
  return {
    ...sealed,
    sidecar: Buffer.from(sealed.sidecar),
    segments: sealed.segments.map((each) => ({
      ...each,
      data: Buffer.from(each.data),
      chunkTags: Buffer.from(each.chunkTags),
      sidecar: Buffer.from(each.sidecar),
    })),
  }
}

/** Puts an encrypted object into a store. */
export async function putSealed(
  store: ObjectStore,
  of: Identity,
  bytes: AsyncIterable<Buffer>,
  keys: DataKeys,
): Promise<Version> {
  const sealer = new ObjectSealer({
    dataKeys: keys,
    wrapped: wrappedOf(keys),
    random: systemRandom,
  })
  try {
    return await store.put(of.bucket, of.key, {
      versioning: 'unversioned',
      data: sealer.encrypt(bytes),
      finish: ({ size, versionId }) => ({
        ...{ etag: 'sealed', attributes: '', tagging: '' },
        ...sealer.finish({ ...of, versionId }, size),
      }),
    })
  } finally {
    sealer.wipe()
  }
}
