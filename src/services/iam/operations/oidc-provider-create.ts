import { ServiceError } from '../../../base/errors.ts'
import { oidcProviderArn } from '../../../identities/records.ts'
import { required, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { requestTagConditions } from '../../tag-conditions.ts'
import { recorded } from '../audit.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'
import { quotaExceeded } from '../errors.ts'
import {
  auditResource,
  clientIds,
  clientIdsOf,
  providerUrl,
  thumbprints,
  thumbprintsOf,
  urlOf,
} from '../oidc-provider.ts'
import * as shapes from '../shapes.ts'
import { checkTags, sortedTags } from '../tags.ts'

const input = structure({
  Url: required(providerUrl),
  ClientIDList: clientIds,
  ThumbprintList: thumbprints,
  Tags: shapes.tags,
})
const output = structure({ OpenIDConnectProviderArn: string(), Tags: shapes.tags })

/**
 * Without thumbprints, the certificates of the provider have to be signed by an authority that everybody trusts: none
 * are fetched here.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 */
export const createOpenIDConnectProvider = operation({
  name: 'CreateOpenIDConnectProvider',
  input,
  output,
  effects: 'write',
  errors: ['entity-exists', 'invalid-input', 'limit-exceeded'],
  resolve({ caller: { account } }, { Url, ClientIDList = [], ThumbprintList = [], Tags = [] }) {
    checkTags(Tags)
    const url = urlOf(Url)
    const lists = {
      clientIds: clientIdsOf(ClientIDList),
      thumbprints: thumbprintsOf(ThumbprintList),
    }
    return { account, url, ...lists, tags: sortedTags(Tags) }
  },
  *checks(call, { Tags }, target) {
    const arn = oidcProviderArn(target)
    const conditions = requestTagConditions(Tags)
    yield iamCheck(call, 'iam:CreateOpenIDConnectProvider', arn, conditions)
    if (target.tags.length > 0) {
      yield iamCheck(call, 'iam:TagOpenIDConnectProvider', arn, conditions)
    }
  },
  audit: {
    request: (request) => recorded(input, request, 'Url', 'ClientIDList', 'ThumbprintList', 'Tags'),
    response: (answer) => recorded(output, answer, 'OpenIDConnectProviderArn', 'Tags'),
    resources: (target, _request, answer) => (answer === undefined ? [] : [auditResource(target)]),
  },
  handle(call, { Url }, target, { identities, limits }: IamDeps) {
    const { oidcProviders } = identities
    const { account, url, tags } = target
    if (oidcProviders.get(account, url) !== undefined) {
      throw new ServiceError('entity-exists', `Provider with url ${Url} already exists.`)
    }
    if (oidcProviders.count(account) >= limits.oidcProviders) {
      throw quotaExceeded('OpenIdConnectProvidersPerAccount', limits.oidcProviders)
    }
    const provider = { ...target, createdAt: call.now }
    const answer = {
      OpenIDConnectProviderArn: oidcProviderArn(provider),
      ...(tags.length === 0 ? {} : { Tags: tags }),
    }
    return { output: answer, changes: [oidcProviders.add(provider)] }
  },
})
