import { noKeys } from './refusals.ts'

/** A public key (RFC 7517), with those of its members that verifying takes. */
export type JsonWebKey = Readonly<Record<string, string | readonly string[]>> & {
  readonly kty: 'RSA' | 'EC'
}

export type JsonWebKeySet = { readonly keys: readonly JsonWebKey[] }

/** AWS takes as many of each kind. */
const keysMax = 200
/** 8,192 bits of modulus, in base64url. */
const memberLengthMax = 1366
/** 32 bits: a longer exponent makes verifying slow. */
const exponentLengthMax = 6
const keyIdLengthMax = 1024

const textMembers = ['kid', 'alg', 'use', 'n', 'e', 'crv', 'x', 'y'] as const

/**
 * What a provider says of itself (OpenID Connect Discovery 1.0 §4.3): its issuer has to be the one that was asked for,
 * or else one provider could speak for another. Throws 'invalid-identity-token'.
 */
export function readConfiguration(body: Buffer, issuer: string): { readonly jwksUri: string } {
  const { issuer: stated, jwks_uri: jwksUri } = objectOf(body, 'the configuration')
  if (stated !== issuer) throw noKeys('the configuration is of another issuer')
  if (typeof jwksUri !== 'string' || jwksUri.length > 2048) throw noKeys('there is no jwks_uri')
  return { jwksUri }
}

/**
 * The keys of a set that can verify a token: RSA and elliptic curves, public, of a bounded size. The others are left
 * out, symmetric keys among them, and keys whose private half stands there too. Throws 'invalid-identity-token'.
 */
export function readKeySet(body: Buffer): JsonWebKeySet {
  const { keys } = objectOf(body, 'the key set')
  if (!Array.isArray(keys) || keys.length > keysMax) throw noKeys('this is no set of keys')
  const usable = keys.map(readKey).filter((key) => key !== undefined)
  if (usable.length === 0) throw noKeys('no key of the set can verify a token')
  return { keys: usable }
}

function readKey(value: unknown): JsonWebKey | undefined {
  if (typeof value !== 'object' || value === null || 'd' in value) return undefined
  const given = value as Readonly<Record<string, unknown>>
  const { kty, key_ops: operations } = given
  if (kty !== 'RSA' && kty !== 'EC') return undefined
  const key: Record<string, string | readonly string[]> & { kty: 'RSA' | 'EC' } = { kty }
  for (const name of textMembers) {
    const text = given[name]
    if (text === undefined) continue
    if (typeof text !== 'string' || text.length > lengthMax(name)) return undefined
    key[name] = text
  }
  if (operations !== undefined) {
    if (!Array.isArray(operations) || !operations.includes('verify')) return undefined
    key['key_ops'] = ['verify']
  }
  return key
}

function lengthMax(name: (typeof textMembers)[number]): number {
  if (name === 'kid') return keyIdLengthMax
  return name === 'e' ? exponentLengthMax : memberLengthMax
}

function objectOf(body: Buffer, what: string): Readonly<Record<string, unknown>> {
  let value: unknown
  try {
    value = JSON.parse(body.toString('utf8'))
  } catch (error) {
    throw noKeys(`${what} is not JSON`, error)
  }
  if (typeof value !== 'object' || value === null) throw noKeys(`${what} is no object`)
  return value as Readonly<Record<string, unknown>>
}
