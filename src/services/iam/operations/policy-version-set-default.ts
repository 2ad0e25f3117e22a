import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
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

export const setDefaultPolicyVersion = operation({
  name: 'SetDefaultPolicyVersion',
  input,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [
    policyChangeCheck(call, 'iam:SetDefaultPolicyVersion', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn', 'VersionId'),
    resources: policyResource,
  },
  handle(_call, request, target, { identities }) {
    const policy = requirePolicy(target)
    const { versionId } = requireVersion(target, request.VersionId)
    const changed = { ...policy, defaultVersionId: versionId }
    return { output: undefined, changes: [identities.policies.replace(policy, changed)] }
  },
})
