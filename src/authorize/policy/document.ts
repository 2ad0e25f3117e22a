import type { OperatorName } from '../conditions/operator-name.ts'
import type { Location } from '../json.ts'

/**
 * A policy as it was written, checked for structure.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
 */
export type PolicyDocument = {
  readonly kind: PolicyKind
  /** A document without Version is read as one of 2008, which knows no variables. */
  readonly version: '2008-10-17' | '2012-10-17'
  readonly id: string | undefined
  readonly statements: readonly Statement[]
}

export type Effect = 'Allow' | 'Deny'

export type Statement = {
  readonly at: Location
  readonly sid: string | undefined
  readonly effect: Effect
  /** Undefined in policies that name nobody: identity policies belong to their principal, guardrails bound everyone. */
  readonly principal: PrincipalElement | undefined
  /**
   * Undefined: KMS accepts a key policy statement without Action or Resource; it then matches nothing. A trust policy
   * has no Resource, and is about its role: it is read as `*`.
   */
  readonly action: PatternElement | undefined
  readonly resource: PatternElement | undefined
  readonly conditions: readonly Condition[]
}

/** Action, NotAction, Resource or NotResource. */
export type PatternElement = {
  /** It was NotAction or NotResource. */
  readonly inverted: boolean
  readonly patterns: readonly Text[]
}

/** Principal or NotPrincipal. */
export type PrincipalElement = {
  readonly inverted: boolean
  readonly entries: readonly PrincipalEntry[]
}

export type PrincipalEntry = Text & {
  /** A bare `"*"` means the same as AWS: `"*"`. */
  readonly kind: 'AWS' | 'CanonicalUser' | 'Federated' | 'Service'
}

/** One key of one operator; all conditions of a statement must hold. */
export type Condition = {
  readonly at: Location
  readonly operator: OperatorName
  readonly key: string
  readonly values: readonly Text[]
}

export type Text = { readonly at: Location; readonly text: string }

/**
 * All policies share the language, and differ in what a statement must have. `identity`: of users, groups and roles,
 * permissions boundaries and session policies; `trust`: who may assume a role; `bucket`: of an S3 bucket and its
 * objects; the last two are an organisation's.
 */
export type PolicyKind =
  | 'key'
  | 'identity'
  | 'trust'
  | 'bucket'
  | 'service-control'
  | 'resource-control'
