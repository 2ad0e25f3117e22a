import {
  type Condition,
  type Entry,
  type NewSegment,
  ObjectRefusal,
  type Part,
  type Upload,
  type Version,
} from '../port.ts'

export type Bytes = { readonly data: Buffer; readonly chunkTags: Buffer; readonly sidecar: Buffer }
export type KeptVersion = {
  readonly key: string
  readonly sequence: number
  readonly segments: readonly Bytes[]
  version: Omit<Version, 'latest'>
}
export type KeptUpload = { readonly upload: Upload; readonly parts: Map<number, Part & Bytes> }
export type Bucket = { versions: KeptVersion[]; uploads: KeptUpload[] }

export const none = Buffer.alloc(0)

/** What a folder is to the embedded store: shared by those that are given it. */
export class SharedObjects {
  readonly buckets = new Map<string, Bucket>()
  sequence = 0
}

export function requireCondition(
  found: KeptVersion | undefined,
  condition: Condition | undefined,
): void {
  if (condition === undefined) return
  const etag = found?.version.deleteMarker === false ? found.version.etag : undefined
  if ('ifNoneMatch' in condition) {
    if (etag !== undefined) throw new ObjectRefusal('precondition-failed')
    return
  }
  if (etag === undefined) throw new ObjectRefusal('no-such-key')
  if (condition.ifMatch !== '*' && condition.ifMatch !== etag) {
    throw new ObjectRefusal('precondition-failed')
  }
}

export function kept(
  data: Buffer,
  { segmentSidecar, chunkTags }: NewSegment = { segmentSidecar: none, chunkTags: none },
): Bytes {
  return { data, chunkTags: Buffer.from(chunkTags), sidecar: Buffer.from(segmentSidecar) }
}

export async function gather(data: AsyncIterable<Buffer>): Promise<Buffer> {
  const pieces: Buffer[] = []
  for await (const piece of data) pieces.push(Buffer.from(piece))
  return Buffer.concat(pieces)
}

export function entryOf({
  key,
  etag,
  attributes,
  size,
  modified,
}: Version & { key: string }): Entry {
  return { key, etag, attributes, size, modified }
}
