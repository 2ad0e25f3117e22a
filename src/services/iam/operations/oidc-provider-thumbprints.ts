import { required, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  findProvider,
  providerArn,
  providerCheck,
  providerResource,
  requireProvider,
  thumbprints,
  thumbprintsOf,
} from '../oidc-provider.ts'

const input = structure({
  OpenIDConnectProviderArn: required(providerArn),
  ThumbprintList: required(thumbprints),
})

/**
 * Replaces the whole list. Keys that were fetched by the thumbprints before are fetched anew.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html
 */
export const updateOpenIDConnectProviderThumbprint = operation({
  name: 'UpdateOpenIDConnectProviderThumbprint',
  input,
  output: undefined,
  effects: 'write',
  errors: ['invalid-input', 'no-such-entity'],
  resolve(call, { OpenIDConnectProviderArn, ThumbprintList }, deps: IamDeps) {
    const thumbprints = thumbprintsOf(ThumbprintList)
    return { ...findProvider(call, OpenIDConnectProviderArn, deps), thumbprints }
  },
  checks: (call, _request, target) => [
    providerCheck(call, 'iam:UpdateOpenIDConnectProviderThumbprint', target),
  ],
  audit: {
    request: (request) => recorded(input, request, 'OpenIDConnectProviderArn', 'ThumbprintList'),
    resources: (target) => providerResource(target),
  },
  handle(_call, _request, target, { identities }) {
    const provider = requireProvider(target)
    const { thumbprints } = target
    const change = identities.oidcProviders.replace(provider, { ...provider, thumbprints })
    return { output: undefined, changes: [change] }
  },
})
