import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from 'jose'
import type { JsonWebKeySet } from './key-set.ts'
import { expiredToken, invalidToken, missingClaim, noToken, wrongAudience } from './refusals.ts'
import { type SessionClaims, sessionClaims } from './session-claims.ts'

/** What a provider vouched for, in a token that was verified. */
export type VerifiedToken = SessionClaims & {
  readonly subject: string
  /** The client that the token was made for. */
  readonly audience: string
  /** The claim `aud` where another claim says the client. */
  readonly originalAudience: string | readonly string[] | undefined
  /** How the subject showed who he is. */
  readonly authenticationMethods: string | readonly string[] | undefined
}

/** What a token has to be. */
export type Expected = {
  readonly issuer: string
  readonly clientIds: readonly string[]
  /** ms since the epoch */
  readonly now: number
}

/** No published key is the token's: the provider may have a newer one. */
export class UnknownKey extends Error {
  override readonly name = 'UnknownKey'
}

/** Signatures alone: whoever can verify an HMAC can make one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512']
/** Tokens of these kinds say who somebody is; a logout token, say, is none. (RFC 8725 §3.11) */
const types: ReadonlySet<unknown> = new Set([undefined, 'jwt', 'at+jwt', 'application/at+jwt'])
const tokenCharactersMax = 20_000
/** How far the provider's clock may be off. */
const leewaySeconds = 30
const audiencesMax = 20
const claimCharactersMax = 255

/** The issuer that a token names. Nothing of it was verified yet. Throws 'invalid-identity-token'. */
export function issuerOf(token: string): string {
  if (token.length > tokenCharactersMax) throw noToken('too long')
  let issuer: unknown
  try {
    const { alg } = decodeProtectedHeader(token)
    if (!algorithms.includes(alg ?? '')) throw wrongAlgorithm()
    issuer = decodeJwt(token).iss
  } catch (error) {
    throw error instanceof errors.JOSEError || error instanceof TypeError
      ? noToken('it cannot be decoded', error)
      : error
  }
  if (issuer === undefined) throw missingClaim('iss')
  if (typeof issuer !== 'string') throw invalidToken('Issuer must be a valid URL')
  return issuer
}

/**
 * Verifies signature, issuer, audience and times of a token (RFC 7519, OpenID Connect Core 1.0 §3.1.3.7). Throws
 * `UnknownKey`, 'expired-identity-token' or 'invalid-identity-token'.
 */
export async function verifyToken(
  token: string,
  keys: JsonWebKeySet,
  expected: Expected,
): Promise<VerifiedToken> {
  const { issuer, now } = expected
  const claims = await verified(token, keys, { issuer, now })
  checkTimes(claims, now)
  const { sub: subject, amr } = claims
  if (!isClaimText(subject)) throw missingClaim('sub')
  return {
    subject,
    ...audienceOf(claims, expected.clientIds),
    authenticationMethods: amr === undefined ? undefined : textsOf(amr, 'amr'),
    ...sessionClaims(claims),
  }
}

async function verified(
  token: string,
  keys: JsonWebKeySet,
  { issuer, now }: Pick<Expected, 'issuer' | 'now'>,
): Promise<JWTPayload> {
  try {
    const { payload, protectedHeader } = await jwtVerify(token, resolverOf(keys), {
      issuer,
      algorithms,
      requiredClaims: ['sub', 'aud', 'exp', 'iat'],
      clockTolerance: leewaySeconds,
      currentDate: new Date(now),
    })
    if (!types.has(protectedHeader.typ?.toLowerCase())) throw noToken('a token of another type')
    return payload
  } catch (error) {
    throw refusalOf(error)
  }
}

function refusalOf(error: unknown): unknown {
  if (error instanceof errors.JWKSNoMatchingKey) return new UnknownKey()
  if (error instanceof errors.JWTExpired) return expiredToken()
  if (error instanceof errors.JOSEAlgNotAllowed) return wrongAlgorithm()
  if (error instanceof errors.JWSSignatureVerificationFailed) return wrongSignature()
  if (error instanceof errors.JWKSMultipleMatchingKeys) return wrongSignature('several keys fit')
  if (error instanceof errors.JWTClaimValidationFailed) {
    return error.reason === 'missing'
      ? missingClaim(error.claim)
      : invalidToken(`The claim ${error.claim} of the token is not valid`)
  }
  if (error instanceof errors.JOSEError || error instanceof TypeError) {
    return noToken('it cannot be verified', error)
  }
  return error
}

/** Times are whole seconds, and nothing is issued in the future. */
function checkTimes({ iat, exp, nbf = 0 }: JWTPayload, now: number): void {
  for (const time of [iat, exp, nbf]) {
    if (!Number.isSafeInteger(time)) throw invalidToken('Invalid timestamp in token claims')
  }
  if ((iat ?? 0) > now / 1000 + leewaySeconds) throw invalidToken('Token issued in the future')
}

/**
 * The client is the authorized party where there is one (`azp`), and else the only audience. Client and audience have
 * to be registered both: a token that a known client got for somebody else's service is not for this one.
 */
function audienceOf(
  { aud, azp }: JWTPayload,
  clientIds: readonly string[],
): Pick<VerifiedToken, 'audience' | 'originalAudience'> {
  const stated = textsOf(aud, 'aud')
  const audiences = typeof stated === 'string' ? [stated] : stated
  const [only] = audiences
  if (azp === undefined && (audiences.length !== 1 || only === undefined)) {
    throw invalidToken(
      'Token audience contains more than one audience while authorized party is not present',
    )
  }
  const audience = azp ?? only
  if (!isClaimText(audience)) throw invalidToken('The authorized party claim is not valid')
  if (!clientIds.includes(audience)) throw wrongAudience('no such client id')
  if (!audiences.some((each) => clientIds.includes(each))) throw wrongAudience('for others')
  return { audience, originalAudience: azp === undefined ? undefined : stated }
}

/** One text or a list of them. */
function textsOf(value: unknown, claim: string): string | readonly string[] {
  if (isClaimText(value)) return value
  if (Array.isArray(value) && value.length <= audiencesMax && value.every(isClaimText)) return value
  throw invalidToken(`The claim ${claim} of the token is not valid`)
}

function isClaimText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= claimCharactersMax
}

function wrongAlgorithm() {
  return invalidToken(`Tokens must be signed with one of ${algorithms.join(', ')}`)
}

function wrongSignature(detail?: string) {
  return invalidToken('The ID Token provided has a signature that cannot be verified', detail)
}

const resolvers = new WeakMap<JsonWebKeySet, JWTVerifyGetKey>()

/** Imports each key once, for as long as its set is in use. */
function resolverOf(keys: JsonWebKeySet): JWTVerifyGetKey {
  let resolver = resolvers.get(keys)
  if (resolver === undefined) {
    resolver = createLocalJWKSet({ keys: [...keys.keys] })
    resolvers.set(keys, resolver)
  }
  return resolver
}
