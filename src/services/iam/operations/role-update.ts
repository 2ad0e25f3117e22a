import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, roleKind } from '../entities.ts'
import { roleOutput } from '../role.ts'
import { maxSessionDuration, roleDescription } from '../role-shapes.ts'
import * as shapes from '../shapes.ts'

const updateInput = structure({
  RoleName: required(shapes.entityName),
  Description: roleDescription,
  MaxSessionDuration: maxSessionDuration,
})

export const updateRole = operation({
  name: 'UpdateRole',
  input: updateInput,
  output: structure({}),
  effects: 'write',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [entityCheck(roleKind, call, 'iam:UpdateRole', target)],
  audit: {
    request: (request) =>
      recorded(updateInput, request, 'RoleName', 'Description', 'MaxSessionDuration'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, request, target, { identities }) {
    const role = presentEntity(roleKind, target)
    const changed = {
      ...role,
      description: request.Description ?? role.description,
      // AWS documents that a call which does not name the duration sets the default one.
      maxSessionSeconds: request.MaxSessionDuration ?? 3600,
    }
    return { output: {}, changes: [identities.roles.replace(role, changed)] }
  },
})

const descriptionInput = structure({
  RoleName: required(shapes.entityName),
  Description: required(roleDescription),
})

/** What there was before UpdateRole. */
export const updateRoleDescription = operation({
  name: 'UpdateRoleDescription',
  input: descriptionInput,
  output: structure({ Role: shapes.role }),
  effects: 'write',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [
    entityCheck(roleKind, call, 'iam:UpdateRoleDescription', target),
  ],
  audit: {
    request: (request) => recorded(descriptionInput, request, 'RoleName', 'Description'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, request, target, deps) {
    const { roles } = deps.identities
    const role = presentEntity(roleKind, target)
    const changed = { ...role, description: request.Description }
    return {
      output: { Role: roleOutput(changed, deps) },
      changes: [roles.replace(role, changed)],
    }
  },
})
