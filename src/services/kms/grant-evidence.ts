import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext } from '../operation.ts'
import { type GrantRecord, operationSet, pairsOf } from './grant.ts'
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
): string | undefined {
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
): string | undefined {
  return permitted(call, key, grants, {
    operations: operations | operationSet(['CreateGrant']),
    context: { equals: contextEquals, within: contextEquals ?? contextSubset ?? nothing },
  })
}

/** By a grant to the caller, or to the role whose session it is. */
function permitted(
  { caller }: CallContext,
  key: KeyRecord,
  grants: Grants,
  permission: Permission,
): string | undefined {
  const own = grants.permitting(key, caller.arn, permission)
  if (own !== undefined || caller.roleArn === undefined) return own?.grantId
  return grants.permitting(key, caller.roleArn, permission)?.grantId
}
