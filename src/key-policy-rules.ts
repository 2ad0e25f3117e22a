import { admitKeyPolicy } from './authorize/admit.ts'
import { proveSeparation } from './authorize/analyse/separation.ts'
import type { AnalysisWorld } from './authorize/analyse/world.ts'
import { defaultKeyPolicy } from './authorize/defaults.ts'
import { showPrincipals } from './authorize/policy/bind.ts'
import type { Principals } from './identities/principals.ts'
import type { Accounts } from './operator/accounts.ts'
import { analysisWorld, type WorldSources } from './operator/analysis-world.ts'
import type { PolicyRules } from './services/kms/deps.ts'

/** What KMS asks of a key policy, answered out of the deployment's identities. */
export function keyPolicyRules(
  sources: WorldSources & { readonly accounts: Accounts; readonly principals: Principals },
): PolicyRules {
  const { accounts, principals, callerPolicies } = sources
  return {
    defaultKeyPolicy,
    admitKeyPolicy: (text, change) =>
      admitKeyPolicy(text, {
        ...change,
        layers: callerPolicies.of(change.caller),
        principals,
      }),
    mixedDuties: (key, grants) => mixedDuties(analysisWorld(sources, key, grants)),
    shownKeyPolicy: (text) => showPrincipals(text, 'key', principals),
    accountExists: (account) => accounts.exists(account),
    principals,
  }
}

/** A call waits for it, and all others wait with it. What takes longer is not proven. */
const limits = { principals: 100, questions: 20_000 }

function mixedDuties(world: AnalysisWorld): string | undefined {
  const { result, counterexample } = proveSeparation(world, limits)
  if (result === 'PROVEN') return undefined
  if (counterexample === undefined) return 'there are too many identities for a proof'
  const { principal, administration, use } = counterexample
  const steps = [...administration.steps, ...use.steps].map(({ action }) => action)
  const by = steps.length === 0 ? '' : ` by ${steps.join(', ')}`
  return `${principal}: ${administration.permission} and ${use.permission}${by} (${result})`
}
