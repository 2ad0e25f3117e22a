import type { Caller } from '../../base/caller.ts'
import type { Effect } from './document.ts'
import type { Principal } from './principal.ts'

/**
 * How a statement's principal element fits a caller. Which implicit limits apply to a grant depends on it: a statement
 * that names the user or the session grants by itself, one that names the account only lets the account's own identity
 * policies grant.
 *
 * A federated session of a user has no caller type: statements that name one are accepted and match nobody.
 */
export type PrincipalMatch =
  | 'user'
  | 'role-session'
  | 'role'
  | 'everyone'
  | 'account'
  /** By the OpenID provider that vouches for it. */
  | 'web-identity'
  /** A service of this deployment, by its name. */
  | 'service'

/** `bounded`: the caller has a permissions boundary. */
export type PrincipalMatcher = (caller: Caller, bounded: boolean) => PrincipalMatch | undefined

/** When a statement names a caller in several ways, the one with the fewest limits counts. */
export function compilePrincipals(
  principals: readonly Principal[],
  inverted: boolean,
  effect: Effect,
): PrincipalMatcher {
  const named = namedPrincipals(principals)
  if (!inverted) {
    return (caller) =>
      caller.type === 'web-identity'
        ? matchProvider(named, caller, effect)
        : matchNamed(named, caller)
  }
  return effect === 'Deny'
    ? (caller, bounded) => (!bounded && sparedByName(named, caller) ? undefined : 'everyone')
    : (caller) => (leftOut(named, caller) ? undefined : 'everyone')
}

const everyone = '*'

/**
 * Unique ids, account ids, providers' ARNs and names of services in one set: they cannot be confused. Any other ARN
 * stands for nobody: what is stored names principals by their ids (`bind.ts`).
 */
function namedPrincipals(principals: readonly Principal[]): ReadonlySet<string> {
  const named = new Set<string>()
  for (const principal of principals) {
    if (principal.type === 'everyone') named.add(everyone)
    else if (principal.type === 'account') named.add(principal.account)
    else if (principal.type === 'id') named.add(principal.id)
    else if (principal.type === 'oidc-provider') named.add(principal.arn)
    else if (principal.type === 'service') named.add(principal.name)
  }
  return named
}

function matchNamed(named: ReadonlySet<string>, caller: Caller): PrincipalMatch | undefined {
  if (caller.type === 'user' && named.has(caller.principalId)) return 'user'
  if (caller.type === 'role-session' && named.has(caller.principalId)) return 'role-session'
  if (caller.type === 'service' && named.has(caller.principalId)) return 'service'
  if (named.has(everyone)) return 'everyone'
  if (caller.type === 'service') return undefined
  if (caller.roleId !== undefined && named.has(caller.roleId)) return 'role'
  return named.has(caller.account) ? 'account' : undefined
}

/** Nobody signed for a web identity: it is let in by the name of its provider alone, and denied with everyone. */
function matchProvider(
  named: ReadonlySet<string>,
  { arn }: Caller,
  effect: Effect,
): PrincipalMatch | undefined {
  if (named.has(arn)) return 'web-identity'
  return effect === 'Deny' && named.has(everyone) ? 'everyone' : undefined
}

/** NotPrincipal with Deny spares only whom it names by account, by role and by session, all of them. */
function sparedByName(named: ReadonlySet<string>, caller: Caller): boolean {
  return identitiesOf(caller).every((id) => named.has(id))
}

/** NotPrincipal with Allow leaves out whom it names in any way, and lets in no web identity. */
function leftOut(named: ReadonlySet<string>, caller: Caller): boolean {
  if (caller.type === 'web-identity' || named.has(everyone)) return true
  return identitiesOf(caller).some((id) => named.has(id))
}

function identitiesOf(caller: Caller): readonly string[] {
  if (caller.type === 'root') return [caller.account]
  if (caller.type === 'web-identity' || caller.type === 'service') return [caller.arn]
  if (caller.roleId === undefined) return [caller.account, caller.principalId]
  return [caller.account, caller.roleId, caller.principalId]
}
