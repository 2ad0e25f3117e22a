import { type KeySpec, specRow } from '../../hsm/key-specs.ts'
import { defaultLimits, type KmsLimits } from './deps.ts'
import { kmsOperations } from './operations/table.ts'

/** What a quota is called and what it is while nobody has set it; the operator's side gives it a place to be kept. */
type Definition = {
  readonly name: string
  readonly initial: number | undefined
  readonly aws: number | undefined
  readonly perAccount: boolean
  readonly meaning: string
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
const resourceNames = {
  keys: ['keys', 'KMS keys in one account and Region'],
  aliasesPerKey: ['aliases-per-key', 'aliases of one key'],
  grantsPerKey: ['grants-per-key', 'grants on one key'],
  tagsPerKey: ['tags-per-key', 'tags of one key'],
  onDemandRotationsPerKey: [
    'on-demand-rotations-per-key',
    'rotations of one key that were asked for',
  ],
  policyBytes: ['policy-bytes', 'bytes of a key policy'],
} as const satisfies Readonly<Record<keyof KmsLimits, readonly [string, string]>>

/**
 * Operations of one pool of requests. AWS counts cryptographic operations by the kind of key, and every other
 * operation for itself. https://docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html
 */
const cryptographic = new Set([
  ...['Decrypt', 'DeriveSharedSecret', 'Decapsulate', 'Encapsulate', 'Encrypt', 'GenerateDataKey'],
  ...['GenerateDataKeyWithoutPlaintext', 'GenerateMac', 'GenerateRandom', 'ReEncrypt', 'Sign'],
  ...['Verify', 'VerifyMac'],
])

const poolOf = {
  secret: 'cryptographic-symmetric',
  rsa: 'cryptographic-rsa',
  ec: 'cryptographic-ecc',
  ed25519: 'cryptographic-ecc',
  'ml-dsa-44': 'cryptographic-ml-dsa',
  'ml-dsa-65': 'cryptographic-ml-dsa',
  'ml-dsa-87': 'cryptographic-ml-dsa',
  'ml-kem-512': 'cryptographic-ml-kem',
  'ml-kem-768': 'cryptographic-ml-kem',
  'ml-kem-1024': 'cryptographic-ml-kem',
} as const satisfies Readonly<Record<ReturnType<typeof specRow>['material']['type'], string>>

/** AWS's rates a second, of its home Regions; pools that are not here have none that is published. */
const awsRates: Readonly<Record<string, number>> = {
  ...{ 'cryptographic-symmetric': 100_000, 'cryptographic-rsa': 1000 },
  ...{ 'cryptographic-ecc': 1000, 'cryptographic-ml-dsa': 1000, 'data-key-pairs': 20 },
  ...{ DescribeKey: 2000, GetPublicKey: 2000, ListResourceTags: 2000, GetKeyPolicy: 1000 },
  ...{ GetKeyRotationStatus: 1000, ListAliases: 500, ListKeys: 500, ListGrants: 100 },
  ...{ ListKeyPolicies: 100, ListKeyRotations: 100, ListRetirableGrants: 100, CreateGrant: 50 },
  ...{ RetireGrant: 50, RevokeGrant: 50, DeleteAlias: 15, DeleteImportedKeyMaterial: 15 },
  ...{ EnableKeyRotation: 15, ImportKeyMaterial: 15, PutKeyPolicy: 15, ScheduleKeyDeletion: 15 },
  ...{ TagResource: 10, GetParametersForImport: 1 },
}
const awsRateOfOthers = 5

/** The pool that a call draws from; `keySpec` is that of the key it is about. */
export function requestPool(operation: string, keySpec: KeySpec | undefined): string {
  if (operation.startsWith('GenerateDataKeyPair')) return 'data-key-pairs'
  if (!cryptographic.has(operation)) return operation
  return keySpec === undefined ? poolOf.secret : poolOf[specRow(keySpec).material.type]
}

export const requestQuota = (pool: string): string => `requests/${pool}`

const cryptographicPools: ReadonlySet<string> = new Set(Object.values(poolOf))

const pools: readonly string[] = [
  ...cryptographicPools,
  'data-key-pairs',
  ...[...kmsOperations.keys()].filter((name) => requestPool(name, undefined) === name),
]

export const kmsQuotas: readonly Definition[] = [
  ...Object.entries(resourceNames).map(([limit, [name, meaning]]) => {
    const initial = defaultLimits[limit as keyof KmsLimits]
    return { name, initial, aws: initial, perAccount: false, meaning }
  }),
  ...pools.map((pool) => ({
    name: requestQuota(pool),
    initial: undefined,
    aws: awsRates[pool] ?? (cryptographicPools.has(pool) ? undefined : awsRateOfOthers),
    perAccount: true,
    meaning: 'requests a second of one account',
  })),
]

/** The limits as they are set now, each looked up when it is asked for. */
export function limitsFrom(quotas: { value(name: string): number | undefined }): KmsLimits {
  const now = (limit: keyof KmsLimits) =>
    quotas.value(resourceNames[limit][0]) ?? defaultLimits[limit]
  return {
    get keys() {
      return now('keys')
    },
    get aliasesPerKey() {
      return now('aliasesPerKey')
    },
    get grantsPerKey() {
      return now('grantsPerKey')
    },
    get tagsPerKey() {
      return now('tagsPerKey')
    },
    get onDemandRotationsPerKey() {
      return now('onDemandRotationsPerKey')
    },
    get policyBytes() {
      return now('policyBytes')
    },
  }
}
