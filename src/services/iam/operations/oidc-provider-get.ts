import { required, string, structure, timestamp } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { recorded } from '../audit.ts'
import type { IamDeps } from '../deps.ts'
import {
  clientIds,
  findProvider,
  providerArn,
  providerCheck,
  providerResource,
  requireProvider,
  thumbprints,
} from '../oidc-provider.ts'
import * as shapes from '../shapes.ts'

const input = structure({ OpenIDConnectProviderArn: required(providerArn) })

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html */
export const getOpenIDConnectProvider = operation({
  name: 'GetOpenIDConnectProvider',
  input,
  output: structure({
    Url: string(),
    ClientIDList: clientIds,
    ThumbprintList: thumbprints,
    CreateDate: timestamp(),
    Tags: shapes.tags,
  }),
  effects: 'read',
  errors: ['invalid-input', 'no-such-entity'],
  resolve: (call, { OpenIDConnectProviderArn }, deps: IamDeps) =>
    findProvider(call, OpenIDConnectProviderArn, deps),
  checks: (call, _request, target) => [providerCheck(call, 'iam:GetOpenIDConnectProvider', target)],
  audit: {
    request: (request) => recorded(input, request, 'OpenIDConnectProviderArn'),
    resources: providerResource,
  },
  handle(_call, _request, target) {
    const { url, clientIds, thumbprints, createdAt, tags } = requireProvider(target)
    return {
      output: {
        Url: url,
        ClientIDList: clientIds,
        ThumbprintList: thumbprints,
        CreateDate: createdAt,
        Tags: tags,
      },
    }
  },
})
