import type { CallContext, Check, ConditionValues } from '../operation.ts'
import type { TrailName } from './trail-name.ts'
import type { TrailRecord, Trails } from './trails.ts'

/** A permission on no trail in particular. */
export function accountCheck(call: CallContext, permission: string): Check {
  return {
    permission,
    resource: { type: 'identity', arn: '*', account: call.caller.account },
    conditions: {},
  }
}

/** A permission on a trail, which need not be there: identity policies of its account alone decide. */
export function trailCheck(
  permission: string,
  { arn, account, homeRegion, name }: TrailName,
  trails: Trails,
  conditions: ConditionValues = {},
): Check {
  return {
    permission,
    resource: { type: 'identity', arn, account },
    conditions: { ...tagConditions(trails.get(homeRegion, account, name)), ...conditions },
  }
}

function tagConditions(trail: TrailRecord | undefined): ConditionValues {
  const tags = trail?.tags ?? []
  return Object.fromEntries(tags.map(({ key, value }) => [`aws:ResourceTag/${key}`, value]))
}
