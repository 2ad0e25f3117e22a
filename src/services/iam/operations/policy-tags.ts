import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions, tagKeyConditions } from '../../tag-conditions.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findPolicy,
  policyChangeCheck,
  policyCheck,
  policyResource,
  requirePolicy,
} from '../managed-policy.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'
import { checkTags, mergeTags, tagPosition, withoutTags } from '../tags.ts'

const tagInput = structure({ PolicyArn: required(shapes.arn), Tags: required(shapes.tags) })

export const tagPolicy = operation({
  name: 'TagPolicy',
  input: tagInput,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'limit-exceeded', 'no-such-entity'],
  resolve(call, request, { identities }: IamDeps) {
    checkTags(request.Tags)
    return findPolicy(call, request.PolicyArn, identities)
  },
  checks: (call, request, target) => [
    policyChangeCheck(call, 'iam:TagPolicy', target, requestTagConditions(request.Tags)),
  ],
  audit: {
    request: (request) => recorded(tagInput, request, 'PolicyArn', 'Tags'),
    resources: policyResource,
  },
  handle(_call, request, target, { identities, limits }) {
    const policy = requirePolicy(target)
    const tags = mergeTags(policy.tags, request.Tags, limits.tags, 'TagsPerPolicy')
    return {
      output: undefined,
      changes: [identities.policies.replace(policy, { ...policy, tags })],
    }
  },
})

const untagInput = structure({
  PolicyArn: required(shapes.arn),
  TagKeys: required(shapes.tagKeys),
})

export const untagPolicy = operation({
  name: 'UntagPolicy',
  input: untagInput,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, request, target) => [
    policyChangeCheck(call, 'iam:UntagPolicy', target, tagKeyConditions(request.TagKeys)),
  ],
  audit: {
    request: (request) => recorded(untagInput, request, 'PolicyArn', 'TagKeys'),
    resources: policyResource,
  },
  handle(_call, request, target, { identities }) {
    const policy = requirePolicy(target)
    const tags = withoutTags(policy.tags, request.TagKeys)
    if (tags.length === policy.tags.length) return { output: undefined }
    return {
      output: undefined,
      changes: [identities.policies.replace(policy, { ...policy, tags })],
    }
  },
})

const listInput = structure({ PolicyArn: required(shapes.arn), ...shapes.pageInput })

export const listPolicyTags = operation({
  name: 'ListPolicyTags',
  input: listInput,
  output: structure({ Tags: shapes.tags, ...shapes.pageOutput }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, request, { identities }: IamDeps) =>
    findPolicy(call, request.PolicyArn, identities),
  checks: (call, _request, target) => [policyCheck(call, 'iam:ListPolicyTags', target)],
  audit: {
    request: (request) => recorded(listInput, request, 'PolicyArn', 'Marker', 'MaxItems'),
    resources: policyResource,
  },
  handle(_call, request, target) {
    const { tags } = requirePolicy(target)
    const scope = ['ListPolicyTags', target.arn]
    const { items, page } = readPage(request, scope, tags, tagPosition)
    return { output: { Tags: items, ...page } }
  },
})
