import type { JsonObject } from '../operation.ts'
import { arnOf, type KeyRecord } from './key.ts'

/** KeyMetadata of CreateKey and DescribeKey, with exactly the members that AWS answers for such a key. */
export function keyMetadata(key: KeyRecord) {
  const metadata = {
    AWSAccountId: key.account,
    Arn: arnOf(key),
    CreationDate: key.createdAt,
    CurrentKeyMaterialId: key.currentMaterialId,
    CustomerMasterKeySpec: key.keySpec,
    Description: key.description,
    Enabled: key.state === 'Enabled',
    EncryptionAlgorithms: ['SYMMETRIC_DEFAULT'],
    KeyId: key.keyId,
    KeyManager: 'CUSTOMER',
    KeySpec: key.keySpec,
    KeyState: key.state,
    KeyUsage: key.keyUsage,
    MultiRegion: key.multiRegion,
    Origin: key.origin,
  } as const
  return key.deletion === undefined ? metadata : { ...metadata, DeletionDate: key.deletion.date }
}

/**
 * The same for the record: member names begin in lower case (as in CloudTrail's `aWSAccountId`), dates are ISO 8601.
 */
export function recordedMetadata(metadata: Readonly<Record<string, unknown>>): JsonObject {
  const recorded: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(metadata)) {
    const isDate = name.endsWith('Date') && typeof value === 'number'
    recorded[name.slice(0, 1).toLowerCase() + name.slice(1)] = isDate ? isoDate(value) : value
  }
  return recorded
}

/** ms since the epoch, as records show dates inside requests and responses. */
export function isoDate(ms: number): string {
  return new Date(ms).toISOString()
}
