import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Claims,
  jwkOf,
  newSigningKey,
  type SigningKey,
  tokenOf,
} from '../../tests/support/oidc-provider.ts'
import { ServiceError } from '../base/errors.ts'
import { type AccountId, parseAccountId } from '../base/ids.ts'
import type { OidcProviderRecord } from '../identities/records.ts'
import { ProviderKeys } from './provider-keys.ts'
import { type TokenShares, WebIdentities } from './web-identities.ts'

const account = parseAccountId('111122223333') as AccountId
const now = 1_700_000_000_000
const url = 'accounts.example/team'
const record: OidcProviderRecord = {
  account,
  url,
  clientIds: ['kagiban'],
  thumbprints: [],
  createdAt: 0,
  tags: [],
}

/** A deployment in which one account trusts one provider. */
function trusting(limits: Partial<TokenShares> = {}) {
  const state = {
    record: record as OidcProviderRecord | undefined,
    keys: [newSigningKey()] as SigningKey[],
    fetches: 0,
    held: Promise.resolve(),
    time: now,
  }
  const clock = { now: () => state.time }
  const identities = new WebIdentities({
    identities: {
      oidcProviders: {
        get: (asked: AccountId, name: string) =>
          asked === account && name.toLowerCase() === url ? state.record : undefined,
      },
    } as never,
    keys: new ProviderKeys({
      clock,
      async fetch(address) {
        state.fetches += 1
        await state.held
        const body = address.pathname.endsWith('openid-configuration')
          ? { issuer: `https://${url}`, jwks_uri: 'https://accounts.example/keys' }
          : { keys: state.keys.map(jwkOf) }
        return Buffer.from(JSON.stringify(body))
      },
    }),
    clock,
    shares: { total: 8, account: 8, provider: 8, source: 8, ...limits },
  })
  const token = (claims: Claims = {}) => {
    const [key] = state.keys
    assert.ok(key)
    const times = { iat: state.time / 1000, exp: state.time / 1000 + 600 }
    const iss = `https://${url}`
    return tokenOf(key, { iss, sub: 'somebody', aud: 'kagiban', ...times, ...claims })
  }
  return { state, identities, token }
}

function refused(code: string, text: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.publicMessage ?? '', text)
    return true
  }
}

const noProvider = refused('invalid-identity-token', /^No OpenIDConnect provider found in your acc/)

test('a provider that the account does not trust is not asked for anything', async () => {
  const { state, identities, token } = trusting()
  const other = parseAccountId('444455556666') as AccountId
  await assert.rejects(identities.identify(other, token(), 'a'), noProvider)
  for (const iss of [
    'https://elsewhere.example',
    'http://accounts.example/team',
    'accounts.example/team',
    'https://accounts.example/Team',
    `https://${url}/`,
    '',
  ]) {
    await assert.rejects(identities.identify(account, token({ iss }), 'a'), noProvider, iss)
  }
  assert.equal(state.fetches, 0)
})

test('the caller is made of what was verified', async () => {
  const { identities, token } = trusting()
  const arn = `arn:aws:iam::${account}:oidc-provider/${url}`
  const caller = await identities.identify(account, token({ amr: ['mfa'] }), 'a')
  assert.deepEqual(caller, {
    type: 'web-identity',
    account,
    arn,
    principalId: `${arn}:kagiban:somebody`,
    accessKeyId: '',
    providerConditions: {
      [`${url}:aud`]: 'kagiban',
      [`${url}:sub`]: 'somebody',
      [`${url}:amr`]: ['mfa'],
    },
    webIdentity: {
      provider: arn,
      subject: 'somebody',
      audience: 'kagiban',
      tags: [],
      transitiveTagKeys: [],
    },
  })
})

test('rotated keys are found, and a key that nobody published is asked for once', async () => {
  const { state, identities, token } = trusting()
  const old = token()
  await identities.identify(account, old, 'a')
  const [retired] = state.keys
  state.keys = [newSigningKey()]
  const unknown = refused('invalid-identity-token', /No key of the identity provider/)
  await assert.rejects(identities.identify(account, token(), 'a'), unknown)
  assert.equal(state.fetches, 2)
  state.time += 10_000
  assert.ok(await identities.identify(account, token(), 'a'))
  assert.equal(state.fetches, 4)
  await assert.rejects(identities.identify(account, old, 'a'), unknown)
  assert.equal(state.fetches, 4)
  assert.ok(retired)
})

test('a provider that is removed while its keys are fetched vouches for nobody', async () => {
  const { state, identities, token } = trusting()
  const { promise, resolve } = Promise.withResolvers<void>()
  state.held = promise
  const pending = identities.identify(account, token(), 'a')
  state.record = undefined
  resolve()
  await assert.rejects(pending, noProvider)
})

test('a client id that is removed while the keys are fetched counts no more', async () => {
  const { state, identities, token } = trusting()
  const { promise, resolve } = Promise.withResolvers<void>()
  state.held = promise
  const pending = identities.identify(account, token(), 'a')
  state.record = { ...record, clientIds: [] }
  resolve()
  await assert.rejects(pending, refused('invalid-identity-token', /Incorrect token audience/))
})

const limits = ['total', 'account', 'provider', 'source'] as const
for (const limit of limits) {
  test(`no more at once than there may be: ${limit}`, async () => {
    const { state, identities, token } = trusting({ [limit]: 2 })
    const { promise, resolve } = Promise.withResolvers<void>()
    state.held = promise
    const identify = (source: string) =>
      identities.identify(account, token(), limit === 'source' ? 'a' : source)
    const taken = [identify('a'), identify('b')]
    await assert.rejects(identify('c'), refused('throttled', /Rate exceeded/))
    if (limit === 'source') taken.push(identities.identify(account, token(), 'b'))
    resolve()
    await Promise.all(taken)
    assert.ok(await identify('c'))
  })
}

test('what was refused gives its place back', async () => {
  const { identities, token } = trusting({ total: 1, account: 1, provider: 1, source: 1 })
  for (let time = 0; time < 3; time += 1) {
    const wrong = identities.identify(account, token({ aud: 'other' }), 'a')
    await assert.rejects(wrong, refused('invalid-identity-token', /audience/))
  }
  assert.ok(await identities.identify(account, token(), 'a'))
})
