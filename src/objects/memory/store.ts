import type { Clock } from '../../base/clock.ts'
import { internalError } from '../../base/errors.ts'
import type { Random } from '../../base/random.ts'
import { keyBytes } from '../keys.ts'
import { chooseParts, requirePartNumber } from '../parts.ts'
import {
  type Beside,
  type Complete,
  type Condition,
  type Deleted,
  type DeleteOptions,
  type Listing,
  type ListQuery,
  type NewUpload,
  nullVersion,
  ObjectRefusal,
  type ObjectStore,
  type OpenObject,
  type Part,
  type PartListing,
  type Put,
  type PutPart,
  type Upload,
  type UploadListing,
  type UploadName,
  type UploadsQuery,
  type Version,
  type Versioning,
  type VersionListing,
  type VersionName,
  type VersionsQuery,
  type Which,
} from '../port.ts'
import { overlapping } from '../ranges.ts'
import {
  type Bucket,
  type Bytes,
  entryOf,
  gather,
  type KeptUpload,
  type KeptVersion,
  kept,
  none,
  requireCondition,
  SharedObjects,
} from './kept.ts'
import { compareKeys, listAll } from './listing.ts'

/** The store of tests, and the model that others are compared with: simple, slow, and gone with the process. */
export class MemoryObjectStore implements ObjectStore {
  readonly healthy = true
  readonly #shared: SharedObjects
  readonly #clock: Clock
  readonly #random: Random
  #closed = false

  constructor(clock: Clock, random: Random, shared: SharedObjects = new SharedObjects()) {
    this.#clock = clock
    this.#random = random
    this.#shared = shared
  }

  async createBucket(bucket: string): Promise<void> {
    this.#checkOpen()
    if (this.#shared.buckets.has(bucket)) throw new ObjectRefusal('bucket-exists')
    this.#shared.buckets.set(bucket, { versions: [], uploads: [] })
  }

  async deleteBucket(bucket: string): Promise<void> {
    if (this.#bucket(bucket).versions.length > 0) throw new ObjectRefusal('bucket-not-empty')
    this.#shared.buckets.delete(bucket)
  }

  async put(bucket: string, key: string, put: Put): Promise<Version> {
    keyBytes(key)
    const data = await gather(put.data)
    const versionId = this.#versionId(put.versioning)
    const { segmentSidecar, chunkTags, ...beside } = put.finish({ size: data.length, versionId })
    const segments = [kept(data, { segmentSidecar, chunkTags })]
    return this.#add(bucket, key, put, beside, segments, versionId)
  }

  async head(bucket: string, key: string, versionId?: string): Promise<Version> {
    return this.#shown(bucket, this.#find({ bucket, key, versionId }))
  }

  async open(bucket: string, key: string, { versionId, range }: Which = {}): Promise<OpenObject> {
    const found = this.#find({ bucket, key, versionId })
    const version = this.#shown(bucket, found)
    let start = 0
    const all = found.segments.map(({ data, chunkTags, sidecar }, ordinal) => {
      const size = data.length
      start += size
      return { ordinal, start: start - size, size, sidecar, chunkTagsSize: chunkTags.length }
    })
    const bytesOf = (ordinal: number) => found.segments[ordinal] ?? kept(none)
    return {
      version,
      segmentCount: all.length,
      segments: overlapping(all, range, version.size),
      async *data({ ordinal }, from, end) {
        if (end > bytesOf(ordinal).data.length) throw internalError('no such bytes')
        if (end > from) yield Buffer.from(bytesOf(ordinal).data.subarray(from, end))
      },
      chunkTags: async ({ ordinal }, from, end) => bytesOf(ordinal).chunkTags.subarray(from, end),
      close: async () => undefined,
    }
  }

  async delete(bucket: string, key: string, options: DeleteOptions): Promise<Deleted> {
    const { versioning, versionId, ifMatch } = options
    keyBytes(key)
    const found = this.#versionsOf(bucket, key)
    const named = found.find(({ version }) => version.versionId === versionId)
    const condition = ifMatch === undefined ? undefined : { ifMatch }
    requireCondition(versionId === undefined ? found[0] : named, condition)
    if (versionId !== undefined) {
      if (named === undefined) return { deleteMarker: false }
      this.#remove(bucket, named)
      return { deleteMarker: named.version.deleteMarker, versionId }
    }
    const former = found.find(({ version }) => version.versionId === nullVersion)
    if (versioning !== 'enabled' && former !== undefined) this.#remove(bucket, former)
    if (versioning === 'unversioned') {
      return { deleteMarker: false, ...(former && { versionId: nullVersion }) }
    }
    const markerId = this.#versionId(versioning)
    const beside = { etag: '', attributes: '', tagging: '', sidecar: none }
    this.#insert(bucket, key, [], { ...beside, versionId: markerId, deleteMarker: true })
    return { deleteMarker: true, versionId: markerId }
  }

  async setTagging(
    bucket: string,
    key: string,
    versionId: string | undefined,
    tagging: string,
  ): Promise<Version> {
    const found = this.#find({ bucket, key, versionId })
    if (!found.version.deleteMarker) found.version = { ...found.version, tagging }
    return this.#shown(bucket, found)
  }

  async list(bucket: string, query: ListQuery): Promise<Listing> {
    const rows = this.#rows(bucket).filter(({ latest, deleteMarker }) => latest && !deleteMarker)
    const page = listAll(rows, query)
    const entries = page.rows.map(entryOf)
    return { entries, prefixes: page.prefixes, ...(page.last && { next: page.last.key }) }
  }

  async listVersions(bucket: string, query: VersionsQuery): Promise<VersionListing> {
    const page = listAll(this.#rows(bucket), query, query.afterVersion)
    const versions = page.rows.map((row) => {
      const { versionId, latest, deleteMarker } = row
      return { ...entryOf(row), versionId, latest, deleteMarker }
    })
    const { key = '', mark: version } = page.last ?? {}
    const next = page.last && { key, ...(version !== undefined && { version }) }
    return { versions, prefixes: page.prefixes, ...(next && { next }) }
  }

  async createUpload(bucket: string, key: string, upload: NewUpload): Promise<string> {
    keyBytes(key)
    const { uploads } = this.#bucket(bucket)
    this.#shared.sequence += 1
    const uploadId = String(this.#shared.sequence).padStart(20, '0')
    const initiated = this.#clock.now()
    uploads.push({ upload: { ...upload, key, uploadId, initiated }, parts: new Map() })
    return uploadId
  }

  async upload(name: UploadName): Promise<Upload> {
    return this.#upload(name).upload
  }

  async putPart(name: UploadName, number: number, put: PutPart): Promise<Part> {
    requirePartNumber(number)
    const data = await gather(put.data)
    const { etag, attributes, ...segment } = put.finish({ size: data.length })
    const modified = this.#clock.now()
    const { segmentSidecar } = segment
    const part = { number, size: data.length, modified, etag, attributes, segmentSidecar }
    this.#upload(name).parts.set(number, { ...part, ...kept(data, segment) })
    return part
  }

  async listParts(name: UploadName, query: { after: number; max: number }): Promise<PartListing> {
    const all = this.#parts(name).filter(({ number }) => number > query.after)
    const parts = all.slice(0, query.max)
    return { parts, truncated: query.max > 0 && all.length > query.max }
  }

  async complete(name: UploadName, complete: Complete): Promise<Version> {
    const { upload, parts: byNumber } = this.#upload(name)
    const parts = chooseParts(this.#parts(name), complete.parts)
    const versionId = this.#versionId(complete.versioning)
    const size = parts.reduce((sum, part) => sum + part.size, 0)
    const { segmentSidecars, ...beside } = complete.finish(parts, upload, { size, versionId })
    const segments = parts.map(({ number }, index) => {
      const { data, chunkTags } = byNumber.get(number) ?? kept(none)
      return { data, chunkTags, sidecar: segmentSidecars[index] ?? none }
    })
    const version = this.#add(name.bucket, name.key, complete, beside, segments, versionId)
    await this.abort(name)
    return version
  }

  async abort(name: UploadName): Promise<void> {
    const bucket = this.#bucket(name.bucket)
    const found = this.#upload(name)
    bucket.uploads = bucket.uploads.filter((each) => each !== found)
  }

  async listUploads(bucket: string, query: UploadsQuery): Promise<UploadListing> {
    const all = this.#bucket(bucket).uploads.map(({ upload }) => upload)
    all.sort((a, b) => compareKeys(a.key, b.key) || (a.uploadId < b.uploadId ? -1 : 1))
    const rows = all.map((upload) => ({ ...upload, mark: upload.uploadId }))
    const page = listAll(rows, query, query.afterUpload)
    const uploads = page.rows.map(({ mark, ...upload }) => upload)
    const { key = '', mark: upload } = page.last ?? {}
    const next = page.last && { key, ...(upload !== undefined && { upload }) }
    return { uploads, prefixes: page.prefixes, ...(next && { next }) }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #checkOpen(): void {
    if (this.#closed) throw internalError('the objects are closed')
  }

  #bucket(name: string): Bucket {
    this.#checkOpen()
    const bucket = this.#shared.buckets.get(name)
    if (bucket === undefined) throw new ObjectRefusal('no-such-bucket')
    return bucket
  }

  /** The newest first. */
  #versionsOf(bucket: string, key: string): KeptVersion[] {
    const all = this.#bucket(bucket).versions.filter((each) => each.key === key)
    return all.sort((a, b) => b.sequence - a.sequence)
  }

  #find({ bucket, key, versionId }: VersionName): KeptVersion {
    keyBytes(key)
    const all = this.#versionsOf(bucket, key)
    const found =
      versionId === undefined ? all[0] : all.find((each) => each.version.versionId === versionId)
    if (found !== undefined) return found
    throw new ObjectRefusal(versionId === undefined ? 'no-such-key' : 'no-such-version')
  }

  #shown(bucket: string, kept: KeptVersion): Version {
    return { ...kept.version, latest: this.#versionsOf(bucket, kept.key)[0] === kept }
  }

  #rows(bucket: string) {
    const all = [...this.#bucket(bucket).versions]
    all.sort((a, b) => compareKeys(a.key, b.key) || b.sequence - a.sequence)
    return all.map((each) => {
      const shown = this.#shown(bucket, each)
      return { ...shown, key: each.key, mark: shown.versionId }
    })
  }

  #upload({ bucket, key, uploadId }: UploadName): KeptUpload {
    const found = this.#bucket(bucket).uploads.find(
      ({ upload }) => upload.key === key && upload.uploadId === uploadId,
    )
    if (found === undefined) throw new ObjectRefusal('no-such-upload')
    return found
  }

  #parts(name: UploadName): Part[] {
    const parts = [...this.#upload(name).parts.values()]
    parts.sort((a, b) => a.number - b.number)
    return parts.map(({ data, chunkTags, sidecar, ...part }) => part)
  }

  #versionId(versioning: Versioning): string {
    return versioning === 'enabled' ? this.#random.bytes(24).toString('base64url') : nullVersion
  }

  #remove(bucket: string, gone: KeptVersion): void {
    const kept = this.#bucket(bucket)
    kept.versions = kept.versions.filter((each) => each !== gone)
  }

  #insert(
    bucket: string,
    key: string,
    segments: readonly Bytes[],
    version: Beside & Pick<Version, 'versionId' | 'deleteMarker'>,
  ): KeptVersion {
    const size = segments.reduce((sum, { data }) => sum + data.length, 0)
    this.#shared.sequence += 1
    const { sequence } = this.#shared
    const modified = this.#clock.now()
    const added = { key, sequence, segments, version: { ...version, size, modified } }
    this.#bucket(bucket).versions.push(added)
    return added
  }

  #add(
    bucket: string,
    key: string,
    { versioning, condition }: { versioning: Versioning; condition?: Condition | undefined },
    { etag, attributes, tagging, sidecar }: Beside,
    segments: readonly Bytes[],
    versionId: string,
  ): Version {
    const found = this.#versionsOf(bucket, key)
    requireCondition(found[0], condition)
    const former = found.find(({ version }) => version.versionId === nullVersion)
    if (versioning !== 'enabled' && former !== undefined) this.#remove(bucket, former)
    const beside = { etag, attributes, tagging, sidecar }
    const added = this.#insert(bucket, key, segments, { ...beside, versionId, deleteMarker: false })
    return this.#shown(bucket, added)
  }
}
