import { parseAccountId, parseArn } from '../../base/ids.ts'
import { type OidcProviderRecord, oidcProviderArn } from '../../identities/records.ts'
import { list, string } from '../../wire/schema.ts'
import type { AuditResource, CallContext, Check, ConditionValues } from '../operation.ts'
import { entityTagConditions } from '../tag-conditions.ts'
import { iamCheck } from './checks.ts'
import type { IamDeps } from './deps.ts'
import { invalidInput, noSuchEntity, quotaExceeded } from './errors.ts'
import * as shapes from './shapes.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html */
export const providerArn = shapes.arn
export const providerUrl = string({ min: 1, max: 255 })
export const clientId = string({ min: 1, max: 255 })
export const clientIds = list(clientId)
export const thumbprints = list(string({ min: 40, max: 40 }))

const clientIdsMax = 100
const thumbprintsMax = 5

/**
 * A name or an IPv4 address in lower case, a port other than 443 if any, and a path without empty segments. Tokens say
 * the same text as their issuer, byte for byte, so there is one spelling of a provider.
 */
const providerForm = /^https:\/\/[a-z0-9.-]+(?::\d{1,5})?(?:\/[\w.~%+@=-]+)*\/?$/

/** The URL without its scheme, as in the provider's ARN. Throws 'invalid-input'. */
export function urlOf(text: string): string {
  const parsed = URL.parse(text)
  if (parsed === null) throw invalidInput('Invalid Open ID Connect Provider URL')
  if (parsed.protocol !== 'https:') {
    throw invalidInput('Invalid Open ID Connect Provider URL. The URL must begin with https://.')
  }
  const written = text.split('/').length === 3 ? `${text}/` : text
  if (!providerForm.test(text) || parsed.href !== written) {
    throw invalidInput('Invalid Open ID Connect Provider URL.')
  }
  return text.slice('https://'.length)
}

/** In lower case, each once. Throws 'invalid-input'. */
export function thumbprintsOf(given: readonly string[]): readonly string[] {
  if (given.length > thumbprintsMax) {
    throw invalidInput(`Thumbprint list must contain fewer than ${thumbprintsMax} entries.`)
  }
  for (const each of given) {
    if (!/^[0-9a-fA-F]{40}$/.test(each)) throw invalidInput('Invalid thumbprint')
  }
  return [...new Set(given.map((each) => each.toLowerCase()))]
}

/** Each once. Throws 'limit-exceeded'. */
export function clientIdsOf(given: readonly string[]): readonly string[] {
  const unique = [...new Set(given)]
  if (unique.length > clientIdsMax) {
    throw quotaExceeded('ClientIdsPerOpenIdConnectProvider', clientIdsMax)
  }
  return unique
}

/** What a call on a provider is about: what it names, and the provider if it is there. */
export type ProviderTarget = {
  readonly arn: string
  readonly provider: OidcProviderRecord | undefined
}

const resourcePrefix = 'oidc-provider/'

/** Throws 'invalid-input' for what is no ARN of a provider. */
export function findProvider(
  call: CallContext,
  arn: string,
  { identities }: IamDeps,
): ProviderTarget {
  const parsed = parseArn(arn)
  const account = parseAccountId(parsed?.account ?? '')
  if (parsed?.service !== 'iam' || account === undefined) throw invalidArn(arn)
  if (!parsed.resource.startsWith(resourcePrefix)) throw invalidArn(arn)
  const own = account === call.caller.account && parsed.region === '' && parsed.partition === 'aws'
  const url = parsed.resource.slice(resourcePrefix.length)
  const provider = own ? identities.oidcProviders.get(account, url) : undefined
  // Rows are found whatever their case; an ARN is not.
  return { arn, provider: provider?.url === url ? provider : undefined }
}

function invalidArn(arn: string) {
  return invalidInput(`Invalid ARN: ${arn}`)
}

/** Throws 'no-such-entity': what is there is learnt by those alone who were allowed to ask. */
export function requireProvider({ arn, provider }: ProviderTarget): OidcProviderRecord {
  if (provider === undefined) {
    throw noSuchEntity(`OpenIDConnect Provider not found for arn ${arn}`)
  }
  return provider
}

export function providerCheck(
  call: CallContext,
  permission: string,
  { arn, provider }: ProviderTarget,
  conditions: ConditionValues = {},
): Check {
  const tags = entityTagConditions(provider?.tags ?? [])
  return iamCheck(call, permission, arn, { ...tags, ...conditions })
}

export function providerResource({ provider }: ProviderTarget): readonly AuditResource[] {
  return provider === undefined ? [] : [auditResource(provider)]
}

export function auditResource(
  provider: Pick<OidcProviderRecord, 'account' | 'url'>,
): AuditResource {
  const { account } = provider
  return { accountId: account, type: 'AWS::IAM::OIDCProvider', ARN: oidcProviderArn(provider) }
}
