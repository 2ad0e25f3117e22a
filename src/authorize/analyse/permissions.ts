import type { AnalysedKey } from './world.ts'

/**
 * What can be permitted on a key, and to which side of a separation of duties it belongs. `use` makes plaintext or
 * speaks with the key's authority; `harmless` is the direction that gives nothing away. `control` is administration
 * that can be turned into use.
 */
export type KeyPermission = {
  /** As in `Decrypt`. */
  readonly name: string
  readonly side: 'use' | 'harmless' | 'admin' | 'control' | 'read'
  /** Whether AWS lets other accounts call it. */
  readonly crossAccount: boolean
  readonly grantable: boolean
  /** Key usages, or what else a key has to be; absent: every key. */
  readonly of: ((key: AnalysedKey) => boolean) | undefined
}

const usage = (wanted: string) => (key: AnalysedKey) => key.keyUsage === wanted
const encrypts = usage('ENCRYPT_DECRYPT')
const signs = usage('SIGN_VERIFY')
const macs = usage('GENERATE_VERIFY_MAC')
const agrees = usage('KEY_AGREEMENT')
const encapsulates = usage('ENCAPSULATE_DECAPSULATE')
const imported = ({ origin }: AnalysedKey) => origin === 'EXTERNAL'
const multiRegion = (key: AnalysedKey) => key.multiRegion !== undefined

export function isSymmetric({ keySpec }: Pick<AnalysedKey, 'keySpec'>): boolean {
  return keySpec === 'SYMMETRIC_DEFAULT'
}

export function isAsymmetric(key: AnalysedKey): boolean {
  return !isSymmetric(key) && !key.keySpec.startsWith('HMAC_')
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html */
export const keyPermissions: readonly KeyPermission[] = [
  ...shared('use', encrypts, ['Decrypt', 'ReEncryptFrom']),
  ...shared('use', isSymmetric, ['GenerateDataKey', 'GenerateDataKeyPair']),
  ...shared('use', signs, ['Sign']),
  ...shared('use', macs, ['GenerateMac']),
  ...shared('use', agrees, ['DeriveSharedSecret']),
  ...shared('use', encapsulates, ['Decapsulate']),
  ...shared('harmless', encrypts, ['Encrypt', 'ReEncryptTo']),
  ...shared('harmless', isSymmetric, ['GenerateDataKeyWithoutPlaintext']),
  ...shared('harmless', isSymmetric, ['GenerateDataKeyPairWithoutPlaintext']),
  ...shared('harmless', signs, ['Verify']),
  ...shared('harmless', macs, ['VerifyMac']),
  ...shared('harmless', encapsulates, ['Encapsulate']),
  ...shared('harmless', isAsymmetric, ['GetPublicKey']),
  ...shared('control', undefined, ['CreateGrant']),
  ...shared('read', undefined, ['DescribeKey']),
  ...own('control', undefined, ['PutKeyPolicy', 'TagResource', 'UntagResource']),
  ...own('control', undefined, ['CreateAlias', 'UpdateAlias', 'DeleteAlias']),
  ...own('control', imported, ['ImportKeyMaterial']),
  ...own('control', multiRegion, ['ReplicateKey']),
  ...own('admin', undefined, [
    ...['EnableKey', 'DisableKey', 'ScheduleKeyDeletion', 'CancelKeyDeletion'],
    ...['EnableKeyRotation', 'DisableKeyRotation', 'RotateKeyOnDemand', 'UpdateKeyDescription'],
  ]),
  ...own('admin', imported, ['DeleteImportedKeyMaterial']),
  ...own('admin', multiRegion, ['UpdatePrimaryRegion']),
  { name: 'RevokeGrant', side: 'admin', crossAccount: true, grantable: false, of: undefined },
  { name: 'ListGrants', side: 'read', crossAccount: true, grantable: false, of: undefined },
  {
    name: 'GetKeyRotationStatus',
    side: 'read',
    crossAccount: true,
    grantable: false,
    of: undefined,
  },
  ...own('read', undefined, [
    ...['GetKeyPolicy', 'ListKeyPolicies', 'ListKeyRotations', 'ListResourceTags'],
    'GetKeyLastUsage',
  ]),
  ...own('read', imported, ['GetParametersForImport']),
]

export function permissionsOf(key: AnalysedKey): readonly KeyPermission[] {
  return keyPermissions.filter(({ of }) => of === undefined || of(key))
}

function shared(
  side: KeyPermission['side'],
  of: KeyPermission['of'],
  names: readonly string[],
): KeyPermission[] {
  return names.map((name) => ({ name, side, crossAccount: true, grantable: true, of }))
}

function own(
  side: KeyPermission['side'],
  of: KeyPermission['of'],
  names: readonly string[],
): KeyPermission[] {
  return names.map((name) => ({ name, side, crossAccount: false, grantable: false, of }))
}
