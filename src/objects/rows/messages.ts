import type {
  Beside,
  ByteRange,
  Condition,
  ListQuery,
  NewUpload,
  Part,
  PartBeside,
  RefusalCode,
  Segment,
  UploadName,
  UploadsQuery,
  Version,
  Versioning,
  VersionName,
  VersionsQuery,
} from '../port.ts'
import type { Place } from './place.ts'

/** Where the bytes of a segment or part are, as the rows have it. */
export type Stored = {
  readonly size: number
  readonly chunkTagsSize: number
} & (
  | { readonly body: string }
  | { readonly body?: undefined; readonly data: Buffer; readonly chunkTags: Buffer }
)

export type StoredSegment = Segment & Stored
export type StoredPart = Part & Stored

/** Where a new version comes to be. */
export type Target = {
  readonly bucket: string
  readonly key: string
  readonly versionId: string
  readonly versioning: Versioning
  readonly condition?: Condition | undefined
}

/** What changes rows: the calls of the port, after their bytes were written. */
export type Change =
  | { readonly kind: 'create-bucket' | 'delete-bucket'; readonly bucket: string }
  | {
      readonly kind: 'put'
      readonly target: Target
      readonly beside: Beside
      readonly sidecar: Buffer
      readonly stored: Stored
    }
  | {
      readonly kind: 'delete'
      readonly target: Omit<Target, 'condition'>
      /** The version to be removed for good. */
      readonly remove?: string | undefined
      readonly ifMatch?: string | undefined
    }
  | { readonly kind: 'set-tagging'; readonly name: VersionName; readonly tagging: string }
  | { readonly kind: 'create-upload'; readonly name: UploadName; readonly upload: NewUpload }
  | {
      readonly kind: 'put-part'
      readonly name: UploadName
      readonly number: number
      readonly beside: PartBeside
      readonly sidecar: Buffer
      readonly stored: Stored
    }
  | {
      readonly kind: 'complete'
      readonly name: UploadName
      readonly target: Target
      readonly beside: Beside
      /** The parts as they were read, and the sidecars of the segments that they become. */
      readonly parts: readonly Part[]
      readonly segmentSidecars: readonly Buffer[]
    }
  | { readonly kind: 'abort'; readonly name: UploadName }

export type Question =
  | { readonly kind: 'head'; readonly name: VersionName }
  | { readonly kind: 'open'; readonly name: VersionName; readonly range?: ByteRange | undefined }
  | { readonly kind: 'list'; readonly bucket: string; readonly query: ListQuery }
  | { readonly kind: 'versions'; readonly bucket: string; readonly query: VersionsQuery }
  | { readonly kind: 'uploads'; readonly bucket: string; readonly query: UploadsQuery }
  | { readonly kind: 'upload'; readonly name: UploadName }
  | {
      readonly kind: 'parts'
      readonly name: UploadName
      readonly after: number
      readonly max: number
    }

/** A version and its segments. */
export type Opened = {
  readonly version: Version
  readonly segmentCount: number
  readonly segments: readonly StoredSegment[]
}

/** What stands beside transactions: where bodies are, names for new ones, and the sweeping of old ones. */
export type Errand =
  | { readonly kind: 'place'; readonly proposed: Place }
  | { readonly kind: 'new-names' }
  /** This process needs no garbage up to `needsBehind`; answers what nobody needs. */
  | { readonly kind: 'garbage'; readonly needsBehind: number }
  | { readonly kind: 'forget-garbage'; readonly sequences: readonly number[] }
  | { readonly kind: 'former-runs' }
  | { readonly kind: 'named'; readonly first: string; readonly last: string }
  | { readonly kind: 'forget-run'; readonly run: string }

export type ToRows =
  | { readonly kind: 'write'; readonly now: number; readonly changes: readonly Change[] }
  | { readonly kind: 'read'; readonly questions: readonly Question[] }
  | { readonly kind: 'errand'; readonly now: number; readonly errand: Errand }

/** `garbage`: the greatest sequence of garbage there has been, when the outcomes were known. */
export type FromRows =
  | { readonly outcomes: readonly Outcome[]; readonly garbage: number }
  | { readonly failed: string; readonly lasting: boolean }

export type Outcome =
  | { readonly value: unknown }
  | { readonly refused: RefusalCode; readonly message: string }
  | { readonly failed: string }
