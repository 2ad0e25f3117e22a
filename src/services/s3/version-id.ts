import { s3Error } from '../../base/errors.ts'
import type { Versioning } from '../../objects/port.ts'
import { header, query } from '../../wire/rest-xml/bindings.ts'
import { string } from '../../wire/schema.ts'
import type { BucketRecord } from './bucket.ts'

export const versionIdInput = { VersionId: query('versionId', string()) } as const
export const versionIdOutput = { VersionId: header('x-amz-version-id', string()) } as const

/** What the store makes, and `null`. */
const pattern = /^[A-Za-z0-9._-]{1,256}$/

/** Throws 'InvalidArgument' for what is no id of a version. */
export function requireVersionId(id: string | undefined): void {
  if (id === undefined || pattern.test(id)) return
  const text = id === '' ? 'Version id cannot be the empty string' : 'Invalid version id specified'
  const members = { ArgumentName: 'versionId', ArgumentValue: id.slice(0, 256) }
  throw s3Error('InvalidArgument', members, { text })
}

/** `s3:GetObjectVersion` in place of `s3:GetObject`, where a version is named. */
export function versionedPermission(permission: string, versionId: string | undefined): string {
  return versionId === undefined ? permission : permission.replace('Object', 'ObjectVersion')
}

export function versioningOf({ versioning }: BucketRecord): Versioning {
  return versioning ?? 'unversioned'
}

/** A bucket that never had versions says nothing of them. */
export function versionIdAnswer(
  { versioning }: BucketRecord,
  versionId: string,
): { readonly VersionId?: string } {
  return versioning === undefined ? {} : { VersionId: versionId }
}
