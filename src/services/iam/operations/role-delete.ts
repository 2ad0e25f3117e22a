import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, roleKind } from '../entities.ts'
import { deleteConflict } from '../errors.ts'
import * as shapes from '../shapes.ts'

const input = structure({ RoleName: required(shapes.entityName) })

export const deleteRole = operation({
  name: 'DeleteRole',
  input,
  output: undefined,
  effects: 'write',
  errors: ['delete-conflict', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [entityCheck(roleKind, call, 'iam:DeleteRole', target)],
  audit: {
    request: (request) => recorded(input, request, 'RoleName'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, _request, target, { identities }) {
    const role = presentEntity(roleKind, target)
    if (role.attached.length > 0) {
      throw deleteConflict('Cannot delete entity, must detach all policies first.')
    }
    if (Object.keys(role.inline).length > 0) {
      throw deleteConflict('Cannot delete entity, must delete policies first.')
    }
    return { output: undefined, changes: [identities.roles.remove(role)] }
  },
})
