/**
 * Where objects live. Everything a store keeps of an object beside its bytes is opaque to it: attributes, sidecars,
 * tagging. Configuration of buckets is elsewhere; whoever puts or deletes says what the bucket's versioning is.
 *
 * Contract of every adapter (`objects/conformance.ts`):
 * - What a call resolved with is durable, and every later call of every process sees it.
 * - An object, a part or a completed upload becomes visible as a whole, in one step, or not at all. A reader has all
 *   of what it opened, whatever happens to the object meanwhile.
 * - Bytes are kept as they came, with the same length; chunk tags and sidecars are kept beside them.
 * - Keys are ordered by their UTF-8 bytes. They have 1 to 1024 bytes and no surrogates without a partner.
 * - What a caller did wrong is an `ObjectRefusal`; everything else is a ServiceError 'internal', upon which nothing has
 *   become visible, unless the failure was that of the very commit: then it may or may not be found later, whole.
 */
export interface ObjectStore {
  createBucket(bucket: string): Promise<void>
  /** Forgets unfinished uploads, as S3 does. */
  deleteBucket(bucket: string): Promise<void>

  put(bucket: string, key: string, put: Put): Promise<Version>
  /** Of a delete marker: itself. The latest version unless one is named. */
  head(bucket: string, key: string, versionId?: string): Promise<Version>
  open(bucket: string, key: string, which?: Which): Promise<OpenObject>
  delete(bucket: string, key: string, options: DeleteOptions): Promise<Deleted>
  setTagging(
    bucket: string,
    key: string,
    versionId: string | undefined,
    tagging: string,
  ): Promise<Version>

  list(bucket: string, query: ListQuery): Promise<Listing>
  listVersions(bucket: string, query: VersionsQuery): Promise<VersionListing>

  /** Resolves with the upload id. */
  createUpload(bucket: string, key: string, upload: NewUpload): Promise<string>
  upload(name: UploadName): Promise<Upload>
  /** Takes the place of an earlier part of that number. */
  putPart(name: UploadName, number: number, part: PutPart): Promise<Part>
  listParts(
    name: UploadName,
    query: { readonly after: number; readonly max: number },
  ): Promise<PartListing>
  complete(name: UploadName, complete: Complete): Promise<Version>
  abort(name: UploadName): Promise<void>
  listUploads(bucket: string, query: UploadsQuery): Promise<UploadListing>

  close(): Promise<void>
  readonly healthy: boolean
}

export type Versioning = 'unversioned' | 'enabled' | 'suspended'

/** The id of the one version that a bucket without versioning has of a key. */
export const nullVersion = 'null'

export type VersionName = {
  readonly bucket: string
  readonly key: string
  readonly versionId?: string | undefined
}

/** What lies beside the bytes, and is opaque. */
export type Beside = {
  /** Compared with `ifMatch`; without quotes. */
  readonly etag: string
  readonly attributes: string
  readonly sidecar: Buffer
  readonly tagging: string
}

export type Version = Beside & {
  readonly versionId: string
  readonly latest: boolean
  /** A delete marker has no bytes and nothing beside them. */
  readonly deleteMarker: boolean
  /** Bytes. */
  readonly size: number
  /** ms since the epoch */
  readonly modified: number
}

/** A key that is not there answers 'no-such-key' to `ifMatch`; `*` is any version that is no delete marker. */
export type Condition = { readonly ifNoneMatch: '*' } | { readonly ifMatch: string }

/** What the writer of bytes learns when all of them are written, and before anything is visible. */
export type Written = { readonly size: number; readonly versionId: string }

export type Put = {
  readonly versioning: Versioning
  readonly condition?: Condition | undefined
  /** Its failure is the put's. Buffers are the store's until `finish` is called. */
  readonly data: AsyncIterable<Buffer>
  /** Its failure is the put's. */
  finish(written: Written): Beside & NewSegment
}

/** A run of bytes that was written at once; an object has one or, made of parts, several. */
export type NewSegment = {
  readonly segmentSidecar: Buffer
  /** Kept with the bytes, and read by ranges of its own. */
  readonly chunkTags: Buffer
}

export type Segment = {
  /** From 0 in order. */
  readonly ordinal: number
  /** Where it begins in the object. */
  readonly start: number
  readonly size: number
  readonly sidecar: Buffer
  readonly chunkTagsSize: number
}

/** Both ends are included. A range that fits nothing of the object leaves no segment. */
export type ByteRange =
  | { readonly first: number; readonly last?: number | undefined }
  | { readonly suffix: number }

export type Which = {
  readonly versionId?: string | undefined
  /** Which segments are wanted. */
  readonly range?: ByteRange | undefined
}

export interface OpenObject {
  readonly version: Version
  /** How many the object has, whatever the range. */
  readonly segmentCount: number
  /** Those that have bytes of the range; all of them without one, also empty ones. */
  readonly segments: readonly Segment[]
  /** Bytes of one segment, the end excluded, in pieces that are the reader's own. */
  data(segment: Segment, start: number, end: number): AsyncIterable<Buffer>
  chunkTags(segment: Segment, start: number, end: number): Promise<Buffer>
  /** To be called in any case, once nothing is being read any more. */
  close(): Promise<void>
}

export type DeleteOptions = {
  readonly versioning: Versioning
  /** Removes that version for good; one that is not there is no failure. */
  readonly versionId?: string | undefined
  readonly ifMatch?: string | undefined
}

/** `versionId` is absent where nothing was removed and no marker made. */
export type Deleted = {
  readonly versionId?: string
  /** A marker was made, or removed. */
  readonly deleteMarker: boolean
}

export type ListQuery = {
  readonly prefix: string
  /** Not empty. */
  readonly delimiter?: string | undefined
  /** Begins behind it; a common prefix that was the last of a page counts as a whole. */
  readonly after?: string | undefined
  readonly max: number
}

export type Entry = Pick<Version, 'etag' | 'attributes' | 'size' | 'modified'> & {
  readonly key: string
}

export type Listing = {
  readonly entries: readonly Entry[]
  readonly prefixes: readonly string[]
  /** `after` of the next page; absent when this is the last. */
  readonly next?: string
}

export type VersionsQuery = ListQuery & {
  /** With `after`: begins behind this version of that key. What `next` says, or a version's id. */
  readonly afterVersion?: string | undefined
}

export type VersionEntry = Entry & Pick<Version, 'versionId' | 'latest' | 'deleteMarker'>

/** By key, and of one key the newest first. */
export type VersionListing = {
  readonly versions: readonly VersionEntry[]
  readonly prefixes: readonly string[]
  /** `version` is absent behind a common prefix. It need not be the id of a version. */
  readonly next?: { readonly key: string; readonly version?: string }
}

export type UploadName = {
  readonly bucket: string
  readonly key: string
  readonly uploadId: string
}

export type NewUpload = Omit<Beside, 'etag'>

export type Upload = NewUpload & {
  readonly key: string
  readonly uploadId: string
  /** ms since the epoch */
  readonly initiated: number
}

export type PutPart = {
  readonly data: AsyncIterable<Buffer>
  finish(written: { readonly size: number }): PartBeside & NewSegment
}

export type PartBeside = { readonly etag: string; readonly attributes: string }

export type Part = PartBeside & {
  readonly number: number
  readonly size: number
  readonly modified: number
  readonly segmentSidecar: Buffer
}

export type PartListing = { readonly parts: readonly Part[]; readonly truncated: boolean }

export type Complete = {
  readonly versioning: Versioning
  readonly condition?: Condition | undefined
  /** At least one, in ascending order. 'invalid-part' when one is not there, or has another etag. */
  readonly parts: readonly { readonly number: number; readonly etag: string }[]
  /** Gets the chosen parts; a sidecar for each, which its segment then has. */
  finish(
    parts: readonly Part[],
    upload: Upload,
    written: Written,
  ): Beside & { readonly segmentSidecars: readonly Buffer[] }
}

export type UploadsQuery = ListQuery & {
  /** With `after`: begins behind this upload of that key. */
  readonly afterUpload?: string | undefined
}

/** By key, and of one key the oldest first. */
export type UploadListing = {
  readonly uploads: readonly Upload[]
  readonly prefixes: readonly string[]
  readonly next?: { readonly key: string; readonly upload?: string }
}

export type RefusalCode =
  | 'no-such-bucket'
  | 'bucket-exists'
  | 'bucket-not-empty'
  | 'no-such-key'
  | 'no-such-version'
  | 'no-such-upload'
  | 'invalid-key'
  | 'invalid-part'
  | 'invalid-part-order'
  | 'precondition-failed'

/** What a caller of the store did wrong; whoever speaks S3 finds the words. */
export class ObjectRefusal extends Error {
  override readonly name = 'ObjectRefusal'
  readonly code: RefusalCode

  constructor(code: RefusalCode, message: string = code) {
    super(message)
    this.code = code
  }
}
