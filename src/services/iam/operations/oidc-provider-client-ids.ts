import { required, structure, type Value } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  clientId,
  clientIdsOf,
  findProvider,
  providerArn,
  providerCheck,
  providerResource,
  requireProvider,
} from '../oidc-provider.ts'

const input = structure({
  OpenIDConnectProviderArn: required(providerArn),
  ClientID: required(clientId),
})

const audit = {
  request: (request: Value<typeof input>) =>
    recorded(input, request, 'OpenIDConnectProviderArn', 'ClientID'),
  resources: providerResource,
}

/**
 * One that is there already stays.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html
 */
export const addClientIDToOpenIDConnectProvider = operation({
  name: 'AddClientIDToOpenIDConnectProvider',
  input,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'limit-exceeded', 'no-such-entity'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, _request, target) => [
    providerCheck(call, 'iam:AddClientIDToOpenIDConnectProvider', target),
  ],
  audit,
  handle(_call, { ClientID }, target, { identities }) {
    const provider = requireProvider(target)
    const clientIds = clientIdsOf([...provider.clientIds, ClientID])
    const change = identities.oidcProviders.replace(provider, { ...provider, clientIds })
    return { output: undefined, changes: [change] }
  },
})

/**
 * One that is not there is removed already.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html
 */
export const removeClientIDFromOpenIDConnectProvider = operation({
  name: 'RemoveClientIDFromOpenIDConnectProvider',
  input,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, _request, target) => [
    providerCheck(call, 'iam:RemoveClientIDFromOpenIDConnectProvider', target),
  ],
  audit,
  handle(_call, { ClientID }, target, { identities }) {
    const provider = requireProvider(target)
    const clientIds = provider.clientIds.filter((each) => each !== ClientID)
    const change = identities.oidcProviders.replace(provider, { ...provider, clientIds })
    return { output: undefined, changes: [change] }
  },
})
