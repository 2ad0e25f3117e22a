import type { AccessKeyRecord } from '../../identities/records.ts'
import type { CallContext } from '../operation.ts'
import { type CredentialOwner, presentOwner } from './credential-owner.ts'
import type { IamDeps } from './deps.ts'
import { noSuchAccessKey } from './errors.ts'

/** An access key of this very owner. Throws 'no-such-entity'. */
export function presentAccessKey(
  { caller: { account } }: CallContext,
  owner: CredentialOwner,
  accessKeyId: string,
  identities: IamDeps['identities'],
): AccessKeyRecord {
  const userId = presentOwner(owner)?.userId
  const key = identities.accessKey(accessKeyId)
  if (key === undefined || key.account !== account || key.userId !== userId) {
    throw noSuchAccessKey(accessKeyId)
  }
  return key
}
