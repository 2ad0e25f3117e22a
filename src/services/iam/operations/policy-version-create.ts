import { ServiceError } from '../../../base/errors.ts'
import { boolean, required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  admitManagedDocument,
  findPolicy,
  policyChangeCheck,
  policyResource,
  requirePolicy,
  shownVersion,
} from '../managed-policy.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'

const input = structure({
  PolicyArn: required(shapes.arn),
  PolicyDocument: required(shapes.policyDocument),
  SetAsDefault: boolean(),
})
const output = structure({ PolicyVersion: policyShapes.policyVersion })

export const createPolicyVersion = operation({
  name: 'CreatePolicyVersion',
  input,
  output,
  effects: 'write',
  errors: ['invalid-input', 'limit-exceeded', 'malformed-policy', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyChangeCheck(call, 'iam:CreatePolicyVersion', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn', 'PolicyDocument', 'SetAsDefault'),
    response: (answer) => recorded(output, answer, 'PolicyVersion'),
    resources: policyResource,
  },
  handle(call, request, target, deps) {
    const { identities, limits } = deps
    const policy = requirePolicy(target)
    admitManagedDocument(request.PolicyDocument, deps)
    if (policy.versions.length >= limits.policyVersions) {
      throw new ServiceError(
        'limit-exceeded',
        `A managed policy can have up to ${limits.policyVersions} versions. Before you create a new version, you must delete an existing version.`,
      )
    }
    const versionId = `v${policy.nextVersion}`
    const version = { versionId, text: request.PolicyDocument, createdAt: call.now }
    const changed = {
      ...policy,
      updatedAt: call.now,
      versions: [...policy.versions, version],
      nextVersion: policy.nextVersion + 1,
      ...(request.SetAsDefault === true && { defaultVersionId: versionId }),
    }
    return {
      output: { PolicyVersion: shownVersion(changed, version, false) },
      changes: [identities.policies.replace(policy, changed)],
    }
  },
})
