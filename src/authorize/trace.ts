import type { Rule } from './conditions/atom.ts'
import type { Decision } from './decision.ts'
import type { Effect } from './policy/document.ts'
import type { PrincipalMatch } from './policy/principal-match.ts'

/**
 * The layers of a decision, in the order in which their denials are named. A resource has the one or the other policy.
 */
export type LayerName =
  | 'service-control-policy'
  | 'resource-control-policy'
  | 'key-policy'
  | 'trust-policy'
  | 'bucket-policy'
  | 'identity-policy'
  | 'permissions-boundary'
  | 'session-policy'
  | 'grant'

/** The layer of a resource's own policy. */
export const layerOfResource = {
  key: 'key-policy',
  role: 'trust-policy',
  bucket: 'bucket-policy',
} as const satisfies Readonly<Record<string, LayerName>>

/** A decision, and all that every layer said to the request, whether or not it took it. */
export type Explanation = {
  readonly decision: Decision
  /**
   * Empty when no policy was read, because AWS lets no other account call the operation. The last may be missing when
   * reading on would take too long; the decision is then 'too-much-work'.
   */
  readonly layers: readonly LayerTrace[]
}

/** What one layer says; of guardrails, each level is one. */
export type LayerTrace = {
  readonly layer: LayerName
  /** Of guardrails: how far below the organisation's root, from 0. */
  readonly level?: number
  readonly result: LayerResult
  readonly policies: readonly PolicyTrace[]
  /** Of the layer 'grant', where one permits it. */
  readonly grantId?: string
}

/** 'not-applicable': the request has no such layer, and nothing is asked of it. */
export type LayerResult = 'explicit-deny' | 'allow' | 'implicit-deny' | 'not-applicable'

export type PolicyTrace = {
  /** `SourcedPolicy.name`; the ARN of the resource for a resource policy. */
  readonly name: string
  /** Of a managed policy. */
  readonly version: string | undefined
  /** SHA-256 of its text, in hexadecimal. */
  readonly digest: string
  /** All of them: denials before allowances, each in the order of the document. */
  readonly statements: readonly StatementTrace[]
}

export type StatementTrace = {
  /** The place in the document, from 0. */
  readonly index: number
  readonly sid: string | undefined
  readonly effect: Effect
  readonly matched: boolean
  /** How the statement names the caller; undefined too where statements name nobody. */
  readonly match: PrincipalMatch | undefined
  /** The first element that did not match. 'inert': the statement lacks Action or Resource. */
  readonly failed: FailedElement | undefined
  /** Conditions are evaluated when everything else matched, and then all of them. */
  readonly conditions: readonly ConditionTrace[]
}

export type FailedElement = 'inert' | 'principal' | 'action' | 'resource' | 'condition'

export type ConditionTrace = {
  /** As written, for example `ForAnyValue:StringLike`. */
  readonly operator: string
  readonly key: string
  /** As written. */
  readonly policyValues: readonly string[]
  /** Where there are variables: the same with the request's values in their place; undefined for one that has none. */
  readonly resolvedValues?: readonly (string | undefined)[]
  /** Undefined when the request has no such key. */
  readonly requestValues: readonly string[] | undefined
  readonly holds: boolean
  readonly rule: Rule
}
