import type { Caller } from '../base/caller.ts'
import type { DenialReason, Denied } from './decision.ts'
import type { AccessRequest } from './request.ts'

/**
 * What a caller is told who may not. AWS names one layer only. A stranger to the resource's account learns from a
 * refusal by the resource's side no more than when the resource does not exist; the layers of the caller's own account
 * may speak openly, and since 2026 an explicit denial names its policy.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
 */
export function denialText(request: AccessRequest, denied: Denied): string {
  const { caller, permission, resource } = request
  if (caller.type === 'web-identity') return unknownRoleDenial(caller, permission, resource.arn)
  if (caller.account !== resource.account && isResourceSideDenial(denied)) {
    if (resource.type === 'bucket') return 'Access Denied'
    return resource.type === 'role'
      ? unknownRoleDenial(caller, permission, resource.arn)
      : unknownResourceDenial(caller, permission)
  }
  const because =
    denied.reason === 'too-much-work' && resource.type !== 'key'
      ? nothingAllows[resource.type]
      : reasons[denied.reason]
  const named = denied.policyArn === undefined ? '' : `: ${denied.policyArn}`
  return `${refusal(caller, permission)} on resource: ${resource.arn} ${because(permission)}${named}`
}

/** For a key that does not exist, or that the caller must not learn of. */
export function unknownResourceDenial(caller: Caller, permission: string): string {
  return `${refusal(caller, permission)} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`
}

/** For a role that does not exist, or that the caller must not learn of. A caller that nobody knows is told no more. */
export function unknownRoleDenial(caller: Caller, permission: string, arn: string): string {
  if (caller.type === 'web-identity') return `Not authorized to perform ${permission}`
  return `${refusal(caller, permission)} on resource: ${arn}`
}

/** Whether the resource's side refused, which callers from other accounts are not told. */
export function isResourceSideDenial({ reason }: Denied): boolean {
  return resourceSide.has(reason)
}

const resourceSide: ReadonlySet<DenialReason> = new Set<DenialReason>([
  'cross-account-operation',
  'explicit-deny-in-resource-control-policy',
  'explicit-deny-in-key-policy',
  'explicit-deny-in-trust-policy',
  'explicit-deny-in-bucket-policy',
  'no-resource-control-policy-allows',
  'no-key-policy-allows',
  'no-trust-policy-allows',
  'no-bucket-policy-allows',
  'too-much-work',
])

type Because = (permission: string) => string

const explicitly =
  (what: string): Because =>
  () =>
    `with an explicit deny in ${what}`

const implicitly =
  (what: string): Because =>
  (permission) =>
    `because no ${what} allows the ${permission} action`

const noResourcePolicy = implicitly('resource-based policy')
const nothingAllows = {
  role: implicitly('role trust policy'),
  identity: implicitly('identity-based policy'),
  bucket: implicitly('identity-based policy'),
} as const

const reasons: Readonly<Record<DenialReason, Because>> = {
  'cross-account-operation': noResourcePolicy,
  'explicit-deny-in-service-control-policy': explicitly('a service control policy'),
  'explicit-deny-in-resource-control-policy': explicitly('a resource control policy'),
  'explicit-deny-in-key-policy': explicitly('a resource-based policy'),
  'explicit-deny-in-trust-policy': explicitly('the role trust policy'),
  'explicit-deny-in-bucket-policy': explicitly('a resource-based policy'),
  'explicit-deny-in-identity-policy': explicitly('an identity-based policy'),
  'explicit-deny-in-permissions-boundary': explicitly('a permissions boundary'),
  'explicit-deny-in-session-policy': explicitly('a sessions policy'),
  'no-service-control-policy-allows': implicitly('service control policy'),
  'no-resource-control-policy-allows': implicitly('resource control policy'),
  'no-key-policy-allows': noResourcePolicy,
  'no-trust-policy-allows': nothingAllows.role,
  'no-bucket-policy-allows': noResourcePolicy,
  'no-identity-policy-allows': nothingAllows.identity,
  'no-permissions-boundary-allows': implicitly('permissions boundary'),
  'no-session-policy-allows': implicitly('session policy'),
  'too-much-work': noResourcePolicy,
}

function refusal(caller: Caller, permission: string): string {
  return `User: ${caller.arn} is not authorized to perform: ${permission}`
}
