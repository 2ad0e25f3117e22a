import type { Version } from '../../objects/port.ts'
import type { CallContext } from '../operation.ts'
import type { Tag } from './bucket.ts'
import type { S3Deps } from './deps.ts'
import { requireDecidedTags } from './existing-tags.ts'
import { found, type ObjectName, requireBytes } from './object-versions.ts'
import { encodeTags } from './tagging.ts'

/** Gives an object these tags in place of those that it has. */
export async function setTags(
  call: CallContext,
  name: ObjectName,
  tags: readonly Tag[],
  method: 'PUT' | 'DELETE',
  deps: S3Deps,
): Promise<Version> {
  const { bucket, key, versionId } = name
  const { objects } = deps
  const before = await found(objects.head(bucket.storeId, key, versionId), call, name, deps)
  requireBytes(before, method, call, name, deps)
  requireDecidedTags(call, before.tagging)
  const tagging = encodeTags(tags)
  const setting = objects.setTagging(bucket.storeId, key, before.versionId, tagging)
  return found(setting, call, name, deps)
}
