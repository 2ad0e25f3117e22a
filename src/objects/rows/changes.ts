import { keyBytes } from '../keys.ts'
import {
  type Beside,
  type Condition,
  type Deleted,
  nullVersion,
  ObjectRefusal,
  type Part,
  type Version,
} from '../port.ts'
import { bytes, number, type Row, text } from './database.ts'
import type { Change, Stored, Target } from './messages.ts'
import { findBucket, findUpload, findVersion, toPart, toVersion } from './questions.ts'
import type { Statements } from './statements.ts'

type ChangeOf<Kind extends Change['kind']> = Extract<Change, { readonly kind: Kind }>

/** Makes one change within the transaction that the caller has begun; throws ObjectRefusal, then nothing counts. */
export function makeChange(sql: Statements, change: Change, now: number): unknown {
  switch (change.kind) {
    case 'create-bucket':
      if (sql.bucket.get(change.bucket) !== undefined) throw new ObjectRefusal('bucket-exists')
      return sql.insertBucket.run(change.bucket)
    case 'delete-bucket':
      return deleteBucket(sql, change.bucket, now)
    case 'put':
      return put(sql, change, now)
    case 'delete':
      return remove(sql, change, now)
    case 'set-tagging':
      return setTagging(sql, change)
    case 'create-upload':
      return createUpload(sql, change, now)
    case 'put-part':
      return putPart(sql, change, now)
    case 'complete':
      return complete(sql, change, now)
    case 'abort':
      return abort(sql, change, now)
  }
}

function deleteBucket(sql: Statements, name: string, now: number): void {
  const bucket = findBucket(sql, name)
  if (sql.anyVersion.get(bucket) !== undefined) throw new ObjectRefusal('bucket-not-empty')
  for (const row of sql.uploadsOfBucket.all(bucket)) deleteParts(sql, text(row['id']), now)
  sql.deleteUploadsOfBucket.run(bucket)
  sql.deleteBucket.run(bucket)
}

function put(sql: Statements, { target, beside, sidecar, stored }: ChangeOf<'put'>, now: number) {
  const added = addVersion(sql, target, beside, stored.size, now)
  sql.insertSegment.run(added.sequence, 0, 0, sidecar, ...bodyCells(stored))
  return added.version
}

function bodyCells(stored: Stored) {
  const { size, chunkTagsSize } = stored
  return stored.body === undefined
    ? ([size, chunkTagsSize, null, stored.data, stored.chunkTags] as const)
    : ([size, chunkTagsSize, stored.body, null, null] as const)
}

function addVersion(
  sql: Statements,
  target: Target,
  beside: Beside,
  size: number,
  now: number,
): { readonly version: Version; readonly sequence: number } {
  const bucket = findBucket(sql, target.bucket)
  const key = keyBytes(target.key)
  requireCondition(sql.latest.get(bucket, key), target.condition)
  if (target.versioning !== 'enabled') deleteNull(sql, bucket, key, now)
  sql.notLatest.run(bucket, key)
  const { etag, attributes, tagging, sidecar } = beside
  const versionId = target.versioning === 'enabled' ? target.versionId : nullVersion
  const row = sql.insertVersion.get(
    ...[bucket, key, versionId, 0, size, now, etag, attributes, tagging, sidecar],
  )
  const version: Version = {
    ...{ versionId, latest: true, deleteMarker: false, size, modified: now },
    ...{ etag, attributes, tagging, sidecar },
  }
  return { version, sequence: number(row?.['sequence']) }
}

function requireCondition(latest: Row | undefined, condition: Condition | undefined): void {
  if (condition === undefined) return
  const etag = latest === undefined || latest['marker'] === 1 ? undefined : text(latest['etag'])
  if ('ifNoneMatch' in condition) {
    if (etag !== undefined) throw new ObjectRefusal('precondition-failed')
  } else requireMatch(etag, condition.ifMatch)
}

function requireMatch(etag: string | undefined, ifMatch: string): void {
  if (etag === undefined) throw new ObjectRefusal('no-such-key')
  if (ifMatch !== '*' && ifMatch !== etag) throw new ObjectRefusal('precondition-failed')
}

function deleteNull(sql: Statements, bucket: number, key: Buffer, now: number) {
  const row = sql.version.get(bucket, key, nullVersion)
  if (row !== undefined) deleteRow(sql, row, now)
  return row
}

function deleteRow(sql: Statements, row: Row, now: number): void {
  const sequence = number(row['sequence'])
  const bodies = sql.bodiesOfVersion.all(sequence)
  sql.deleteSegments.run(sequence)
  sql.deleteVersion.run(sequence)
  discard(sql, bodies, now)
}

/** Files that no other segment or part has are garbage from now on. */
function discard(sql: Statements, bodies: readonly Row[], now: number): void {
  for (const row of bodies) {
    const body = text(row['body'])
    if (sql.isNamed.get(body) === undefined) sql.insertGarbage.run(body, now)
  }
}

function remove(sql: Statements, change: ChangeOf<'delete'>, now: number): Deleted {
  const { target, ifMatch } = change
  const bucket = findBucket(sql, target.bucket)
  const key = keyBytes(target.key)
  if (change.remove !== undefined) return removeVersion(sql, bucket, key, change, now)
  if (ifMatch !== undefined) requireCondition(sql.latest.get(bucket, key), { ifMatch })
  if (target.versioning === 'unversioned') {
    const row = deleteNull(sql, bucket, key, now)
    if (row?.['latest'] === 1) sql.newestIsLatest.run(bucket, key)
    return { deleteMarker: false, ...(row && { versionId: nullVersion }) }
  }
  if (target.versioning === 'suspended') deleteNull(sql, bucket, key, now)
  sql.notLatest.run(bucket, key)
  const versionId = target.versioning === 'enabled' ? target.versionId : nullVersion
  sql.insertVersion.get(bucket, key, versionId, 1, 0, now, '', '', '', noBytes)
  return { deleteMarker: true, versionId }
}

const noBytes = new Uint8Array(0)

function removeVersion(
  sql: Statements,
  bucket: number,
  key: Buffer,
  { remove: versionId = nullVersion, ifMatch }: ChangeOf<'delete'>,
  now: number,
): Deleted {
  const row = sql.version.get(bucket, key, versionId)
  if (ifMatch !== undefined) {
    requireMatch(row === undefined || row['marker'] === 1 ? undefined : text(row['etag']), ifMatch)
  }
  if (row === undefined) return { deleteMarker: false }
  deleteRow(sql, row, now)
  if (row['latest'] === 1) sql.newestIsLatest.run(bucket, key)
  return { deleteMarker: row['marker'] === 1, versionId }
}

function setTagging(sql: Statements, { name, tagging }: ChangeOf<'set-tagging'>): Version {
  const row = findVersion(sql, name)
  if (row['marker'] !== 1) sql.setTagging.run(tagging, number(row['sequence']))
  return { ...toVersion(row), ...(row['marker'] !== 1 && { tagging }) }
}

function createUpload(sql: Statements, change: ChangeOf<'create-upload'>, now: number): void {
  const { bucket, key, uploadId } = change.name
  const { attributes, tagging, sidecar } = change.upload
  const id = findBucket(sql, bucket)
  sql.insertUpload.run(id, keyBytes(key), uploadId, now, attributes, tagging, sidecar)
}

function putPart(sql: Statements, change: ChangeOf<'put-part'>, now: number) {
  const { name, beside, sidecar, stored } = change
  const upload = text(findUpload(sql, name)['id'])
  const former = sql.part.get(upload, change.number)
  if (former !== undefined) {
    sql.deletePart.run(upload, change.number)
    if (typeof former['body'] === 'string') discard(sql, [former], now)
  }
  const { etag, attributes } = beside
  const cells = [upload, change.number, now, etag, attributes, sidecar] as const
  sql.insertPart.run(...cells, ...bodyCells(stored))
  const { size } = stored
  return { number: change.number, size, modified: now, ...beside, segmentSidecar: sidecar }
}

function complete(sql: Statements, change: ChangeOf<'complete'>, now: number): Version {
  const { name, target, parts, segmentSidecars } = change
  const row = findUpload(sql, name)
  const upload = text(row['id'])
  // One that was replaced since it was chosen is not what was said of it.
  for (const part of parts) {
    const found = sql.part.get(upload, part.number)
    if (found === undefined || !isSame(toPart(found), part)) throw new ObjectRefusal('invalid-part')
  }
  const size = parts.reduce((sum, part) => sum + part.size, 0)
  const { version, sequence } = addVersion(sql, target, change.beside, size, now)
  let start = 0
  for (const [ordinal, part] of parts.entries()) {
    const sidecar = segmentSidecars[ordinal] ?? noBytes
    sql.segmentFromPart.run(upload, part.number, sequence, ordinal, start, sidecar)
    start += part.size
  }
  deleteUpload(sql, row, now)
  return version
}

function isSame(one: Part, other: Part): boolean {
  return (
    one.etag === other.etag &&
    one.size === other.size &&
    one.modified === other.modified &&
    one.segmentSidecar.equals(other.segmentSidecar)
  )
}

function abort(sql: Statements, { name }: ChangeOf<'abort'>, now: number): void {
  deleteUpload(sql, findUpload(sql, name), now)
}

function deleteUpload(sql: Statements, row: Row, now: number): void {
  const upload = text(row['id'])
  deleteParts(sql, upload, now)
  sql.deleteUpload.run(number(row['bucket']), bytes(row['key']), upload)
}

function deleteParts(sql: Statements, upload: string, now: number): void {
  const bodies = sql.bodiesOfUpload.all(upload)
  sql.deleteParts.run(upload)
  discard(sql, bodies, now)
}
