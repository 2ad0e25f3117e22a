import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions, tagKeyConditions } from '../../tag-conditions.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findProvider,
  providerArn,
  providerCheck,
  providerResource,
  requireProvider,
} from '../oidc-provider.ts'
import { readPage } from '../paging.ts'
import * as shapes from '../shapes.ts'
import { checkTags, mergeTags, tagPosition, withoutTags } from '../tags.ts'

const tagInput = structure({
  OpenIDConnectProviderArn: required(providerArn),
  Tags: required(shapes.tags),
})
const untagInput = structure({
  OpenIDConnectProviderArn: required(providerArn),
  TagKeys: required(shapes.tagKeys),
})
const listInput = structure({
  OpenIDConnectProviderArn: required(providerArn),
  ...shapes.pageInput,
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html */
export const tagOpenIDConnectProvider = operation({
  name: 'TagOpenIDConnectProvider',
  input: tagInput,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'limit-exceeded', 'no-such-entity'],
  resolve(call, { OpenIDConnectProviderArn, Tags }, deps: IamDeps) {
    checkTags(Tags)
    return findProvider(call, OpenIDConnectProviderArn, deps)
  },
  checks: (call, { Tags }, target) => [
    providerCheck(call, 'iam:TagOpenIDConnectProvider', target, requestTagConditions(Tags)),
  ],
  audit: {
    request: (request) => recorded(tagInput, request, 'OpenIDConnectProviderArn', 'Tags'),
    resources: providerResource,
  },
  handle(_call, { Tags }, target, { identities, limits }) {
    const provider = requireProvider(target)
    const tags = mergeTags(provider.tags, Tags, limits.tags, 'TagsPerOpenIdConnectProvider')
    const change = identities.oidcProviders.replace(provider, { ...provider, tags })
    return { output: undefined, changes: [change] }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html */
export const untagOpenIDConnectProvider = operation({
  name: 'UntagOpenIDConnectProvider',
  input: untagInput,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, { TagKeys }, target) => [
    providerCheck(call, 'iam:UntagOpenIDConnectProvider', target, tagKeyConditions(TagKeys)),
  ],
  audit: {
    request: (request) => recorded(untagInput, request, 'OpenIDConnectProviderArn', 'TagKeys'),
    resources: providerResource,
  },
  handle(_call, { TagKeys }, target, { identities }) {
    const provider = requireProvider(target)
    const tags = withoutTags(provider.tags, TagKeys)
    const change = identities.oidcProviders.replace(provider, { ...provider, tags })
    return { output: undefined, changes: [change] }
  },
})

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html */
export const listOpenIDConnectProviderTags = operation({
  name: 'ListOpenIDConnectProviderTags',
  input: listInput,
  output: structure({ Tags: required(shapes.tags), ...shapes.pageOutput }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, _request, target) => [
    providerCheck(call, 'iam:ListOpenIDConnectProviderTags', target),
  ],
  audit: {
    request: (request) =>
      recorded(listInput, request, 'OpenIDConnectProviderArn', 'Marker', 'MaxItems'),
    resources: providerResource,
  },
  handle(_call, request, target) {
    const { tags } = requireProvider(target)
    const scope = ['ListOpenIDConnectProviderTags', target.arn]
    const { items, page } = readPage(request, scope, tags, tagPosition)
    return { output: { Tags: items, ...page } }
  },
})
