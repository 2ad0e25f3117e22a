import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import { denialText } from './denial.ts'
import { decide } from './evaluate.ts'
import type { PolicyCache } from './policy/cache.ts'
import type { AccessRequest, AccessResource } from './request.ts'

/** One permission on one resource, in the shape in which the services state it. */
export type PermissionCheck = {
  readonly permission: string
  readonly resource:
    | {
        readonly type: 'key'
        readonly arn: string
        readonly account: AccountId
        readonly policy: string
        readonly crossAccount: boolean
      }
    | { readonly type: 'identity'; readonly arn: string; readonly account: AccountId }
  readonly conditions: ConditionValues
  /** Finds a grant that permits it, and answers its id. Asked only when nothing denies and no policy allows. */
  readonly grant?: (() => string | undefined) | undefined
}

/** Throws 'access-denied' with AWS's text unless the caller may; the reason is in the detail. */
export type Authorize = (
  caller: Caller,
  check: PermissionCheck,
  context: { readonly globalConditions: ConditionValues },
) => void

export function authorizer(policies: PolicyCache): Authorize {
  return (caller, check, { globalConditions }) => {
    const request: AccessRequest = {
      caller,
      permission: check.permission,
      resource: compiled(check.resource, policies),
      conditions: [check.conditions, globalConditions],
      grant: check.grant,
    }
    const decision = decide(request)
    if (decision.allowed) return
    throw new ServiceError('access-denied', denialText(request, decision), {
      detail: decision.reason,
    })
  }
}

function compiled(resource: PermissionCheck['resource'], policies: PolicyCache): AccessResource {
  if (resource.type === 'identity') return resource
  const { type, arn, account, crossAccount } = resource
  return { type, arn, account, crossAccount, policy: policies.get(resource.policy) }
}
