import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { deleteConflict } from '../errors.ts'
import { findPolicy, policyChangeCheck, policyResource, requirePolicy } from '../managed-policy.ts'
import { policyUsage, usageOf } from '../policy-usage.ts'
import * as shapes from '../shapes.ts'

const input = structure({ PolicyArn: required(shapes.arn) })

export const deletePolicy = operation({
  name: 'DeletePolicy',
  input,
  output: undefined,
  effects: 'write',
  errors: ['delete-conflict', 'invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyChangeCheck(call, 'iam:DeletePolicy', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn'),
    resources: policyResource,
  },
  handle({ caller: { account } }, _request, target, { identities }) {
    const policy = requirePolicy(target)
    const { attachments, boundaries } = usageOf(policyUsage(identities, account), target.arn)
    if (attachments + boundaries > 0) {
      throw deleteConflict('Cannot delete a policy attached to entities.')
    }
    if (policy.versions.length > 1) {
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      )
    }
    return { output: undefined, changes: [identities.policies.remove(policy)] }
  },
})
