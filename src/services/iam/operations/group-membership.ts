import { required, structure } from '../../../wire/schema.ts'
import { type CallContext, operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  entityCheck,
  entityResource,
  findEntity,
  groupKind,
  presentEntity,
  userKind,
} from '../entities.ts'
import { quotaExceeded } from '../errors.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  GroupName: required(shapes.groupName),
  UserName: required(shapes.existingUserName),
})

/** A user who is in the group already stays in it. */
export const addUserToGroup = operation({
  name: 'AddUserToGroup',
  input,
  output: undefined,
  effects: 'write',
  errors: ['limit-exceeded', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => membership(call, request, deps),
  // The group decides: who may add to it may add anybody.
  checks: (call, _request, { group }) => [
    entityCheck(groupKind, call, 'iam:AddUserToGroup', group),
  ],
  audit: {
    request: (request) => recorded(input, request, 'GroupName', 'UserName'),
    resources: (target) => resources(target),
  },
  handle(_call, _request, target, { identities, limits }) {
    const { group, user } = present(target)
    if (user.groups.includes(group.groupId)) return { output: undefined }
    if (user.groups.length >= limits.groupsPerUser) {
      throw quotaExceeded('GroupsPerUser', limits.groupsPerUser)
    }
    const member = { ...user, groups: [...user.groups, group.groupId] }
    // The group goes along unchanged: it cannot be deleted at the same time.
    const changes = [identities.users.replace(user, member), identities.groups.touch(group)]
    return { output: undefined, changes }
  },
})

/** A user who is not in the group is left as it is, as in AWS. */
export const removeUserFromGroup = operation({
  name: 'RemoveUserFromGroup',
  input,
  output: undefined,
  effects: 'write',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => membership(call, request, deps),
  checks: (call, _request, { group }) => [
    entityCheck(groupKind, call, 'iam:RemoveUserFromGroup', group),
  ],
  audit: {
    request: (request) => recorded(input, request, 'GroupName', 'UserName'),
    resources: (target) => resources(target),
  },
  handle(_call, _request, target, { identities }) {
    const { group, user } = present(target)
    const groups = user.groups.filter((id) => id !== group.groupId)
    if (groups.length === user.groups.length) return { output: undefined }
    return { output: undefined, changes: [identities.users.replace(user, { ...user, groups })] }
  },
})

type Membership = ReturnType<typeof membership>

function membership(
  call: CallContext,
  request: { readonly GroupName: string; readonly UserName: string },
  deps: IamDeps,
) {
  return {
    group: findEntity(groupKind, call, request.GroupName, deps),
    user: findEntity(userKind, call, request.UserName, deps),
  }
}

function present({ group, user }: Membership) {
  return { group: presentEntity(groupKind, group), user: presentEntity(userKind, user) }
}

function resources({ group, user }: Membership) {
  return [...entityResource(groupKind, group), ...entityResource(userKind, user)]
}
