import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findPolicy,
  policyCheck,
  policyResource,
  requirePolicy,
  shownPolicy,
} from '../managed-policy.ts'
import * as policyShapes from '../policy-shapes.ts'
import { policyUsage } from '../policy-usage.ts'
import * as shapes from '../shapes.ts'

const input = structure({ PolicyArn: required(shapes.arn) })

export const getPolicy = operation({
  name: 'GetPolicy',
  input,
  output: structure({ Policy: policyShapes.managedPolicy }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyCheck(call, 'iam:GetPolicy', target)],
  audit: {
    request: (request) => recorded(input, request, 'PolicyArn'),
    resources: policyResource,
  },
  handle({ caller: { account } }, _request, target, { identities }) {
    const policy = requirePolicy(target)
    const { description, tags } = policy
    return {
      output: {
        Policy: {
          ...shownPolicy(policy, policyUsage(identities, account)),
          Description: description,
          Tags: tags,
        },
      },
    }
  },
})
