import type { AccountId } from '../base/ids.ts'

/**
 * An organisation's guardrails: service control policies bound what the principals of an account may do, resource
 * control policies what may be done with its resources, whoever does it. Operators set them.
 * https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_evaluation.html
 */
export interface Guardrails {
  /** As in `aws:PrincipalOrgID`. */
  readonly organizationId: string
  /** Greater after every change. */
  readonly revision: number
  /** From the organisation's root down to the account. At each level one of its policies has to allow. */
  serviceControl(account: AccountId): readonly GuardrailLevel[]
  resourceControl(account: AccountId): readonly GuardrailLevel[]
}

/** One from which everything was detached is empty, and allows nothing. */
export type GuardrailLevel = readonly GuardrailPolicy[]

export type GuardrailPolicy = { readonly arn: string; readonly text: string }
