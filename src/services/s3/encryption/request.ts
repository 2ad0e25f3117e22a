import { internalError, type ServiceError, s3Error } from '../../../base/errors.ts'
import { header } from '../../../wire/rest-xml/bindings.ts'
import type { Value } from '../../../wire/schema.ts'
import { boolean, string } from '../../../wire/schema.ts'
import type { CallContext, ConditionValues } from '../../operation.ts'
import type { StoredEncryption } from '../attributes.ts'
import { type BucketRecord, bucketArn, objectArn } from '../bucket.ts'
import { type Context, parseContext } from './context.ts'
import {
  bringsKey,
  type CustomerHeaders,
  type CustomerKey,
  parseCustomerKey,
  shownAlgorithm,
  wipeCustomerKey,
} from './customer-key.ts'

export type { CustomerKey } from './customer-key.ts'

/** Members of a request that says how an object is to be encrypted: PutObject, CopyObject, CreateMultipartUpload. */
export const encryptionInput = {
  ServerSideEncryption: header('x-amz-server-side-encryption', string()),
  SSEKMSKeyId: header('x-amz-server-side-encryption-aws-kms-key-id', string({ sensitive: false })),
  SSEKMSEncryptionContext: header('x-amz-server-side-encryption-context', string()),
  BucketKeyEnabled: header('x-amz-server-side-encryption-bucket-key-enabled', boolean()),
} as const

/** Members of a request on an object under a customer's key (SSE-C). */
export const customerKeyInput = {
  SSECustomerAlgorithm: header('x-amz-server-side-encryption-customer-algorithm', string()),
  SSECustomerKey: header('x-amz-server-side-encryption-customer-key', string({ sensitive: true })),
  SSECustomerKeyMD5: header(
    'x-amz-server-side-encryption-customer-key-MD5'.toLowerCase(),
    string(),
  ),
} as const

/** The same of the source of a copy. */
export const copySourceKeyInput = {
  CopySourceSSECustomerAlgorithm: header(
    'x-amz-copy-source-server-side-encryption-customer-algorithm',
    string(),
  ),
  CopySourceSSECustomerKey: header(
    'x-amz-copy-source-server-side-encryption-customer-key',
    string({ sensitive: true }),
  ),
  CopySourceSSECustomerKeyMD5: header(
    'x-amz-copy-source-server-side-encryption-customer-key-md5',
    string(),
  ),
} as const

/** Members of every answer about an encrypted object. */
export const encryptionOutput = {
  ServerSideEncryption: header('x-amz-server-side-encryption', string()),
  SSEKMSKeyId: header('x-amz-server-side-encryption-aws-kms-key-id', string()),
  BucketKeyEnabled: header('x-amz-server-side-encryption-bucket-key-enabled', boolean()),
  SSECustomerAlgorithm: header('x-amz-server-side-encryption-customer-algorithm', string()),
  SSECustomerKeyMD5: header('x-amz-server-side-encryption-customer-key-MD5', string()),
} as const

type Members<M> = Value<{ readonly type: 'structure'; readonly members: M }>
export type EncryptionInput = Members<typeof encryptionInput>
export type CustomerKeyInput = Members<typeof customerKeyInput>
export type CopySourceKeyInput = Members<typeof copySourceKeyInput>
export type EncryptionOutput = Members<typeof encryptionOutput>

/** How an object will be encrypted: what the request says, or else the bucket's default. */
export type ChosenEncryption =
  | { readonly mode: 'AES256'; readonly byDefault: boolean }
  | ChosenKms
  | { readonly mode: 'customer'; readonly customer: CustomerKey }

export type ChosenKms = {
  readonly mode: 'aws:kms' | 'aws:kms:dsse'
  /** As it was given; undefined: the AWS managed key of S3. */
  readonly keyId: string | undefined
  /** What the caller gave, without the ARN that S3 adds. */
  readonly context: Context | undefined
  readonly bucketKey: boolean
  readonly byDefault: boolean
}

const sseHeader = 'x-amz-server-side-encryption'
const keyIdHeader = `${sseHeader}-aws-kms-key-id`
const keyIdLengthMax = 2048

/**
 * Throws S3's refusals of headers that do not go together. To be called in `handle`: some of them tell of the bucket's
 * default, which is nobody's business who may not write there, and a customer's key that is in the answer is the
 * asker's to wipe, which nobody does once a call is refused.
 */
export function chosenEncryption(
  call: CallContext,
  input: EncryptionInput & CustomerKeyInput,
  bucket: BucketRecord,
  key: string,
): ChosenEncryption {
  const { ServerSideEncryption: asked } = input
  if (bringsKey(customerHeaders(input))) return ofCustomer(call, input)
  if (asked !== undefined && !isMode(asked)) throw unsupported(asked)
  if (!isKmsMode(asked)) refuseKmsHeaders(input)
  const mode = asked ?? bucket.encryption?.algorithm ?? 'AES256'
  const byDefault = asked === undefined
  if (mode === 'AES256') {
    if (input.BucketKeyEnabled === true) throw needsKms(asked)
    return { mode, byDefault }
  }
  const { keyId, context, bucketKey } = kmsOf(input, mode, bucket, key)
  return { mode, keyId, context, bucketKey, byDefault }
}

function ofCustomer(
  call: CallContext,
  input: EncryptionInput & CustomerKeyInput,
): ChosenEncryption {
  const { ServerSideEncryption: asked, BucketKeyEnabled } = input
  if (asked !== undefined) throw incompatible(asked)
  refuseKmsHeaders(input)
  if (BucketKeyEnabled === true) throw incompatible('null')
  const customer = customerKeyOf(call, input)
  if (customer === undefined) throw internalError('a customer brought no key')
  return { mode: 'customer', customer }
}

/** A key id in the request is of the mode in the request, a default one of the default: AWS mixes them never. */
function kmsOf(
  input: EncryptionInput,
  mode: ChosenKms['mode'],
  { name, encryption }: BucketRecord,
  key: string,
): Pick<ChosenKms, 'keyId' | 'context' | 'bucketKey'> {
  if (mode === 'aws:kms:dsse' && input.BucketKeyEnabled === true) throw noBucketKeyOfDsse()
  const bucketKey = mode === 'aws:kms' && (input.BucketKeyEnabled ?? encryption?.bucketKey ?? false)
  const keyId =
    input.ServerSideEncryption === undefined ? encryption?.keyId : requireKeyId(input.SSEKMSKeyId)
  const text = input.SSEKMSEncryptionContext
  if (text === undefined) return { keyId, context: undefined, bucketKey }
  const arn = bucketKey ? bucketArn(name) : objectArn(name, key)
  return { keyId, context: parseContext(text, arn), bucketKey }
}

function requireKeyId(keyId: string | undefined): string | undefined {
  if (keyId === undefined || (keyId !== '' && keyId.length <= keyIdLengthMax)) return keyId
  const members = { ArgumentName: keyIdHeader, ArgumentValue: keyId.slice(0, 255) }
  throw s3Error('InvalidArgument', members, { text: `Invalid keyId '${members.ArgumentValue}'` })
}

function isMode(text: string): text is 'AES256' | ChosenKms['mode'] {
  return text === 'AES256' || isKmsMode(text)
}

function isKmsMode(text: string | undefined): text is ChosenKms['mode'] {
  return text === 'aws:kms' || text === 'aws:kms:dsse'
}

function refuseKmsHeaders({
  SSEKMSKeyId,
  SSEKMSEncryptionContext,
  ServerSideEncryption,
}: EncryptionInput): void {
  if (SSEKMSKeyId === undefined && SSEKMSEncryptionContext === undefined) return
  throw needsKms(ServerSideEncryption)
}

const unsupported = (asked: string) =>
  refusal(asked, 'The encryption method specified is not supported')

const incompatible = (asked: string) =>
  refusal(
    asked,
    'Server Side Encryption with Customer provided key is incompatible with the encryption method specified',
  )

const needsKms = (asked = 'null') =>
  refusal(
    asked,
    'Server Side Encryption with AWS KMS managed key requires HTTP header x-amz-server-side-encryption : aws:kms',
  )

/** AWS's text is not known. */
const noBucketKeyOfDsse = () =>
  refusal('aws:kms:dsse', 'S3 Bucket Keys are not supported for aws:kms:dsse')

function refusal(asked: string, text: string): ServiceError {
  const members = { ArgumentName: sseHeader, ArgumentValue: asked.slice(0, 255) }
  return s3Error('InvalidArgument', members, { text })
}

/** Of a request that reads an object. Throws as above; undefined when it brings no key. */
export function customerKeyOf(call: CallContext, input: CustomerKeyInput): CustomerKey | undefined {
  return parseCustomerKey(call, customerHeaders(input))
}

export function copySourceKeyOf(
  call: CallContext,
  input: CopySourceKeyInput,
): CustomerKey | undefined {
  return parseCustomerKey(call, {
    algorithm: input.CopySourceSSECustomerAlgorithm,
    key: input.CopySourceSSECustomerKey,
    md5: input.CopySourceSSECustomerKeyMD5,
  })
}

function customerHeaders(input: CustomerKeyInput): CustomerHeaders {
  return {
    algorithm: input.SSECustomerAlgorithm,
    key: input.SSECustomerKey,
    md5: input.SSECustomerKeyMD5,
  }
}

/** `s3:x-amz-server-side-encryption` and its kin, as the request has them: nothing for what the default adds. */
export function encryptionConditions(
  input: Partial<EncryptionInput & CustomerKeyInput>,
): ConditionValues {
  const conditions: Record<string, string> = {}
  const { ServerSideEncryption, SSEKMSKeyId } = input
  const algorithm = shownAlgorithm(input.SSECustomerAlgorithm)
  if (ServerSideEncryption !== undefined) conditions[`s3:${sseHeader}`] = ServerSideEncryption
  if (SSEKMSKeyId !== undefined) conditions[`s3:${keyIdHeader}`] = SSEKMSKeyId
  if (algorithm !== undefined) {
    conditions[`s3:${sseHeader}-customer-algorithm`] = algorithm
  }
  return conditions
}

/** What the answer says of it. */
export function encryptionAnswer(stored: StoredEncryption): EncryptionOutput {
  if (stored.mode === 'AES256') return { ServerSideEncryption: 'AES256' }
  if (stored.mode === 'customer') {
    return { SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: stored.keyMd5 }
  }
  return {
    ServerSideEncryption: stored.mode,
    SSEKMSKeyId: stored.keyArn,
    // AWS says nothing where there is none.
    ...(stored.bucketKey && { BucketKeyEnabled: true }),
  }
}

const applied = {
  AES256: 'SSE_S3',
  'aws:kms': 'SSE_KMS',
  'aws:kms:dsse': 'DSSE_KMS',
  customer: 'SSE_C',
} as const

/** `SSEApplied` of CloudTrail: SSE_S3, SSE_KMS, SSE_C, Default_SSE_S3, Default_SSE_KMS, and DSSE's. */
export function sseApplied(stored: StoredEncryption): string {
  const name = applied[stored.mode]
  return stored.mode !== 'customer' && stored.byDefault ? `Default_${name}` : name
}

export function wipeChosen(chosen: ChosenEncryption): void {
  if (chosen.mode === 'customer') wipeCustomerKey(chosen.customer)
}
