import type { Random } from '../../base/random.ts'
import type { ConfigurationHistory } from '../../journal/port.ts'
import type { Store } from '../../storage/port.ts'
import type { ConfigState, RuleRecord } from './state.ts'

export type ConfigDeps = {
  readonly config: ConfigState
  readonly history: ConfigurationHistory
  /** Where members of items are that were too long for the journal. */
  readonly archive: Pick<Store, 'archived'>
  readonly compliance: Compliance
  readonly random: Random
}

export const complianceTypes = [
  'COMPLIANT',
  'NON_COMPLIANT',
  'NOT_APPLICABLE',
  'INSUFFICIENT_DATA',
] as const
export type ComplianceType = (typeof complianceTypes)[number]

/** What a rule says of a resource. */
export type Verdict = {
  readonly rule: string
  readonly type: string
  readonly resourceId: string
  readonly compliance: 'COMPLIANT' | 'NON_COMPLIANT'
  /** At most 256 characters. */
  readonly annotation: string | undefined
  /** ms since the epoch: of the verdict, and of the look at the resource that it came of. */
  readonly recordedAt: number
  readonly invokedAt: number
}

/** The verdicts of late, kept current in the background. */
export interface Compliance {
  /** In the order of types and ids; undefined while the rule has not been evaluated. */
  of(rule: RuleRecord): readonly Verdict[] | undefined
  /** When the rule was evaluated last; undefined before. ms since the epoch. */
  evaluatedAt(rule: RuleRecord): number | undefined
  /** Looks at everything that the rule is about again, soon. */
  evaluate(rule: RuleRecord): void
}
