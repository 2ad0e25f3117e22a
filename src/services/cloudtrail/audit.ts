import type { AuditResource, JsonObject } from '../operation.ts'
import type { TrailName } from './trail-name.ts'

/**
 * Members of a request or an answer as CloudTrail shows them: named with a small first letter. Those of `names` alone,
 * so that a member that is added cannot be logged unawares.
 */
export function recorded<T extends object>(
  value: T,
  ...names: readonly (keyof T & string)[]
): JsonObject {
  return Object.fromEntries(names.map((name) => [small(name), viewOf(value[name])]))
}

function viewOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(viewOf)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, held]) => [small(name), viewOf(held)]),
  )
}

function small(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1)
}

export function trailResource({ account, arn }: Pick<TrailName, 'account' | 'arn'>): AuditResource {
  return { accountId: account, type: 'AWS::CloudTrail::Trail', ARN: arn }
}
