import type { Caller } from '../../base/caller.ts'
import { rootArn } from '../../base/ids.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext, PermittingGrant } from '../operation.ts'
import { type GrantRecord, includesOperation, operationSet, pairsOf } from './grant.ts'
import { partiesOf } from './grant-principal.ts'
import type { Permission } from './grant-search.ts'
import type { Grants } from './grants.ts'
import type { KeyRecord } from './key.ts'

/** What a grant says, whichever key it is on. */
export type GrantTerms = Pick<
  GrantRecord,
  'grantee' | 'retiring' | 'operations' | 'name' | 'contextEquals' | 'contextSubset' | 'sourceArn'
>

const nothing: readonly string[] = []

/**
 * The id of a grant that permits the caller to use the key so. Constraints are compared exactly, in keys and values;
 * that of the encryption context does not bind DescribeKey, which has none.
 * https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
 */
export function grantOfUse(
  call: CallContext,
  permission: string,
  key: KeyRecord,
  context: EncryptionContext | undefined,
  grants: Grants,
): PermittingGrant | undefined {
  if (grants.count(key) === 0) return undefined
  const pairs = pairsOf(context)
  return permitted(call, key, grants, {
    operations: operationSet([permission.slice('kms:'.length)]),
    context:
      permission === 'kms:DescribeKey' ? 'ignored' : { equals: pairs, within: pairs ?? nothing },
  })
}

/**
 * The id of a grant by which the caller may make another: one that permits CreateGrant and all that the new one is to
 * permit, under a constraint that the new one's is at least as strict as.
 * https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-creategrant
 */
export function parentGrant(
  call: CallContext,
  key: KeyRecord,
  { operations, contextEquals, contextSubset }: GrantTerms,
  grants: Grants,
): PermittingGrant | undefined {
  return permitted(call, key, grants, {
    operations: operations | operationSet(['CreateGrant']),
    context: { equals: contextEquals, within: contextEquals ?? contextSubset ?? nothing },
  })
}

/** By a grant to the caller, to the role whose session it is, or to its account. */
function permitted(
  { caller }: CallContext,
  key: KeyRecord,
  grants: Grants,
  permission: Permission,
): PermittingGrant | undefined {
  for (const { party, grantee } of partiesOf(caller)) {
    const found = grants.permitting(key, party, permission)
    if (found !== undefined) return { grantId: found.grantId, grantee }
  }
  return undefined
}

/**
 * Why the caller may retire a grant: as the retiring principal; as the grantee, if the grant says so; as the account in
 * which it was made. What an account may, its root user does, and others by its identity policies.
 * https://docs.aws.amazon.com/kms/latest/developerguide/grant-delete.html
 */
export function leaveToRetire(caller: Caller, grant: GrantRecord): PermittingGrant | undefined {
  const { grantId, grantee, retiring, issuingAccount } = grant
  const byGrantee = includesOperation(grant.operations, 'RetireGrant') ? grantee : undefined
  const able = [retiring, byGrantee, rootArn(issuingAccount)]
  const leave = partiesOf(caller).find(({ party }) => able.includes(party))
  return leave && { grantId, grantee: leave.grantee }
}
