import { s3Error } from '../../base/errors.ts'
import { header } from '../../wire/rest-xml/bindings.ts'
import { string, type Value } from '../../wire/schema.ts'
import type { ConditionValues } from '../operation.ts'

/** Members of requests that could set an ACL, or a storage class. */
export const accessControlInput = {
  ACL: header('x-amz-acl', string()),
  GrantFullControl: header('x-amz-grant-full-control', string()),
  GrantRead: header('x-amz-grant-read', string()),
  GrantReadACP: header('x-amz-grant-read-acp', string()),
  GrantWrite: header('x-amz-grant-write', string()),
  GrantWriteACP: header('x-amz-grant-write-acp', string()),
} as const

export const storageClassInput = { StorageClass: header('x-amz-storage-class', string()) } as const

type Members<M> = Value<{ readonly type: 'structure'; readonly members: M }>
export type AccessControlInput = Members<typeof accessControlInput>
export type StorageClassInput = Members<typeof storageClassInput>

/** What every object has where ACLs are off, and so nothing that could be asked for. */
const unchanging: ReadonlySet<string> = new Set(['private', 'bucket-owner-full-control'])

/**
 * Throws 'AccessControlListNotSupported': owners of buckets own all objects, and policies alone let others in.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
 */
export function requireNoAcl(input: AccessControlInput): void {
  const { ACL, GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP } = input
  const grants = [GrantFullControl, GrantRead, GrantReadACP, GrantWrite, GrantWriteACP]
  const isUnchanging = ACL === undefined || unchanging.has(ACL)
  if (isUnchanging && grants.every((grant) => grant === undefined)) return
  throw s3Error('AccessControlListNotSupported')
}

/** There is one storage class. Throws 'InvalidStorageClass'. */
export function requireStandard({ StorageClass }: StorageClassInput): void {
  if (StorageClass === undefined || StorageClass === 'STANDARD') return
  throw s3Error('InvalidStorageClass', { StorageClassRequested: StorageClass.slice(0, 64) })
}

export function accessControlConditions({
  ACL,
  StorageClass,
}: AccessControlInput & StorageClassInput): ConditionValues {
  return {
    ...(ACL !== undefined && { 's3:x-amz-acl': ACL }),
    ...(StorageClass !== undefined && { 's3:x-amz-storage-class': StorageClass }),
  }
}
