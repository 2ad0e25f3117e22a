import { ServiceError, s3Error } from '../../base/errors.ts'
import { ObjectRefusal, type Version } from '../../objects/port.ts'
import type { CallContext } from '../operation.ts'
import type { BucketRecord } from './bucket.ts'
import type { S3Deps } from './deps.ts'
import { s3Refusal } from './refusals.ts'
import { bucketCheck } from './resource.ts'

/** An object as a request names it. */
export type ObjectName = {
  readonly bucket: BucketRecord
  readonly key: string
  /** Undefined: the latest. */
  readonly versionId?: string | undefined
}

/**
 * What the store answers about an object. That there is none is told to those who may list the bucket; others get the
 * refusal of that permission, as AWS has it: they learn nothing of which keys there are.
 * https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
 */
export async function found<T>(
  answer: Promise<T>,
  call: CallContext,
  name: ObjectName,
  deps: Pick<S3Deps, 'authorize'>,
): Promise<T> {
  try {
    return await answer
  } catch (error) {
    throw missing(error, call, name, deps)
  }
}

/** For whoever catches what the store threw. */
export function missing(
  error: unknown,
  call: CallContext,
  { bucket, key, versionId }: ObjectName,
  { authorize }: Pick<S3Deps, 'authorize'>,
): ServiceError | unknown {
  if (!(error instanceof ObjectRefusal)) return s3Refusal(error)
  if (error.code !== 'no-such-key' && error.code !== 'no-such-version') return s3Refusal(error)
  const { denied } = authorize(call.caller, bucketCheck('s3:ListBucket', bucket), call)
  if (denied !== undefined) return denied
  const members = { Key: key, ...(versionId !== undefined && { VersionId: versionId }) }
  return s3Refusal(error, members)
}

/**
 * Throws for a delete marker: 'NoSuchKey' as `missing` does where it is the latest version, 'MethodNotAllowed' where it
 * was named. `method` is that of the request.
 */
export function requireBytes(
  version: Version,
  method: 'GET' | 'HEAD' | 'PUT' | 'DELETE',
  call: CallContext,
  name: ObjectName,
  deps: Pick<S3Deps, 'authorize'>,
): void {
  if (!version.deleteMarker) return
  const headers = { 'x-amz-delete-marker': 'true', 'x-amz-version-id': version.versionId }
  if (name.versionId !== undefined) {
    throw s3Error(
      'MethodNotAllowed',
      { Method: method, ResourceType: 'DeleteMarker' },
      { headers: { ...headers, Allow: 'DELETE', 'Last-Modified': httpDate(version.modified) } },
    )
  }
  const refusal = missing(new ObjectRefusal('no-such-key'), call, name, deps)
  if (refusal instanceof ServiceError && refusal.code === 'NoSuchKey') {
    throw s3Error('NoSuchKey', refusal.members, { headers })
  }
  throw refusal
}

/** RFC 9110 §5.6.7. */
export function httpDate(time: number): string {
  return new Date(time).toUTCString()
}
