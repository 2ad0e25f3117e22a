import type { AccountId } from '../../base/ids.ts'
import type { Identities } from '../../identities/identities.ts'

/** By how many identities of an account a managed policy is used. */
export type Usage = { readonly attachments: number; readonly boundaries: number }

const none: Usage = { attachments: 0, boundaries: 0 }

export function usageOf(usage: ReadonlyMap<string, Usage>, arn: string): Usage {
  return usage.get(arn) ?? none
}

/** Of every managed policy that is used, by ARN. Goes through the identities of the account once. */
export function policyUsage(
  { users, groups, roles }: Identities,
  account: AccountId,
): ReadonlyMap<string, Usage> {
  const usage = new Map<string, Usage>()
  const count = (arn: string, attachments: number, boundaries: number) => {
    const before = usageOf(usage, arn)
    usage.set(arn, {
      attachments: before.attachments + attachments,
      boundaries: before.boundaries + boundaries,
    })
  }
  for (const { attached } of groups.of(account)) for (const arn of attached) count(arn, 1, 0)
  for (const { attached, boundary } of [...users.of(account), ...roles.of(account)]) {
    for (const arn of attached) count(arn, 1, 0)
    if (boundary !== undefined) count(boundary, 0, 1)
  }
  return usage
}
