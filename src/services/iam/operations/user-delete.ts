import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, userKind } from '../entities.ts'
import { deleteConflict } from '../errors.ts'
import * as shapes from '../shapes.ts'

export const deleteUser = operation({
  name: 'DeleteUser',
  input: structure({ UserName: required(shapes.existingUserName) }),
  output: undefined,
  effects: 'write',
  errors: ['delete-conflict', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(userKind, call, request.UserName, deps),
  checks: (call, _request, target) => [entityCheck(userKind, call, 'iam:DeleteUser', target)],
  audit: {
    request: (request) => ({ userName: request.UserName }),
    resources: (target) => entityResource(userKind, target),
  },
  // What a new access key or a new membership rests on is the user's record, which goes along with it: a deletion at
  // the same time is a conflict.
  handle(_call, _request, target, { identities }) {
    const user = presentEntity(userKind, target)
    if (identities.accessKeysOf(user.account, user.userId).length > 0) {
      throw deleteConflict('Cannot delete entity, must delete access keys first.')
    }
    if (user.attached.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.')
    }
    if (Object.keys(user.inline).length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.')
    }
    if (user.groups.length > 0) {
      throw deleteConflict('Cannot delete entity, must remove users from group first.')
    }
    return { output: undefined, changes: [identities.users.remove(user)] }
  },
})
