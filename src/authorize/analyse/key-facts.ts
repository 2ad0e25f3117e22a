import { conditionKeyOf } from '../condition-keys.ts'
import { conditionKeysOf } from '../permission-condition-keys.ts'
import type { KeyDomain } from './key-solver.ts'
import { isSymmetric, keyPermissions } from './permissions.ts'
import type { ValueDomain } from './value-solver.ts'
import type { AnalysedKey } from './world.ts'

/** Of an open key: what it can be. 'absent': requests of the permission never bring it. */
export type KeyFacts = KeyDomain | 'absent'

const text: ValueDomain = { is: 'text' }
const bool: ValueDomain = { is: 'one-of', values: ['true', 'false'] }
const date: ValueDomain = { is: 'date' }

function sometimes(values: ValueDomain, shape: KeyDomain['shape'] = 'single'): KeyDomain {
  return { presence: 'sometimes', shape, values }
}

function always(values: ValueDomain, shape: KeyDomain['shape'] = 'single'): KeyDomain {
  return { presence: 'always', shape, values }
}

function oneOf(...values: readonly string[]): ValueDomain {
  return { is: 'one-of', values }
}

function whole(min: number, max: number): ValueDomain {
  return { is: 'whole', min, max }
}

/** Of no request at all can less be assumed than of one whose keys nobody knows. */
export const anything: KeyDomain = sometimes(text)

/** Of the keys that some permissions on a key carry: what they can be. Any other is a text. */
const ofKeyRequests: Readonly<Record<string, KeyDomain>> = {
  'kms:BypassPolicyLockoutSafetyCheck': sometimes(bool),
  'kms:DataKeyPairSpec': always(text),
  'kms:EncryptionAlgorithm': always(text),
  'kms:EncryptionContext:*': sometimes(text, 'repeated'),
  'kms:EncryptionContextKeys': sometimes(text, 'list'),
  'kms:ExpirationModel': sometimes(oneOf('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE')),
  'kms:GrantConstraintSourceArn': sometimes(text),
  'kms:GrantConstraintType': sometimes(oneOf('EncryptionContextEquals', 'EncryptionContextSubset')),
  'kms:GrantOperations': always(oneOf(...grantOperations()), 'list'),
  'kms:GranteePrincipal': sometimes(text),
  'kms:GranteeServicePrincipal': sometimes(text),
  'kms:RetiringPrincipal': sometimes(text),
  'kms:RetiringServicePrincipal': sometimes(text),
  'kms:KeyAgreementAlgorithm': always(oneOf('ECDH')),
  'kms:MacAlgorithm': always(text),
  'kms:MessageType': always(oneOf('RAW', 'DIGEST', 'EXTERNAL_MU')),
  'kms:PrimaryRegion': always(text),
  'kms:ReEncryptOnSameKey': always(bool),
  'kms:ReplicaRegion': always(text),
  'kms:RotationPeriodInDays': sometimes(whole(90, 2560)),
  'kms:ScheduleKeyDeletionPendingWindowInDays': sometimes(whole(7, 30)),
  'kms:SigningAlgorithm': always(text),
  'kms:TrailingDaysWithoutKeyUsage': sometimes(whole(0, 36_525)),
  'kms:ValidTo': sometimes(date),
  'kms:WrappingAlgorithm': always(text),
  'kms:WrappingKeySpec': always(text),
  'aws:RequestTag/*': sometimes(text, 'repeated'),
  'aws:TagKeys': sometimes(text, 'list'),
}

/** What every request brings, whatever it is about. */
const ofRequests: Readonly<Record<string, KeyDomain>> = {
  'aws:currenttime': always(date),
  'aws:epochtime': always(whole(1_000_000_000, 9_999_999_999)),
  'aws:securetransport': always(bool),
  'aws:sourceip': always({ is: 'address' }),
}

/** Of temporary credentials; a user may have some too (GetSessionToken). Nobody shows a code of a device. */
const ofSessions: Readonly<Record<string, KeyDomain>> = {
  'aws:multifactorauthpresent': sometimes(oneOf('false')),
  'aws:tokenissuetime': sometimes(date),
}

/** What no request to this deployment brings, though policies may ask for it. */
const neverBrought: ReadonlySet<string> = new Set([
  ...['aws:multifactorauthage', 'aws:principalservicename', 'aws:principalservicenameslist'],
  ...['aws:resourceorgid', 'aws:resourceorgpaths', 'aws:sourcevpc', 'aws:sourcevpce'],
  'aws:vpcsourceip',
])

/** Keys that only a service brings that acts for a caller, or for a resource of its own. */
const ofServices: Readonly<Record<string, KeyDomain>> = {
  'aws:calledvia': sometimes(text, 'list'),
  'aws:calledviafirst': anything,
  'aws:calledvialast': anything,
  'aws:sourceaccount': anything,
  'aws:sourcearn': anything,
  'aws:sourceorgid': anything,
  'aws:viaawsservice': always(bool),
  'kms:grantisforawsresource': always(bool),
  'kms:viaservice': anything,
}
const withoutServices: ReadonlySet<string> = new Set(Object.keys(ofServices))

/** What a direct call says of services: nothing, and that there is none. */
export function directCall(permission: string): Readonly<Record<string, string>> {
  const direct: Record<string, string> = { 'aws:ViaAWSService': 'false' }
  if (carries(permission, 'kms:GrantIsForAWSResource'))
    direct['kms:GrantIsForAWSResource'] = 'false'
  return direct
}

/** Facts about a condition key in requests of a permission on a key; `permission` as in `Decrypt`. */
export function keyFacts(
  folded: string,
  permission: string,
  key: AnalysedKey,
  viaServices: readonly string[],
): KeyFacts {
  if (neverBrought.has(folded)) return 'absent'
  if (withoutServices.has(folded)) return serviceFacts(folded, permission, viaServices)
  const { name = folded } = conditionKeyOf(folded) ?? {}
  if (name === 'kms:RequestAlias') return requestAlias(permission, key)
  const domain = ofKeyRequests[name]
  if (domain !== undefined) {
    if (!carries(permission, name)) return 'absent'
    if (name.startsWith('kms:EncryptionContext') && !isSymmetric(key)) return 'absent'
    return name === 'kms:EncryptionAlgorithm' && isSymmetric(key)
      ? always(oneOf('SYMMETRIC_DEFAULT'))
      : domain
  }
  if (isOfKey(folded) || folded.startsWith('kms:recipientattestation:')) return 'absent'
  return requestFacts(folded)
}

/** What others can make of a key without its policy: its tags, its aliases, and the alias that names it. */
export function isChangeable(folded: string): boolean {
  const ofAlias = folded === 'kms:resourcealiases' || folded === 'kms:requestalias'
  return ofAlias || folded.startsWith('aws:resourcetag/')
}

export function changeable(folded: string): KeyDomain {
  return sometimes(text, folded === 'kms:resourcealiases' ? 'list' : 'single')
}

/** What a key does not have, no request on it says. */
function isOfKey(folded: string): boolean {
  const tag = folded.startsWith('aws:resourcetag/')
  return tag || folded === 'kms:resourcealiases' || folded === 'kms:multiregionkeytype'
}

function serviceFacts(folded: string, permission: string, services: readonly string[]): KeyFacts {
  if (folded === 'kms:grantisforawsresource' && !carries(permission, 'kms:GrantIsForAWSResource')) {
    return 'absent'
  }
  if (services.length === 0) return 'absent'
  return folded === 'kms:viaservice'
    ? sometimes(oneOf(...services))
    : (ofServices[folded] ?? anything)
}

/** Facts about a condition key in requests that are about no key. */
export function requestFacts(folded: string): KeyFacts {
  const known = ofRequests[folded] ?? ofSessions[folded]
  if (known !== undefined) return known
  return conditionKeyOf(folded)?.values === 'several' ? sometimes(text, 'list') : anything
}

/** The name that the request gave the key by, which only some permissions tell. */
function requestAlias(permission: string, key: AnalysedKey): KeyFacts {
  if (!carries(permission, 'kms:RequestAlias') || key.aliases.length === 0) return 'absent'
  return sometimes(oneOf(...key.aliases))
}

function carries(permission: string, name: string): boolean {
  return conditionKeysOf(`kms:${permission}`, 'key').includes(name)
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/grants.html#terms-grant-operations */
export function grantOperations(): string[] {
  const grantable = keyPermissions.filter((permission) => permission.grantable)
  return [...grantable.map(({ name }) => name), 'RetireGrant']
}

/** What of a key every request on it says. */
export function keyConditions(
  key: AnalysedKey,
): Readonly<Record<string, string | readonly string[]>> {
  const conditions: Record<string, string | readonly string[]> = {
    'kms:CustomerMasterKeySpec': key.keySpec,
    'kms:CustomerMasterKeyUsage': key.keyUsage,
    'kms:KeyOrigin': key.origin,
    'kms:KeySpec': key.keySpec,
    'kms:KeyUsage': key.keyUsage,
    'kms:MultiRegion': String(key.multiRegion !== undefined),
    'aws:ResourceAccount': key.account,
    'aws:RequestedRegion': key.region,
  }
  if (key.multiRegion !== undefined) conditions['kms:MultiRegionKeyType'] = key.multiRegion
  if (key.aliases.length > 0) conditions['kms:ResourceAliases'] = key.aliases
  for (const [name, value] of Object.entries(key.tags))
    conditions[`aws:ResourceTag/${name}`] = value
  return conditions
}
