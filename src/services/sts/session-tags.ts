import type { ConditionValues } from '../operation.ts'
import { requestTagConditions } from '../tag-conditions.ts'
import { invalidParameterValue } from './errors.ts'

type Tag = { readonly Key: string; readonly Value: string }
type Names = Readonly<Record<string, string>>

/** Tags that a session begins with. */
export type SessionTags = {
  /** Passed, and inherited along the chain of roles. */
  readonly tags: Names
  /** Which of them the next role inherits. */
  readonly transitive: readonly string[]
}

/**
 * What was passed and what the calling session hands down. Names are compared without regard to case.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html
 */
export function sessionTags(
  passed: readonly Tag[] = [],
  transitiveKeys: readonly string[] = [],
  inherited: Names = {},
): SessionTags {
  const names = new Map(passed.map(({ Key }) => [Key.toLowerCase(), Key]))
  if (names.size !== passed.length) {
    throw invalidParameterValue(
      'Duplicate tag keys found. Please note that Tag keys are case insensitive.',
    )
  }
  if ([...names.keys()].some((name) => name.startsWith('aws:'))) {
    throw invalidParameterValue('Tag keys that begin with aws: are reserved for system use.')
  }
  if (Object.keys(inherited).some((name) => names.has(name.toLowerCase()))) {
    throw invalidParameterValue(
      "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session.",
    )
  }
  const transitive = new Set(Object.keys(inherited))
  for (const key of transitiveKeys) {
    const name = names.get(key.toLowerCase())
    if (name === undefined) {
      throw invalidParameterValue(
        'The specified transitive tag key must be included in the requested tags.',
      )
    }
    transitive.add(name)
  }
  const own = Object.fromEntries(passed.map(({ Key, Value }) => [Key, Value]))
  return { tags: { ...inherited, ...own }, transitive: [...transitive] }
}

/** `aws:RequestTag/…`, `aws:TagKeys` and `sts:TransitiveTagKeys`: what the request itself passes. */
export function requestedTagConditions(
  passed: readonly Tag[] = [],
  transitiveKeys: readonly string[] = [],
): ConditionValues {
  const conditions = requestTagConditions(passed)
  if (transitiveKeys.length === 0) return conditions
  return { ...conditions, 'sts:TransitiveTagKeys': transitiveKeys }
}
