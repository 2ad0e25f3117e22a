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

/** Keys that requests on a key bring, the permissions that have them, and what they can be. Families end in `*`. */
const ofKeyRequests: readonly (readonly [string, readonly string[], KeyDomain])[] = [
  ['kms:bypasspolicylockoutsafetycheck', ['PutKeyPolicy'], sometimes(bool)],
  ['kms:datakeypairspec', pairs(), always(text)],
  ['kms:encryptionalgorithm', encryption(), always(text)],
  ['kms:encryptioncontext:*', [...encryption(), 'CreateGrant'], sometimes(text, 'repeated')],
  ['kms:encryptioncontextkeys', [...encryption(), 'CreateGrant'], sometimes(text, 'list')],
  [
    'kms:expirationmodel',
    ['ImportKeyMaterial'],
    sometimes(oneOf('KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE')),
  ],
  ['kms:grantconstraintsourcearn', ['CreateGrant'], sometimes(text)],
  [
    'kms:grantconstrainttype',
    ['CreateGrant'],
    sometimes(oneOf('EncryptionContextEquals', 'EncryptionContextSubset')),
  ],
  ['kms:grantoperations', ['CreateGrant'], always(oneOf(...grantOperations()), 'list')],
  ['kms:granteeprincipal', ['CreateGrant'], sometimes(text)],
  ['kms:granteeserviceprincipal', ['CreateGrant'], sometimes(text)],
  ['kms:retiringprincipal', ['CreateGrant'], sometimes(text)],
  ['kms:retiringserviceprincipal', ['CreateGrant'], sometimes(text)],
  ['kms:keyagreementalgorithm', ['DeriveSharedSecret'], always(oneOf('ECDH'))],
  ['kms:macalgorithm', ['GenerateMac', 'VerifyMac'], always(text)],
  ['kms:messagetype', ['Sign', 'Verify'], always(oneOf('RAW', 'DIGEST', 'EXTERNAL_MU'))],
  ['kms:primaryregion', ['UpdatePrimaryRegion'], always(text)],
  ['kms:reencryptonsamekey', ['ReEncryptFrom', 'ReEncryptTo'], always(bool)],
  ['kms:replicaregion', ['ReplicateKey'], always(text)],
  ['kms:rotationperiodindays', ['EnableKeyRotation'], sometimes(whole(90, 2560))],
  ['kms:schedulekeydeletionpendingwindowindays', ['ScheduleKeyDeletion'], sometimes(whole(7, 30))],
  ['kms:signingalgorithm', ['Sign', 'Verify'], always(text)],
  [
    'kms:trailingdayswithoutkeyusage',
    ['DisableKey', 'ScheduleKeyDeletion'],
    sometimes(whole(0, 36_525)),
  ],
  ['kms:validto', ['ImportKeyMaterial'], sometimes(date)],
  ['kms:wrappingalgorithm', ['GetParametersForImport'], always(text)],
  ['kms:wrappingkeyspec', ['GetParametersForImport'], always(text)],
  ['aws:requesttag/*', ['TagResource'], sometimes(text, 'repeated')],
  ['aws:tagkeys', ['TagResource', 'UntagResource'], sometimes(text, 'list')],
]

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

const severalValued: readonly string[] = ['aws:calledvia', 'aws:principalorgpaths', 'aws:tagkeys']

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
const awsResource: ReadonlySet<string> = new Set(['CreateGrant', 'ListGrants', 'RevokeGrant'])

/** What a direct call says of services: nothing, and that there is none. */
export function directCall(permission: string): Readonly<Record<string, string>> {
  const direct: Record<string, string> = { 'aws:ViaAWSService': 'false' }
  if (awsResource.has(permission)) direct['kms:GrantIsForAWSResource'] = 'false'
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
  if (folded === 'kms:requestalias') return requestAlias(permission, key)
  for (const [name, permissions, domain] of ofKeyRequests) {
    if (!(name.endsWith('*') ? folded.startsWith(name.slice(0, -1)) : folded === name)) continue
    if (!permissions.includes(permission)) return 'absent'
    if (name.startsWith('kms:encryptioncontext') && !isSymmetric(key)) return 'absent'
    if (name === 'kms:encryptionalgorithm' && isSymmetric(key)) {
      return always(oneOf('SYMMETRIC_DEFAULT'))
    }
    return domain
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
  if (folded === 'kms:grantisforawsresource' && !awsResource.has(permission)) return 'absent'
  if (services.length === 0) return 'absent'
  return folded === 'kms:viaservice'
    ? sometimes(oneOf(...services))
    : (ofServices[folded] ?? anything)
}

/** Facts about a condition key in requests that are about no key. */
export function requestFacts(folded: string): KeyFacts {
  const known = ofRequests[folded] ?? ofSessions[folded]
  if (known !== undefined) return known
  return severalValued.includes(folded) ? sometimes(text, 'list') : anything
}

/** The name that the request gave the key by, which only some permissions tell. */
function requestAlias(permission: string, key: AnalysedKey): KeyFacts {
  const found = keyPermissions.find(({ name }) => name === permission)
  const named = found?.grantable === true && permission !== 'CreateGrant'
  if (!named || key.aliases.length === 0) return 'absent'
  return sometimes(oneOf(...key.aliases))
}

function encryption(): string[] {
  return [
    ...['Decrypt', 'Encrypt', 'ReEncryptFrom', 'ReEncryptTo'],
    ...['GenerateDataKey', 'GenerateDataKeyWithoutPlaintext'],
    ...pairs(),
  ]
}

function pairs(): string[] {
  return ['GenerateDataKeyPair', 'GenerateDataKeyPairWithoutPlaintext']
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
