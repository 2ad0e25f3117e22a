import { internalError, ServiceError } from '../../../base/errors.ts'
import type { CallContext } from '../../operation.ts'
import { type BucketRecord, bucketArn, objectArn } from '../bucket.ts'
import type { S3Deps } from '../deps.ts'
import { slotOf } from './bucket-keys.ts'
import { arnOfContext, type Context } from './context.ts'
import type { ChosenKms } from './request.ts'
import { dataKeyBytes, encodeWrapped, parseWrapped } from './wrapped-keys.ts'

export type Where = { readonly bucket: BucketRecord; readonly key: string }

/** A data key that KMS stands behind, to be wiped. */
export type KmsDataKey = {
  readonly dataKey: Buffer
  readonly wrapped: Buffer
  /** Of the KMS key. */
  readonly keyArn: string
}

/** Of the account and Region of the caller; it comes into being when it is first described. */
const managedAlias = 'alias/aws/s3'

type Chosen = Pick<ChosenKms, 'keyId' | 'context' | 'bucketKey'>

export async function newKmsKey(
  call: CallContext,
  chosen: Chosen,
  where: Where,
  deps: S3Deps,
): Promise<KmsDataKey> {
  if (chosen.bucketKey) return newKeyUnderBucketKey(call, chosen, where, deps)
  const { key, blob, keyArn } = await generate(call, inputOf(chosen, where), deps)
  return { dataKey: key, wrapped: encodeWrapped({ kind: 'kms', blob }), keyArn }
}

/** A bucket key that is there is used only if KMS would make one for this caller now, by the same KMS key. */
async function newKeyUnderBucketKey(
  call: CallContext,
  chosen: Chosen,
  where: Where,
  deps: S3Deps,
): Promise<KmsDataKey> {
  const { bucketKeys } = deps
  const input = inputOf(chosen, where)
  const slot = slotOf(call, 'wrap', where.bucket, { name: input.KeyId, context: chosen.context })
  const known = bucketKeys.keyArnOf(slot)
  if (known !== undefined) {
    if ((await deps.kmsWould(call, 'GenerateDataKey', input)) === known) {
      const made = wrapNew(slot, known, where, deps)
      if (made !== undefined) return made
    } else bucketKeys.drop(slot)
  }
  const bucketKey = await generate(call, input, deps)
  bucketKeys.add(slot, bucketKey)
  const made = wrapNew(slot, bucketKey.keyArn, where, deps)
  if (made === undefined) throw internalError('a bucket key is gone before it was used')
  return made
}

function wrapNew(
  slot: string,
  keyArn: string,
  { bucket }: Where,
  { bucketKeys, random }: S3Deps,
): KmsDataKey | undefined {
  const dataKey = random.bytes(dataKeyBytes)
  const wrapped = bucketKeys.wrap(slot, keyArn, dataKey, bucketArn(bucket.name))
  if (wrapped === undefined) {
    dataKey.fill(0)
    return undefined
  }
  return { dataKey, wrapped: encodeWrapped({ kind: 'bucket-key', ...wrapped }), keyArn }
}

/** The data key of an object by its wrapped key, to be wiped. Throws ObjectDamage. */
export async function kmsKeyOf(
  call: CallContext,
  stored: { readonly keyArn: string; readonly context?: Context | undefined; bucketKey: boolean },
  wrapped: Buffer,
  where: Where,
  deps: S3Deps,
): Promise<Buffer> {
  const input = {
    KeyId: stored.keyArn,
    EncryptionContext: contextOf(stored, where),
  }
  if (!stored.bucketKey) {
    const { blob } = parseWrapped(wrapped, 'kms')
    return decrypt(call, { ...input, CiphertextBlob: blob }, deps)
  }
  const { box, blob } = parseWrapped(wrapped, 'bucket-key')
  const { bucketKeys } = deps
  const arn = bucketArn(where.bucket.name)
  const name = `${stored.keyArn} ${blob.toString('base64')}`
  const slot = slotOf(call, 'unwrap', where.bucket, { name, context: stored.context })
  if (bucketKeys.keyArnOf(slot) !== undefined) {
    const asked = { ...input, DryRunModifiers: ['IGNORE_CIPHERTEXT'] }
    if ((await deps.kmsWould(call, 'Decrypt', asked)) === stored.keyArn) {
      const dataKey = bucketKeys.unwrap(slot, box, arn)
      if (dataKey !== undefined) return dataKey
    } else bucketKeys.drop(slot)
  }
  const key = await decrypt(call, { ...input, CiphertextBlob: blob }, deps)
  bucketKeys.add(slot, { key, blob, keyArn: stored.keyArn })
  const dataKey = bucketKeys.unwrap(slot, box, arn)
  if (dataKey === undefined) throw internalError('a bucket key is gone before it was used')
  return dataKey
}

function inputOf({ keyId, ...chosen }: Chosen, where: Where) {
  return {
    KeyId: keyId ?? managedAlias,
    KeySpec: 'AES_256',
    EncryptionContext: contextOf(chosen, where),
  } as const
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html#encryption-context */
function contextOf(
  { context, bucketKey }: { context?: Context | undefined; bucketKey: boolean },
  { bucket, key }: Where,
): Context {
  const arn = bucketKey ? bucketArn(bucket.name) : objectArn(bucket.name, key)
  return { ...context, [arnOfContext]: arn }
}

type Generated = { readonly key: Buffer; readonly blob: Buffer; readonly keyArn: string }

async function generate(
  call: CallContext,
  input: ReturnType<typeof inputOf>,
  { kms }: S3Deps,
): Promise<Generated> {
  const ask = async () => {
    const answer = (await kms(call, 'GenerateDataKey', input)) as {
      readonly Plaintext: Buffer
      readonly CiphertextBlob: Buffer
      readonly KeyId: string
    }
    return { key: answer.Plaintext, blob: answer.CiphertextBlob, keyArn: answer.KeyId }
  }
  try {
    return await ask()
  } catch (error) {
    if (!isMissing(error) || !namesManagedKey(call, input.KeyId)) throw error
  }
  await kms(call, 'DescribeKey', { KeyId: input.KeyId })
  return ask()
}

function isMissing(error: unknown): boolean {
  return error instanceof ServiceError && error.code === 'not-found'
}

function namesManagedKey({ caller, region }: CallContext, keyId: string): boolean {
  return (
    keyId === managedAlias || keyId === `arn:aws:kms:${region}:${caller.account}:${managedAlias}`
  )
}

async function decrypt(
  call: CallContext,
  input: { KeyId: string; EncryptionContext: Context; CiphertextBlob: Buffer },
  { kms }: S3Deps,
): Promise<Buffer> {
  try {
    const answer = (await kms(call, 'Decrypt', input)) as { readonly Plaintext: Buffer }
    return answer.Plaintext
  } catch (error) {
    // The caller sent none of it: it is what stands beside the object that is not what was written.
    if (error instanceof ServiceError && isForeign(error)) {
      throw internalError(`the wrapped key of an object is not one of ${input.KeyId}`, error)
    }
    throw error
  }
}

function isForeign({ code }: ServiceError): boolean {
  return code === 'invalid-ciphertext' || code === 'incorrect-key'
}
