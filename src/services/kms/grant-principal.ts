import { parsePrincipalArn } from '../../authorize/policy/principal.ts'
import type { Caller } from '../../base/caller.ts'
import type { AccountId } from '../../base/ids.ts'
import type { PolicyRules } from './deps.ts'
import { invalidPrincipal } from './errors.ts'

/**
 * The account of a principal that a grant may name: an account (its root), a user, a role, a federated user or a
 * session of a role; no group, no organization and no service. Throws 'invalid-arn', also for accounts that are not
 * there. https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grantee-principal
 */
export function requireGrantPrincipal(
  arn: string,
  { accountExists }: Pick<PolicyRules, 'accountExists'>,
): AccountId {
  const principal = parsePrincipalArn(arn)
  if (principal === undefined || !('account' in principal)) throw invalidPrincipal(arn)
  if (!accountExists(principal.account)) throw invalidPrincipal(arn)
  return principal.account
}

/**
 * Whether a party of a grant is the caller: the user, the session, the role of the session, or the account when its
 * root user calls. Others of an account need the account's leave, which only its identity policies can give.
 */
export function isParty(caller: Caller, party: string | undefined): boolean {
  return party !== undefined && (party === caller.arn || party === caller.roleArn)
}
