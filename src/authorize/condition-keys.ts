import { foldKey } from './conditions/folded-names.ts'

/**
 * The condition keys that requests can bring, in AWS's spelling. Pure data: whoever builds the values of a request, or
 * reads a policy for what it can mean, goes by this one table.
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 */
export type ConditionKey = {
  /** A family ends in `*`, as in `aws:ResourceTag/*`: what stands there is part of the name of each of its keys. */
  readonly name: string
  readonly type: ConditionKeyType
  /** A key with several values needs a set operator. */
  readonly values: 'single' | 'several'
  /** Of no effect but in policies of identities: elsewhere it is never present. */
  readonly within?: 'identity policies'
}

export type ConditionKeyType = 'Arn' | 'Bool' | 'Date' | 'IpAddress' | 'Numeric' | 'String'

const kms: readonly ConditionKey[] = [
  ...single('Arn', ['kms:GrantConstraintSourceArn']),
  ...single('Bool', [
    'kms:BypassPolicyLockoutSafetyCheck',
    'kms:GrantIsForAWSResource',
    'kms:MultiRegion',
    'kms:ReEncryptOnSameKey',
  ]),
  ...single('Date', ['kms:ValidTo']),
  ...single('Numeric', [
    'kms:RotationPeriodInDays',
    'kms:ScheduleKeyDeletionPendingWindowInDays',
    'kms:TrailingDaysWithoutKeyUsage',
  ]),
  ...single('String', [
    'kms:CallerAccount',
    'kms:CustomerMasterKeySpec',
    'kms:CustomerMasterKeyUsage',
    'kms:DataKeyPairSpec',
    'kms:EncryptionAlgorithm',
    'kms:EncryptionContext:*',
    'kms:ExpirationModel',
    'kms:GrantConstraintType',
    'kms:GranteePrincipal',
    'kms:GranteeServicePrincipal',
    'kms:KeyAgreementAlgorithm',
    'kms:KeyOrigin',
    'kms:KeySpec',
    'kms:KeyUsage',
    'kms:MacAlgorithm',
    'kms:MessageType',
    'kms:MultiRegionKeyType',
    'kms:PrimaryRegion',
    'kms:RecipientAttestation:*',
    'kms:ReplicaRegion',
    'kms:RequestAlias',
    'kms:RetiringPrincipal',
    'kms:RetiringServicePrincipal',
    'kms:SigningAlgorithm',
    'kms:ViaService',
    'kms:WrappingAlgorithm',
    'kms:WrappingKeySpec',
  ]),
  ...several(['kms:EncryptionContextKeys', 'kms:GrantOperations']),
  {
    name: 'kms:ResourceAliases',
    type: 'String',
    values: 'several',
    within: 'identity policies',
  },
]

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const s3: readonly ConditionKey[] = [
  ...single('Numeric', ['s3:max-keys', 's3:signatureAge', 's3:TlsVersion']),
  ...single('String', [
    's3:authType',
    's3:delimiter',
    's3:ExistingObjectTag/*',
    's3:if-match',
    's3:if-none-match',
    's3:LocationConstraint',
    's3:prefix',
    's3:RequestObjectTag/*',
    's3:ResourceAccount',
    's3:signatureversion',
    's3:VersionId',
    's3:x-amz-acl',
    's3:x-amz-content-sha256',
    's3:x-amz-copy-source',
    's3:x-amz-metadata-directive',
    's3:x-amz-object-ownership',
    's3:x-amz-server-side-encryption',
    's3:x-amz-server-side-encryption-aws-kms-key-id',
    's3:x-amz-server-side-encryption-customer-algorithm',
    's3:x-amz-storage-class',
  ]),
  ...several(['s3:RequestObjectTagKeys']),
]

const aws: readonly ConditionKey[] = [
  ...single('Arn', ['aws:PrincipalArn', 'aws:SourceArn']),
  ...single('Bool', [
    'aws:MultiFactorAuthPresent',
    'aws:PrincipalIsAWSService',
    'aws:SecureTransport',
    'aws:ViaAWSService',
  ]),
  ...single('Date', ['aws:CurrentTime', 'aws:EpochTime', 'aws:TokenIssueTime']),
  ...single('IpAddress', ['aws:SourceIp', 'aws:VpcSourceIp']),
  ...single('Numeric', ['aws:MultiFactorAuthAge']),
  ...single('String', [
    'aws:CalledViaFirst',
    'aws:CalledViaLast',
    'aws:FederatedProvider',
    'aws:PrincipalAccount',
    'aws:PrincipalOrgID',
    'aws:PrincipalServiceName',
    'aws:PrincipalTag/*',
    'aws:PrincipalType',
    'aws:Referer',
    'aws:RequestedRegion',
    'aws:RequestTag/*',
    'aws:ResourceAccount',
    'aws:ResourceOrgID',
    'aws:ResourceTag/*',
    'aws:SourceAccount',
    'aws:SourceIdentity',
    'aws:SourceOrgID',
    'aws:SourceVpc',
    'aws:SourceVpce',
    'aws:UserAgent',
    'aws:userid',
    'aws:username',
  ]),
  ...several([
    'aws:CalledVia',
    'aws:PrincipalOrgPaths',
    'aws:PrincipalServiceNamesList',
    'aws:ResourceOrgPaths',
    'aws:TagKeys',
  ]),
]

export const conditionKeys: readonly ConditionKey[] = [...kms, ...s3, ...aws]

const families = conditionKeys.filter(({ name }) => name.endsWith('*'))
const byName = new Map(conditionKeys.map((key) => [foldKey(key.name), key]))
const familyPrefixes = families.map((key) => [foldKey(key.name).slice(0, -1), key] as const)

/** The key, or the family, that a name in a policy or a request means, whatever its case; undefined: none of these. */
export function conditionKeyOf(name: string): ConditionKey | undefined {
  const folded = foldKey(name)
  const key = folded.endsWith('*') ? undefined : byName.get(folded)
  if (key !== undefined) return key
  const family = familyPrefixes.find(([prefix]) => isMember(folded, prefix))
  return family?.[1]
}

function isMember(folded: string, prefix: string): boolean {
  return folded.length > prefix.length && folded.startsWith(prefix)
}

function single(type: ConditionKeyType, names: readonly string[]): readonly ConditionKey[] {
  return names.map((name) => ({ name, type, values: 'single' }))
}

function several(names: readonly string[]): readonly ConditionKey[] {
  return names.map((name) => ({ name, type: 'String', values: 'several' }))
}
