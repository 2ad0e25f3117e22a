import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import type { CallerLayers, SourcedPolicy } from './layers.ts'
import type { CompiledPolicy } from './policy/compile.ts'

/** Everything that a decision depends on. */
export type AccessRequest = {
  readonly caller: Caller
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly resource: AccessResource
  /** Condition values of the check and of the call, in any number of records. */
  readonly conditions: readonly ConditionValues[]
  /** The policies of the caller; absent: it has none. */
  readonly layers?: CallerLayers | undefined
  /** Resource control policies of the resource's account, from the organisation's root down. */
  readonly resourceControl?: readonly (readonly SourcedPolicy[])[] | undefined
  /**
   * Finds a grant on the key that permits the call to this very caller. Asked once at the most, and
   * only when nothing denies and no policy allows.
   */
  readonly grant?: (() => PermittingGrant | undefined) | undefined
}

/** A grant that permits the call, and how it names the caller: one to an account is used by leave of its policies. */
export type PermittingGrant = {
  readonly grantId: string
  readonly grantee: 'user' | 'role' | 'role-session' | 'account'
}

export type AccessResource =
  /** A key: without its policy nobody may do anything. `crossAccount`: whether AWS lets other accounts call. */
  | {
      readonly type: 'key'
      readonly arn: string
      readonly account: AccountId
      readonly policy: CompiledPolicy
      readonly crossAccount: boolean
    }
  /** A role that the caller would assume: its trust policy decides as a key policy does. */
  | {
      readonly type: 'role'
      readonly arn: string
      readonly account: AccountId
      readonly policy: CompiledPolicy
    }
  /**
   * A bucket or an object in it. Within its account the bucket's policy and those of the caller are as good as each
   * other; other accounts need both. One that has no policy has `noBucketPolicy`. `crossAccount`: whether others may.
   */
  | {
      readonly type: 'bucket'
      readonly arn: string
      readonly account: AccountId
      readonly policy: CompiledPolicy
      readonly crossAccount: boolean
    }
  /** No resource policy: identity policies of the caller's account alone decide (`*`, an alias). */
  | { readonly type: 'identity'; readonly arn: string; readonly account: AccountId }
