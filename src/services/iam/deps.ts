import type { AccountId, Region } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Hsm } from '../../hsm/port.ts'
import type { CallerPolicies } from '../../identities/caller-policies.ts'
import type { Identities } from '../../identities/identities.ts'
import type { Principals } from '../../identities/principals.ts'
import type { EventLookup } from '../../journal/port.ts'

/** What the operations of IAM need of the rest of the house. */
export type IamDeps = {
  readonly identities: Identities
  readonly principals: Principals
  /** Which policies bound an identity: simulations ask for them. */
  readonly callerPolicies: CallerPolicies
  /** Names and secrets of what is made. */
  readonly random: Random
  readonly hsm: Pick<Hsm, 'sealSecret'>
  /** When an access key was used last. */
  readonly lookup: Pick<EventLookup, 'find'>
  readonly accountExists: (account: AccountId) => boolean
  /** ms since the epoch */
  readonly accountCreatedAt: (account: AccountId) => number | undefined
  /** Of the deployment: the audit record is looked up in each. */
  readonly regions: readonly Region[]
  readonly limits: IamLimits
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export type IamLimits = {
  readonly users: number
  readonly groups: number
  readonly roles: number
  readonly policies: number
  readonly groupsPerUser: number
  readonly accessKeysPerUser: number
  readonly attachedPolicies: number
  readonly policyVersions: number
  readonly tags: number
  readonly oidcProviders: number
  /** Characters but white space. */
  readonly managedPolicySize: number
  readonly userPolicySize: number
  readonly groupPolicySize: number
  readonly rolePolicySize: number
  readonly trustPolicySize: number
}

export const defaultIamLimits: IamLimits = {
  users: 5000,
  groups: 300,
  roles: 1000,
  policies: 1500,
  groupsPerUser: 10,
  accessKeysPerUser: 2,
  attachedPolicies: 10,
  policyVersions: 5,
  tags: 50,
  oidcProviders: 100,
  managedPolicySize: 6144,
  userPolicySize: 2048,
  groupPolicySize: 5120,
  rolePolicySize: 10_240,
  trustPolicySize: 2048,
}
