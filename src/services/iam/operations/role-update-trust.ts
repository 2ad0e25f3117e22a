import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { entityCheck, entityResource, findEntity, presentEntity, roleKind } from '../entities.ts'
import * as shapes from '../shapes.ts'
import { admitTrustDocument } from '../trust-policy.ts'

const input = structure({
  RoleName: required(shapes.entityName),
  PolicyDocument: required(shapes.policyDocument),
})

export const updateAssumeRolePolicy = operation({
  name: 'UpdateAssumeRolePolicy',
  input,
  output: undefined,
  effects: 'write',
  errors: ['limit-exceeded', 'malformed-policy', 'no-such-entity'],
  resolve: (call, request, deps: IamDeps) => findEntity(roleKind, call, request.RoleName, deps),
  checks: (call, _request, target) => [
    entityCheck(roleKind, call, 'iam:UpdateAssumeRolePolicy', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'RoleName', 'PolicyDocument'),
    resources: (target) => entityResource(roleKind, target),
  },
  handle(_call, request, target, deps) {
    const role = presentEntity(roleKind, target)
    const trustPolicy = admitTrustDocument(request.PolicyDocument, deps)
    return {
      output: undefined,
      changes: [deps.identities.roles.replace(role, { ...role, trustPolicy })],
    }
  },
})
