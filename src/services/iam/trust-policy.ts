import { admitTrustPolicy } from '../../authorize/admit-identity.ts'
import { showPrincipals } from '../../authorize/policy/bind.ts'
import type { RoleRecord } from '../../identities/records.ts'
import type { IamDeps } from './deps.ts'
import { documentInAnswer, policySize } from './documents.ts'
import { quotaExceeded } from './errors.ts'

/**
 * The trust policy to be stored, whose principals are bound to their unique ids: a namesake that is made later is not
 * trusted. Throws 'malformed-policy' and 'limit-exceeded'.
 */
export function admitTrustDocument(
  text: string,
  { limits, principals }: Pick<IamDeps, 'limits' | 'principals'>,
): string {
  if (policySize(text) > limits.trustPolicySize) {
    throw quotaExceeded('ACLSizePerRole', limits.trustPolicySize)
  }
  return admitTrustPolicy(text, principals)
}

/** As answers have it: users, roles and sessions by their ARNs, those that are gone by their ids. */
export function trustInAnswer(
  { trustPolicy }: RoleRecord,
  { principals }: Pick<IamDeps, 'principals'>,
): string {
  return documentInAnswer(showPrincipals(trustPolicy, 'trust', principals))
}
