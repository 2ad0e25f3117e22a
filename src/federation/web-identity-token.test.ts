import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type Algorithm,
  type Claims,
  confusedToken,
  jwkOf,
  newSigningKey,
  tokenOf,
  unsignedToken,
} from '../../tests/support/oidc-provider.ts'
import { ServiceError } from '../base/errors.ts'
import { type JsonWebKeySet, readKeySet } from './key-set.ts'
import { issuerOf, UnknownKey, verifyToken } from './web-identity-token.ts'

const now = 1_700_000_000_000
const seconds = now / 1000
const issuer = 'https://accounts.example'
const key = newSigningKey('RS256')
const other = newSigningKey('RS256')
const keys = setOf(key)
const expected = { issuer, clientIds: ['one', 'two'], now }
const good: Claims = {
  iss: issuer,
  sub: 'somebody',
  aud: 'one',
  iat: seconds - 10,
  exp: seconds + 600,
}

function setOf(...signing: Parameters<typeof jwkOf>[0][]): JsonWebKeySet {
  return readKeySet(Buffer.from(JSON.stringify({ keys: signing.map(jwkOf) })))
}

/** `undefined` leaves a claim out. */
function signed(claims: Claims = {}, header: Claims = {}): string {
  return tokenOf(key, { ...good, ...claims }, header)
}

function refused(code: string, text: RegExp = /./) {
  return (error: unknown) => {
    assert.ok(error instanceof ServiceError, String(error))
    assert.equal(error.code, code)
    assert.match(error.publicMessage ?? '', text)
    return true
  }
}

const invalid = (text?: RegExp) => refused('invalid-identity-token', text)

const [header = '', payload = '', signature = ''] = signed().split('.')
const claimsText = (claims: Claims) =>
  Buffer.from(JSON.stringify({ ...good, ...claims })).toString('base64url')

const broken: readonly [what: string, token: string, text: RegExp][] = [
  ['no token', 'four', /not a valid JWT/],
  ['two parts', `${header}.${payload}`, /not a valid JWT/],
  ['four parts', `${header}.${payload}.${signature}.`, /not a valid JWT/],
  ['no JSON', `${header}.AAAA.${signature}`, /not a valid JWT/],
  ['a header that is no JSON', `AAAA.${payload}.${signature}`, /not a valid JWT/],
  ['too long', `${signed({ more: 'x'.repeat(20_000) })}`, /not a valid JWT/],
  ['no issuer', signed({ iss: undefined }), /Missing a required claim: iss/],
  ['an issuer that is no text', signed({ iss: [issuer] }), /Issuer must be a valid URL/],
  ['no algorithm', `${unsignedToken({ typ: 'JWT' }, good)}.`, /signed with one of/],
  ['the algorithm none', `${unsignedToken({ alg: 'none' }, good)}.`, /signed with one of/],
  ['none in capitals', `${unsignedToken({ alg: 'NONE' }, good)}.`, /signed with one of/],
  ['an HMAC by the public key', confusedToken(key, good), /signed with one of/],
  ['an algorithm of another family', signed({}, { alg: 'PS256' }), /signed with one of/],
]
for (const [what, token, text] of broken) {
  test(`${what}: refused before any key is asked for`, async () => {
    assert.throws(() => issuerOf(token), invalid(text))
    // Whoever verified it all the same would be refused as well, and not for want of a key.
    if (what !== 'too long' && !/iss|Issuer/.test(text.source)) {
      await assert.rejects(verifyToken(token, keys, expected), refused('invalid-identity-token'))
    }
  })
}

const refusals: readonly [what: string, token: string, check: (error: unknown) => boolean][] = [
  ['another key, same id', tokenOf({ ...other, kid: key.kid }, good), invalid(/signature/)],
  [
    'claims exchanged',
    `${header}.${claimsText({ sub: 'else' })}.${signature}`,
    invalid(/signature/),
  ],
  ['a signature of nothing', `${header}.${payload}.`, invalid()],
  ['another issuer', signed({ iss: 'https://accounts.example/' }), invalid(/claim iss/)],
  ['expired', signed({ exp: seconds - 30 }), refused('expired-identity-token', /expired/)],
  ['no end', signed({ exp: undefined }), invalid(/Missing a required claim: exp/)],
  ['an end that is no number', signed({ exp: String(seconds + 600) }), invalid(/claim exp/)],
  ['an end between seconds', signed({ exp: seconds + 600.5 }), invalid(/timestamp/)],
  ['an end beyond numbers', signed({ exp: 1e300 }), invalid(/timestamp/)],
  ['no time of issue', signed({ iat: undefined }), invalid(/Missing a required claim: iat/)],
  ['issued later', signed({ iat: seconds + 31 }), invalid(/issued in the future/)],
  ['a time of issue that is no number', signed({ iat: 'now' }), invalid(/claim iat/)],
  ['not yet', signed({ nbf: seconds + 31 }), invalid(/claim nbf/)],
  ['no subject', signed({ sub: undefined }), invalid(/Missing a required claim: sub/)],
  ['an empty subject', signed({ sub: '' }), invalid(/Missing a required claim: sub/)],
  [
    'a subject that is no text',
    signed({ sub: { a: 1 } }),
    invalid(/Missing a required claim: sub/),
  ],
  ['a subject too long', signed({ sub: 'x'.repeat(256) }), invalid(/sub/)],
  ['no audience', signed({ aud: undefined }), invalid(/Missing a required claim: aud/)],
  ['another audience', signed({ aud: 'three' }), invalid(/Incorrect token audience/)],
  ['an audience in another case', signed({ aud: 'ONE' }), invalid(/Incorrect token audience/)],
  ['an empty list of audiences', signed({ aud: [] }), invalid(/more than one audience/)],
  [
    'two audiences and no party',
    signed({ aud: ['one', 'two'] }),
    invalid(/more than one audience/),
  ],
  ['audiences that are no texts', signed({ aud: ['one', 1] }), invalid(/claim aud/)],
  ['a party nobody knows', signed({ aud: ['one', 'two'], azp: 'three' }), invalid(/Incorrect/)],
  ['for others, by a known party', signed({ aud: ['three'], azp: 'one' }), invalid(/Incorrect/)],
  ['a party that is no text', signed({ azp: ['one'] }), invalid(/authorized party/)],
  ['methods that are no texts', signed({ amr: [1] }), invalid(/claim amr/)],
  ['a token of another type', signed({}, { typ: 'logout+jwt' }), invalid(/not a valid JWT/)],
  ['an extension that must be known', signed({}, { crit: ['x'], x: 1 }), invalid()],
  ['another algorithm than its key', signed({}, { alg: 'RS384' }), invalidOrUnknown],
]
for (const [what, token, check] of refusals) {
  test(`refused: ${what}`, async () => {
    await assert.rejects(verifyToken(token, keys, expected), check)
  })
}

function invalidOrUnknown(error: unknown): boolean {
  return error instanceof UnknownKey || invalid()(error)
}

test('a key that is not there is told apart', async () => {
  await assert.rejects(verifyToken(tokenOf(other, good), keys, expected), UnknownKey)
  const elliptic = newSigningKey('ES256', key.kid)
  await assert.rejects(verifyToken(tokenOf(elliptic, good), keys, expected), UnknownKey)
})

test('a token that names no key is verified by the only one that fits, and by none of several', async () => {
  const nameless = tokenOf({ ...key, kid: undefined }, good)
  assert.ok(await verifyToken(nameless, keys, expected))
  await assert.rejects(verifyToken(nameless, setOf(key, other), expected), invalid(/signature/))
})

test('all six algorithms, each with the key that it takes', async () => {
  for (const algorithm of ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512'] as Algorithm[]) {
    const signing = newSigningKey(algorithm)
    const token = tokenOf(signing, good)
    assert.equal(issuerOf(token), issuer)
    const { subject } = await verifyToken(token, setOf(key, signing), expected)
    assert.equal(subject, 'somebody', algorithm)
  }
})

test('what is taken from a good token', async () => {
  assert.deepEqual(await verifyToken(signed(), keys, expected), {
    subject: 'somebody',
    audience: 'one',
    originalAudience: undefined,
    authenticationMethods: undefined,
    tags: [],
    transitiveTagKeys: [],
    sourceIdentity: undefined,
  })
  const claims = { aud: ['api', 'one'], azp: 'two', amr: ['mfa', 'pwd'] }
  const found = await verifyToken(signed(claims), keys, expected)
  assert.equal(found.audience, 'two')
  assert.deepEqual(found.originalAudience, ['api', 'one'])
  assert.deepEqual(found.authenticationMethods, ['mfa', 'pwd'])
})

test('clocks may be half a minute apart', async () => {
  const times = { iat: seconds + 30, nbf: seconds + 30, exp: seconds - 29 }
  assert.ok(await verifyToken(signed(times), keys, expected))
})

test('types of tokens that say who somebody is', async () => {
  for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt']) {
    assert.ok(await verifyToken(signed({}, { typ }), keys, expected), String(typ))
  }
})

const tagsClaim = 'https://aws.amazon.com/tags'
const wrongTags: readonly [what: string, claims: Claims][] = [
  ['no object', { [tagsClaim]: 'team=a' }],
  ['a list', { [tagsClaim]: [] }],
  ['a value that is no list', { [tagsClaim]: { principal_tags: { team: 'a' } } }],
  ['two values', { [tagsClaim]: { principal_tags: { team: ['a', 'b'] } } }],
  ['a number', { [tagsClaim]: { principal_tags: { team: [1] } } }],
  ['a character that no tag has', { [tagsClaim]: { principal_tags: { team: ['*'] } } }],
  ['a key too long', { [tagsClaim]: { principal_tags: { ['k'.repeat(129)]: ['a'] } } }],
  ['a flat tag that is a list', { [`${tagsClaim}/principal_tags/team`]: ['a'] }],
  ['transitive keys that are no list', { [tagsClaim]: { transitive_tag_keys: 'team' } }],
  [
    'transitive keys in two places',
    { [tagsClaim]: { transitive_tag_keys: [] }, [`${tagsClaim}/transitive_tag_keys`]: [] },
  ],
  [
    'more than fifty',
    {
      [tagsClaim]: {
        principal_tags: Object.fromEntries(
          Array.from({ length: 51 }, (_, at) => [`t${at}`, ['a']]),
        ),
      },
    },
  ],
]
for (const [what, claims] of wrongTags) {
  test(`session tags in another form are refused: ${what}`, async () => {
    await assert.rejects(verifyToken(signed(claims), keys, expected), invalid(/Session tags/))
  })
}

test('a source identity out of bounds is refused', async () => {
  for (const source of ['', 'a', 'a b', 'x'.repeat(65), 5, null]) {
    const claims = { 'https://aws.amazon.com/source_identity': source }
    await assert.rejects(verifyToken(signed(claims), keys, expected), invalid(/source identity/))
  }
})

test('session tags and source identity, nested and flat', async () => {
  const claims = {
    [tagsClaim]: { principal_tags: { team: ['a'] }, transitive_tag_keys: ['team'] },
    [`${tagsClaim}/principal_tags/cost center`]: '7',
    'https://aws.amazon.com/source_identity': 'me@example',
  }
  const { tags, transitiveTagKeys, sourceIdentity } = await verifyToken(
    signed(claims),
    keys,
    expected,
  )
  assert.deepEqual(tags, [
    { Key: 'team', Value: 'a' },
    { Key: 'cost center', Value: '7' },
  ])
  assert.deepEqual(transitiveTagKeys, ['team'])
  assert.equal(sourceIdentity, 'me@example')
})

test('no change of a good token is accepted', async () => {
  const token = signed()
  const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.']
  const change = fc.tuple(fc.nat(token.length - 1), fc.constantFrom(...alphabet))
  await fc.assert(
    fc.asyncProperty(change, async ([at, character]) => {
      const changed = token.slice(0, at) + character + token.slice(at + 1)
      // The last character of the signature has bits that mean nothing.
      fc.pre(changed !== token && at < token.length - 1)
      await assert.rejects(verifyToken(changed, keys, expected), invalidOrUnknown)
    }),
    { numRuns: 300 },
  )
})
