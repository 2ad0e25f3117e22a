import type { Rule } from './conditions/atom.ts'
import type { Effect } from './policy/document.ts'

/** What the evaluator looked at, in its order: deny statements before allow statements of each policy. */
export type StatementTrace = {
  readonly layer: 'key-policy' | 'identity-policy'
  /** Which of the caller's identity policies, from 0; 0 for the key policy. */
  readonly policy: number
  readonly index: number
  readonly sid: string | undefined
  readonly effect: Effect
  readonly matched: boolean
  /** The first element that did not match. 'inert': the statement lacks Action or Resource. */
  readonly failed: FailedElement | undefined
  /** Conditions are evaluated when everything else matched. */
  readonly conditions: readonly ConditionTrace[]
}

export type FailedElement = 'inert' | 'principal' | 'action' | 'resource' | 'condition'

export type ConditionTrace = {
  /** As written, for example `ForAnyValue:StringLike`. */
  readonly operator: string
  readonly key: string
  /** As written. */
  readonly policyValues: readonly string[]
  /** Undefined when the request has no such key. */
  readonly requestValues: readonly string[] | undefined
  readonly holds: boolean
  readonly rule: Rule
}
