import { keyBytes } from '../keys.ts'
import { listPage, type Page, type Place, type Query } from '../listing.ts'
import {
  type ByteRange,
  type Entry,
  type Listing,
  type ListQuery,
  ObjectRefusal,
  type Part,
  type PartListing,
  type Upload,
  type UploadListing,
  type UploadName,
  type UploadsQuery,
  type Version,
  type VersionListing,
  type VersionName,
  type VersionsQuery,
} from '../port.ts'
import { bounds } from '../ranges.ts'
import { bytes, number, type Row, type Statement, text } from './database.ts'
import type { Opened, Question, Stored, StoredSegment } from './messages.ts'
import type { Statements } from './statements.ts'

/** Answers one question; throws ObjectRefusal. To be called within a transaction, so that all of it is one moment's. */
export function answer(sql: Statements, question: Question): unknown {
  switch (question.kind) {
    case 'head':
      return toVersion(findVersion(sql, question.name))
    case 'open':
      return open(sql, question.name, question.range)
    case 'list':
      return list(sql, question.bucket, question.query)
    case 'versions':
      return listVersions(sql, question.bucket, question.query)
    case 'uploads':
      return listUploads(sql, question.bucket, question.query)
    case 'upload':
      return toUpload(findUpload(sql, question.name))
    case 'parts':
      return listParts(sql, question.name, question.after, question.max)
  }
}

export function findBucket(sql: Statements, bucket: string): number {
  const row = sql.bucket.get(bucket)
  if (row === undefined) throw new ObjectRefusal('no-such-bucket')
  return number(row['id'])
}

export function findVersion(sql: Statements, { bucket, key, versionId }: VersionName): Row {
  const id = findBucket(sql, bucket)
  const row =
    versionId === undefined
      ? sql.latest.get(id, keyBytes(key))
      : sql.version.get(id, keyBytes(key), versionId)
  if (row !== undefined) return row
  throw new ObjectRefusal(versionId === undefined ? 'no-such-key' : 'no-such-version')
}

export function findUpload(sql: Statements, { bucket, key, uploadId }: UploadName): Row {
  const row = sql.upload.get(findBucket(sql, bucket), keyBytes(key), uploadId)
  if (row === undefined) throw new ObjectRefusal('no-such-upload')
  return row
}

export function toVersion(row: Row): Version {
  return {
    versionId: text(row['version_id']),
    latest: row['latest'] === 1,
    deleteMarker: row['marker'] === 1,
    size: number(row['size']),
    modified: number(row['modified']),
    etag: text(row['etag']),
    attributes: text(row['attributes']),
    tagging: text(row['tagging']),
    sidecar: bytes(row['sidecar']),
  }
}

function open(sql: Statements, name: VersionName, range: ByteRange | undefined): Opened {
  const row = findVersion(sql, name)
  const version = toVersion(row)
  const sequence = number(row['sequence'])
  const [start, end] = bounds(range, version.size)
  const all = range === undefined ? 1 : 0
  return {
    version,
    segmentCount: number(sql.segmentCount.get(sequence)?.['count']),
    segments: sql.segments.all(sequence, end, start, all).map(toSegment),
  }
}

function toSegment(row: Row): StoredSegment {
  return {
    ordinal: number(row['ordinal']),
    start: number(row['start']),
    sidecar: bytes(row['sidecar']),
    ...toStored(row),
  }
}

function toStored(row: Row): Stored {
  const sizes = { size: number(row['size']), chunkTagsSize: number(row['tags_size']) }
  const body = row['body']
  if (typeof body === 'string') return { ...sizes, body }
  return { ...sizes, data: bytes(row['data']), chunkTags: bytes(row['chunk_tags']) }
}

type Listed<T> = { readonly key: Buffer; readonly entry: T; readonly sequence: number }

/** The rows that a statement shows, made into entries as they are asked for. */
function* entries<T>(
  rows: Iterable<Row>,
  entryOf: (row: Row) => T,
): Generator<Listed<T>, void, undefined> {
  for (const row of rows) {
    yield { key: bytes(row['key']), entry: entryOf(row), sequence: number(row['sequence']) }
  }
}

function list(sql: Statements, bucket: string, query: ListQuery): Listing {
  const id = findBucket(sql, bucket)
  const page = listPage<Listed<Entry>, never>({ ...query }, ({ key, from }) =>
    entries((from === 'at' ? sql.listedAt : sql.listedBehind).iterate(id, key), toEntry),
  )
  return { entries: page.rows.map(({ entry }) => entry), prefixes: page.prefixes, ...nextKey(page) }
}

function toEntry(row: Row): Entry {
  return {
    key: bytes(row['key']).toString(),
    etag: text(row['etag']),
    attributes: text(row['attributes']),
    size: number(row['size']),
    modified: number(row['modified']),
  }
}

function nextKey({ next }: Page<{ readonly key: Buffer }>): { next?: string } {
  if (next === undefined) return {}
  return { next: 'prefix' in next ? next.prefix : next.row.key.toString() }
}

/** Rows of several of one key: at a key, behind all of it, or behind one of them. */
type Ordered = { readonly at: Statement; readonly behind: Statement; readonly within: Statement }

function* severalOfKey<Mark extends string | number, T>(
  { at, behind, within }: Ordered,
  bucket: number,
  { key, from }: Place<Mark>,
  entryOf: (row: Row) => T,
): Generator<Listed<T>, void, undefined> {
  if (typeof from !== 'string') {
    yield* entries(within.iterate(bucket, key, from.behind), entryOf)
  }
  yield* entries((from === 'at' ? at : behind).iterate(bucket, key), entryOf)
}

/** A marker of ours; ids of versions have no such first character. */
const marker = /^\.(\d{1,15})$/

function listVersions(sql: Statements, bucket: string, query: VersionsQuery): VersionListing {
  const id = findBucket(sql, bucket)
  const mark = versionMark(sql, id, query)
  const statements = { at: sql.versionsAt, behind: sql.versionsBehind, within: sql.versionsOlder }
  const page = listPage({ ...query, mark } satisfies Query<number>, (place) =>
    severalOfKey(statements, id, place, (row) => ({
      ...toEntry(row),
      versionId: text(row['version_id']),
      latest: row['latest'] === 1,
      deleteMarker: row['marker'] === 1,
    })),
  )
  const { next } = page
  return {
    versions: page.rows.map(({ entry }) => entry),
    prefixes: page.prefixes,
    ...(next && {
      next:
        'prefix' in next
          ? { key: next.prefix }
          : { key: next.row.entry.key, version: `.${next.row.sequence}` },
    }),
  }
}

/** A version that is gone cannot say where it stood: its key is shown again rather than a part of it left out. */
function versionMark(
  sql: Statements,
  bucket: number,
  { after, afterVersion }: VersionsQuery,
): number | undefined {
  if (after === undefined || afterVersion === undefined) return undefined
  const sequence = marker.exec(afterVersion)?.[1]
  if (sequence !== undefined) return Number(sequence)
  const row = sql.version.get(bucket, Buffer.from(after), afterVersion)
  return row === undefined ? Number.MAX_SAFE_INTEGER : number(row['sequence'])
}

function listUploads(sql: Statements, bucket: string, query: UploadsQuery): UploadListing {
  const id = findBucket(sql, bucket)
  const mark = query.after === undefined ? undefined : query.afterUpload
  const statements = { at: sql.uploadsAt, behind: sql.uploadsBehind, within: sql.uploadsLater }
  const page = listPage({ ...query, mark } satisfies Query<string>, (place) =>
    severalOfKey(statements, id, place, toUpload),
  )
  const { next } = page
  return {
    uploads: page.rows.map(({ entry }) => entry),
    prefixes: page.prefixes,
    ...(next && {
      next:
        'prefix' in next
          ? { key: next.prefix }
          : { key: next.row.entry.key, upload: next.row.entry.uploadId },
    }),
  }
}

function toUpload(row: Row): Upload {
  return {
    key: bytes(row['key']).toString(),
    uploadId: text(row['id']),
    initiated: number(row['initiated']),
    attributes: text(row['attributes']),
    tagging: text(row['tagging']),
    sidecar: bytes(row['sidecar']),
  }
}

function listParts(sql: Statements, name: UploadName, after: number, max: number): PartListing {
  const upload = text(findUpload(sql, name)['id'])
  const rows = sql.parts.all(upload, after, max + 1)
  return { parts: rows.slice(0, max).map(toPart), truncated: rows.length > max && max > 0 }
}

export function toPart(row: Row): Part {
  return {
    number: number(row['number']),
    size: number(row['size']),
    modified: number(row['modified']),
    etag: text(row['etag']),
    attributes: text(row['attributes']),
    segmentSidecar: bytes(row['sidecar']),
  }
}
