import type { Caller } from '../base/caller.ts'
import type { Clock } from '../base/clock.ts'
import type { AccountId } from '../base/ids.ts'
import type { Identities } from '../identities/identities.ts'
import { type OidcProviderRecord, oidcProviderArn } from '../identities/records.ts'
import type { ProviderKeys } from './provider-keys.ts'
import { invalidToken } from './refusals.ts'
import { Shares } from './shares.ts'
import { issuerOf, UnknownKey, type VerifiedToken, verifyToken } from './web-identity-token.ts'

export type WebIdentitiesOptions = {
  readonly identities: Pick<Identities, 'oidcProviders'>
  readonly keys: ProviderKeys
  readonly clock: Clock
  readonly shares?: TokenShares
}

/** How many tokens are looked at at once: in all, and of one account, one provider and one source. */
export type TokenShares = {
  readonly total: number
  readonly account: number
  readonly provider: number
  readonly source: number
}

/** A fetch takes five seconds at most, and most tokens take none. */
const sharesDefault: TokenShares = { total: 256, account: 96, provider: 64, source: 64 }

const scheme = 'https://'

/**
 * Who comes with a token of an OpenID provider, to an account that trusts the provider.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_oidc.html
 */
export class WebIdentities {
  readonly #options: WebIdentitiesOptions
  readonly #max: TokenShares
  readonly #shares: Shares

  constructor(options: WebIdentitiesOptions) {
    this.#options = options
    this.#max = options.shares ?? sharesDefault
    this.#shares = new Shares(this.#max.total)
  }

  /**
   * `source`: who sent the token, as far as that can be told. Rejects with 'invalid-identity-token',
   * 'expired-identity-token', 'idp-communication' or 'throttled'.
   */
  async identify(account: AccountId, token: string, source: string): Promise<Caller> {
    const issuer = issuerOf(token)
    const provider = this.#providerOf(account, issuer)
    const giveBack = this.#shares.take([
      { name: `source ${source}`, max: this.#max.source },
      { name: oidcProviderArn(provider), max: this.#max.provider },
      { name: account, max: this.#max.account },
    ])
    try {
      const verified = await this.#verify(token, provider, issuer)
      // Meanwhile it may have been changed: what is so now counts.
      if (this.#providerOf(account, issuer) === provider) return callerOf(provider, verified)
    } finally {
      giveBack()
    }
    return this.identify(account, token, source)
  }

  #providerOf(account: AccountId, issuer: string): OidcProviderRecord {
    const url = issuer.startsWith(scheme) ? issuer.slice(scheme.length) : undefined
    const provider =
      url === undefined ? undefined : this.#options.identities.oidcProviders.get(account, url)
    if (provider === undefined || provider.url !== url) {
      throw invalidToken(
        `No OpenIDConnect provider found in your account for ${issuer.slice(0, issuerShown)}`,
      )
    }
    return provider
  }

  async #verify(
    token: string,
    provider: OidcProviderRecord,
    issuer: string,
  ): Promise<VerifiedToken> {
    const { keys, clock } = this.#options
    const expected = { issuer, clientIds: provider.clientIds, now: clock.now() }
    const known = await keys.of(provider)
    try {
      return await verifyToken(token, known, expected)
    } catch (error) {
      if (!(error instanceof UnknownKey)) throw error
    }
    const newer = await keys.newerThan(known, provider)
    try {
      return await verifyToken(token, newer, { ...expected, now: clock.now() })
    } catch (error) {
      throw error instanceof UnknownKey ? unknownKey() : error
    }
  }
}

/** Longer ones are registered nowhere. */
const issuerShown = 263

function unknownKey() {
  return invalidToken('No key of the identity provider matches the ID Token provided')
}

function callerOf(provider: OidcProviderRecord, token: VerifiedToken): Caller {
  const { account, url } = provider
  const { subject, audience, originalAudience, authenticationMethods } = token
  const arn = oidcProviderArn(provider)
  const providerConditions = {
    [`${url}:aud`]: audience,
    [`${url}:sub`]: subject,
    ...(originalAudience === undefined ? {} : { [`${url}:oaud`]: originalAudience }),
    ...(authenticationMethods === undefined ? {} : { [`${url}:amr`]: authenticationMethods }),
  }
  const { tags, transitiveTagKeys, sourceIdentity } = token
  return {
    type: 'web-identity',
    account,
    arn,
    principalId: `${arn}:${audience}:${subject}`,
    accessKeyId: '',
    providerConditions,
    webIdentity: {
      ...{ provider: arn, subject, audience, tags, transitiveTagKeys },
      ...(sourceIdentity === undefined ? {} : { sourceIdentity }),
    },
  }
}
