import type { AuditResource } from '../operation.ts'
import { arnOf, type KeyRecord } from './key.ts'

const type = 'AWS::KMS::Key'

export function keyResource(key: KeyRecord): AuditResource {
  return { accountId: key.account, type, ARN: arnOf(key) }
}

/** CloudTrail shows an alias beside its key, under the same type. */
export function aliasResource(key: KeyRecord, arn: string): AuditResource {
  return { accountId: key.account, type, ARN: arn }
}

/** responseElements of operations whose answer is empty or is the key's ARN. */
export function keyIdElement(key: KeyRecord): { readonly keyId: string } {
  return { keyId: arnOf(key) }
}
