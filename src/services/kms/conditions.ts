import { isSymmetric } from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext, Check, ConditionValues } from '../operation.ts'
import { viaServiceName } from '../via.ts'
import type { KmsDeps } from './deps.ts'
import { addContextConditions } from './encryption-context.ts'
import type { GrantRecord } from './grant.ts'
import { type GrantTerms, grantOfUse, leaveToRetire, parentGrant } from './grant-evidence.ts'
import { constraintConditions } from './grant-request.ts'
import { arnOf, type KeyRecord, resourceOf } from './key.ts'
import type { KeyTarget } from './key-identifier.ts'
import type { Tag } from './tags.ts'

/**
 * What conditions in policies can ask of a call on KMS, beside the global keys. `permission-condition-keys.ts` of
 * `authorize/` is the list of what there may be, and a test holds both together.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
 */
type Conditions = Record<string, string | readonly string[]>

type Deps = Pick<KmsDeps, 'state' | 'grants'>

const none: ConditionValues = Object.freeze({})

/** Of every call on a key: who calls, and what kind of key it is. The deprecated names still hold. */
function keyConditions(
  call: CallContext,
  key: KeyRecord,
  { state }: Pick<KmsDeps, 'state'>,
): Conditions {
  const conditions: Conditions = {
    'kms:CallerAccount': call.caller.account,
    'kms:CustomerMasterKeySpec': key.keySpec,
    'kms:CustomerMasterKeyUsage': key.keyUsage,
    'kms:KeyOrigin': key.origin,
    'kms:KeySpec': key.keySpec,
    'kms:KeyUsage': key.keyUsage,
    'kms:MultiRegion': key.multiRegion ? 'true' : 'false',
    'aws:ResourceAccount': key.account,
  }
  if (key.replication !== undefined) conditions['kms:MultiRegionKeyType'] = key.replication.type
  for (const { TagKey, TagValue } of key.tags) conditions[`aws:ResourceTag/${TagKey}`] = TagValue
  const aliases = state.aliasNamesOf(key)
  if (aliases.length > 0) conditions['kms:ResourceAliases'] = aliases
  if (call.via !== undefined) conditions['kms:ViaService'] = viaServiceName(call.via)
  // A service is of no account, also while it acts for one.
  if (call.caller.type === 'service') delete conditions['kms:CallerAccount']
  return conditions
}

/** What a key is to be that a call makes. */
export type NewKeyKind = Pick<KeyRecord, 'keySpec' | 'keyUsage' | 'multiRegion'> & {
  readonly origin: string
  /** Where it is to be, if not in the Region of the call. */
  readonly region?: string
  /** Of multi-Region keys alone. */
  readonly multiRegionType: 'PRIMARY' | 'REPLICA' | undefined
  readonly tags: readonly Tag[]
}

/**
 * The permissions that it takes to make a key. The first is about the key as it is to be, with its tags; tagging is
 * about one that has none yet. `own`: the operation's own condition keys of kms:CreateKey.
 */
export function newKeyChecks(
  call: CallContext,
  kind: NewKeyKind,
  own: ConditionValues,
): readonly Check[] {
  const conditions = Object.assign(newKeyConditions(call, kind), requestTagConditions(kind.tags))
  const create = Object.assign({}, conditions, own)
  for (const { TagKey, TagValue } of kind.tags) create[`aws:ResourceTag/${TagKey}`] = TagValue
  const check = accountCheck(call, 'kms:CreateKey', create)
  if (kind.tags.length === 0) return [check]
  return [check, accountCheck(call, 'kms:TagResource', conditions)]
}

function newKeyConditions(call: CallContext, kind: NewKeyKind): Conditions {
  return {
    'kms:CallerAccount': call.caller.account,
    'kms:CustomerMasterKeySpec': kind.keySpec,
    'kms:CustomerMasterKeyUsage': kind.keyUsage,
    'kms:KeyOrigin': kind.origin,
    'kms:KeySpec': kind.keySpec,
    'kms:KeyUsage': kind.keyUsage,
    'kms:MultiRegion': String(kind.multiRegion),
    ...(kind.region && { 'aws:RequestedRegion': kind.region }),
    ...(kind.multiRegionType && { 'kms:MultiRegionKeyType': kind.multiRegionType }),
    ...viaCondition(call),
  }
}

function viaCondition({ via }: CallContext): ConditionValues {
  return via === undefined ? none : { 'kms:ViaService': viaServiceName(via) }
}

/** A permission to manage a key; `own` are the operation's own condition keys. */
export function managementCheck(
  call: CallContext,
  permission: string,
  key: KeyRecord,
  deps: Pick<KmsDeps, 'state'>,
  own: ConditionValues = none,
): Check {
  const conditions = Object.assign(keyConditions(call, key, deps), own)
  return { permission, resource: resourceOf(key, false), conditions }
}

const dayMs = 86_400_000

/** A permission to take a key out of use: policies can ask for how many days nobody has used it. */
export function idleKeyCheck(
  call: CallContext,
  permission: string,
  key: KeyRecord,
  deps: Pick<KmsDeps, 'state' | 'lastUsage'>,
  own: ConditionValues = none,
): Check {
  const check = managementCheck(call, permission, key, deps, own)
  const conditions = { ...check.conditions, ...call.delayedConditions }
  const find = async () => {
    // Of a key that was never used, since it was made.
    const last = await deps.lastUsage(key.account, arnOf(key))
    const idleMs = Math.max(0, call.now - (last?.time ?? key.createdAt))
    return { 'kms:TrailingDaysWithoutKeyUsage': String(Math.floor(idleMs / dayMs)) }
  }
  return { ...check, conditions, delayed: { keys: ['kms:trailingdayswithoutkeyusage'], find } }
}

/** A permission that other accounts can have as well; `own` are the operation's own condition keys. */
export function sharedCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  deps: Pick<KmsDeps, 'state'>,
  own: ConditionValues = none,
): Check {
  const conditions = Object.assign(keyConditions(call, target.key, deps), own)
  if (target.alias !== undefined) conditions['kms:RequestAlias'] = target.alias
  return { permission, resource: resourceOf(target.key, true), conditions }
}

/** The same, for what a grant can permit as well, and no encryption context is part of. */
export function grantableCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  deps: Deps,
  own: ConditionValues = none,
): Check {
  const grant = () => grantOfUse(call, permission, target.key, undefined, deps.grants)
  return { ...sharedCheck(call, permission, target, deps, own), grant }
}

/** The permission to make a grant. A grant that permits it permits no more than itself. */
export function newGrantCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget & { readonly terms: GrantTerms },
  deps: Deps,
  own: ConditionValues,
): Check {
  const grant = () => parentGrant(call, target.key, target.terms, deps.grants)
  return { ...sharedCheck(call, permission, target, deps, own), grant }
}

/** The permission to retire a grant, which the grant itself gives or nobody. */
export function retireGrantCheck(
  call: CallContext,
  permission: string,
  target: { readonly key: KeyRecord; readonly grant: GrantRecord },
  deps: Pick<KmsDeps, 'state'>,
): Check {
  const own = constraintConditions(target.grant)
  const grant = () => leaveToRetire(call.caller, target.grant)
  return {
    ...sharedCheck(call, permission, { key: target.key, alias: undefined }, deps, own),
    grant,
  }
}

export type KeyUse = {
  /** The effective one: the default is filled in. */
  readonly algorithm: string
  readonly context: EncryptionContext | undefined
  /** ReEncrypt only: whether both sides are the same key. */
  readonly sameKey?: boolean
  /** Of the data key pairs alone. */
  readonly dataKeyPairSpec?: string
}

/** A permission to encrypt or decrypt, data keys included. Asymmetric keys have no encryption context. */
export function useCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  use: KeyUse,
  deps: Deps,
): Check {
  const conditions = keyConditions(call, target.key, deps)
  conditions['kms:EncryptionAlgorithm'] = use.algorithm
  if (target.alias !== undefined) conditions['kms:RequestAlias'] = target.alias
  if (use.sameKey !== undefined) conditions['kms:ReEncryptOnSameKey'] = String(use.sameKey)
  if (use.dataKeyPairSpec !== undefined) conditions['kms:DataKeyPairSpec'] = use.dataKeyPairSpec
  if (isSymmetric(target.key.keySpec)) addContextConditions(conditions, use.context)
  const grant = () => grantOfUse(call, permission, target.key, use.context, deps.grants)
  return { permission, resource: resourceOf(target.key, true), conditions, grant }
}

/** A permission that no key decides, such as kms:ListKeys on `*`. */
export function accountCheck(
  call: CallContext,
  permission: string,
  conditions: ConditionValues = none,
): Check {
  return {
    permission,
    resource: { type: 'identity', arn: '*', account: call.caller.account },
    conditions,
  }
}

/** The half of an alias operation that is about the alias itself. */
export function aliasCheck(call: CallContext, permission: string, arn: string): Check {
  return {
    permission,
    resource: { type: 'identity', arn, account: call.caller.account },
    conditions: { 'kms:CallerAccount': call.caller.account, ...viaCondition(call) },
  }
}

export function requestTagConditions(tags: readonly Tag[]): Conditions {
  const conditions = tagKeyConditions(tags.map((tag) => tag.TagKey))
  for (const { TagKey, TagValue } of tags) conditions[`aws:RequestTag/${TagKey}`] = TagValue
  return conditions
}

/** A request without tags has no such key. */
export function tagKeyConditions(tagKeys: readonly string[]): Conditions {
  return tagKeys.length === 0 ? {} : { 'aws:TagKeys': tagKeys }
}

/** Absent when the request leaves it out: policies tell the two apart. */
export function bypassCondition(bypass: boolean | undefined): ConditionValues {
  return bypass === undefined ? none : { 'kms:BypassPolicyLockoutSafetyCheck': String(bypass) }
}
