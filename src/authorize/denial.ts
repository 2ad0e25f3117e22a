import type { Caller } from '../base/caller.ts'
import type { DenialReason, Denied } from './decision.ts'
import type { AccessRequest } from './request.ts'

/**
 * What a caller is told who may not. AWS names one layer only. A stranger to the key's account learns from a refusal by
 * the key's side no more than when the key does not exist; the layers of the caller's own account may speak openly.
 */
export function denialText(request: AccessRequest, denied: Denied): string {
  const { caller, permission, resource } = request
  const strange = caller.account !== resource.account
  if (strange && byKeySide.has(denied.reason)) return unknownResourceDenial(caller, permission)
  const subject = `${refusal(caller, permission)} on resource: ${resource.arn}`
  switch (denied.reason) {
    case 'explicit-deny-in-key-policy':
      return `${subject} with an explicit deny in a resource-based policy`
    case 'explicit-deny-in-identity-policy':
      return `${subject} with an explicit deny in an identity-based policy`
    case 'no-identity-policy-allows':
      return `${subject} because no identity-based policy allows the ${permission} action`
    case 'no-key-policy-allows':
    case 'cross-account-operation':
    case 'too-much-work':
      return `${subject} because no resource-based policy allows the ${permission} action`
  }
}

/** For a key that does not exist, or that the caller must not learn of. */
export function unknownResourceDenial(caller: Caller, permission: string): string {
  return `${refusal(caller, permission)} on this resource because the resource does not exist in this Region, no resource-based policies allow access, or a resource-based policy explicitly denies access`
}

const byKeySide: ReadonlySet<DenialReason> = new Set<DenialReason>([
  'cross-account-operation',
  'explicit-deny-in-key-policy',
  'no-key-policy-allows',
  'too-much-work',
])

function refusal(caller: Caller, permission: string): string {
  return `User: ${caller.arn} is not authorized to perform: ${permission}`
}
