import type { ObjectStore, OpenObject, Put, PutPart, Version, Versioning } from '../port.ts'

const none = Buffer.alloc(0)

/** Bytes that differ from place to place, and from seed to seed. */
export const pattern = (size: number, seed = 1): Buffer =>
  Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8) * 7 + seed) & 0xff))

/** Bytes in pieces of that many. */
export async function* inPieces(bytes: Buffer, pieceBytes = 100_000): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += pieceBytes) yield bytes.subarray(at, at + pieceBytes)
}

export async function* failing(bytes: Buffer, error: Error): AsyncIterable<Buffer> {
  yield* inPieces(bytes)
  throw error
}

/** A put of plain bytes, with something beside them that tells it from others. */
export function plain(bytes: Buffer | string, rest: Partial<Put> & { name?: string } = {}): Put {
  const { name = 'one', ...put } = rest
  const data = Buffer.from(bytes)
  return {
    versioning: 'unversioned',
    data: inPieces(data),
    finish: () => ({ ...beside(name), ...segment(name, data.length) }),
    ...put,
  }
}

export function beside(name: string) {
  return {
    etag: `etag-${name}`,
    attributes: `{"name":"${name}"}`,
    tagging: '',
    sidecar: Buffer.from(`sidecar-${name}`),
  }
}

export function segment(name: string, size = 0) {
  // Tags of many chunks are kept with the bytes, those of few beside them.
  const chunkTags = size === 0 ? none : Buffer.alloc(16 * Math.ceil(size / 65_536), name)
  return { segmentSidecar: Buffer.from(`segment-${name}`), chunkTags }
}

export function plainPart(bytes: Buffer | string, name = 'part'): PutPart {
  const data = Buffer.from(bytes)
  return {
    data: inPieces(data),
    finish: () => ({ etag: `etag-${name}`, attributes: '{}', ...segment(name, data.length) }),
  }
}

export async function gather(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = []
  for await (const piece of pieces) all.push(piece)
  return Buffer.concat(all)
}

/** All bytes of an open object, or those of one segment's range. */
export async function bytesOf(object: OpenObject): Promise<Buffer> {
  const all: Buffer[] = []
  for (const each of object.segments) all.push(await gather(object.data(each, 0, each.size)))
  return Buffer.concat(all)
}

export async function read(
  store: ObjectStore,
  bucket: string,
  key: string,
  versionId?: string,
): Promise<{ version: Version; bytes: Buffer; chunkTags: Buffer[]; sidecars: string[] }> {
  const object = await store.open(bucket, key, { versionId })
  try {
    const bytes = await bytesOf(object)
    const chunkTags: Buffer[] = []
    for (const each of object.segments) {
      chunkTags.push(await object.chunkTags(each, 0, each.chunkTagsSize))
    }
    const sidecars = object.segments.map(({ sidecar }) => sidecar.toString())
    return { version: object.version, bytes, chunkTags, sidecars }
  } finally {
    await object.close()
  }
}

export async function newUpload(store: ObjectStore, bucket: string, key: string) {
  const { etag, ...upload } = beside('upload')
  return { bucket, key, uploadId: await store.createUpload(bucket, key, upload) }
}

/** What completes an upload of the parts that have these numbers and names. */
export function completing(
  parts: readonly (readonly [number, string])[],
  versioning: Versioning = 'unversioned',
) {
  return {
    versioning,
    parts: parts.map(([number, name]) => ({ number, etag: `etag-${name}` })),
    finish: (chosen: readonly { number: number }[]) => ({
      ...beside('completed'),
      segmentSidecars: chosen.map(({ number }) => Buffer.from(`of part ${number}`)),
    }),
  }
}
