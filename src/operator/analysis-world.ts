import type {
  AnalysedGrant,
  AnalysedGroup,
  AnalysedKey,
  AnalysisWorld,
} from '../authorize/analyse/world.ts'
import type { AccountId } from '../base/ids.ts'
import type { CallerPolicies } from '../identities/caller-policies.ts'
import { rootCaller, tagsOf } from '../identities/callers.ts'
import type { Guardrails } from '../identities/guardrails.ts'
import type { Identities } from '../identities/identities.ts'
import { groupArn, roleArn, userArn } from '../identities/records.ts'
import { organizationConditions } from '../record/conditions.ts'
import type { Accounts } from './accounts.ts'

export type WorldSources = {
  readonly accounts: Pick<Accounts, 'all'>
  readonly identities: Identities
  readonly guardrails: Pick<Guardrails, 'organizationId'>
  readonly callerPolicies: CallerPolicies
}

/** Everybody of the deployment and one key, as they are now. */
export function analysisWorld(
  sources: WorldSources,
  key: AnalysedKey,
  grants: readonly AnalysedGrant[],
): AnalysisWorld {
  const { accounts, identities, guardrails, callerPolicies } = sources
  const all = accounts.all()
  return {
    accounts: all.map((account) => ({
      account,
      layers: callerPolicies.of(rootCaller({ account, accessKeyId: '' })),
      resourceControl: callerPolicies.ofResources(account),
    })),
    users: all.flatMap((account) =>
      identities.users.of(account).map((user) => ({
        ...{ account, arn: userArn(user), userId: user.userId, userName: user.userName },
        tags: tagsOf(user.tags),
        groupIds: user.groups,
        layers: callerPolicies.ofIdentity(user),
      })),
    ),
    roles: all.flatMap((account) =>
      identities.roles.of(account).map((role) => ({
        ...{ account, arn: roleArn(role), roleId: role.roleId, roleName: role.roleName },
        tags: tagsOf(role.tags),
        layers: callerPolicies.ofIdentity(role),
        trustPolicy: role.trustPolicy,
      })),
    ),
    groups: all.flatMap((account) => groupsOf(sources, account)),
    key,
    grants,
    organization: organizationConditions(guardrails),
    // No service of the deployment acts for callers.
    viaServices: [],
  }
}

function groupsOf(
  { identities, callerPolicies }: WorldSources,
  account: AccountId,
): readonly AnalysedGroup[] {
  return identities.groups.of(account).map((group) => ({
    ...{ account, arn: groupArn(group), groupId: group.groupId },
    policies: callerPolicies.ofGroup(group),
  }))
}
