import type { Caller } from '../base/caller.ts'
import type { AccountId } from '../base/ids.ts'
import type { ConditionValues } from './conditions/context.ts'
import { decide } from './evaluate.ts'
import type { CallerLayers } from './layers.ts'
import type { CompiledPolicy } from './policy/compile.ts'

/**
 * Whether the caller, with what it may do now, could not replace the new policy again.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_PutKeyPolicy.html
 */
export function wouldLockOut(
  newPolicy: CompiledPolicy,
  caller: Caller,
  keyArn: string,
  keyAccount: AccountId,
  conditions: readonly ConditionValues[],
  layers?: CallerLayers,
): boolean {
  const decision = decide({
    caller,
    permission: 'kms:PutKeyPolicy',
    resource: {
      type: 'key',
      arn: keyArn,
      account: keyAccount,
      policy: newPolicy,
      crossAccount: false,
    },
    conditions,
    layers,
  })
  return !decision.allowed
}
