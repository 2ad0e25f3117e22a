import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findPolicy,
  policyCheck,
  policyResource,
  requirePolicy,
  requireVersion,
  shownVersion,
} from '../managed-policy.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  PolicyArn: required(shapes.arn),
  VersionId: required(policyShapes.versionId),
})

export const getPolicyVersion = operation({
  name: 'GetPolicyVersion',
  input,
  output: structure({ PolicyVersion: policyShapes.policyVersion }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyCheck(call, 'iam:GetPolicyVersion', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn', 'VersionId'),
    resources: policyResource,
  },
  handle(_call, request, target) {
    const version = requireVersion(target, request.VersionId)
    return { output: { PolicyVersion: shownVersion(requirePolicy(target), version, true) } }
  },
})
