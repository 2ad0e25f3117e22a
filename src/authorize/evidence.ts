import type { ConditionContext } from './conditions/context.ts'
import type { Decision } from './decision.ts'
import type { AccessRequest, PermittingGrant } from './request.ts'
import type { LayerName } from './trace.ts'

/**
 * What a decision was made of: enough to write it into the record of its call, and to make it again from there. It
 * refers to what the evaluator had anyway, so that a decision that nobody writes down costs nothing more.
 */
export type Evidence = {
  readonly request: AccessRequest
  readonly decision: Decision
  /** Knows what the policies asked of the request, and what matching them took. */
  readonly context: Pick<ConditionContext, 'asked' | 'work'>
  /** The grant that was found, whether or not it sufficed. */
  readonly grant: PermittingGrant | undefined
}

/** Whose policies: the caller's account has set those of the one, the account of the resource those of the other. */
export type Side = 'caller' | 'resource'

export type PolicyLayer = Exclude<LayerName, 'grant'>

/**
 * A decision as it stands in a record (`additionalEventData.authorization`). By it, and by the texts that it names, the
 * same decision is made again at any time: condition keys that no policy asked for cannot have mattered.
 */
export type RecordedDecision = {
  /** As in `kms:Decrypt`. */
  readonly permission: string
  /** ARN, or `*`. */
  readonly resource: string
  /** The account of the resource, where it is not the caller's. */
  readonly account?: string
  /** Present: what stands here is of one side alone. The other account's record has the rest. */
  readonly side?: Side
  readonly allowed: boolean
  /** Of the `Decision`, as is the path. */
  readonly reason: string
  readonly path?: string
  readonly grant?: { readonly id: string; readonly grantee: PermittingGrant['grantee'] }
  /** Every policy of every layer that was there, whether or not a statement of it matched. */
  readonly policies?: readonly RecordedPolicy[]
  /** The caller's session has session policies, be there any left or not. */
  readonly session?: true
  /** How many levels of guardrails there were; one without a policy allows nothing. */
  readonly serviceControlLevels?: number
  readonly resourceControlLevels?: number
  /** What policies asked of the request: folded names. */
  readonly conditions?: Readonly<Record<string, RecordedValue>>
}

export type RecordedPolicy = {
  readonly layer: PolicyLayer
  /** `SourcedPolicy.name`; absent: the policy of the resource itself. */
  readonly name?: string
  readonly version?: string
  /** Of guardrails: the level, from 0, the organisation's root. */
  readonly level?: number
  /** SHA-256 of the text that was evaluated, in hexadecimal. */
  readonly digest: string
}

/**
 * Null: absent. `several`: a single-valued key that the request brought more than once. `hidden`: a fact of the other
 * account, which that one's record has.
 */
export type RecordedValue =
  | string
  | readonly string[]
  | { readonly several: readonly string[] }
  | { readonly hidden: true }
  | null
