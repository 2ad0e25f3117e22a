import { isSymmetric } from '../../hsm/key-specs.ts'
import type { EncryptionContext } from '../../hsm/port.ts'
import type { CallContext, Check, ConditionValues } from '../operation.ts'
import { addContextConditions } from './encryption-context.ts'
import { type GrantTerms, grantOfUse, parentGrant } from './grant-evidence.ts'
import type { Grants } from './grants.ts'
import { type KeyRecord, resourceOf } from './key.ts'
import type { KeyTarget } from './key-identifier.ts'
import type { Tag } from './tags.ts'

/**
 * What conditions in policies can ask of a call on KMS, beside the global keys.
 * https://docs.aws.amazon.com/kms/latest/developerguide/policy-conditions.html
 */
type Conditions = Record<string, string | readonly string[]>

const none: ConditionValues = Object.freeze({})

/** Of every call on a key: who calls, and what kind of key it is. The deprecated names still hold. */
function keyConditions(call: CallContext, key: KeyRecord): Conditions {
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
  return conditions
}

/** Of a call that makes a key: what kind it is to be. */
export function newKeyConditions(
  call: CallContext,
  kind: Pick<KeyRecord, 'keySpec' | 'keyUsage' | 'multiRegion'> & { readonly origin: string },
): Conditions {
  return {
    'kms:CallerAccount': call.caller.account,
    'kms:CustomerMasterKeySpec': kind.keySpec,
    'kms:CustomerMasterKeyUsage': kind.keyUsage,
    'kms:KeyOrigin': kind.origin,
    'kms:KeySpec': kind.keySpec,
    'kms:KeyUsage': kind.keyUsage,
    'kms:MultiRegion': String(kind.multiRegion),
  }
}

/** A permission to manage a key; `own` are the operation's own condition keys. */
export function managementCheck(
  call: CallContext,
  permission: string,
  key: KeyRecord,
  own: ConditionValues = none,
): Check {
  const conditions = Object.assign(keyConditions(call, key), own)
  return { permission, resource: resourceOf(key, false), conditions }
}

/** A permission that other accounts can have as well; `own` are the operation's own condition keys. */
export function sharedCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  own: ConditionValues = none,
): Check {
  const conditions = Object.assign(keyConditions(call, target.key), own)
  if (target.alias !== undefined) conditions['kms:RequestAlias'] = target.alias
  return { permission, resource: resourceOf(target.key, true), conditions }
}

/** The same, for what a grant can permit as well, and no encryption context is part of. */
export function grantableCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget,
  grants: Grants,
  own: ConditionValues = none,
): Check {
  const grant = () => grantOfUse(call, permission, target.key, undefined, grants)
  return { ...sharedCheck(call, permission, target, own), grant }
}

/** The permission to make a grant. A grant that permits it permits no more than itself. */
export function newGrantCheck(
  call: CallContext,
  permission: string,
  target: KeyTarget & { readonly terms: GrantTerms },
  grants: Grants,
  own: ConditionValues,
): Check {
  const grant = () => parentGrant(call, target.key, target.terms, grants)
  return { ...sharedCheck(call, permission, target, own), grant }
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
  grants: Grants,
): Check {
  const conditions = keyConditions(call, target.key)
  conditions['kms:EncryptionAlgorithm'] = use.algorithm
  if (target.alias !== undefined) conditions['kms:RequestAlias'] = target.alias
  if (use.sameKey !== undefined) conditions['kms:ReEncryptOnSameKey'] = String(use.sameKey)
  if (use.dataKeyPairSpec !== undefined) conditions['kms:DataKeyPairSpec'] = use.dataKeyPairSpec
  if (isSymmetric(target.key.keySpec)) addContextConditions(conditions, use.context)
  const grant = () => grantOfUse(call, permission, target.key, use.context, grants)
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
    conditions: { 'kms:CallerAccount': call.caller.account },
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
