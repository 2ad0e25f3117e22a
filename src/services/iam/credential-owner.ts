import { rootArn } from '../../base/ids.ts'
import type { UserRecord } from '../../identities/records.ts'
import type { AuditResource, CallContext, Check } from '../operation.ts'
import { iamCheck } from './checks.ts'
import type { IamDeps } from './deps.ts'
import {
  entityCheck,
  entityResource,
  findEntity,
  type Named,
  presentEntity,
  userKind,
} from './entities.ts'
import { validation } from './errors.ts'

/** Whose access keys a call is about: those of a user, or of the account's root user, who has no record. */
export type CredentialOwner = Named<UserRecord> | { readonly root: true; readonly arn: string }

/** Without a name: the caller itself. Throws 'validation' for a role session, which has no access keys. */
export function credentialOwner(
  call: CallContext,
  userName: string | undefined,
  deps: Pick<IamDeps, 'identities'>,
): CredentialOwner {
  const { caller } = call
  if (userName !== undefined) return findEntity(userKind, call, userName, deps)
  if (caller.type === 'root') return { root: true, arn: rootArn(caller.account) }
  const record = deps.identities.users.byId(caller.principalId)
  if (caller.type !== 'user' || record === undefined) {
    throw validation('Must specify userName when calling with non-User credentials')
  }
  return { name: record.userName, arn: caller.arn, record }
}

export function ownerCheck(call: CallContext, permission: string, owner: CredentialOwner): Check {
  if ('root' in owner) return iamCheck(call, permission, owner.arn)
  return entityCheck(userKind, call, permission, owner)
}

/** Undefined for the root user. Throws 'no-such-entity'. */
export function presentOwner(owner: CredentialOwner): UserRecord | undefined {
  return 'root' in owner ? undefined : presentEntity(userKind, owner)
}

export function ownerResource(owner: CredentialOwner): readonly AuditResource[] {
  return 'root' in owner ? [] : entityResource(userKind, owner)
}
