import type { AccountId } from '../../../base/ids.ts'
import { map, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps, IamLimits } from '../deps.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetAccountSummary.html */
export const getAccountSummary = operation({
  name: 'GetAccountSummary',
  input: structure({}),
  output: structure({ SummaryMap: map() }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:GetAccountSummary', '*')],
  audit: { request: () => null },
  handle(call, _request, _target, { identities, limits }: IamDeps) {
    const summary = { ...inUse(call.caller.account, identities), ...quotas(limits), ...absent }
    const SummaryMap = Object.fromEntries(
      Object.entries(summary).map(([name, count]) => [name, String(count)]),
    )
    return { output: { SummaryMap } }
  },
})

function inUse(account: AccountId, identities: IamDeps['identities']) {
  const policies = identities.policies.of(account)
  return {
    Users: identities.users.count(account),
    Groups: identities.groups.count(account),
    Roles: identities.roles.count(account),
    Policies: policies.length,
    PolicyVersionsInUse: policies.reduce((sum, { versions }) => sum + versions.length, 0),
    Providers: identities.oidcProviders.count(account),
    AccountAccessKeysPresent: identities.accessKeysOf(account, undefined).length > 0 ? 1 : 0,
  }
}

function quotas(limits: IamLimits) {
  return {
    UsersQuota: limits.users,
    GroupsQuota: limits.groups,
    RolesQuota: limits.roles,
    PoliciesQuota: limits.policies,
    PolicyVersionsInUseQuota: limits.policies * limits.policyVersions,
    VersionsPerPolicyQuota: limits.policyVersions,
    GroupsPerUserQuota: limits.groupsPerUser,
    AccessKeysPerUserQuota: limits.accessKeysPerUser,
    AttachedPoliciesPerUserQuota: limits.attachedPolicies,
    AttachedPoliciesPerGroupQuota: limits.attachedPolicies,
    AttachedPoliciesPerRoleQuota: limits.attachedPolicies,
    PolicySizeQuota: limits.managedPolicySize,
    UserPolicySizeQuota: limits.userPolicySize,
    GroupPolicySizeQuota: limits.groupPolicySize,
    RolePolicySizeQuota: limits.rolePolicySize,
    AssumeRolePolicySizeQuota: limits.trustPolicySize,
  }
}

/** What this service has nothing of. */
const absent = {
  AccountMFAEnabled: 0,
  AccountPasswordPresent: 0,
  AccountSigningCertificatesPresent: 0,
  InstanceProfiles: 0,
  InstanceProfilesQuota: 0,
  MFADevices: 0,
  MFADevicesInUse: 0,
  ServerCertificates: 0,
  ServerCertificatesQuota: 0,
  SigningCertificatesPerUserQuota: 0,
}
