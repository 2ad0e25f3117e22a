import type { PrincipalNames } from '../../authorize/policy/bind.ts'
import type { Caller } from '../../base/caller.ts'
import type { AccountId, KeyId, Region } from '../../base/ids.ts'
import type { Random } from '../../base/random.ts'
import type { Hsm } from '../../hsm/port.ts'
import type { ConditionValues } from '../operation.ts'
import type { Grants } from './grants.ts'
import type { LastUsage } from './last-usage.ts'
import type { KmsState } from './state.ts'

/** What the operations of KMS need of the rest of the house. */
export type KmsDeps = {
  readonly state: KmsState
  readonly hsm: Hsm
  /** Names new keys. */
  readonly random: Random
  /** Reads which key and material a ciphertext names; undefined for what is no ciphertext of ours. Proves nothing. */
  readonly parseBlob: (blob: Buffer) => CiphertextName | undefined
  readonly policies: PolicyRules
  readonly limits: KmsLimits
  /** The Regions that the deployment serves: where keys can be replicated to. */
  readonly regions: readonly Region[]
  readonly grants: Grants
  readonly lastUsage: LastUsage
}

export type CiphertextName = { readonly keyId: KeyId; readonly materialId: string }

export type PolicyRules = {
  /** The policy of a key that was made without one. */
  defaultKeyPolicy(account: AccountId): string
  /**
   * Throws 'limit-exceeded' or 'malformed-policy' for a text that cannot be a key policy, and, unless that check is
   * waived, for one after which the caller could not put another. Answers the text to be stored, which names principals
   * by their unique ids.
   */
  admitKeyPolicy(text: string, change: PolicyChange): string
  /** A stored policy as callers are shown it. */
  shownKeyPolicy(text: string): string
  /** Unique ids of the principals that grants name. */
  readonly principals: PrincipalNames
  /** Whether the deployment has that account: no principal is of any other. */
  accountExists(account: AccountId): boolean
}

/** Who would put a policy on which key. */
export type PolicyChange = {
  readonly caller: Caller
  readonly keyArn: string
  readonly keyAccount: AccountId
  /** Of kms:PutKeyPolicy on that key by that caller. */
  readonly conditions: readonly ConditionValues[]
  readonly bypassLockoutSafetyCheck: boolean
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/resource-limits.html */
export type KmsLimits = {
  /** In one account and Region. */
  readonly keys: number
  readonly aliasesPerKey: number
  readonly tagsPerKey: number
  readonly grantsPerKey: number
  readonly onDemandRotationsPerKey: number
  readonly policyBytes: number
}

export const defaultLimits: KmsLimits = {
  keys: 100_000,
  aliasesPerKey: 50,
  tagsPerKey: 50,
  grantsPerKey: 50_000,
  onDemandRotationsPerKey: 25,
  policyBytes: 32_768,
}
