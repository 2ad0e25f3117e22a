import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import type { CompiledPolicy } from './policy/compile.ts'

/** Everything that a decision depends on. */
export type AccessRequest = {
  readonly caller: Caller
  /** As in `kms:Decrypt`. */
  readonly permission: string
  readonly resource: AccessResource
  /** Condition values of the check and of the call, in any number of records. */
  readonly conditions: readonly ConditionValues[]
  /** The identity policies of the caller. A root user has none and needs none. */
  readonly identityPolicies?: readonly CompiledPolicy[]
  /**
   * Finds a grant on the key that permits the call to this very caller, and answers its id. Asked once at the most, and
   * only when nothing denies and no policy allows.
   */
  readonly grant?: (() => string | undefined) | undefined
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
  /** No resource policy: identity policies of the caller's account alone decide (`*`, an alias). */
  | { readonly type: 'identity'; readonly arn: string; readonly account: AccountId }
