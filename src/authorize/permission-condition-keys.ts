/**
 * Which condition keys the permissions of KMS carry, beside those of every request. Families end in `*`. A key is
 * present when what it stands for is: a request without an alias has no kms:RequestAlias.
 * https://docs.aws.amazon.com/service-authorization/latest/reference/list_awskeymanagementservice.html
 */

/** What a permission is about. */
export type ConditionSubject = 'key' | 'new key' | 'alias' | 'custom key store' | 'nothing'

const ofKind = [
  'kms:CallerAccount',
  'kms:CustomerMasterKeySpec',
  'kms:CustomerMasterKeyUsage',
  'kms:KeyOrigin',
  'kms:KeySpec',
  'kms:KeyUsage',
  'kms:MultiRegion',
  'kms:MultiRegionKeyType',
  'kms:ViaService',
]

const ofSubject: Readonly<Record<ConditionSubject, readonly string[]>> = {
  key: [...ofKind, 'kms:ResourceAliases', 'aws:ResourceAccount', 'aws:ResourceTag/*'],
  'new key': ofKind,
  alias: ['kms:CallerAccount', 'kms:ViaService'],
  'custom key store': ['kms:CallerAccount'],
  nothing: [],
}

const alias = ['kms:RequestAlias']
const context = ['kms:EncryptionContext:*', 'kms:EncryptionContextKeys']
/** The wire knows attested recipients, and each operation refuses them: none of these is ever present. */
const attestation = ['kms:RecipientAttestation:*']
const encryption = [...alias, ...context, 'kms:EncryptionAlgorithm']
const reEncryption = [...encryption, 'kms:ReEncryptOnSameKey']
const signing = [...alias, 'kms:MessageType', 'kms:SigningAlgorithm']
const mac = [...alias, 'kms:MacAlgorithm']
const unused = ['kms:TrailingDaysWithoutKeyUsage']

/** By the permission's name; a permission that is not here has no keys of its own. */
const ofPermission: Readonly<Record<string, readonly string[]>> = {
  CreateGrant: [
    ...context,
    'kms:GrantConstraintSourceArn',
    'kms:GrantConstraintType',
    'kms:GrantIsForAWSResource',
    'kms:GrantOperations',
    'kms:GranteePrincipal',
    'kms:GranteeServicePrincipal',
    'kms:RetiringPrincipal',
    'kms:RetiringServicePrincipal',
  ],
  CreateKey: [
    'kms:BypassPolicyLockoutSafetyCheck',
    'aws:RequestTag/*',
    'aws:ResourceTag/*',
    'aws:TagKeys',
  ],
  Decapsulate: alias,
  Decrypt: [...encryption, ...attestation],
  DeriveSharedSecret: [...alias, ...attestation, 'kms:KeyAgreementAlgorithm'],
  DescribeKey: alias,
  DisableKey: unused,
  EnableKeyRotation: ['kms:RotationPeriodInDays'],
  Encapsulate: alias,
  Encrypt: encryption,
  GenerateDataKey: [...encryption, ...attestation],
  GenerateDataKeyPair: [...encryption, ...attestation, 'kms:DataKeyPairSpec'],
  GenerateDataKeyPairWithoutPlaintext: [...encryption, 'kms:DataKeyPairSpec'],
  GenerateDataKeyWithoutPlaintext: encryption,
  GenerateMac: mac,
  GenerateRandom: attestation,
  GetParametersForImport: ['kms:WrappingAlgorithm', 'kms:WrappingKeySpec'],
  GetPublicKey: alias,
  ImportKeyMaterial: ['kms:ExpirationModel', 'kms:ValidTo'],
  ListGrants: ['kms:GrantIsForAWSResource'],
  PutKeyPolicy: ['kms:BypassPolicyLockoutSafetyCheck'],
  ReEncryptFrom: reEncryption,
  ReEncryptTo: reEncryption,
  ReplicateKey: ['kms:ReplicaRegion'],
  RetireGrant: [...context, 'kms:GrantConstraintType'],
  RevokeGrant: ['kms:GrantIsForAWSResource'],
  ScheduleKeyDeletion: [...unused, 'kms:ScheduleKeyDeletionPendingWindowInDays'],
  Sign: signing,
  TagResource: ['aws:RequestTag/*', 'aws:TagKeys'],
  UntagResource: ['aws:TagKeys'],
  UpdatePrimaryRegion: ['kms:PrimaryRegion'],
  Verify: signing,
  VerifyMac: mac,
}

/** All that a check of that permission can bring, as in `kms:Decrypt` on a key. */
export function conditionKeysOf(permission: string, subject: ConditionSubject): readonly string[] {
  return [...ofSubject[subject], ...(ofPermission[permission.slice('kms:'.length)] ?? [])]
}
