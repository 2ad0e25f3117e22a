import { keyArn, type Region } from '../../base/ids.ts'
import { algorithmsOf, isSymmetric, type KeySpec, type KeyUsage } from '../../hsm/key-specs.ts'
import type { Value } from '../../wire/schema.ts'
import type { JsonObject } from '../operation.ts'
import type { KmsDeps } from './deps.ts'
import { arnOf, type KeyRecord } from './key.ts'
import { customerMasterKeySpecs } from './key-spec.ts'
import { entryOf, isPending, materialEntries } from './materials.ts'
import type * as shapes from './shapes.ts'

export type KeyMetadata = Value<typeof shapes.keyMetadata>

type RelatedKeys = Pick<KmsDeps, 'regions'> & { readonly state: Pick<KmsDeps['state'], 'key'> }

/** KeyMetadata, with exactly the members that AWS answers for such a key. */
export function keyMetadata(key: KeyRecord, deps: RelatedKeys): KeyMetadata {
  return {
    AWSAccountId: key.account,
    Arn: arnOf(key),
    CreationDate: key.createdAt,
    Description: key.description,
    Enabled: key.state === 'Enabled',
    KeyId: key.keyId,
    KeyManager: key.manager ?? 'CUSTOMER',
    KeySpec: key.keySpec,
    KeyState: key.state,
    KeyUsage: key.keyUsage,
    MultiRegion: key.multiRegion,
    Origin: key.origin,
    ...customerMasterKeySpecOf(key.keySpec),
    ...algorithmMembers(key),
    ...currentMaterialOf(key),
    ...expirationOf(key),
    ...multiRegionConfigurationOf(key, deps),
    ...deletionOf(key),
  }
}

/** The deprecated member has no value for specs that are newer than it. */
export function customerMasterKeySpecOf(
  keySpec: KeySpec | 'SM2',
): Pick<KeyMetadata, 'CustomerMasterKeySpec'> {
  const known = customerMasterKeySpecs.find((spec) => spec === keySpec)
  return known === undefined ? {} : { CustomerMasterKeySpec: known }
}

const algorithmMember = {
  ENCRYPT_DECRYPT: 'EncryptionAlgorithms',
  SIGN_VERIFY: 'SigningAlgorithms',
  GENERATE_VERIFY_MAC: 'MacAlgorithms',
  KEY_AGREEMENT: 'KeyAgreementAlgorithms',
  ENCAPSULATE_DECAPSULATE: 'EncapsulationAlgorithms',
} as const satisfies Readonly<Record<KeyUsage, keyof KeyMetadata>>

/** The algorithms of the key, under the name that goes with its usage. */
export function algorithmMembers(
  key: KeyRecord,
): Pick<KeyMetadata, (typeof algorithmMember)[KeyUsage]> {
  return { [algorithmMember[key.keyUsage]]: algorithmsOf(key.keySpec, key.keyUsage) }
}

/** Of symmetric keys, while they have it: the others never get another. */
function currentMaterialOf(key: KeyRecord): Pick<KeyMetadata, 'CurrentKeyMaterialId'> {
  const { currentMaterialId, state } = key
  if (!isSymmetric(key.keySpec) || currentMaterialId === undefined || state === 'Creating') {
    return {}
  }
  const isThere = entryOf(key, currentMaterialId)?.imported?.state !== 'PENDING_IMPORT'
  return isThere ? { CurrentKeyMaterialId: currentMaterialId } : {}
}

/** Of imported material, while there is some: it expires when the first of its materials does. */
function expirationOf(key: KeyRecord): Pick<KeyMetadata, 'ExpirationModel' | 'ValidTo'> {
  const imported = materialEntries(key)
    .filter((entry) => !isPending(entry))
    .flatMap((entry) => (entry.imported?.state === 'IMPORTED' ? [entry.imported] : []))
  if (imported.length === 0) return {}
  const dates = imported.flatMap(({ validTo }) => (validTo === undefined ? [] : [validTo]))
  if (dates.length === 0) return { ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE' }
  return { ExpirationModel: 'KEY_MATERIAL_EXPIRES', ValidTo: Math.min(...dates) }
}

/** Where the primary key and its replicas are; a replica that is being made counts already. */
function multiRegionConfigurationOf(
  key: KeyRecord,
  { state, regions }: RelatedKeys,
): Pick<KeyMetadata, 'MultiRegionConfiguration'> {
  if (key.replication === undefined) return {}
  const { type, primaryRegion } = key.replication
  const within = (region: Region) => ({
    Arn: keyArn(region, key.account, key.keyId),
    Region: region,
  })
  const replicas = regions.filter((region) => {
    const related = region === key.region ? key : state.key(region, key.keyId)
    return related?.account === key.account && related.replication?.type === 'REPLICA'
  })
  return {
    MultiRegionConfiguration: {
      MultiRegionKeyType: type,
      PrimaryKey: within(primaryRegion),
      ReplicaKeys: replicas.map(within),
    },
  }
}

function deletionOf({
  state,
  deletion,
}: KeyRecord): Pick<KeyMetadata, 'DeletionDate' | 'PendingDeletionWindowInDays'> {
  if (deletion === undefined) return {}
  if (state === 'PendingReplicaDeletion') {
    return { PendingDeletionWindowInDays: deletion.windowInDays }
  }
  return { DeletionDate: deletion.date }
}

/**
 * The same for the record: member names begin in lower case (as in CloudTrail's `aWSAccountId`), dates are ISO 8601.
 */
export function recordedMetadata(metadata: Readonly<Record<string, unknown>>): JsonObject {
  const recorded: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(metadata)) {
    recorded[lowerFirst(name)] = recordedValue(name, value)
  }
  return recorded
}

function recordedValue(name: string, value: unknown): unknown {
  if (typeof value === 'number' && (name.endsWith('Date') || name === 'ValidTo')) {
    return isoDate(value)
  }
  if (Array.isArray(value)) return value.map((item: unknown) => recordedValue('', item))
  if (typeof value === 'object' && value !== null) return recordedMetadata({ ...value })
  return value
}

function lowerFirst(name: string): string {
  return name.slice(0, 1).toLowerCase() + name.slice(1)
}

/** ms since the epoch, as records show dates inside requests and responses. */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString()
}
