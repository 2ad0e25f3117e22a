import type { CallContext } from '../operation.ts'
import { bypassCondition, managementCheck } from './conditions.ts'
import type { KmsDeps } from './deps.ts'
import { policyQuota, unknownPolicyName } from './errors.ts'
import { arnOf, type KeyRecord } from './key.ts'

/** A key has one policy, of this name. */
export const policyName = 'default'

/** Throws 'not-found' for any other name. */
export function requirePolicyName(name: string | undefined): void {
  if (name !== undefined && name !== policyName) throw unknownPolicyName()
}

/**
 * The text that `key` is to have in the place of the policy in its record: that one has to be well formed and, unless
 * the caller waives that, leave the caller able to change it again. Throws 'malformed-policy' or 'limit-exceeded'.
 */
export function checkPolicy(
  call: CallContext,
  key: KeyRecord,
  bypass: boolean | undefined,
  deps: KmsDeps,
): string {
  const { policies, limits } = deps
  if (Buffer.byteLength(key.policy) > limits.policyBytes) throw policyQuota(limits.policyBytes)
  const { conditions } = managementCheck(
    call,
    'kms:PutKeyPolicy',
    key,
    deps,
    bypassCondition(bypass),
  )
  return policies.admitKeyPolicy(key.policy, {
    caller: call.caller,
    keyArn: arnOf(key),
    keyAccount: key.account,
    conditions: [conditions, call.globalConditions],
    bypassLockoutSafetyCheck: bypass === true,
  })
}
