import { oidcProviderArn } from '../../../identities/records.ts'
import { list, string, structure } from '../../../wire/schema.ts'
import { operation } from '../../operation.ts'
import { iamCheck } from '../checks.ts'
import type { IamDeps } from '../deps.ts'

/**
 * All of the account's at once: there are no pages.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html
 */
export const listOpenIDConnectProviders = operation({
  name: 'ListOpenIDConnectProviders',
  input: structure({}),
  output: structure({ OpenIDConnectProviderList: list(structure({ Arn: string() })) }),
  effects: 'read',
  errors: [],
  resolve: () => undefined,
  checks: (call) => [iamCheck(call, 'iam:ListOpenIDConnectProviders', '*')],
  audit: { request: () => null },
  handle({ caller }, _request, _target, { identities }: IamDeps) {
    const providers = identities.oidcProviders.of(caller.account)
    const OpenIDConnectProviderList = providers.map((each) => ({ Arn: oidcProviderArn(each) }))
    return { output: { OpenIDConnectProviderList } }
  },
})
