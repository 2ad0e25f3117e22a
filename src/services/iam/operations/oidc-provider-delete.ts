import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import { findProvider, providerArn, providerCheck, providerResource } from '../oidc-provider.ts'

const input = structure({ OpenIDConnectProviderArn: required(providerArn) })

/**
 * A provider that is not there is deleted already. Roles that trust it stay, and nobody comes to them through it.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html
 */
export const deleteOpenIDConnectProvider = operation({
  name: 'DeleteOpenIDConnectProvider',
  input,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, _request, target) => [
    providerCheck(call, 'iam:DeleteOpenIDConnectProvider', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'OpenIDConnectProviderArn'),
    resources: providerResource,
  },
  handle(_call, _request, { provider }, { identities }) {
    if (provider === undefined) return { output: undefined }
    return { output: undefined, changes: [identities.oidcProviders.remove(provider)] }
  },
})
