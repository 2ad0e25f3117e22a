import {
  type AccountId,
  type KeyId,
  parseAccountId,
  parseKeyId,
  parseRegion,
  type Region,
} from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import { invalidGrantId } from './errors.ts'
import type { GrantRecord } from './grant.ts'
import type { Grants } from './grants.ts'

/**
 * What CreateGrant gives beside the id of a grant, version 1; `docs/formats/grant-token.md` describes it. A token is no
 * secret and proves nothing: it names a grant, and whoever shows it has the permissions that he has without. Each is
 * new, all of one grant mean the same, and none is kept.
 */
const version = 1
const randomBytes = 16
const nameStart = 1 + randomBytes

export type GrantName = {
  readonly region: Region
  readonly account: AccountId
  readonly keyId: KeyId
  readonly grantId: string
}

export function newGrantToken(grant: GrantRecord, random: Random): string {
  const { region, account, keyId, grantId } = grant
  const name = Buffer.from(`${region}/${account}/${keyId}/${grantId}`, 'latin1')
  return Buffer.concat([Buffer.of(version), random.bytes(randomBytes), name]).toString('base64')
}

/** Longer than any that was given out; what is longer need not be decoded. */
const tokenMax = 512

/** Undefined for what is no token of this service. */
export function parseGrantToken(text: string): GrantName | undefined {
  if (text.length > tokenMax) return undefined
  const bytes = Buffer.from(text, 'base64')
  if (bytes[0] !== version || bytes.toString('base64') !== text) return undefined
  const parts = bytes.toString('latin1', nameStart).split('/')
  const region = parseRegion(parts[0] ?? '')
  const account = parseAccountId(parts[1] ?? '')
  const keyId = parseKeyId(parts[2] ?? '')
  const grantId = parts[3] ?? ''
  if (region === undefined || account === undefined || keyId === undefined) return undefined
  return parts.length === 4 && grantIdPattern.test(grantId)
    ? { region, account, keyId, grantId }
    : undefined
}

/** The grant that a token names, if it is one of that Region; undefined as well for what is no token. */
export function grantOfToken(
  token: string,
  region: Region,
  grants: Grants,
): GrantRecord | undefined {
  const name = parseGrantToken(token)
  if (name === undefined || name.region !== region) return undefined
  const grant = grants.get(name.grantId)
  const isSame =
    grant?.region === name.region && grant.account === name.account && grant.keyId === name.keyId
  return isSame ? grant : undefined
}

const grantIdPattern = /^[0-9a-f]{64}$/

/** Throws 'invalid-grant-id' for what no grant can be called. */
export function requireGrantId(text: string): void {
  if (!grantIdPattern.test(text)) throw invalidGrantId()
}
