import type { Caller } from '../base/caller.ts'
import { ServiceError } from '../base/errors.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import { denialText } from './denial.ts'
import { judge } from './evaluate.ts'
import type { Evidence } from './evidence.ts'
import type { CallerLayers, SourcedPolicy } from './layers.ts'
import { noBucketPolicy } from './policy/bucket.ts'
import type { PolicyCache } from './policy/cache.ts'
import type { AccessRequest, AccessResource, PermittingGrant } from './request.ts'

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
        /** A key that a service made for itself: resource control policies do not reach it. */
        readonly awsManaged?: boolean
      }
    | {
        readonly type: 'role'
        readonly arn: string
        readonly account: AccountId
        readonly policy: string
      }
    | {
        readonly type: 'bucket'
        readonly arn: string
        readonly account: AccountId
        /** Undefined: the bucket has none. */
        readonly policy: string | undefined
        readonly crossAccount: boolean
      }
    | { readonly type: 'identity'; readonly arn: string; readonly account: AccountId }
  readonly conditions: ConditionValues
  /** Finds a grant that permits it. Asked only when nothing denies and no policy allows. */
  readonly grant?: (() => PermittingGrant | undefined) | undefined
}

/** What else a decision needs, as it is now. */
export type PolicySource = {
  of(caller: Caller): CallerLayers
  ofResources(account: AccountId): readonly (readonly SourcedPolicy[])[]
}

export type Verdict = {
  readonly evidence: Evidence
  /** 'access-denied' with AWS's text; the reason is in the detail. Undefined: the caller may. */
  readonly denied: ServiceError | undefined
}

export type Authorize = (
  caller: Caller,
  check: PermissionCheck,
  context: { readonly globalConditions: ConditionValues },
) => Verdict

export function authorizer(policies: PolicyCache, source: PolicySource): Authorize {
  return (caller, check, { globalConditions }) => {
    const conditions = [check.conditions, globalConditions]
    const request = accessRequest(caller, check, conditions, policies, source)
    const evidence = judge(request)
    const { decision } = evidence
    const denied = decision.allowed
      ? undefined
      : new ServiceError('access-denied', denialText(request, decision), {
          detail: decision.reason,
        })
    return { evidence, denied }
  }
}

/** What is asked of the evaluator. */
export function accessRequest(
  caller: Caller,
  check: PermissionCheck,
  conditions: readonly ConditionValues[],
  policies: PolicyCache,
  source: PolicySource,
): AccessRequest {
  const { permission, resource } = check
  const unguarded = resource.type === 'key' && resource.awsManaged === true
  return {
    caller,
    permission,
    resource: compiled(resource, policies),
    conditions,
    layers: source.of(caller),
    resourceControl: unguarded ? undefined : source.ofResources(resource.account),
    grant: check.grant,
  }
}

function compiled(resource: PermissionCheck['resource'], policies: PolicyCache): AccessResource {
  switch (resource.type) {
    case 'identity':
      return resource
    case 'role': {
      const { type, arn, account } = resource
      return { type, arn, account, policy: policies.get(resource.policy, 'trust') }
    }
    case 'bucket': {
      const { type, arn, account, crossAccount, policy: text } = resource
      const policy = text === undefined ? noBucketPolicy : policies.get(text, 'bucket')
      return { type, arn, account, crossAccount, policy }
    }
    case 'key': {
      const { type, arn, account, crossAccount } = resource
      return { type, arn, account, crossAccount, policy: policies.get(resource.policy) }
    }
  }
}
