import { ServiceError } from '../../../base/errors.ts'
import type { ManagedPolicyRecord } from '../../../identities/records.ts'
import { newUniqueId } from '../../../identities/unique-id.ts'
import { required, structure } from '../../../wire/schema.ts'
import { type Check, operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { quotaExceeded } from '../errors.ts'
import { admitManagedDocument, policyResourceType, shownPolicy } from '../managed-policy.ts'
import * as policyShapes from '../policy-shapes.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortedTags } from '../tags.ts'

const input = structure({
  PolicyName: required(shapes.policyName),
  Path: shapes.policyPath,
  PolicyDocument: required(shapes.policyDocument),
  Description: policyShapes.policyDescription,
  Tags: shapes.tags,
})
const output = structure({ Policy: policyShapes.managedPolicy })

export const createPolicy = operation({
  name: 'CreatePolicy',
  input,
  output,
  effects: 'write',
  errors: ['entity-exists', 'invalid-input', 'limit-exceeded', 'malformed-policy'],
  /** The name that it is to have. */
  resolve({ caller: { account } }, { Path = '/', PolicyName, Tags = [] }, _deps: IamDeps) {
    checkTags(Tags)
    return { account, arn: `arn:aws:iam::${account}:policy${Path}${PolicyName}` }
  },
  checks(call, request, { arn }): readonly Check[] {
    const conditions = requestTagConditions(request.Tags)
    const create = iamCheck(call, 'iam:CreatePolicy', arn, conditions)
    if (request.Tags === undefined || request.Tags.length === 0) return [create]
    return [create, iamCheck(call, 'iam:TagPolicy', arn, conditions)]
  },
  audit: {
    request: (request) =>
      recorded(input, request, 'PolicyName', 'Path', 'PolicyDocument', 'Description', 'Tags'),
    response: (answer) => recorded(output, answer, 'Policy'),
    // A call that failed made no policy.
    resources: ({ account, arn }, _request, answer) =>
      answer === undefined ? [] : [{ accountId: account, type: policyResourceType, ARN: arn }],
  },
  handle(call, request, _target, deps) {
    const { identities, limits, random } = deps
    const { account } = call.caller
    const { PolicyName, PolicyDocument, Path = '/', Description, Tags = [] } = request
    admitManagedDocument(PolicyDocument, deps)
    if (identities.policies.get(account, PolicyName) !== undefined) {
      throw new ServiceError(
        'entity-exists',
        `A policy called ${PolicyName} already exists. Duplicate names are not allowed.`,
      )
    }
    if (identities.policies.count(account) >= limits.policies) {
      throw quotaExceeded('PoliciesPerAccount', limits.policies)
    }
    const policy: ManagedPolicyRecord = {
      account,
      policyId: newUniqueId('ANPA', random),
      policyName: PolicyName,
      path: Path,
      createdAt: call.now,
      updatedAt: call.now,
      ...(Description !== undefined && { description: Description }),
      tags: sortedTags(Tags),
      versions: [{ versionId: 'v1', text: PolicyDocument, createdAt: call.now }],
      defaultVersionId: 'v1',
      nextVersion: 2,
    }
    const shown = shownPolicy(policy, new Map())
    return {
      output: { Policy: Tags.length === 0 ? shown : { ...shown, Tags: policy.tags } },
      changes: [identities.policies.add(policy)],
    }
  },
})
