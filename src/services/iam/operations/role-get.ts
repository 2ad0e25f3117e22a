import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, roleKind } from '../entities.ts'
import { roleOutput } from '../role.ts'
import * as shapes from '../shapes.ts'

const input = structure({ RoleName: required(shapes.entityName) })

export const getRole = operation({
  name: 'GetRole',
  input,
  output: structure({ Role: shapes.role }),
  effects: 'read',
  errors: ['no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [entityCheck(roleKind, call, 'iam:GetRole', target)],
  audit: {
    request: (request) => recorded(input, request, 'RoleName'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, _request, target, deps) {
    return { output: { Role: roleOutput(presentEntity(roleKind, target), deps) } }
  },
})
