import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { deleteConflict } from '../errors.ts'
import {
  findPolicy,
  policyChangeCheck,
  policyResource,
  requirePolicy,
  requireVersion,
} from '../managed-policy.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  PolicyArn: required(shapes.arn),
  VersionId: required(policyShapes.versionId),
})

export const deletePolicyVersion = operation({
  name: 'DeletePolicyVersion',
  input,
  output: undefined,
  effects: 'write',
  errors: ['delete-conflict', 'invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyChangeCheck(call, 'iam:DeletePolicyVersion', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn', 'VersionId'),
    resources: policyResource,
  },
  handle(_call, request, target, { identities }) {
    const policy = requirePolicy(target)
    const version = requireVersion(target, request.VersionId)
    if (version.versionId === policy.defaultVersionId) {
      throw deleteConflict('Cannot delete the default version of a policy.')
    }
    const versions = policy.versions.filter((each) => each !== version)
    return {
      output: undefined,
      changes: [identities.policies.replace(policy, { ...policy, versions })],
    }
  },
})
