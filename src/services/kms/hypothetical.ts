import { type KeyPermission, keyPermissions } from '../../authorize/analyse/permissions.ts'
import { conditionKeysOf } from '../../authorize/permission-condition-keys.ts'
import { isSymmetric } from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext, Check, PermittingGrant } from '../operation.ts'
import { grantableCheck, managementCheck, sharedCheck, useCheck } from './conditions.ts'
import type { KmsDeps } from './deps.ts'
import { addContextConditions } from './encryption-context.ts'
import { contextOf, type GrantRecord, operationNames } from './grant.ts'
import { partiesOf } from './grant-principal.ts'
import type { Grants } from './grants.ts'
import type { KeyRecord } from './key.ts'
import { type KeyTarget, resolveKey } from './key-identifier.ts'

/** A question about a key that nobody asked by a call. */
export type HypotheticalUse = {
  /** As in `kms:Decrypt`. */
  readonly permission: string
  /** A key id, a key ARN, an alias name or an alias ARN. */
  readonly key: string
  readonly context: EncryptionContext | undefined
}

/** One of the grants that name the caller, its role or its account, and why it permits this or does not. */
export type GrantTrace = {
  readonly grantId: string
  readonly grantee: PermittingGrant['grantee']
  /** Whether the operation is one of the grant's. */
  readonly operation: boolean
  /** 'none': it has none. */
  readonly constraint: 'none' | 'met' | 'not met' | 'for services alone'
}

const grantsMax = 20

/**
 * The check that such a call would make, with the conditions of the key as it is now. What else the call would say of
 * itself (which algorithm, which tags) is not known; of symmetric keys there is one algorithm. Throws as the call would
 * when it finds no such key. Undefined: no key is asked for this permission.
 */
export function hypotheticalCheck(
  call: CallContext,
  use: HypotheticalUse,
  deps: Pick<KmsDeps, 'state' | 'grants'>,
): { readonly check: Check; readonly grants: readonly GrantTrace[] } | undefined {
  const { permission, key: text, context } = use
  const [service, name = ''] = permission.split(':')
  const known = keyPermissions.find((each) => each.name === name)
  if (service !== 'kms' || known === undefined) return undefined
  const rules = { permission, aliases: true, crossAccount: true, badArn: 'not-found' } as const
  const target = resolveKey(call, text, rules, deps.state)
  return {
    check: checkOf(call, known, target, use, deps),
    grants: known.grantable ? grantsOf(call, name, target.key, context, deps.grants) : [],
  }
}

function checkOf(
  call: CallContext,
  { name, grantable, crossAccount }: KeyPermission,
  target: KeyTarget,
  { permission, context }: HypotheticalUse,
  deps: Pick<KmsDeps, 'state' | 'grants'>,
): Check {
  if (conditionKeysOf(permission, 'key').includes('kms:EncryptionAlgorithm')) {
    const algorithm = isSymmetric(target.key.keySpec) ? 'SYMMETRIC_DEFAULT' : 'unknown'
    return useCheck(call, permission, target, { algorithm, context }, deps)
  }
  // Whether a grant permits another one depends on what that one is to permit.
  if (name === 'CreateGrant') {
    const own = {}
    addContextConditions(own, context)
    return sharedCheck(call, permission, target, deps, own)
  }
  if (grantable) return grantableCheck(call, permission, target, deps)
  if (crossAccount) return sharedCheck(call, permission, target, deps)
  return managementCheck(call, permission, target.key, deps)
}

function grantsOf(
  { caller }: CallContext,
  name: string,
  key: KeyRecord,
  context: EncryptionContext | undefined,
  grants: Grants,
): readonly GrantTrace[] {
  const range = { after: undefined, count: grantsMax }
  return partiesOf(caller).flatMap(({ party, grantee }) =>
    grants.ofKey(key, range, party).map((grant) => ({
      ...{ grantId: grant.grantId, grantee },
      operation: operationNames(grant.operations).some((each) => each === name),
      constraint: constraintOf(grant, name, context),
    })),
  )
}

function constraintOf(
  { contextEquals, contextSubset, sourceArn }: GrantRecord,
  name: string,
  context: EncryptionContext | undefined,
): GrantTrace['constraint'] {
  if (sourceArn !== undefined) return 'for services alone'
  if ((contextEquals ?? contextSubset) === undefined || name === 'DescribeKey') return 'none'
  const given = Object.entries(context ?? {})
  const wanted = Object.entries(contextOf(contextEquals ?? contextSubset) ?? {})
  const within = wanted.every(([key, value]) => context?.[key] === value)
  const met = within && (contextEquals === undefined || wanted.length === given.length)
  return met ? 'met' : 'not met'
}
