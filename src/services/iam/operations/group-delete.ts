import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, groupKind, presentEntity } from '../entities.ts'
import { deleteConflict } from '../errors.ts'
import * as shapes from '../shapes.ts'

const input = structure({ GroupName: required(shapes.groupName) })

export const deleteGroup = operation({
  name: 'DeleteGroup',
  input,
  output: undefined,
  effects: 'write',
  errors: ['delete-conflict', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(groupKind, call, request.GroupName, deps),
  checks: (call, _request, target) => [entityCheck(groupKind, call, 'iam:DeleteGroup', target)],
  audit: {
    request: (request) => recorded(input, request, 'GroupName'),
    resources: (target) => entityResource(groupKind, target),
  },
  handle(_call, _request, target, { identities }) {
    const group = presentEntity(groupKind, target)
    const users = identities.users.of(group.account)
    if (users.some(({ groups }) => groups.includes(group.groupId))) {
      throw deleteConflict('Cannot delete entity, must remove users from group first.')
    }
    if (group.attached.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.')
    }
    if (Object.keys(group.inline).length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.')
    }
    return { output: undefined, changes: [identities.groups.remove(group)] }
  },
})
