import type { PrincipalNames } from '../../authorize/policy/bind.ts'
import { type Principal, parsePrincipalArn } from '../../authorize/policy/principal.ts'
import type { Caller } from '../../base/caller.ts'
import { type AccountId, rootArn } from '../../base/ids.ts'
import type { PermittingGrant } from '../operation.ts'
import { invalidPrincipal } from './errors.ts'

/**
 * The principal that a grant may name: an account (its root), a user, a role, a federated user or a session of a role;
 * no group, no organization and no service. Throws 'invalid-arn'. Whether there is one is told by `requireGrantParty`,
 * to those alone who may ask: names of other accounts are nobody else's to find out.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grantee-principal
 */
export function grantPrincipal(arn: string): Principal & { readonly account: AccountId } {
  const principal = parsePrincipalArn(arn)
  if (principal === undefined || !('account' in principal)) throw invalidPrincipal(arn)
  return principal
}

/**
 * The principal as a grant keeps it, so that a namesake that is made later gains nothing: the unique id of a user, a
 * role or a session; the root ARN of an account. Throws 'invalid-arn' for one that does not exist.
 */
export function requireGrantParty(arn: string, names: Pick<PrincipalNames, 'idOf'>): string {
  const party = partyOf(grantPrincipal(arn), names)
  if (party === undefined) throw invalidPrincipal(arn)
  return party
}

/** The party that is shown as `text`: by its ARN for as long as it is there, by its id once it is gone. */
export function partyShownAs(text: string, names: Pick<PrincipalNames, 'idOf'>): string {
  const principal = parsePrincipalArn(text)
  return (principal && partyOf(principal, names)) ?? text
}

export function shownParty(party: string, names: Pick<PrincipalNames, 'arnOf'>): string {
  return names.arnOf(party) ?? party
}

function partyOf(principal: Principal, names: Pick<PrincipalNames, 'idOf'>) {
  const id = names.idOf(principal)
  if (id === undefined) return undefined
  return principal.type === 'account' ? rootArn(principal.account) : id
}

type CallerParty = Pick<PermittingGrant, 'grantee'> & { readonly party: string }

/**
 * As whom a caller can be named by a grant: the one with the fewest limits first. All of an account are its party; but
 * for its root user they need the account's leave, which only its identity policies can give.
 */
export function partiesOf(caller: Caller): readonly CallerParty[] {
  const { type, principalId, roleId } = caller
  const account = { party: rootArn(caller.account), grantee: 'account' } as const
  switch (type) {
    case 'root':
      return [account]
    case 'user':
      return [{ party: principalId, grantee: 'user' }, account]
    case 'role-session': {
      const session = { party: principalId, grantee: 'role-session' } as const
      return roleId === undefined
        ? [session, account]
        : [session, { party: roleId, grantee: 'role' }, account]
    }
    case 'web-identity':
    case 'service':
      return []
  }
}
