import type { AccountId } from '../../../../base/ids.ts'
import type { AuditResource, JsonObject } from '../../../operation.ts'
import type { BucketRecord } from '../../bucket.ts'
import { headerParameters, objectParameters, objectResources } from '../../object-request.ts'
import type { ObjectName } from '../../object-versions.ts'

type Input = Parameters<typeof objectParameters>[0] &
  Parameters<typeof headerParameters>[0] & { readonly CopySource: string }

type Sides = { readonly bucket: BucketRecord; readonly source: ObjectName }

/**
 * requestParameters of a copy. The owner of the source alone learns what of it was read, and not where it went; the
 * owner of the destination sees all, as the caller does: its policies can ask for the source.
 */
export function copyParameters(
  input: Input,
  sides: Sides | undefined,
  owner: AccountId | undefined,
  more: JsonObject,
): JsonObject {
  const source = { 'x-amz-copy-source': input.CopySource }
  if (owner !== undefined && owner !== sides?.bucket.account) return source
  return { ...objectParameters(input), ...source, ...more, ...headerParameters(input) }
}

export function copyResources(
  bucket: BucketRecord,
  key: string,
  source: ObjectName,
): readonly AuditResource[] {
  const written = objectResources(bucket, key)
  const read = objectResources(source.bucket, source.key)
  return [...written, ...(source.bucket === bucket ? read.slice(0, 1) : read)]
}
