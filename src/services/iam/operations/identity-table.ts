import type { AnyOperation } from '../../operation.ts'
import { attachedPolicyOperations } from '../attached-policies.ts'
import { boundaryOperations } from '../boundaries.ts'
import { groupKind, userKind } from '../entities.ts'
import { tagOperations } from '../entity-tags.ts'
import { inlinePolicyOperations } from '../inline-policies.ts'
import { createAccessKey } from './access-key-create.ts'
import { deleteAccessKey } from './access-key-delete.ts'
import { getAccessKeyLastUsed } from './access-key-last-used.ts'
import { listAccessKeys } from './access-key-list.ts'
import { updateAccessKey } from './access-key-update.ts'
import { createAccountAlias, deleteAccountAlias, listAccountAliases } from './account-alias.ts'
import { getAccountSummary } from './account-summary.ts'
import { createGroup } from './group-create.ts'
import { deleteGroup } from './group-delete.ts'
import { getGroup } from './group-get.ts'
import { listGroups } from './group-list.ts'
import { listGroupsForUser } from './group-list-for-user.ts'
import { addUserToGroup, removeUserFromGroup } from './group-membership.ts'
import { updateGroup } from './group-update.ts'
import { createUser } from './user-create.ts'
import { deleteUser } from './user-delete.ts'
import { getUser } from './user-get.ts'
import { listUsers } from './user-list.ts'
import { otherCredentialOperations } from './user-other-credentials.ts'
import { updateUser } from './user-update.ts'

/** Operations on users, groups, access keys and account aliases. */
export const identityOperations: readonly AnyOperation[] = [
  createUser,
  getUser,
  listUsers,
  updateUser,
  deleteUser,
  ...tagOperations(userKind),
  ...inlinePolicyOperations(userKind),
  ...attachedPolicyOperations(userKind),
  ...boundaryOperations(userKind),
  createAccessKey,
  listAccessKeys,
  updateAccessKey,
  deleteAccessKey,
  getAccessKeyLastUsed,
  ...otherCredentialOperations,
  createGroup,
  getGroup,
  listGroups,
  updateGroup,
  deleteGroup,
  addUserToGroup,
  removeUserFromGroup,
  listGroupsForUser,
  ...inlinePolicyOperations(groupKind),
  ...attachedPolicyOperations(groupKind),
  createAccountAlias,
  deleteAccountAlias,
  listAccountAliases,
  getAccountSummary,
]
