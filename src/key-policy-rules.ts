import { admitKeyPolicy } from './authorize/admit.ts'
import { defaultKeyPolicy } from './authorize/defaults.ts'
import { showPrincipals } from './authorize/policy/bind.ts'
import type { CallerPolicies } from './identities/caller-policies.ts'
import type { Principals } from './identities/principals.ts'
import type { Accounts } from './operator/accounts.ts'
import type { PolicyRules } from './services/kms/deps.ts'

/** What KMS asks of a key policy, answered out of the deployment's identities. */
export function keyPolicyRules({
  accounts,
  principals,
  callerPolicies,
}: {
  readonly accounts: Accounts
  readonly principals: Principals
  readonly callerPolicies: CallerPolicies
}): PolicyRules {
  return {
    defaultKeyPolicy,
    admitKeyPolicy: (text, change) =>
      admitKeyPolicy(text, {
        ...change,
        layers: callerPolicies.of(change.caller),
        principals,
      }),
    shownKeyPolicy: (text) => showPrincipals(text, 'key', principals),
    accountExists: (account) => accounts.exists(account),
    principals,
  }
}
