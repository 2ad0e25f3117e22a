import { s3Error } from '../../base/errors.ts'
import { ObjectRefusal } from '../../objects/port.ts'
import type { CallContext, Check, ConditionValues, DelayedConditions } from '../operation.ts'
import type { S3Deps } from './deps.ts'
import type { ObjectName } from './object-versions.ts'
import { objectCheck } from './resource.ts'
import { existingTagConditions } from './tagging.ts'

/** A permission on an object that is there, whose tags policies can ask for: they are sought only then. */
export function taggedObjectCheck(
  call: CallContext,
  permission: string,
  name: ObjectName,
  conditions: ConditionValues,
  deps: S3Deps,
): Check {
  const { bucket, key, versionId } = name
  const version = versionId === undefined ? undefined : { 's3:VersionId': versionId }
  const known = { ...conditions, ...version, ...call.delayedConditions }
  return { ...objectCheck(permission, bucket, key, known), delayed: existingTags(name, deps) }
}

function existingTags({ bucket, key, versionId }: ObjectName, deps: S3Deps): DelayedConditions {
  return {
    keys: ['s3:existingobjecttag/*'],
    async find() {
      try {
        const { tagging } = await deps.objects.head(bucket.storeId, key, versionId)
        return existingTagConditions(tagging)
      } catch (error) {
        if (error instanceof ObjectRefusal) return {}
        throw error
      }
    },
  }
}

/**
 * Where tags were asked for, what is read has to have those that were decided on: throws 'OperationAborted' when
 * somebody has changed them, or the object, since.
 */
export function requireDecidedTags({ delayedConditions }: CallContext, tagging: string): void {
  if (delayedConditions === undefined) return
  const now = Object.entries(existingTagConditions(tagging))
  const decided = Object.keys(delayedConditions).length
  const same = now.every(([key, value]) => delayedConditions[key] === value)
  if (!same || now.length !== decided) throw s3Error('OperationAborted')
}
