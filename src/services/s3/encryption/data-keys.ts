import { type ErrorCode, internalError, ServiceError, s3Error } from '../../../base/errors.ts'
import { customerKeyMark, isCustomerKey } from '../../../objects/encryption/customer-key.ts'
import { ObjectDamage } from '../../../objects/encryption/damage.ts'
import type { DataKeys } from '../../../objects/encryption/object-keys.ts'
import { wrappedKeysOf } from '../../../objects/encryption/open.ts'
import type { CallContext } from '../../operation.ts'
import type { StoredEncryption } from '../attributes.ts'
import type { S3Deps } from '../deps.ts'
import { s3Refusal } from '../refusals.ts'
import type { CustomerKey } from './customer-key.ts'
import { kmsKeyOf, newKmsKey, type Where } from './kms-keys.ts'
import type { ChosenEncryption, ChosenKms } from './request.ts'
import { dataKeyBytes, encodeWrapped, ownerIdBytes, parseWrapped } from './wrapped-keys.ts'

/** Data keys for a new object or upload: one, or two for DSSE. They are the asker's to wipe. */
export type NewDataKeys = {
  readonly dataKeys: DataKeys
  /** What `dataKeysOf` finds them again with: one for each, for the sidecar. */
  readonly wrapped: readonly Buffer[]
  readonly stored: StoredEncryption
}

/**
 * With KMS: one GenerateDataKey as the caller, two for DSSE, none where a bucket key serves. Rejects with what KMS
 * refuses, which S3 answers behind `KMS.`: `KMS.DisabledException`, `KMS.NotFoundException`, AccessDenied …
 */
export async function newDataKeys(
  call: CallContext,
  chosen: ChosenEncryption,
  where: Where,
  deps: S3Deps,
): Promise<NewDataKeys> {
  switch (chosen.mode) {
    case 'AES256':
      return { ...(await newSealedKey(deps)), stored: chosen }
    case 'customer': {
      const { key, md5 } = chosen.customer
      const wrapped = [customerKeyMark(key, deps.random)]
      // A copy, so that both can be wiped.
      return { dataKeys: [Buffer.from(key)], wrapped, stored: { mode: 'customer', keyMd5: md5 } }
    }
    case 'aws:kms':
      return newKmsKeys(call, chosen, where, deps)
    case 'aws:kms:dsse':
      return newPair(call, chosen, where, deps)
  }
}

async function newSealedKey({
  hsm,
  random,
}: S3Deps): Promise<Pick<NewDataKeys, 'dataKeys' | 'wrapped'>> {
  const ownerId = random.bytes(ownerIdBytes)
  const dataKey = random.bytes(dataKeyBytes)
  try {
    const sealed = await hsm.seal('object-key', ownerId.toString('hex'), dataKey)
    return { dataKeys: [dataKey], wrapped: [encodeWrapped({ kind: 'sealed', ownerId, sealed })] }
  } catch (error) {
    dataKey.fill(0)
    throw error
  }
}

async function newKmsKeys(
  call: CallContext,
  chosen: ChosenKms,
  where: Where,
  deps: S3Deps,
): Promise<NewDataKeys> {
  const { dataKey, wrapped, keyArn } = await newKmsKey(call, chosen, where, deps)
  return { dataKeys: [dataKey], wrapped: [wrapped], stored: storedOf(chosen, keyArn) }
}

/** Both of the same KMS key: an alias may come to name another one in between. */
async function newPair(
  call: CallContext,
  chosen: ChosenKms,
  where: Where,
  deps: S3Deps,
): Promise<NewDataKeys> {
  const inner = await newKmsKey(call, chosen, where, deps)
  try {
    const outer = await newKmsKey(call, chosen, where, deps)
    if (outer.keyArn !== inner.keyArn) {
      outer.dataKey.fill(0)
      throw s3Error('OperationAborted')
    }
    return {
      dataKeys: [inner.dataKey, outer.dataKey],
      wrapped: [inner.wrapped, outer.wrapped],
      stored: storedOf(chosen, inner.keyArn),
    }
  } catch (error) {
    inner.dataKey.fill(0)
    throw error
  }
}

function storedOf({ mode, context, bucketKey, byDefault }: ChosenKms, keyArn: string) {
  return { mode, keyArn, ...(context && { context }), bucketKey, byDefault }
}

/** What encrypting or decrypting an object may be refused with, besides what every operation may answer. */
export const encryptionErrors = [
  ...['InvalidArgument', 'InvalidEncryptionAlgorithmError', 'InvalidRequest', 'OperationAborted'],
  ...['disabled', 'invalid-key-usage', 'invalid-state', 'key-unavailable', 'not-found'],
  'unsupported',
] as const satisfies readonly ErrorCode[]

/** What a sidecar is of: the refusals of SSE-C differ. */
export type SidecarOf = 'object' | 'upload'

/**
 * The data keys of an object or an upload that is there, by its sidecar: one Decrypt for each layer, as the caller,
 * none where a bucket key serves. `customer`: the key that the request brought; S3's refusals where it is missing, not
 * asked for, or another one. Nothing of the sidecar is proven before it is opened with them.
 */
export async function dataKeysOf(
  call: CallContext,
  stored: StoredEncryption,
  sidecar: Buffer,
  where: Where,
  customer: CustomerKey | undefined,
  deps: S3Deps,
  of: SidecarOf = 'object',
): Promise<DataKeys> {
  try {
    if (stored.mode === 'customer') return [customersKey(wrappedOf(sidecar, 1), customer, of)]
    if (customer !== undefined) throw notApplicable(of)
    if (stored.mode === 'AES256') return [await sealedKeyOf(wrappedOf(sidecar, 1), deps)]
    if (stored.mode === 'aws:kms') {
      const [wrapped] = wrappedOf(sidecar, 1)
      return [await kmsKeyOf(call, stored, wrapped, where, deps)]
    }
    const [inner, outer] = wrappedOf(sidecar, 2)
    const innerKey = await kmsKeyOf(call, stored, inner, where, deps)
    try {
      return [innerKey, await kmsKeyOf(call, stored, outer, where, deps)]
    } catch (error) {
      innerKey.fill(0)
      throw error
    }
  } catch (error) {
    throw s3Refusal(error)
  }
}

function wrappedOf(sidecar: Buffer, layers: 1): readonly [Buffer]
function wrappedOf(sidecar: Buffer, layers: 2): readonly [Buffer, Buffer]
function wrappedOf(sidecar: Buffer, layers: number): readonly Buffer[] {
  const wrapped = wrappedKeysOf(sidecar)
  if (wrapped.length === layers) return wrapped
  throw new ObjectDamage('header', `${wrapped.length} wrapped keys in place of ${layers}`)
}

async function sealedKeyOf([wrapped]: readonly [Buffer], { hsm }: S3Deps): Promise<Buffer> {
  const { ownerId, sealed } = parseWrapped(wrapped, 'sealed')
  try {
    return await hsm.open('object-key', ownerId.toString('hex'), sealed)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'invalid-ciphertext') {
      throw internalError('the sealed key of an object does not open', error)
    }
    throw error
  }
}

function customersKey(
  [mark]: readonly [Buffer],
  customer: CustomerKey | undefined,
  of: SidecarOf,
): Buffer {
  if (customer === undefined) throw of === 'upload' ? partWithoutKey() : keyMissing()
  if (!isCustomerKey(mark, customer.key)) throw of === 'upload' ? otherKeyOfPart() : otherKey()
  return Buffer.from(customer.key)
}

const invalidRequest = (text: string) => s3Error('InvalidRequest', undefined, { text })

const keyMissing = () =>
  invalidRequest(
    'The object was stored using a form of Server Side Encryption. The correct parameters must be provided to ' +
      'retrieve the object.',
  )

const otherKey = () =>
  new ServiceError(
    'access-denied',
    'Requests specifying Server Side Encryption with Customer provided keys must provide the correct secret key.',
  )

const notApplicable = (of: SidecarOf) =>
  of === 'upload'
    ? partWithoutKey()
    : invalidRequest('The encryption parameters are not applicable to this object.')

/** AWS says so both ways. */
const partWithoutKey = () =>
  invalidRequest(
    'The multipart upload initiate requested encryption. Subsequent part requests must include the appropriate ' +
      'encryption parameters.',
  )

const otherKeyOfPart = () =>
  invalidRequest('The provided encryption parameters did not match the ones used originally.')

export function wipeKeys(keys: readonly Buffer[]): void {
  for (const key of keys) key.fill(0)
}
