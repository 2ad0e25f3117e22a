import { internalError, type ServiceError, s3Error } from '../../base/errors.ts'
import type { S3ErrorCode } from '../../base/s3-errors.ts'
import { ObjectDamage } from '../../objects/encryption/damage.ts'
import { ObjectRefusal, type RefusalCode } from '../../objects/port.ts'

const codes: Readonly<Record<RefusalCode, S3ErrorCode>> = {
  'no-such-bucket': 'NoSuchBucket',
  'bucket-exists': 'BucketAlreadyOwnedByYou',
  'bucket-not-empty': 'BucketNotEmpty',
  'no-such-key': 'NoSuchKey',
  'no-such-version': 'NoSuchVersion',
  'no-such-upload': 'NoSuchUpload',
  'invalid-key': 'InvalidURI',
  'invalid-part': 'InvalidPart',
  'invalid-part-order': 'InvalidPartOrder',
  'precondition-failed': 'PreconditionFailed',
}

/** What S3 says of what the object store refuses; anything else as it is. */
export function s3Refusal(
  error: unknown,
  members: Readonly<Record<string, string>> = {},
): ServiceError | unknown {
  if (error instanceof ObjectRefusal) return s3Error(codes[error.code], members)
  if (error instanceof ObjectDamage) {
    return internalError(`an object is not what was put (${error.kind}): ${error.message}`, error)
  }
  return error
}

/** Awaits the store and says what it refuses in S3's words. */
export async function asked<T>(
  answer: Promise<T>,
  members?: Readonly<Record<string, string>>,
): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw s3Refusal(error, members)
  }
}
