import { ObjectOpener } from '../../objects/encryption/open.ts'
import type { Version } from '../../objects/port.ts'
import type { CallContext } from '../operation.ts'
import { decodeAttributes } from './attributes.ts'
import type { S3Deps } from './deps.ts'
import { wipeCustomerKey } from './encryption/customer-key.ts'
import { dataKeysOf, wipeKeys } from './encryption/data-keys.ts'
import { type CustomerKeyInput, customerKeyOf } from './encryption/request.ts'
import type { ObjectName } from './object-versions.ts'
import { s3Refusal } from './refusals.ts'

/**
 * Of a request that reads no bytes: shows that its caller could. Under a customer's key always; under a key of KMS
 * where the answer has a checksum, which tells of the plaintext. Rejects with what the reading would be refused with.
 */
export async function requireKeys(
  call: CallContext,
  input: CustomerKeyInput,
  { bucket, key }: ObjectName,
  { sidecar, attributes, versionId }: Version,
  tellsOfPlaintext: boolean,
  deps: S3Deps,
): Promise<void> {
  const { encryption } = decodeAttributes(attributes)
  const brings =
    input.SSECustomerAlgorithm !== undefined ||
    input.SSECustomerKey !== undefined ||
    input.SSECustomerKeyMD5 !== undefined
  const isKms = encryption.mode !== 'customer' && encryption.mode !== 'AES256'
  if (encryption.mode !== 'customer' && !brings && !(isKms && tellsOfPlaintext)) return
  const customer = customerKeyOf(call, input)
  try {
    const dataKeys = await dataKeysOf(call, encryption, sidecar, { bucket, key }, customer, deps)
    try {
      new ObjectOpener(sidecar, dataKeys, { bucket: bucket.storeId, key, versionId }).wipe()
    } finally {
      wipeKeys(dataKeys)
    }
  } catch (error) {
    throw s3Refusal(error)
  } finally {
    wipeCustomerKey(customer)
  }
}
