import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import { ServiceError } from '../base/errors.ts'
import type { JsonWebKeySet } from './key-set.ts'
import { ProviderKeys } from './provider-keys.ts'
import { unreachable } from './refusals.ts'

const provider = { url: 'accounts.example/team', thumbprints: [] }
const { n = '', e = '' } = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({
  format: 'jwk',
})
const rsa = { kty: 'RSA', n, e, use: 'sig' }
const configuration = {
  issuer: 'https://accounts.example/team',
  jwks_uri: 'https://keys.example/set?v=1',
}

/** A provider that publishes what `documents` says now, and a clock that stands still. */
function published(documents: Record<string, unknown> = {}) {
  const asked: string[] = []
  const clock = { time: 1_000_000_000_000, now: () => clock.time }
  const now: Record<string, unknown> = {
    'https://accounts.example/team/.well-known/openid-configuration': configuration,
    'https://keys.example/set?v=1': { keys: [{ ...rsa, kid: 'one' }] },
    ...documents,
  }
  const keys = new ProviderKeys({
    clock,
    fetch: async (url, thumbprints) => {
      asked.push([url.href, ...thumbprints].join(' '))
      const body = now[url.href]
      if (body === undefined) throw unreachable('nobody is there')
      return Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body))
    },
  })
  return { keys, asked, clock, now }
}

function refused(code: string, detail?: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    if (detail !== undefined) assert.match(error.detail ?? '', detail)
    return true
  }
}

const noKeys = (detail: RegExp) => refused('invalid-identity-token', detail)
const kidsOf = ({ keys }: JsonWebKeySet) => keys.map((key) => key['kid'])

const configurations: readonly [what: string, body: unknown, detail: RegExp][] = [
  ['of another issuer', { ...configuration, issuer: 'https://accounts.example' }, /another issuer/],
  [
    'whose issuer has a slash more',
    { ...configuration, issuer: `${configuration.issuer}/` },
    /another issuer/,
  ],
  ['without an issuer', { jwks_uri: configuration.jwks_uri }, /another issuer/],
  ['without keys', { issuer: configuration.issuer }, /no jwks_uri/],
  ['with keys in clear', { ...configuration, jwks_uri: 'http://keys.example/set?v=1' }, /https/],
  ['with keys in a file', { ...configuration, jwks_uri: 'file:///etc/passwd' }, /https/],
  ['with a password', { ...configuration, jwks_uri: 'https://a:b@keys.example/' }, /https/],
  ['that is no address', { ...configuration, jwks_uri: 'keys' }, /https/],
  ['that is no object', 'text', /no object/],
  ['that is null', null, /no object/],
  ['that is not JSON', Buffer.from('<html>'), /not JSON/],
]
for (const [what, body, detail] of configurations) {
  test(`a configuration ${what} is refused, and no keys are fetched`, async () => {
    const address = 'https://accounts.example/team/.well-known/openid-configuration'
    const { keys, asked } = published({ [address]: body })
    await assert.rejects(keys.of(provider), noKeys(detail))
    assert.deepEqual(asked, [address])
  })
}

const useless: readonly [what: string, key: unknown][] = [
  ['symmetric', { kty: 'oct', k: 'c2VjcmV0', kid: 'one' }],
  ['of a kind that no token uses', { kty: 'OKP', crv: 'Ed25519', x: 'AA', kid: 'one' }],
  ['private as well', { ...rsa, d: 'AA' }],
  ['too large', { ...rsa, n: 'A'.repeat(1367) }],
  ['with a long exponent', { ...rsa, e: 'AAAAAAAA' }],
  ['for other operations', { ...rsa, key_ops: ['encrypt'] }],
  ['of wrong types', { ...rsa, n: 5 }],
  ['no object', 'text'],
  ['null', null],
]
for (const [what, key] of useless) {
  test(`a key that is ${what} is left out`, async () => {
    const address = 'https://keys.example/set?v=1'
    const alone = published({ [address]: { keys: [key] } })
    await assert.rejects(alone.keys.of(provider), noKeys(/no key of the set/))
    const among = published({ [address]: { keys: [key, { ...rsa, kid: 'good', x5c: ['AA'] }] } })
    assert.deepEqual(await among.keys.of(provider), { keys: [{ ...rsa, kid: 'good' }] })
  })
}

test('a set of too many keys is refused, and so is none', async () => {
  const address = 'https://keys.example/set?v=1'
  for (const body of [{ keys: Array(201).fill(rsa) }, { keys: {} }, {}, { keys: [] }]) {
    await assert.rejects(
      published({ [address]: body }).keys.of(provider),
      refused('invalid-identity-token'),
    )
  }
})

test('an issuer that ends with a slash is asked without it', async () => {
  const issuer = 'https://accounts.example/team/'
  const address = 'https://accounts.example/team/.well-known/openid-configuration'
  const { keys, asked } = published({ [address]: { ...configuration, issuer } })
  assert.ok(await keys.of({ ...provider, url: 'accounts.example/team/' }))
  assert.equal(asked[0], address)
})

test('keys are kept for ten minutes, and one fetch is shared', async () => {
  const { keys, asked, clock, now } = published()
  const [first, second] = await Promise.all([keys.of(provider), keys.of(provider)])
  assert.equal(first, second)
  assert.equal(asked.length, 2)
  now['https://keys.example/set?v=1'] = { keys: [{ ...rsa, kid: 'two' }] }
  clock.time += 599_999
  assert.equal(await keys.of(provider), first)
  assert.equal(asked.length, 2)
  clock.time += 1
  assert.deepEqual(kidsOf(await keys.of(provider)), ['two'])
  assert.equal(asked.length, 4)
})

test('keys that are over do not count when newer ones cannot be fetched', async () => {
  const { keys, clock, now } = published()
  await keys.of(provider)
  now['https://keys.example/set?v=1'] = undefined
  clock.time += 600_000
  await assert.rejects(keys.of(provider), refused('idp-communication'))
})

test('a clock that is set back keeps no keys', async () => {
  const { keys, asked, clock } = published()
  await keys.of(provider)
  clock.time -= 1
  await keys.of(provider)
  assert.equal(asked.length, 4)
})

test('after a failure the provider is left alone for ten seconds', async () => {
  const { keys, asked, clock, now } = published()
  const address = 'https://accounts.example/team/.well-known/openid-configuration'
  now[address] = undefined
  for (let time = 0; time < 3; time += 1) {
    await assert.rejects(keys.of(provider), refused('idp-communication'))
  }
  assert.equal(asked.length, 1)
  now[address] = configuration
  clock.time += 9_999
  await assert.rejects(keys.of(provider), refused('idp-communication'))
  assert.equal(asked.length, 1)
  clock.time += 1
  assert.deepEqual(kidsOf(await keys.of(provider)), ['one'])
})

test('newer keys are asked for at most every ten seconds, and together', async () => {
  const { keys, asked, clock, now } = published()
  const known = await keys.of(provider)
  now['https://keys.example/set?v=1'] = { keys: [{ ...rsa, kid: 'two' }] }
  assert.equal(await keys.newerThan(known, provider), known)
  assert.equal(asked.length, 2)
  clock.time += 10_000
  const [newer, same] = await Promise.all([
    keys.newerThan(known, provider),
    keys.newerThan(known, provider),
  ])
  assert.deepEqual(kidsOf(newer), ['two'])
  assert.equal(newer, same)
  assert.equal(asked.length, 4)
  // Whoever still had the old keys in hand is given what came meanwhile, and asks nobody.
  assert.equal(await keys.newerThan(known, provider), newer)
  assert.equal(asked.length, 4)
})

test('a failure to find newer keys leaves the known ones in use', async () => {
  const { keys, clock, now } = published()
  const known = await keys.of(provider)
  now['https://keys.example/set?v=1'] = undefined
  clock.time += 10_000
  await assert.rejects(keys.newerThan(known, provider), refused('idp-communication'))
  assert.equal(await keys.of(provider), known)
})

test('keys are known by thumbprints too: nobody brings keys into the account of another', async () => {
  const { keys, asked } = published()
  const ours = await keys.of(provider)
  const theirs = await keys.of({ ...provider, thumbprints: ['aa', 'bb'] })
  assert.notEqual(ours, theirs)
  assert.equal(await keys.of({ ...provider, thumbprints: ['bb', 'aa'] }), theirs)
  assert.equal(asked.length, 4)
  assert.match(asked[2] ?? '', / aa bb$/)
})

test('the keys of a thousand providers are kept, and the longest unused give way', async () => {
  const { keys, asked, now } = published()
  const named = (at: number) => ({ url: `p${at}.example`, thumbprints: [] })
  for (let at = 0; at <= 1000; at += 1) {
    const issuer = `https://p${at}.example`
    now[`${issuer}/.well-known/openid-configuration`] = { ...configuration, issuer }
    await keys.of(named(at))
    await keys.of(named(0))
  }
  const count = asked.length
  await keys.of(named(0))
  await keys.of(named(1000))
  assert.equal(asked.length, count)
  await keys.of(named(1))
  assert.equal(asked.length, count + 2)
})
