import type { AnyOperation } from '../../operation.ts'
import { attachedPolicyOperations } from '../attached-policies.ts'
import { boundaryOperations } from '../boundaries.ts'
import { roleKind } from '../entities.ts'
import { tagOperations } from '../entity-tags.ts'
import { inlinePolicyOperations } from '../inline-policies.ts'
import { getAccountAuthorizationDetails } from './account-authorization-details.ts'
import { getContextKeysForCustomPolicy, getContextKeysForPrincipalPolicy } from './context-keys.ts'
import { createPolicy } from './policy-create.ts'
import { deletePolicy } from './policy-delete.ts'
import { listEntitiesForPolicy } from './policy-entities.ts'
import { getPolicy } from './policy-get.ts'
import { listPolicies } from './policy-list.ts'
import { listPolicyTags, tagPolicy, untagPolicy } from './policy-tags.ts'
import { createPolicyVersion } from './policy-version-create.ts'
import { deletePolicyVersion } from './policy-version-delete.ts'
import { getPolicyVersion } from './policy-version-get.ts'
import { listPolicyVersions } from './policy-version-list.ts'
import { setDefaultPolicyVersion } from './policy-version-set-default.ts'
import { createRole } from './role-create.ts'
import { deleteRole } from './role-delete.ts'
import { getRole } from './role-get.ts'
import { listInstanceProfilesForRole } from './role-instance-profiles.ts'
import { listRoles } from './role-list.ts'
import { updateRole, updateRoleDescription } from './role-update.ts'
import { updateAssumeRolePolicy } from './role-update-trust.ts'
import { simulateCustomPolicy } from './simulate-custom-policy.ts'
import { simulatePrincipalPolicy } from './simulate-principal-policy.ts'

/** Operations on roles, policies, boundaries and their simulation. */
export const policyOperations: readonly AnyOperation[] = [
  createRole,
  getRole,
  listRoles,
  updateRole,
  updateRoleDescription,
  updateAssumeRolePolicy,
  deleteRole,
  listInstanceProfilesForRole,
  ...tagOperations(roleKind),
  ...inlinePolicyOperations(roleKind),
  ...attachedPolicyOperations(roleKind),
  ...boundaryOperations(roleKind),
  createPolicy,
  getPolicy,
  listPolicies,
  deletePolicy,
  listEntitiesForPolicy,
  createPolicyVersion,
  getPolicyVersion,
  listPolicyVersions,
  deletePolicyVersion,
  setDefaultPolicyVersion,
  tagPolicy,
  untagPolicy,
  listPolicyTags,
  getAccountAuthorizationDetails,
  getContextKeysForCustomPolicy,
  getContextKeysForPrincipalPolicy,
  simulateCustomPolicy,
  simulatePrincipalPolicy,
]
