import type { Caller } from '../../base/caller.ts'
import type { Effect } from './document.ts'
import type { Principal } from './principal.ts'

/**
 * How a statement's principal element fits a caller. Which implicit limits apply to a grant depends on it: a statement
 * that names the user or the session grants by itself, one that names the account only lets the account's own identity
 * policies grant.
 *
 * A federated session of a user, and a service that calls with its own identity, have no caller type yet: statements
 * that name them are accepted and match nobody.
 */
export type PrincipalMatch = 'user' | 'role-session' | 'role' | 'everyone' | 'account'

export type PrincipalMatcher = (caller: Caller) => PrincipalMatch | undefined

/** When a statement names a caller in several ways, the one with the fewest limits counts. */
export function compilePrincipals(
  principals: readonly Principal[],
  inverted: boolean,
  effect: Effect,
): PrincipalMatcher {
  const named = namedPrincipals(principals)
  if (!inverted) return (caller) => matchNamed(named, caller)
  return effect === 'Deny'
    ? (caller) => (identitiesOf(caller).every((id) => named.has(id)) ? undefined : 'everyone')
    : (caller) => (identitiesOf(caller).some((id) => named.has(id)) ? undefined : 'everyone')
}

const everyone = '*'

/** ARNs and bare account ids in one set: they cannot be confused. */
function namedPrincipals(principals: readonly Principal[]): ReadonlySet<string> {
  const named = new Set<string>()
  for (const principal of principals) {
    if (principal.type === 'everyone') named.add(everyone)
    else if (principal.type === 'account') named.add(principal.account)
    else if (principal.type !== 'service') named.add(principal.arn)
  }
  return named
}

function matchNamed(named: ReadonlySet<string>, caller: Caller): PrincipalMatch | undefined {
  if (caller.type === 'user' && named.has(caller.arn)) return 'user'
  if (caller.type === 'role-session' && named.has(caller.arn)) return 'role-session'
  if (named.has(everyone)) return 'everyone'
  if (caller.roleArn !== undefined && named.has(caller.roleArn)) return 'role'
  return named.has(caller.account) ? 'account' : undefined
}

/**
 * NotPrincipal: a Deny spares only whom it names by account, by role and by session, all of them; an Allow leaves out
 * whom it names in any way. Both are the reading that grants less.
 */
function identitiesOf(caller: Caller): readonly string[] {
  if (caller.type === 'root') return [caller.account]
  if (caller.roleArn === undefined) return [caller.account, caller.arn]
  return [caller.account, caller.roleArn, caller.arn]
}
